import shutil
from dataclasses import replace

import pytest
from fake_hub import save_model
from fake_server import Publisher, serving

from featbank.backbones import BACKBONES
from featbank.downloads import fetch as fetch_module
from featbank.errors import DownloadError, MissingPathError, UsageError, WeightsError
from featbank.remote import RemoteFile
from featbank.sources import fetching
from featbank.sources.backbones_by_name import named_backbone
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.fetching import fetch_model
from featbank.sources.weights import is_hub_id, load_weights


@pytest.fixture(autouse=True)
def no_weights_here(monkeypatch, tmp_path):
    monkeypatch.setenv("FEATBANK_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))


def load(model, **options):
    spec, settled = named_backbone(EmbedOptions(model=model, dataset="x", **options))
    return load_weights(spec, settled)


@pytest.mark.parametrize("name", [n for n in BACKBONES if BACKBONES[n].remote is not None])
def test_missing_weights_name_the_file_the_address_and_the_command(name):
    with pytest.raises(MissingPathError) as caught:
        load(name)
    line = str(caught.value)
    remote = BACKBONES[name].remote
    assert remote.name in line
    assert remote.url in line
    assert f"featbank models --download {name}" in line


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("facebook/dinov2-base", True),
        ("runs/best.pth", False),
        ("./weights", False),
        ("a/b/c", False),
        ("weights", False),
    ],
)
def test_hub_ids_are_told_from_paths(name, expected):
    assert is_hub_id(name) == expected


def test_a_publishers_file_is_taken_when_it_is_here(tmp_path, tiny_weights):
    spec = replace(
        BACKBONES["vit-tiny"], remote=RemoteFile(name="tiny.safetensors", url="https://")
    )
    folder = tmp_path / "weights"
    folder.mkdir()
    shutil.copy(tiny_weights, folder / "tiny.safetensors")
    options = EmbedOptions(model="vit-tiny", dataset="x")
    assert load_weights(spec, options).origin == "tiny.safetensors"


@pytest.fixture
def tiny_spec(monkeypatch):
    def with_remote(url):
        spec = replace(BACKBONES["vit-tiny"], remote=RemoteFile(name="w.bin", url=url))
        monkeypatch.setattr(fetching, "BACKBONES", {"vit-tiny": spec})

    return with_remote


def test_a_models_weights_are_fetched_by_its_name(tiny_spec, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Publisher(b"weights")) as publisher:
        tiny_spec(publisher.url)
        path = fetch_model("vit-tiny")
    assert path == tmp_path / "weights" / "w.bin"
    assert path.read_bytes() == b"weights"


def test_weights_that_are_not_given_are_an_error(tiny_spec, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "_WAITS_S", ())
    tiny_spec("http://127.0.0.1:9/w.bin")
    with pytest.raises(DownloadError):
        fetch_model("vit-tiny")
    assert not (tmp_path / "weights" / "w.bin").exists()


@pytest.mark.parametrize("name", ["rcf", "vit-tiny"])
def test_models_without_published_weights_have_nothing_to_fetch(name):
    with pytest.raises(UsageError, match="expected a model whose publisher offers a file"):
        fetch_model(name)


def test_a_transformers_folder_serves_a_catalog_model(tmp_path):
    settings = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6}
    settings |= {"intermediate_size": 1536, "image_size": 518, "mlp_ratio": 4}
    folder = save_model(tmp_path / "small", "dinov2", **settings)
    weights = load("dinov2-small", weights=str(folder))
    assert (weights.origin, weights.config) == ("small", BACKBONES["dinov2-small"].config)


def test_a_folder_of_another_family_is_refused(tmp_path):
    folder = save_model(tmp_path / "m", "vit")
    with pytest.raises(WeightsError):
        load("dinov3-small", weights=str(folder))


def test_a_folders_name_says_nothing_of_this_machine(tmp_path):
    folder = save_model(tmp_path / "tiny", "vit")
    spec, _ = named_backbone(EmbedOptions(model=f"hf:{folder}", dataset="x"))
    assert spec.name == "hf:tiny"


def test_a_file_called_random_is_not_replaced_by_random_weights(
    tmp_path, tiny_weights, monkeypatch
):
    from fake_dataset import radar
    from safetensors.torch import load_file

    from featbank.stages.embed import plan as embed_plan

    path = tmp_path / "random_crops.safetensors"
    shutil.copy(tiny_weights, path)
    monkeypatch.setattr(embed_plan, "open_dataset", lambda *args, **kwargs: radar())
    options = EmbedOptions(
        model="vit-tiny",
        dataset="synthetic-s1",
        weights=str(path),
        normalise="dataset",
        adapt="ratio",
        workers=0,
        bank=tmp_path,
    )
    state = embed_plan.plan_embed(options).weights.state
    assert (state["norm.weight"] == load_file(path)["norm.weight"]).all()


def test_a_hub_models_origin_is_its_id_not_the_snapshot_in_the_cache(tmp_path, monkeypatch):
    from featbank.downloads import hub

    snapshot = save_model(tmp_path / "0123456789abcdef", "vit")
    monkeypatch.setattr(hub, "hub_folder", lambda *args, **kwargs: snapshot)
    assert load("hf:owner/tiny").origin == "owner/tiny"
    assert load("dinov2-small", weights="random").is_random


def test_a_model_that_names_its_weights_takes_no_others(tmp_path):
    with pytest.raises(UsageError, match="names its weights itself"):
        load("hf:owner/tiny", weights="other/model")
