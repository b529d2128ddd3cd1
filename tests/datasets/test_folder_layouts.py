"""Made folder layouts: each is read as it is meant, or refused with what was seen."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from made_folders import braced, make_folder

from featbank.datasets import DATASETS, DatasetRequest
from featbank.datasets._folder_listing import File, Folder
from featbank.datasets._folder_meaning import meaning_of
from featbank.datasets._folder_names import class_key, split_name
from featbank.errors import DatasetError
from featbank.file_names import from_text
from featbank.samples import SPLITS

NFC, NFD = "For\u00eat", "Fore\u0302t"


def open_folder(root, **more):
    return DATASETS["folder"].open(DatasetRequest(root=root, **more))


def triples(dataset):
    """(id, class or '', split or '') of each sample."""
    samples = dataset.samples
    labels, splits = [""] * len(samples), [""] * len(samples)
    if samples.labels:
        found = samples.labels["class"]
        labels = [found.classes[code] if code >= 0 else "" for code in found.codes]
    if samples.splits:
        splits = [SPLITS[code] for code in samples.splits["official"]]
    return {f"{s}|{c}|{p}" for s, c, p in zip(samples.ids, labels, splits, strict=True)}


# What is there -> (id|class|split) of each sample. A pattern expands as a shell's braces do;
# '~' is a space inside a name.
READ = {
    "class folders": (
        "{Forest,River}/{a,b}.png",
        "Forest/a|Forest| Forest/b|Forest| River/a|River| River/b|River|",
    ),
    "train, val, test": (
        "{train,val,test}/{Forest,River}/a.png",
        "{train,val,test}/{Forest,River}/a|2|1",
    ),
    "training, testing": (
        "{training,testing}/{Forest,River}/a.png",
        "training/{Forest,River}/a|2|train testing/{Forest,River}/a|2|test",
    ),
    "train, dev, test": (
        "{train,dev,test}/Forest/a.png",
        "train/Forest/a|Forest|train dev/Forest/a|Forest|val test/Forest/a|Forest|test",
    ),
    "any case": (
        "{TRAIN,Val,Test}/Forest/a.png",
        "TRAIN/Forest/a|Forest|train Val/Forest/a|Forest|val Test/Forest/a|Forest|test",
    ),
    "short spellings": (
        "{tr,ts}/{Forest,River}/a.png",
        "tr/{Forest,River}/a|2|train ts/{Forest,River}/a|2|test",
    ),
    "trn, tst": (
        "{trn,tst}/{Forest,River}/a.png",
        "trn/{Forest,River}/a|2|train tst/{Forest,River}/a|2|test",
    ),
    "train_set, test_set": (
        "{train_set,test_set}/{Forest,River}/a.png",
        "train_set/{Forest,River}/a|2|train test_set/{Forest,River}/a|2|test",
    ),
    "Training Data, Validation Data": (
        "{Training~Data,Validation~Data}/{Forest,River}/a.png",
        "Training~Data/{Forest,River}/a|2|train Validation~Data/{Forest,River}/a|2|val",
    ),
    "trainset, testset": (
        "{trainset,testset}/{Forest,River}/a.png",
        "trainset/{Forest,River}/a|2|train testset/{Forest,River}/a|2|test",
    ),
    "a year in the name": (
        "{train2017,val2017}/{Forest,River}/a.png",
        "train2017/{Forest,River}/a|2|train val2017/{Forest,River}/a|2|val",
    ),
    "numbers before the names": (
        "{1_train,3-test}/{Forest,River}/a.png",
        "1_train/{Forest,River}/a|2|train 3-test/{Forest,River}/a|2|test",
    ),
    "full-width letters": (
        "{\uff54\uff52\uff41\uff49\uff4e,test}/Forest/a.png",
        "\uff54\uff52\uff41\uff49\uff4e/Forest/a|Forest|train test/Forest/a|Forest|test",
    ),
    "the set's name in the split's": (
        "{AID_train,AID_test}/{Forest,River}/a.png",
        "AID_train/{Forest,River}/a|2|train AID_test/{Forest,River}/a|2|test",
    ),
    "train and validation together": (
        "{trainval,test}/{Forest,River}/a.png",
        "trainval/{Forest,River}/a|2|train test/{Forest,River}/a|2|test",
    ),
    "eval where test is there": (
        "{train,eval,test}/Forest/a.png",
        "train/Forest/a|Forest|train eval/Forest/a|Forest|val test/Forest/a|Forest|test",
    ),
    "eval where val is there": (
        "{train,val,eval}/Forest/a.png",
        "train/Forest/a|Forest|train val/Forest/a|Forest|val eval/Forest/a|Forest|test",
    ),
    "a train folder alone": (
        "train/{Forest,River}/a.png",
        "train/{Forest,River}/a|2|train",
    ),
    "a test folder alone": (
        "test/{Forest,River}/a.png",
        "test/{Forest,River}/a|2|test",
    ),
    "splits inside classes": (
        "{Forest,River}/{train,val,test}/a.png",
        "Forest/{train,val,test}/a|1|2 River/{train,val,test}/a|1|2",
    ),
    "a split that one class lacks": (
        "Forest/{train,val,test}/a.png River/{train,test}/a.png",
        "Forest/{train,val,test}/a|1|2 River/{train,test}/a|1|2",
    ),
    "a class that one split lacks": (
        "train/{Forest,River}/a.png test/Forest/a.png",
        "train/{Forest,River}/a|2|train test/Forest/a|Forest|test",
    ),
    "an empty class folder in one split": (
        "train/{Forest,River}/a.png test/Forest/a.png test/River/",
        "train/{Forest,River}/a|2|train test/Forest/a|Forest|test",
    ),
    "an empty split folder": (
        "{train,test}/{Forest,River}/a.png val/",
        "{train,test}/{Forest,River}/a|2|1",
    ),
    "a class in two cases": (
        "train/{Forest,River}/a.png test/{forest,RIVER}/a.png",
        "train/{Forest,River}/a|2|train test/forest/a|Forest|test test/RIVER/a|River|test",
    ),
    "a class in two Unicode forms": (
        f"train/{{{NFC},River}}/a.png test/{{{NFD},River}}/a.png",
        f"train/{{{NFC},River}}/a|2|train test/{NFD}/a|{NFC}|test test/River/a|River|test",
    ),
    "a class with a trailing space": (
        "train/{Forest,River}/a.png test/{Forest~,River}/a.png",
        "train/{Forest,River}/a|2|train test/Forest~/a|Forest|test test/River/a|River|test",
    ),
    "one wrapper folder": (
        "AID/{Forest,River}/{a,b}.png",
        "AID/Forest/{a,b}|Forest| AID/River/{a,b}|River|",
    ),
    "a wrapper around splits": (
        "AID/{train,test}/{Forest,River}/a.png",
        "AID/train/{Forest,River}/a|3|2 AID/test/{Forest,River}/a|3|2",
    ),
    "two wrappers": (
        "dataset/images/{Forest,River}/a.png",
        "dataset/images/{Forest,River}/a|3|",
    ),
    "a wrapper beside a folder without images": (
        "AID/{Forest,River}/a.png docs/readme.txt",
        "AID/{Forest,River}/a|2|",
    ),
    "a wrapper inside each split": (
        "{train,test}/images/{Forest,River}/a.png",
        "train/images/{Forest,River}/a|3|1 test/images/{Forest,River}/a|3|1",
    ),
    "Mac leftovers beside a wrapper": (
        "AID/{Forest,River}/{a,._a}.png __MACOSX/AID/Forest/._a.png",
        "AID/{Forest,River}/a|2|",
    ),
    "hidden and system entries": (
        "Forest/{a,._a,.b}.png River/a.png {.git,.ipynb_checkpoints,@eaDir,$RECYCLE.BIN}/x.png",
        "Forest/a|Forest| River/a|River|",
    ),
    "hidden and system entries inside classes": (
        "{Forest,River}/{a,.ipynb_checkpoints/a,@eaDir/a,__MACOSX/a,lost+found/a}.png",
        "{Forest,River}/a|1|",
    ),
    "sub-folders inside classes": (
        "{Forest,River}/{north,south}/a.png River/a.png",
        "Forest/{north,south}/a|1| River/{north,south}/a|1| River/a|River|",
    ),
    "years as classes": ("{2019,2020}/a.png", "2019/a|2019| 2020/a|2020|"),
    "a split's folder inside itself": (
        "{train/train,test/test}/{Forest,River}/a.png",
        "train/train/{Forest,River}/a|3|1 test/test/{Forest,River}/a|3|1",
    ),
    "a split of one class with sub-folders": (
        "train/{Forest,River}/{2019,2020}/a.png test/Forest/{2019,2020}/a.png",
        "train/{Forest,River}/{2019,2020}/a|2|1 test/Forest/{2019,2020}/a|2|1",
    ),
    "numbered classes": (
        "{0,1,10}/a.png",
        "0/a|0| 1/a|1| 10/a|10|",
    ),
    "one class": (
        "Forest/{a,b}.png",
        "Forest/{a,b}|1|",
    ),
    "classes named by weak words": (
        "{valid,invalid}/a.png",
        "valid/a|valid| invalid/a|invalid|",
    ),
    "classes named by country codes": (
        "{de,fr,tr}/a.png",
        "de/a|de| fr/a|fr| tr/a|tr|",
    ),
    "classes that speak of tests": (
        "{Test~site,Forest}/a.png",
        "Test~site/a|Test~site| Forest/a|Forest|",
    ),
    "flat": ("{a,b}.png", "{a,b}||"),
    "flat beside a list": ("{a,b}.png labels.csv", "{a,b}||"),
    "flat inside 'images'": ("images/{a,b}.png", "images/{a,b}||"),
    "splits without classes": (
        "{train,val,test}/{a,b}.tif",
        "train/{a,b}||1 val/{a,b}||1 test/{a,b}||1",
    ),
    "splits without classes, in 'images'": (
        "{train,test}/images/{a,b}.tif",
        "train/images/{a,b}||1 test/images/{a,b}||1",
    ),
    "a test split without classes": (
        "train/{Forest,River}/a.png test/{a,b}.png",
        "train/{Forest,River}/a|2|train test/{a,b}||test",
    ),
    "samples without labels beside splits": (
        "{train,test}/{Forest,River}/a.png unlabelled/{a,b}.png",
        "train/{Forest,River}/a|2|train test/{Forest,River}/a|2|test unlabelled/{a,b}||unlabelled",
    ),
    "splits beside a folder without images": (
        "{train,test}/{Forest,River}/a.png lists/all.txt",
        "{train,test}/{Forest,River}/a|2|1",
    ),
    "names in capitals": ("Forest/{A.PNG,B.JPG,C.TIFF}", "Forest/{A,B,C}|1|"),
    "names that differ by case": ("Forest/{a,A}.png", "Forest/{a,A}|1|"),
    "several dots": ("Forest/{a.b.c,a.b.d}.png", "Forest/{a.b.c,a.b.d}|1|"),
}


def expand(expected):
    """Numbers stand for the n-th part of the id's path, as a class or as a split."""
    for line in braced(expected):
        sample, label, split = line.split("|")
        parts = sample.split("/")
        label = parts[int(label) - 1] if label.isdigit() and label not in parts else label
        split = parts[int(split) - 1] if split.isdigit() else split
        yield f"{sample}|{label}|{split}"


@pytest.mark.parametrize("layout", READ)
def test_a_layout_is_read_as_meant(layout, tmp_path):
    there, expected = READ[layout]
    root = make_folder(tmp_path / "root", braced(there))
    assert triples(open_folder(root)) == set(expand(expected))


# What is there -> words of the refusal, which names what was seen.
REFUSED = {
    "ISPRS": ("{top,gts_for_participants}/{a,b}.tif", ("'top' beside 'gts_for_participants'",)),
    "a file for each band": (
        "{Forest,River}/T32_{0,1}_{B02,B03,B8A}.tif",
        ("root/Forest: holds 2 scenes with a file for each band", "'t32_0_b02.tif'", "stack"),
    ),
    "a file for each polarisation": (
        "{Forest,River}/{a,b}_{VV,VH}.tif",
        ("2 scenes with a file for each band",),
    ),
    "colours beside near infrared": (
        "{train,test}/Forest/{a,b}_{rgb,nir}.tif",
        ("2 scenes with a file for each band",),
    ),
    "a folder for each scene": (
        "{patch1,patch2}/{B02,B03,B04}.tif",
        ("root: holds folders with a file for each band", "not classes"),
    ),
    "two dates": (
        "{before,after}/{a,b}.png",
        ("'after' and 'before' with the same file names", "two dates"),
    ),
    "two dates in splits": ("{train,test}/{T1,T2}/{a,b}.png", ("two dates of each place",)),
    "a copy beside": (
        "{data,data_old}/{Forest,River}/a.png",
        ("'data_old' beside 'data' with the same sub-folders", "a copy"),
    ),
    "an archive unpacked twice": (
        "{EuroSAT,EuroSAT-copy}/{Forest,River}/a.png",
        ("'EuroSAT-copy' beside 'EuroSAT'",),
    ),
    "splits beside another folder": (
        "{train,val,test,Forest}/River/a.png",
        ("root: holds train, val, test beside 'Forest'", "move"),
    ),
    "a class called Test": (
        "{Test,Forest,River}/a.png",
        ("holds Test beside 'Forest', 'River'", "rename"),
    ),
    "spelled splits beside another folder": (
        "{AID_train,AID_test,Forest}/a.png",
        ("holds AID_train, AID_test beside 'Forest'",),
    ),
    "train and eval": (
        "{train,eval}/{Forest,River}/a.png",
        ("'eval' may mean validation or test", "rename it"),
    ),
    "one split twice": (
        "{train,val,valid}/Forest/a.png",
        ("'val' and 'valid' both mean val",),
    ),
    "numbered train folders": (
        "{train-0,train-1,test}/Forest/a.png",
        ("'train-0' and 'train-1' both mean train",),
    ),
    "classes in the names of splits": (
        "{Forest_train,Forest_test,River_train,River_test}/a.png",
        ("holds Forest_train, Forest_test beside 'River_test', 'River_train'",),
    ),
    "unpaired domains": (
        "{trainA,trainB,testA,testB}/a.png",
        ("holds trainA, testA beside 'testB', 'trainB'",),
    ),
    "splits in some classes": (
        "Forest/{train,test}/a.png River/a.png",
        ("'Forest' holds train, test", "'River' does not"),
    ),
    "splits beside images in a class": (
        "{Forest,River}/{train/a,test/a,b}.png",
        ("Forest: holds 1 image beside train, test",),
    ),
    "splits deep inside a class": (
        "{Forest,River}/{2019,2020}/{train,test}/a.png",
        ("Forest/2019: holds train, test inside class folders",),
    ),
    "splits inside a split": (
        "{train,test}/Forest/{train,test}/a.png",
        ("train/Forest: holds train, test inside class folders",),
    ),
    "two sets side by side": (
        "{AID,UCM}/{train,test}/{Forest,River}/a.png",
        ("AID/train: holds folders", "name one"),
    ),
    "images beside masks": (
        "{images,masks}/{a,b}.png",
        ("root: holds 'images' beside 'masks'", "root/images"),
    ),
    "img beside gt": ("{img,gt}/{a,b}.png", ("holds 'img' beside 'gt'",)),
    "images beside label files": (
        "images/{a,b}.png labels/{a,b}.txt",
        ("holds 'images' beside 'labels'",),
    ),
    "images beside annotations, in splits": (
        "{train,val}/{images,annotations}/a.png",
        ("train: holds 'images' beside 'annotations'", "train/images"),
    ),
    "imagesTr beside labelsTr": (
        "{imagesTr,imagesTs,labelsTr}/a.tif",
        ("holds 'imagesTr', 'imagesTs' beside 'labelsTr'",),
    ),
    "train_images beside train_masks": (
        "{train_images,train_masks,test_images,test_masks}/a.tif",
        ("beside 'test_masks', 'train_masks'",),
    ),
    "two dates and a label": (
        "{A,B,label}/a.png",
        ("holds 'A', 'B' beside 'label'",),
    ),
    "masks inside each class": (
        "{Forest,River}/{images,masks}/a.png",
        ("Forest: holds 'images' beside 'masks'",),
    ),
    "folds": (
        "{fold1,fold2,fold3}/{Forest,River}/a.png",
        ("'fold1', 'fold2', 'fold3' look like parts or editions of one set",),
    ),
    "years of one set": (
        "{2019,2020}/{Forest,River}/a.png",
        ("'2019', '2020' look like parts or editions of one set", "such as"),
    ),
    "two products of one set": (
        "{EuroSAT_RGB,EuroSAT_MS}/{Forest,River}/a.png",
        ("look like parts or editions of one set",),
    ),
    "two sensors": ("{s1,s2}/{Forest,River}/a.png", ("'s1', 's2' look like parts",)),
    "samples without labels beside classes": (
        "{Forest,River,unlabelled}/a.png",
        ("holds unlabelled beside 'Forest', 'River'",),
    ),
    "an augmented copy of the train folder": (
        "{train,train_aug,test}/Forest/a.png",
        ("holds train, test beside 'train_aug'",),
    ),
    "two cases of one class": (
        "{Forest,forest,River}/a.png",
        ("'Forest' and 'forest' differ only in case",),
    ),
    "two Unicode forms of one class": (
        f"{{{NFC},{NFD},River}}/a.png",
        ("differ only in how Unicode spells them",),
    ),
    "a class with and without a trailing space": (
        "{Forest,Forest~,River}/a.png",
        ("'Forest' and 'Forest ' differ only in spaces",),
    ),
    "an empty class folder": (
        "{Forest,River}/a.png Bare/",
        ("Bare: this class folder holds no image; expected", "remove it"),
    ),
    "a class folder of other files": (
        "{Forest,River}/a.png Bare/{a,b}.webp2",
        ("Bare: this class folder holds no image (2 .webp2)",),
    ),
    "a class folder of other files, in one split": (
        "train/{Forest,River}/a.png test/Forest/a.png test/River/a.webp2",
        ("test/River: this class folder holds no image (1 .webp2)",),
    ),
    "a split folder of other files": (
        "{train,test}/{Forest,River}/a.png val/Forest/{a,b}.webp2",
        ("val: this split folder holds no image (2 .webp2)",),
    ),
    "images beside class folders": (
        "{Forest,River}/a.png {x,y}.png",
        ("root: holds 2 images beside its class folders ('x.png' is one)",),
    ),
    "images beside split folders": (
        "{train,test}/Forest/a.png x.png",
        ("root: holds 1 image beside its split folders ('x.png' is one)",),
    ),
    "images beside class folders in a split": (
        "train/{Forest/a,x}.png test/Forest/a.png",
        ("train: holds 1 image beside its class folders ('x.png' is one)",),
    ),
    "one stem, two suffixes": (
        "Forest/{a.png,a.jpg,b.png,b.jpg} River/a.png",
        ("Forest/a: 2 samples bear this id ('a.jpg' and 'a.png'; 2 ids repeat)",),
    ),
    "nothing": ("", ("root: holds no class folders and no image;",)),
    "only empty folders": ("Forest/ River/", ("root: this folder holds no image;",)),
    "only other files": (
        "a.webp2 b.webp2 notes.txt",
        ("holds no class folders and no image (2 .webp2, 1 .txt)",),
    ),
}


@pytest.mark.parametrize("layout", REFUSED)
def test_a_layout_is_refused_with_what_was_seen(layout, tmp_path):
    there, words = REFUSED[layout]
    root = make_folder(tmp_path / "root", braced(there))
    with pytest.raises(DatasetError) as caught:
        open_folder(root)
    told = str(caught.value)
    assert [word for word in words if word.lower() not in told.lower()] == [], told
    assert "\n" not in told


@pytest.mark.parametrize("copy", ["EuroSAT (1)", "EuroSAT - Copy", "EuroSAT - Kopie (2)"])
def test_a_copy_by_a_file_manager_is_refused(copy, tmp_path):
    files = [f"{name}/{label}/a.png" for name in ("EuroSAT", copy) for label in ("Forest", "River")]
    with pytest.raises(DatasetError, match="a copy, not another class"):
        open_folder(make_folder(tmp_path / "root", files))


@pytest.mark.parametrize(
    "there",
    ["{red,green}/{a,b}.png", "{before,after}/{a,b}.png before/c.png", "{b1,b2}/{red,x}.png",
     "{data,old}/{Forest,River}/a.png", "Forest/{a_b1,b_b2,c}.png River/d.png"],
)  # fmt: skip
def test_names_that_only_look_like_bands_dates_or_copies_are_read(there, tmp_path):
    assert len(open_folder(make_folder(tmp_path / "root", braced(there))).samples) >= 4


def test_numbered_parts_are_taken_without_labels_where_none_are_needed(tmp_path):
    root = make_folder(tmp_path / "root", braced("{part1,part2}/{a,b}.png"))
    assert triples(open_folder(root, needs_labels=False)) == {
        f"part{k}/{name}||unlabelled" for k in (1, 2) for name in "ab"
    }


def test_splits_beside_loose_images_are_refused_where_no_labels_are_needed(tmp_path):
    """Pretraining on all of them would read the test split."""
    root = make_folder(tmp_path / "root", braced("{train,test}/Forest/a.png x.png"))
    with pytest.raises(DatasetError, match="root: holds train, test inside a folder of loose"):
        open_folder(root, needs_labels=False)


letters = st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
names = st.text(letters, min_size=1, max_size=6)


@given(st.lists(names, min_size=2, max_size=4, unique_by=class_key))
def test_a_class_is_its_folder_whatever_its_name(names):
    assume(not any(split_name(name) for name in names))
    folders = [
        Folder(name, name, files=[File(f"{name}/a.png", 1)], count=1) for name in sorted(names)
    ]
    tree = Folder("", "root", folders=folders, count=len(names))
    found = meaning_of(tree, "root", needs_labels=True).files
    assert {file.path.removesuffix("/a.png"): from_text(file.label) for file in found} == {
        name: name for name in names
    }


@pytest.mark.parametrize(("there", "missing"), [("train", "test"), ("test", "train")])
def test_a_split_alone_says_how_to_have_the_other(there, missing, tmp_path):
    root = make_folder(tmp_path / "root", braced(f"{there}/{{Forest,River}}/a.png"))
    assert open_folder(root).splits_from.startswith(f"Put a folder {missing} beside, or name")


def test_whole_splits_need_no_advice(tmp_path):
    root = make_folder(tmp_path / "root", braced("{train,test}/{Forest,River}/a.png"))
    assert open_folder(root).splits_from == ""
