"""Attention follows the store's recipe: same images, preprocessing and weights."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import featbank
from featbank.backbones import BACKBONES
from featbank.bank.attention_maps import read_attention
from featbank.bank.bank import bank_of
from featbank.errors import UnknownNameError, UsageError, WeightsError
from featbank.pictures.show import open_store
from featbank.stages.attend.run import AttendOptions, attend

IDS = ("class2/05", "class0/01")
VIT = {"weights": "random", "normalise": "half", "image_size": 32, "workers": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from fake_chips import write_chips

    return write_chips(tmp_path_factory.mktemp("chips"))


@pytest.fixture(scope="module")
def store(folder, tmp_path_factory):
    return featbank.embed("vit-tiny", folder, bank=tmp_path_factory.mktemp("bank"), **VIT)


@pytest.fixture(scope="module")
def report(store):
    return attend(store, AttendOptions(ids=IDS))


def kept(store, layer=11):
    return read_attention(bank_of(store.path), store.attributes["recipe_id"], layer)


def test_maps_are_those_of_the_network_on_the_resized_and_normalised_chip(store, folder, report):
    spec = BACKBONES["vit-tiny"]
    network = spec.build(spec.config, spec.initial(spec.config, 0))
    pixels = np.asarray(Image.open(folder / f"{IDS[0]}.png"), np.float32) / 255
    chip = (torch.from_numpy(pixels).permute(2, 0, 1)[None] - 0.5) / 0.5
    x = torch.nn.functional.interpolate(chip, (32, 32), mode="bicubic", antialias=True)
    with torch.inference_mode():
        expected = network.attention(x, layer=11)[0].numpy()
    np.testing.assert_allclose(kept(store)[IDS[0]], expected, rtol=1e-3, atol=1e-6)


def test_it_tells_what_was_kept(store, report):
    assert (report.heads, report.registers, report.grid, report.kept) == (3, 0, (2, 2), 2)
    assert "block 11, 3 heads of 2 x 2 patches, for 2 samples" in report.sentence()


def test_the_order_of_the_ids_does_not_mix_them_up(store, report):
    before = kept(store)
    attend(store, AttendOptions(ids=IDS[::-1]))
    for name in IDS:
        np.testing.assert_allclose(kept(store)[name], before[name], rtol=1e-4, atol=1e-7)
    assert np.abs(before[IDS[0]] - before[IDS[1]]).max() > 1e-6


def test_another_block_is_kept_beside_and_counts_from_the_end(store):
    assert attend(store, AttendOptions(ids=IDS[:1], layer=-3)).layer == 9
    assert list(kept(store, 9)) == [IDS[0]]


def test_of_no_ids_one_of_each_class_is_drawn(store):
    found = attend(store, AttendOptions(layer=0))
    assert sorted(name.split("/")[0] for name in found.ids) == ["class0", "class1", "class2"]


def test_a_block_that_is_not_there_is_refused(store):
    with pytest.raises(UsageError, match="blocks 0 to 11"):
        attend(store, AttendOptions(layer=12))


def test_an_unknown_id_is_refused_before_anything_is_read(store):
    with pytest.raises(UnknownNameError, match="class9/01"):
        attend(store, AttendOptions(ids=("class9/01",), weights="not/read.pth"))


def test_other_weights_are_refused(shared, folder, tmp_path, tiny_weights):
    from safetensors.torch import load_file, save_file

    store = featbank.embed(
        "vit-tiny", folder, bank=tmp_path, **VIT | {"weights": str(tiny_weights)}
    )
    other = tmp_path / "other.safetensors"
    save_file({n: v + 0.01 for n, v in load_file(tiny_weights).items()}, other)
    with pytest.raises(WeightsError, match="sha256"):
        attend(store, AttendOptions(ids=IDS, weights=str(other)))
    assert attend(store, AttendOptions(ids=IDS, weights=str(tiny_weights))).kept == 2


@pytest.mark.parametrize("model", ["imagestats", "rcf"])
def test_backbones_without_attention_say_so(folder, tmp_path, model):
    store = featbank.embed(model, folder, bank=tmp_path, workers=0)
    with pytest.raises(UsageError, match=f"model '{model}': it has no attention"):
        attend(store, AttendOptions())


def test_the_command_says_one_line_or_json(store):
    from click.testing import CliRunner

    from featbank.cli.main import group

    bank = bank_of(store.path).root
    words = ["attend", "--bank", str(bank), "--store", str(store.path), "--ids", ",".join(IDS)]
    said = CliRunner().invoke(group, words)
    assert said.exit_code == 0, said.output
    assert said.output.count("\n") == 1
    answer = json.loads(CliRunner().invoke(group, [*words, "--json"]).output)
    assert answer["ids"] == list(IDS)
    assert answer["layer"] == 11


def test_a_store_opens_with_pictures_all_the_same(store):
    assert open_store(store.path).show(IDS).width > 300
