"""What the name of a folder says: a split, one half of images and masks, a part, a class."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.samples import TEST, TRAIN, UNLABELLED, VAL

if TYPE_CHECKING:
    from collections.abc import Iterable


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What a word says of a split, and from where it is known. Both may be meant by 'eval': the split
# that is missing beside it decides, or nothing does.
EITHER = -1
_WORDS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("trn", "tr"), TRAIN),  # nnU-Net: imagesTr, imagesTs
    "trainval": TRAIN,  # PASCAL VOC: the train and validation images together
    **dict.fromkeys(("val", "validation"), VAL),
    **dict.fromkeys(("valid", "validate", "validating"), VAL),  # Kaggle, fast.ai
    **dict.fromkeys(("dev", "devel", "development"), VAL),  # speech and language corpora
    **dict.fromkeys(("test", "testing"), TEST),
    **dict.fromkeys(("tst", "ts", "te"), TEST),
    **dict.fromkeys(("holdout", "heldout"), TEST),  # scikit-learn's word for what is tested on
    **dict.fromkeys(("eval", "evaluation"), EITHER),
    **dict.fromkeys(("unlabelled", "unlabeled"), UNLABELLED),  # STL-10
}
# Words that name a split by themselves. The others are classes, too ('valid', country code 'TR'):
# they mean splits only beside a folder to train on.
_STRONG = _set("train training trainval val validation test testing unlabelled unlabeled")
# Words that say no more than that a folder holds the set.
_FILLERS = _set(
    "set sets data dataset datasets split folder images image imgs img pictures photos chips tiles "
    "patches samples"
)
_JOINED_FILLERS = ("sets", "set", "data", "images", "imgs")
_IMAGES = _set("images image imgs img jpegimages pictures picture photos photo chips tiles patches")
# Beside masks these are images as well: two dates of change detection, and satellite images.
_PAIRED = _IMAGES | _set("a b im t time before after pre post sat satellite input rgb top ortho")
_MASKS = _set(
    "mask masks label labels annotation annotations annots annot anno annos gt gts groundtruth "
    "truth segmentation segmentations segmentationclass segmentationobject seg target targets "
    "bbox bboxes boxes"
)
_PART = re.compile(r"(cv|k?fold|split|part|batch|subset)[\s_-]*\d+", re.IGNORECASE)
# Sensors and products whose folders repeat the same classes.
_PRODUCTS = _set(
    "rgb ms msi hyperspectral nir swir pan sar optical s1 s2 l7 l8 l9 vv vh dem sentinel1 "
    "sentinel2 sentinel-1 sentinel-2 sentinel_1 sentinel_2 landsat landsat8 planet naip"
)
_YEAR = re.compile(r"(19|20)\d\d")
_BETWEEN_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])|(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])")


@dataclass(frozen=True)
class SplitName:
    """A folder's name that speaks of a split.

    Attributes:
        split: ``TRAIN``, ``VAL``, ``TEST``, ``UNLABELLED`` or ``EITHER``.
        rest: What else it says, such as the name of the set, numbers left out; '' for nothing.
        is_strong: Whether it means a split by itself.
    """

    split: int
    rest: str
    is_strong: bool


def split_name(name: str) -> SplitName | None:
    """What a folder's name says of a split; None where it does not."""
    words = _words(name)
    told = [word for word in words if word in _WORDS]
    splits = {_WORDS[word] for word in told}
    if splits == {TRAIN, VAL}:
        splits = {TRAIN}  # 'train_val': both together, as 'trainval'.
    if len(splits) != 1:
        return None
    said = _WORDS.keys() | _FILLERS
    rest = " ".join(word for word in words if word not in said and not word.isdigit())
    is_strong = not rest and any(word in _STRONG for word in told)
    return SplitName(split=splits.pop(), rest=rest, is_strong=is_strong)


def _words(name: str) -> list[str]:
    text = unicodedata.normalize("NFKC", name)
    words = [word.casefold() for word in _BETWEEN_WORDS.split(text) if word]
    return [_without_filler(word) for word in words]


def _without_filler(word: str) -> str:
    for filler in _JOINED_FILLERS:
        if word.removesuffix(filler) in _WORDS and word not in _WORDS:
            return word.removesuffix(filler)
    return word


def halves(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names that mean images and names that mean masks or other annotations of them.

    Returns:
        Both lists empty unless each has a name.
    """
    images, masks = [], []
    for name in names:
        words = {word for word in _words(name) if word not in _WORDS and not word.isdigit()}
        if words & _MASKS:
            masks.append(name)
        elif (words and words <= _PAIRED) or _is_container(name):
            images.append(name)
    return (images, masks) if images and masks else ([], [])


def _is_container(name: str) -> bool:
    words = set(_words(name)) - _WORDS.keys()
    return bool(words & _IMAGES)


def is_image_container(name: str) -> bool:
    """Whether a name says no more than that images are inside."""
    words = set(_words(name))
    return bool(words) and words <= _IMAGES


def is_part(name: str) -> bool:
    """Whether a name numbers a part of a set, such as a fold of cross-validation."""
    return _PART.fullmatch(name.strip()) is not None


def is_edition(name: str) -> bool:
    """Whether a name is a year, a sensor or a product, under which classes may be repeated."""
    bare = name.strip().casefold()
    return (
        bare in _PRODUCTS
        or _YEAR.fullmatch(bare) is not None
        or bool(_PRODUCTS & set(_words(name)))
    )


def class_key(name: str) -> str:
    """What names of one class share: neither case nor Unicode form nor outer spaces count."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def difference(first: str, second: str) -> str:
    """In what two names of one class differ."""
    if unicodedata.normalize("NFC", first) == unicodedata.normalize("NFC", second):
        return "in how Unicode spells them"
    return "in spaces" if first.strip() == second.strip() else "in case"
