"""Probes during a run score the present encoder on validation, and never read test chips."""

from types import SimpleNamespace

import numpy as np
import pytest
from fake_chips import write_chips
from made_checkpoint import write_tiny

from featbank.samples import TEST, TRAIN, VAL
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.fitting import Imagery
from featbank.sources.opening import open_dataset
from featbank.sources.reading_rules import contract_of
from featbank.stages.pretrain.options import PretrainOptions
from featbank.stages.pretrain.watching.online_probe import (
    SCHEME,
    OnlineProbe,
    online_probe,
    probed_imagery,
)


def imagery_of(folder, **more):
    dataset = open_dataset(str(folder), needs_labels=False, **more)
    scheme = next(iter(dataset.samples.splits))
    return Imagery(dataset=dataset, contract=contract_of(dataset), scheme=scheme, workers=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=20)


def plan_of(folder, **more):
    options = PretrainOptions(method="mae", model="vit-tiny", dataset=str(folder), **more)
    return SimpleNamespace(options=options, imagery=imagery_of(folder), compute_dtype="float32")


def ids_of(imagery, scheme, code):
    samples = imagery.dataset.samples
    return set(samples.ids[samples.splits[scheme] == code].tolist())


def test_validation_plays_test_and_test_is_not_there(folder):
    whole = imagery_of(folder)
    probed = probed_imagery(whole)
    assert ids_of(probed, SCHEME, TRAIN) == ids_of(whole, "random-0", TRAIN)
    assert ids_of(probed, SCHEME, TEST) == ids_of(whole, "random-0", VAL)
    assert not ids_of(whole, "random-0", TEST) & set(probed.dataset.samples.ids)


def test_the_reader_gives_the_chips_of_the_ids(folder):
    whole, probed = imagery_of(folder), probed_imagery(imagery_of(folder))
    rows = whole.dataset.samples.ids.tolist()
    for row, name in list(enumerate(probed.dataset.samples.ids))[::11]:
        expected = whole.dataset.reader.read(rows.index(name))["image"]
        np.testing.assert_array_equal(probed.dataset.reader.read(row)["image"], expected)


def test_without_a_validation_split_a_part_of_train_is_scored(tmp_path):
    for name, chips in (("train", 10), ("test", 4)):
        write_chips(tmp_path / "d" / name, chips=chips)
    whole = imagery_of(tmp_path / "d")
    probed = probed_imagery(whole)
    scored, fitted = (ids_of(probed, SCHEME, code) for code in (TEST, TRAIN))
    assert (len(scored), len(fitted)) == (6, 24)
    assert scored | fitted == ids_of(whole, "official", TRAIN)


def test_colours_that_tell_the_classes_are_found(folder, tmp_path):
    probe = OnlineProbe(plan_of(folder), probed_imagery(imagery_of(folder)))
    found = probe(write_tiny(tmp_path))
    assert sorted(found) == ["knn", "logistic"]
    assert found["logistic"] > 0.9


def test_the_dataset_and_the_bank_of_the_run_are_left_alone(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint = write_tiny(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    OnlineProbe(plan_of(folder), probed_imagery(imagery_of(folder)))(checkpoint)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dataset_without_labels_is_said_once(tmp_path):
    folder = tmp_path / "flat"
    folder.mkdir()
    for i, path in enumerate(sorted(write_chips(tmp_path / "c").rglob("*.png"))):
        path.rename(folder / f"{i}.png")
    said = []
    assert online_probe(plan_of(folder, probe_every=1), tell=said.append) is None
    assert len(said) == 1
    assert "bears no two classes" in said[0]


def test_none_is_made_where_none_is_asked_for(folder):
    assert online_probe(plan_of(folder)) is None


def test_features_that_are_not_finite_stop_no_run(folder, tmp_path):
    from made_checkpoint import tiny_record

    from featbank.backbones.building.vit_build import initial_vit
    from featbank.bank.checkpoints import write_checkpoint

    record = tiny_record()
    state = {n: v * np.nan for n, v in initial_vit(record.config, 0).items()}
    write_checkpoint(tmp_path / "c", record, state, {})
    said = []
    probe = OnlineProbe(plan_of(folder), probed_imagery(imagery_of(folder)), said.append)
    assert probe(tmp_path / "c") == {}
    assert "not probed" in said[0]


def test_options_of_embed_stay_what_the_probe_passes():
    # The probe names these; a rename would otherwise show only while a run goes on.
    names = {"model", "dataset", "dtype", "device", "max_invalid", "bank"}
    assert names <= set(EmbedOptions.__dataclass_fields__)
