"""A bank that an earlier featbank made goes on being read."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fake_chips import write_chips

from featbank.bank.bank import Bank
from featbank.bank.maps import read_map
from featbank.bank.results import read_predictions, read_results
from featbank.cli.main import run
from featbank.errors import StoreError
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.predict.run import PredictOptions, plan_prediction, predict
from featbank.stages.probe.run import ProbeOptions, probe_store
from featbank.store.reader import Store
from featbank.store.schema import MIGRATIONS, READ_VERSIONS, SCHEMA_VERSION

KEPT = sorted((Path(__file__).resolve().parents[1] / "fixtures").glob("bank-*.zip"))


@pytest.fixture(scope="module", params=KEPT, ids=[path.stem for path in KEPT])
def kept(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "bank"
    with zipfile.ZipFile(request.param) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def chips(kept):
    return write_chips(kept.parent / "chips", chips=16)


def store_of(kept, dataset):
    (path,) = Bank(kept).stores(dataset=dataset)
    return path


@pytest.fixture(scope="module")
def probe(kept):
    frame = read_results(Bank(kept))
    return frame[frame["protocol"] == "featbank-logistic"]["result"].iloc[0]


def test_a_store_opens_with_its_features(kept):
    store = Store(store_of(kept, "chips"))
    assert store.features("cls").shape == (48, 32)
    assert np.isfinite(store.features("mean")).all()


def test_a_store_of_several_labels_opens(kept):
    store = Store(store_of(kept, "synthetic-s2"))
    assert any(store.labels(name).ndim == 2 for name in store.label_sets)


def test_results_are_read_with_their_values(kept):
    frame = read_results(Bank(kept))
    headlines = frame[frame["selected"].astype(bool)]
    assert set(headlines["protocol"]) == {"featbank-knn", "featbank-logistic"}
    assert headlines["value"].between(0, 1).all()


def test_a_saved_probe_predicts_what_was_predicted_then(kept, probe):
    then = read_predictions(Bank(kept).predictions_path(probe))
    options = PredictOptions(
        probe=probe, source=str(store_of(kept, "chips")), bank=kept, write=False
    )
    table = predict(plan_prediction(options)).table.to_pandas().set_index("sample_id")
    scores = table.loc[then.ids.tolist(), [f"p_{name}" for name in then.classes]]
    np.testing.assert_allclose(scores.to_numpy(), then.scores, atol=1e-5)


def test_a_saved_probe_of_another_algorithm_takes_no_new_images(kept, probe, chips):
    checkpoint = next((kept / "checkpoints").glob("*/*"))
    options = PredictOptions(
        probe=probe, source=str(chips), bank=kept, weights=str(checkpoint), write=False, workers=0
    )
    with pytest.raises(StoreError, match="embed the probe's own images again with this featbank"):
        plan_prediction(options)


def test_a_map_is_read(kept):
    (path,) = (kept / "maps").glob("*.parquet")
    assert read_map(path).xy.shape == (48, 2)


def test_a_store_is_probed_anew(kept):
    path = store_of(kept, "chips")
    report = probe_store(ProbeOptions(store=path, bank=kept, clf="knn", resamples=5))
    assert report.results


def test_a_checkpoint_embeds(kept, chips, tmp_path):
    checkpoint = next((kept / "checkpoints").glob("*/*"))
    options = EmbedOptions(
        model=str(checkpoint), dataset=str(chips), bank=tmp_path, device="cpu", workers=0
    )
    report = embed_dataset(plan_embed(options))
    assert np.isfinite(Store(report.store).features("cls")).all()


@pytest.mark.parametrize(
    "command", ["stores", "show", "report", "checkpoints", "figure confusion-matrix"]
)
def test_a_command_goes_through(kept, command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run([*command.split(), "--bank", str(kept)]) == 0, capsys.readouterr().err


def with_version(kept, folder, version):
    """A copy of a kept store that says another schema version."""
    store = folder / "x.zarr"
    shutil.copytree(store_of(kept, "chips"), store)
    document = store / "zarr.json"
    content = json.loads(document.read_text())
    content["attributes"]["schema_version"] = version
    document.write_text(json.dumps(content))
    return store


def test_a_newer_store_is_refused_by_its_version(kept, tmp_path):
    store = with_version(kept, tmp_path, SCHEMA_VERSION + 1)
    with pytest.raises(StoreError, match=f"version is {SCHEMA_VERSION + 1}, that of a newer"):
        Store(store)


@pytest.mark.parametrize("version", [None, 0, "1", -3])
def test_what_is_no_version_is_refused(kept, tmp_path, version):
    with pytest.raises(StoreError, match="expected a store of features, of version 1 to"):
        Store(with_version(kept, tmp_path, version))


def test_every_version_opens_or_names_the_way(kept):
    assert {*READ_VERSIONS, *MIGRATIONS} == set(range(1, SCHEMA_VERSION + 1))
