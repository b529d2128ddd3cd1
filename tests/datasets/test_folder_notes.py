"""What a folder was taken for, and what of it is not read, is said in at most two lines."""

import pytest
from made_folders import braced, make_folder

from featbank.datasets import DATASETS, DatasetRequest


def open_folder(root):
    return DATASETS["folder"].open(DatasetRequest(root=root))


# What is there -> words of the notes that a user reads.
SAID = {
    "nothing to say": ("{Forest,River}/a.png", ()),
    "canonical splits": ("{train,val,test}/{Forest,River}/a.png", ()),
    "other split names": (
        "{training,dev}/{Forest,River}/a.png",
        ("'training' is taken as train, 'dev' as val",),
    ),
    "a wrapper": ("AID/{Forest,River}/a.png", ("the folders of AID/ are read",)),
    "a wrapper inside each split": (
        "{train,test}/images/{Forest,River}/a.png",
        ("the folders of train/images/ are read", "the folders of test/images/ are read"),
    ),
    "splits inside classes": (
        "{Forest,River}/{train,test}/a.png",
        ("splits are read from inside the class folders",),
    ),
    "a class in two cases": (
        "train/{Forest,River}/a.png test/{forest,River}/a.png",
        ("'test/forest' is taken as class 'Forest'",),
    ),
    "a class that one split lacks": (
        "train/{Forest,River,Bare}/a.png test/Forest/a.png",
        ("no sample of Bare, River in test",),
    ),
    "a split without labels": (
        "train/{Forest,River}/a.png test/{a,b}.png",
        ("2 samples of test stand in no class folder and have no label",),
    ),
    "no labels": ("{a,b}.png", ("no class folders are here: samples have no labels",)),
    "an empty split": (
        "{train,test}/Forest/a.png val/",
        ("val holds no image and is left out",),
    ),
    "sub-folders": (
        "{Forest,River}/{2019,2020}/a.png",
        ("class is the topmost folder; sub-folders (2019, 2020) are not told apart",),
    ),
    "unknown suffixes": (
        "{Forest,River}/a.png Forest/{b,c,d}.webp2 River/{b.npy,c}",
        ("5 of 7 files are not read: 3 .webp2, 1 .npy, 1 without suffix",),
    ),
    "side files": (
        "{Forest,River}/{a.png,a.png.aux.xml,a.tfw} labels.csv",
        ("beside the images: 2 .tfw, 2 .xml, 1 .csv",),
    ),
    "hidden images": (
        "{Forest,River}/{a,._a}.png __MACOSX/x.png",
        ("3 hidden or system entries are skipped",),
    ),
}


@pytest.mark.parametrize("layout", SAID)
def test_what_a_layout_was_taken_for_is_said(layout, tmp_path):
    there, words = SAID[layout]
    notes = open_folder(make_folder(tmp_path / "root", braced(there))).notes
    assert [word for word in words if word not in "; ".join(notes)] == [], notes
    assert len(notes) <= 2
    assert bool(notes) == bool(words)
