"""Checkpoints and methods on the command line: listed, told in full, embedded by."""

import json

import pytest
from fake_chips import write_chips
from made_checkpoint import tiny_record, write_tiny

import featbank
from featbank.backbones.building.vit_build import initial_vit
from featbank.bank.bank import Bank
from featbank.bank.checkpoints import checkpoint_path, write_checkpoint
from featbank.cli.main import run


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    root = tmp_path_factory.mktemp("b")
    record = tiny_record(saw=({"dataset": "chips", "samples": 36},))
    path = checkpoint_path(Bank(root), dataset="chips", name=record.name)
    write_checkpoint(path, record, initial_vit(record.config, 0), {})
    return root


def said(capsys, *args):
    capsys.readouterr()
    assert run([*map(str, args)]) == 0
    return capsys.readouterr().out


def test_checkpoints_of_a_bank_are_listed(bank, capsys):
    rows = json.loads(said(capsys, "checkpoints", "--bank", bank, "--json"))["checkpoints"]
    assert [(r["name"], r["dataset"], r["steps"], r["state"]) for r in rows] == [
        ("dino-vit-mini-1a2b3c4d", "chips", 7, "finished")
    ]
    assert featbank.list_checkpoints(bank)["dim"].tolist() == [32]


def test_one_checkpoint_is_told_in_full(bank, tmp_path, capsys):
    text = said(capsys, "checkpoints", write_tiny(tmp_path))
    assert "fitted on 9 train chips" in text


def test_methods_are_listed_and_told_with_their_hyper_parameters(capsys):
    names = [row["name"] for row in json.loads(said(capsys, "methods", "--json"))["methods"]]
    assert "mae" in names
    assert json.loads(said(capsys, "methods", "mae", "--json"))["hyper"]["mask_ratio"] == 0.75
    assert featbank.list_methods()["name"].tolist() == names


def test_embed_stores_and_probe_take_a_checkpoints_name(bank, tmp_path, capsys):
    imagery = write_chips(tmp_path / "chips", chips=20)
    model = "dino-vit-mini-1a2b3c4d"
    on_bank = ("--bank", bank)
    said(capsys, "embed", "--model", model, "--dataset", imagery, "--workers", 0, *on_bank)
    assert model in said(capsys, "stores", *on_bank)
    said(capsys, "probe", "--clf", "knn", "--model", model, "--no-baselines", *on_bank)


@pytest.mark.slow
def test_the_report_and_figures_of_a_checkpoints_store_are_drawn(bank, tmp_path, capsys):
    imagery = write_chips(tmp_path / "chips", chips=20)
    model, on_bank = "dino-vit-mini-1a2b3c4d", ("--bank", bank)
    said(capsys, "embed", "--model", model, "--dataset", imagery, "--workers", 0, *on_bank)
    said(capsys, "probe", "--clf", "knn", "--model", model, "--no-baselines", *on_bank)
    said(capsys, "figure", "cost", "--out", tmp_path / "cost.svg", *on_bank)
    out = tmp_path / "page.html"
    said(capsys, "report", "--out", out, "--map", "pca", *on_bank)
    assert model in out.read_text()


def test_attention_of_a_checkpoints_store_is_kept(bank, tmp_path, capsys):
    imagery = write_chips(tmp_path / "chips", chips=5)
    args = ("--model", "dino-vit-mini-1a2b3c4d", "--dataset", imagery, "--workers", 0)
    said(capsys, "embed", *args, "--bank", bank)
    text = said(capsys, "attend", "--ids", "class1/03", "--bank", bank)
    assert "1" in text


def test_a_checkpoint_opens_at_the_front_door(tmp_path):
    assert featbank.open_checkpoint(write_tiny(tmp_path)).steps == 7


def test_the_front_door_embeds_by_a_checkpoints_path(tmp_path):
    imagery = write_chips(tmp_path / "chips")
    store = featbank.embed(write_tiny(tmp_path), imagery, bank=tmp_path / "bank", workers=0)
    assert store.features().shape == (24, 32)


def test_a_rehearsal_of_pretraining_writes_nothing(tmp_path, capsys):
    imagery = write_chips(tmp_path / "chips")
    args = ("--method", "mae", "--model", "vit-tiny", "--dataset", imagery, "--workers", 0)
    size = ("--image-size", 32, "--patch", 8, "--bank", tmp_path / "bank", "--dry-run", "--json")
    told = json.loads(said(capsys, "pretrain", *args, *size))["dry_run"]
    assert told["parameters"] > 5_000_000
    assert told["chips_seen"] == 800 * 8
    assert told["views"].startswith("1 global of 32 px")
    assert not (tmp_path / "bank").exists()


@pytest.mark.parametrize("option", ["--frozen", "--epochs=x", "--ffn=gelu"])
def test_wrong_usage_exits_2(option, capsys):
    args = ["pretrain", "--method", "mae", "--model", "vit-tiny", "--dataset", "synthetic-s2"]
    assert run([*args, option]) == 2
