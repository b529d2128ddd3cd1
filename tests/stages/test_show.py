import numpy as np
import pytest

import featbank
from featbank.bank.bank import bank_of
from featbank.stages import show


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
    assert picture.size == (3 * 160, 160 + 14)
    assert np.asarray(picture).std() > 10


def test_radar_is_drawn_as_vv_vh_and_their_ratio(radar_store, shared):
    chip = show._chips(radar_store, [str(radar_store.ids[0])])[0]
    np.testing.assert_allclose(chip[2], chip[0] - chip[1])


def test_the_bank_remembers_the_folder_and_the_name(radar_store, shared):
    source = bank_of(radar_store.path).source(radar_store.path)
    assert source["dataset"] == "bigearthnet-s1"
    assert source["data_root"] == str((shared / "data" / "bigearthnet_v1").resolve())


def test_the_command_names_the_dataset_and_no_folder(radar_store):
    command = radar_store.attributes["command"]
    assert "--dataset bigearthnet-s1 " in command
    assert "/data/" not in command
