"""An exported checkpoint gives the same features in the other library."""

import json

import numpy as np
import pytest
import torch
from fake_chips import write_chips
from made_checkpoint import tiny_config, write_tiny
from PIL import Image

import featbank
from featbank.bank.checkpoints import ENCODER
from featbank.cli.main import run
from featbank.errors import UsageError, WeightsError
from featbank.stages.pretrain.checkpoints.exporting import export_checkpoint


@pytest.mark.parametrize("registers", [0, 2])
@pytest.mark.parametrize("layer_scale", [False, True])
def test_transformers_gives_the_features_that_embed_stores(tmp_path, registers, layer_scale):
    import transformers

    config = tiny_config(registers=registers, layer_scale=layer_scale)
    path = write_tiny(tmp_path, config=config)
    imagery = write_chips(tmp_path / "chips", chips=4)
    store = featbank.embed(path, imagery, bank=tmp_path / "b", workers=0, dtype="float32")
    out = featbank.export(path, tmp_path / "out", to="transformers")
    name = json.loads((out / "config.json").read_text())["architectures"][0]
    network = getattr(transformers, name).from_pretrained(out).eval()
    settings = json.loads((out / "preprocessor_config.json").read_text())
    chip = np.asarray(Image.open(imagery / "class2" / "01.png"), dtype=np.float64) / 255
    x = (chip - settings["image_mean"]) / settings["image_std"]
    with torch.inference_mode():
        found = network(torch.from_numpy(x).float().permute(2, 0, 1)[None]).last_hidden_state[0, 0]
    row = store.ids.tolist().index("class2/01")
    np.testing.assert_allclose(store.features()[row], found, rtol=1e-3, atol=2e-5)


def test_an_export_embeds_as_a_hub_model_does(tmp_path):
    path, imagery = write_tiny(tmp_path), write_chips(tmp_path / "chips", chips=4)
    out = featbank.export(path, tmp_path / "out", to="transformers")
    more = {"bank": tmp_path / "b", "workers": 0, "dtype": "float32"}
    own = featbank.embed(path, imagery, **more)
    size = {"image_size": 24, "normalise": "dataset"}
    ours = featbank.embed(path, imagery, **more, **size)
    theirs = featbank.embed(f"hf:{out}", imagery, **more, **size)
    np.testing.assert_allclose(ours.features(), theirs.features(), rtol=1e-3, atol=2e-5)
    assert own.path != ours.path


def test_timm_gets_its_names_and_arguments(tmp_path):
    from safetensors.torch import load_file

    out = featbank.export(write_tiny(tmp_path), tmp_path / "out", to="timm")
    assert "reg_token" in load_file(out / "model.safetensors")
    assert json.loads((out / "timm_arguments.json").read_text())["embed_dim"] == 32


def test_other_bands_come_with_the_numbers_that_normalise_them(tmp_path):
    bands = tuple({"name": n, "wavelength_um": None, "unit": "dB"} for n in ("VV", "VH", "VV/VH"))
    export = export_checkpoint(
        write_tiny(tmp_path, bands=bands), to="transformers", out=tmp_path / "out"
    )
    assert "give it VV (dB), VH (dB), VV/VH (dB), normalised by" in export.notes[0]
    assert not (tmp_path / "out" / "preprocessor_config.json").exists()


def test_a_folder_that_holds_files_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(UsageError, match="holds files already"):
        featbank.export(write_tiny(tmp_path), tmp_path / "out", to="timm")


def test_a_network_that_the_library_has_not_is_refused_and_nothing_is_written(tmp_path):
    path = write_tiny(tmp_path, config=tiny_config(mlp_dim=72, layer_scale=True))
    with pytest.raises(WeightsError, match="feed-forward layers of 72"):
        featbank.export(path, tmp_path / "out", to="transformers")
    assert not (tmp_path / "out").exists()


def test_a_cut_checkpoint_is_one_line(tmp_path, capsys):
    path = write_tiny(tmp_path)
    (path / ENCODER).write_bytes(b"cut")
    assert run(["export", str(path), "--to", "timm", "--out", str(tmp_path / "out")]) == 1
    assert "is cut short" in capsys.readouterr().err


def test_the_command_says_what_opens_it(tmp_path, capsys):
    args = ["export", str(write_tiny(tmp_path)), "--to", "transformers"]
    assert run([*args, "--out", str(tmp_path / "out")]) == 0
    assert "for transformers.Dinov2WithRegistersModel" in capsys.readouterr().out
