"""Bad copies of BigEarthNet: each gives one line that names the file and the way out."""

import json

import pandas as pd
import pytest
from fake_bigearthnet import copy_writable, make_v2_folders

from featbank.datasets import DATASETS, DatasetRequest
from featbank.errors import DatasetError, MissingPathError

V1_S1 = "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_61_39"
V1_S2 = "S2A_MSIL2A_20170613T101031_61_39"
V2_S2 = "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57"


def fails(name, root, splits=None, kind=DatasetError):
    with pytest.raises(kind) as caught:
        DATASETS[f"bigearthnet-{name}"].open(DatasetRequest(root=root, splits=splits))
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def v1(shared, tmp_path):
    return copy_writable(shared / "data" / "bigearthnet_v1", tmp_path / "v1")


@pytest.fixture
def v2(tmp_path):
    return make_v2_folders(tmp_path / "v2", s2=[V2_S2], s1=[V1_S1])


def test_no_root(tmp_path):
    message = fails("s1", tmp_path / "nowhere", kind=MissingPathError)
    assert "nowhere: there is no such folder" in message


def test_neither_edition(tmp_path):
    message = fails("s1", tmp_path)
    assert "holds no folder of BigEarthNet; expected BigEarthNet-S1-v1.0 or" in message
    assert "--data-root" in message


def test_a_sensor_folder_as_root(v1):
    assert "holds no folder of BigEarthNet" in fails("s1", v1 / "BigEarthNet-S1-v1.0")


def test_both_editions(v1):
    make_v2_folders(v1, s2=[V2_S2])
    assert "holds folders of both editions" in fails("s2", v1)


def test_the_other_sensor_is_missing(v2, tmp_path):
    make_v2_folders(tmp_path / "half", s2=[V2_S2])
    message = fails("s1", tmp_path / "half", kind=MissingPathError)
    assert "without its Sentinel-1 images; expected the folder BigEarthNet-S1." in message


def test_an_empty_sensor_folder(tmp_path):
    (tmp_path / "BigEarthNet-v1.0").mkdir()
    assert "BigEarthNet-v1.0: holds no patch folders" in fails("s2", tmp_path)


@pytest.mark.parametrize("name", [V2_S2.rsplit("_", 2)[0], V2_S2, "thumbnails"])
def test_foreign_folders_among_v1_patches(v1, name):
    (v1 / "BigEarthNet-v1.0" / name).mkdir()
    message = fails("s2", v1)
    assert f"BigEarthNet-v1.0/{name}: is not named like a Sentinel-2 patch" in message
    assert "belong in a folder named BigEarthNet-S2" in message


def test_v1_patches_in_a_v2_folder(v1):
    (v1 / "BigEarthNet-v1.0").rename(v1 / "BigEarthNet-S2")
    (v1 / "BigEarthNet-S1-v1.0").rename(v1 / "BigEarthNet-S1")
    for name in ("s1", "s2", "s1s2"):
        message = fails(name, v1)
        assert "holds no patch folders" in message
        assert "are those of v1.0" in message


def test_v1_lists_with_v2_folders(v2, shared):
    tables = shared / "data" / "bigearthnet_tables"
    for splits in (tables, tables / "val.csv.bz2"):
        message = fails("s2", v2, splits)
        assert "holds no splits of BigEarthNet v2.0" in message
        assert "CSV lists are those of BigEarthNet v1.0" in message


def test_v1_lists_beside_v2_folders(v2):
    (v2 / "train.csv").write_text(f"{V1_S2}\n")
    assert "train.csv: holds no splits of BigEarthNet v2.0" in fails("s2", v2)


def test_v2_metadata_with_v1_folders(v1, shared):
    splits = shared / "data" / "bigearthnet_v2_rows" / "metadata.parquet"
    assert "metadata.parquet: is no split list of BigEarthNet v1.0" in fails("s1", v1, splits)


def test_v2_metadata_of_other_patches(tmp_path, shared):
    make_v2_folders(tmp_path, s2=[V2_S2.replace("26_57", "75_43")])
    message = fails("s2", tmp_path, shared / "data" / "bigearthnet_v2_rows")
    assert "metadata.parquet: lists none of the 1 samples that are here" in message


def test_splits_that_are_not_there(v1, v2):
    for root in (v1, v2):
        message = fails("s2", root, root / "nowhere.csv", kind=MissingPathError)
        assert "nowhere.csv: there is no such file or folder" in message


def test_a_folder_without_lists(v1, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty: is no split list of" in fails("s2", v1, tmp_path / "empty")


def test_a_list_of_other_patches(v1):
    (v1 / "train.csv").write_text("S2A_MSIL2A_20990101T000000_0_0\n")
    message = fails("s2", v1)
    assert "train.csv: lists none of the 14 samples that are here" in message


def test_a_patch_in_two_lists(v1):
    for split in ("train", "test"):
        (v1 / f"{split}.csv").write_text("S2B_MSIL2A_20180502T093039_43_14\n")
    message = fails("s2", v1)
    assert "test.csv: lists 'S2B_MSIL2A_20180502T093039_43_14', which train.csv lists" in message


def test_a_list_that_is_not_text(v1):
    (v1 / "train.csv.bz2").write_bytes(b"hello")
    assert "train.csv.bz2: does not unpack" in fails("s2", v1)


def test_a_missing_label_file(v1):
    path = sorted(v1.glob("BigEarthNet-v1.0/*/*.json"))[3]
    path.unlink()
    message = fails("s2", v1)
    assert f"{path.name}: is missing; expected a label file in every patch folder" in message


def test_a_misnamed_label_file(shared):
    """The archive of another library's fixtures has one."""
    message = fails("s1", shared / "data" / "fixtures_noise" / "bigearthnet" / "v1")
    assert "33UUP_61_42_labels_metadata.json: is missing" in message


@pytest.mark.parametrize("text", ['{"labels": ["Past', "[]", '{"labels": "Pastures"}', ""])
def test_a_broken_label_file(v1, text):
    path = sorted(v1.glob("BigEarthNet-v1.0/*/*.json"))[3]
    path.write_text(text)
    message = fails("s2", v1)
    assert path.name in message
    assert "expected the publisher's JSON with its labels" in message


def test_an_unknown_label(v1):
    path = sorted(v1.glob("BigEarthNet-v1.0/*/*.json"))[3]
    path.write_text(json.dumps({"labels": ["Peat bogs"]}))
    message = fails("s2", v1)
    assert f"{path.name}: holds the label 'Peat bogs'" in message
    assert "Did you mean 'Peatbogs'?" in message


def test_a_label_file_without_partner(v1):
    path = sorted(v1.glob("BigEarthNet-S1-v1.0/*/*.json"))[3]
    record = json.loads(path.read_text())
    del record["corresponding_s2_patch"]
    path.write_text(json.dumps(record))
    assert f"{path.name}: does not name its Sentinel-2 patch" in fails("s1", v1)


def test_no_pair_at_all(v1):
    for path in sorted((v1 / "BigEarthNet-S1-v1.0").iterdir()):
        s2_name = json.loads(next(path.glob("*.json")).read_text())["corresponding_s2_patch"]
        if (v1 / "BigEarthNet-v1.0" / s2_name).is_dir():
            (v1 / "BigEarthNet-v1.0" / s2_name).rename(v1 / s2_name)
    message = fails("s1s2", v1)
    assert "none of 9 Sentinel-1 patches has its Sentinel-2 patch here" in message


def test_pairs_of_v2_need_their_metadata(v2):
    message = fails("s1s2", v2)
    assert "metadata.parquet: is missing, and only it tells which patches" in message


def metadata(v2, **changes):
    row = {"patch_id": V2_S2, "labels": ["Pastures"], "split": "train", "s1_name": V1_S1}
    pd.DataFrame([row | changes]).to_parquet(v2 / "metadata.parquet")


def test_an_unknown_label_in_the_metadata(v2):
    metadata(v2, labels=["Pastures", "Urban fabrics"])
    message = fails("s2", v2)
    assert "metadata.parquet: holds the label 'Urban fabrics'" in message
    assert "Did you mean 'Urban fabric'?" in message


def test_an_unknown_split_in_the_metadata(v2):
    metadata(v2, split="val")
    message = fails("s2", v2)
    assert "holds the split 'val'; expected one of train, validation, test" in message


def test_metadata_without_a_column(v2):
    pd.DataFrame([{"patch_id": V2_S2, "split": "train"}]).to_parquet(v2 / "metadata.parquet")
    assert "metadata.parquet: has no column labels, s1_name" in fails("s2", v2)


def test_metadata_that_is_not_parquet(v2):
    (v2 / "metadata.parquet").write_bytes(b"hello")
    assert "metadata.parquet: is not a Parquet file" in fails("s2", v2)


def test_what_a_mac_or_a_disk_station_leaves_is_no_patch(v2):
    folder = next(path for path in v2.iterdir() if path.name.endswith("S2"))
    for name in ("__MACOSX", "@eaDir", ".ipynb_checkpoints"):
        (folder / name).mkdir()
    found = DATASETS["bigearthnet-s2"].open(DatasetRequest(root=v2))
    assert list(found.samples.ids) == [V2_S2]
