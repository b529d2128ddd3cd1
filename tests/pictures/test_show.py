import numpy as np
import pytest

import featbank
from featbank.bank.bank import bank_of
from featbank.errors import UsageError
from featbank.pictures.show import label_words


@pytest.fixture(scope="module")
def radar_store(shared, tmp_path_factory):
    return featbank.embed(
        "imagestats",
        "bigearthnet-s1",
        data_root=shared / "data" / "bigearthnet_v1",
        splits=shared / "data" / "bigearthnet_tables",
        bank=tmp_path_factory.mktemp("bank"),
        workers=0,
    )


def test_chips_of_a_named_dataset_are_drawn_from_where_they_were(radar_store):
    picture = radar_store.show(radar_store.ids[:3])
    assert picture.width == 3 * (156 + 6) + 6
    assert np.asarray(picture).std() > 10


def test_a_sheet_of_nine_has_two_rows(radar_store):
    one, two = (radar_store.show(radar_store.ids[:n]) for n in (8, 9))
    assert two.width == one.width
    assert two.height > 1.9 * (one.height - 6)


def test_labels_are_told_in_words(radar_store):
    sample = str(radar_store.ids[0])
    codes = radar_store.labels()[0]
    expected = [name for name, code in zip(radar_store.classes(), codes, strict=True) if code]
    assert label_words(radar_store, sample) == ", ".join(expected)


def test_a_sheet_of_nothing_is_refused(radar_store):
    with pytest.raises(UsageError, match="none is named"):
        radar_store.show([])


def test_the_bank_remembers_the_folder_and_the_name(radar_store, shared):
    source = bank_of(radar_store.path).source(radar_store.path)
    assert source["dataset"] == "bigearthnet-s1"
    assert source["data_root"] == str((shared / "data" / "bigearthnet_v1").resolve())


def test_the_command_names_the_dataset_and_no_folder(radar_store):
    command = radar_store.attributes["command"]
    assert "--dataset bigearthnet-s1 " in command
    assert "/data/" not in command
