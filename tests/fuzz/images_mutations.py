"""Damaged images: refused by name, or the same pixels as another reader gives in silence."""

from __future__ import annotations

import logging
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import tifffile

FAKES = str(Path(__file__).resolve().parents[1] / "fakes")
if FAKES not in sys.path:
    sys.path.append(FAKES)

import made_images  # noqa: E402
import other_readers  # noqa: E402
import random_tiffs  # noqa: E402

from featbank.datasets.decode import examine  # noqa: E402
from featbank.datasets.geotiff import read_lonlat  # noqa: E402
from featbank.errors import FeatbankError  # noqa: E402

# Lossy formats are decoded by other inverse transforms; TIFF's JPEG with halved colours is
# decoded by Pillow's library, as ours is.
_JPEG_LEVELS = 2
_NUMBERS = (0, 1, 2, 3, 4, 7, 8, 16, 32, 64, 127, 128, 255, 256, 4096, 32767, 65500, 65535)
_TAGS = (254, 255, 256, 257, 258, 259, 262, 266, 270, 273, 274, 277, 278, 279, 284, 317, 320)
_TAGS += (322, 323, 324, 325, 338, 339, 32997, 42112, 42113)
_SHARE_OF_RANDOM_TIFFS = 0.5
_SLOW = {"1120-bands"}
_NAMES = [name for name in made_images.KINDS if name not in _SLOW]


def trial(rng: np.random.Generator, folder: Path) -> None:
    """Make one image, damage it, read it.

    Args:
        rng: What kind, and what damage.
        folder: Where the image is written; emptied first.

    Raises:
        AssertionError: Another error than ours, one that names no file, or other pixels than a
            reader that does not complain.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = _made(rng, folder)
    damage = _damaged(path, rng)
    what = f"{path.name} after {damage}"
    pixels = _by_featbank(path, what)
    if isinstance(pixels, str):
        assert path.name in pixels, f"{what}: a refusal names no file: {pixels}"
        assert "\n" not in pixels, f"{what}: a refusal of several lines: {pixels}"
    else:
        _require_equal(pixels, path, what)


def _made(rng: np.random.Generator, folder: Path) -> Path:
    if rng.random() < _SHARE_OF_RANDOM_TIFFS:
        random_tiffs.write_random_tiff(folder / "random.tif", rng)
        return folder / "random.tif"
    return made_images.write_kind(folder, _NAMES[rng.integers(len(_NAMES))])


def _by_featbank(path: Path, what: str) -> np.ndarray | str:
    """Pixels, or the refusal's words."""
    try:
        read_lonlat(path.parent, [path.name])
        return examine(path).pixels
    except FeatbankError as error:
        return str(error)
    except BaseException as error:
        raise AssertionError(f"{what}: {type(error).__name__} {error}") from error


def _damaged(path: Path, rng: np.random.Generator) -> str:
    """Damage a file or one beside it; what was done, in words."""
    others = [p for p in sorted(path.parent.iterdir()) if p != path]
    target = others[0] if others and rng.random() < 0.3 else path
    data, done = bytearray(target.read_bytes()), []
    for _ in range(rng.integers(0, 4)):
        kind = _DAMAGES[rng.integers(len(_DAMAGES))]
        kind(data, rng)
        done.append(kind.__name__.lstrip("_"))
        if len(data) < 8:
            break
    target.write_bytes(data)
    return f"{'+'.join(done) or 'nothing'} in {target.name}"


def _flip(data: bytearray, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 4)):
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))


def _flip_in_head(data: bytearray, rng: np.random.Generator) -> None:
    data[rng.integers(min(len(data), 300))] ^= 1 << int(rng.integers(8))


def _cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[rng.integers(1, len(data)) :]


def _splice(data: bytearray, rng: np.random.Generator) -> None:
    start, to = rng.integers(len(data), size=2)
    part = data[start : start + rng.integers(1, 64)]
    if rng.random() < 0.5:
        data[to : to + len(part)] = part
    else:
        data[to:to] = part


def _drop(data: bytearray, rng: np.random.Generator) -> None:
    start = rng.integers(len(data))
    del data[start : start + rng.integers(1, 16)]


def _number(data: bytearray, rng: np.random.Generator) -> None:
    """A size field, or what looks like one."""
    code = "<>"[rng.integers(2)] + "HI"[rng.integers(2)]
    at = rng.integers(min(len(data) - 4, 300)) if len(data) > 8 else 0
    struct.pack_into(code, data, int(at), _NUMBERS[rng.integers(len(_NUMBERS))])


def _tag(data: bytearray, rng: np.random.Generator) -> None:
    """One entry of a classic TIFF's first directory: its code, type, count or value."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(bytes(data[:4]))
    if order is None:
        return _number(data, rng)
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        at = start + 2 + 12 * int(rng.integers(max(count, 1)))
        field = rng.integers(5)
        value = _NUMBERS[rng.integers(len(_NUMBERS))]
        if field == 0:
            struct.pack_into(f"{order}H", data, at, _TAGS[rng.integers(len(_TAGS))])
        elif field == 1:
            struct.pack_into(f"{order}H", data, at + 2, int(rng.integers(1, 19)))
        elif field == 2:
            struct.pack_into(f"{order}I", data, at + 4, value)
        else:
            struct.pack_into(f"{order}{'H' if field == 3 else 'I'}", data, at + 8, value)
    except struct.error:
        _flip(data, rng)


_DAMAGES = (_flip, _flip_in_head, _cut, _splice, _drop, _number, _tag, _tag, _tag)


def _require_equal(pixels: np.ndarray, path: Path, what: str) -> None:
    try:
        levels, expected = _other(path)
    except other_readers.Complaint:
        return
    assert pixels.shape == expected.pixels.shape, (
        f"{what}: {pixels.shape} where another reader gives {expected.pixels.shape}"
    )
    missing = np.ma.getmaskarray(pixels)
    if expected.missing is not None and not np.array_equal(missing, expected.missing):
        # Of a torn mask GDAL gives other pixels each time that it reads it.
        if _is_torn(path.with_name(f"{path.name}.msk")):
            return
        assert np.array_equal(missing, expected.missing), (
            f"{what}: {missing.sum()} pixels missing, {expected.missing.sum()} to another reader"
        )
    ours = np.ma.getdata(pixels)[~missing].astype(np.float64)
    theirs = expected.pixels[~missing].astype(np.float64)
    same = np.isclose(ours, theirs, rtol=1e-6, atol=levels, equal_nan=True)
    if not same.all() and _is_torn(path):
        return
    assert same.all(), f"{what}: {(~same).sum()} of {same.size} pixels differ"


def _is_torn(path: Path) -> bool:
    """Whether a third reader refuses a TIFF: GDAL gives what it has of a damaged stream."""
    if not path.exists() or path.read_bytes()[:2] not in {b"II", b"MM"}:
        return False
    try:
        _by_tifffile(path)
    except other_readers.Complaint:
        return True
    return False


def _other(path: Path) -> tuple[int, other_readers.Read]:
    head = path.read_bytes()[:4]
    if head[:2] in {b"II", b"MM"}:
        return _other_of_tiff(path)
    if head.startswith((b"\x00\x00\x00\x0c", b"\xff\x4f")):
        return 0, other_readers.by_rasterio(path)
    is_lossy = head.startswith(b"\xff\xd8")
    read = other_readers.by_pillow(path)
    if any(p != path for p in path.parent.iterdir()):
        return 0, other_readers.by_rasterio(path)
    if is_lossy and not path.read_bytes().endswith(b"\xff\xd9"):
        # GDAL's mask stands behind the pixels, of which Pillow knows nothing.
        return _JPEG_LEVELS, other_readers.by_rasterio(path)
    return _JPEG_LEVELS if is_lossy else 0, read


def _other_of_tiff(path: Path) -> tuple[int, other_readers.Read]:
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    try:
        with tifffile.TiffFile(path) as file:
            roles = [int(page.subfiletype) & 5 for page in file.pages]
            first = file.pages[0]
            is_jpeg, colours = int(first.compression) == 7, int(first.photometric)
            is_jpeg2000 = int(first.compression) == 34712
    except Exception as error:
        raise other_readers.Complaint(str(error)) from error
    if roles.count(0) > 1 or roles[0] or is_jpeg2000:
        # rasterio sees the first page alone.
        return 0, _by_tifffile(path)
    if is_jpeg and colours == 6:
        # rasterio's own library does not smooth halved colours.
        return _JPEG_LEVELS, other_readers.by_pillow(path)._replace(missing=None)
    return _JPEG_LEVELS if is_jpeg else 0, other_readers.by_rasterio(path)


def _by_tifffile(path: Path) -> other_readers.Read:
    try:
        return other_readers.by_tifffile(path)._replace(missing=None)
    except Exception as error:
        raise other_readers.Complaint(str(error)) from error
