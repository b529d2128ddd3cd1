"""What a weights file is, told by its bytes: never by its name, suffix or the case of one."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from featbank.errors import MissingPathError, WeightsError

if TYPE_CHECKING:
    from pathlib import Path

SAFETENSORS, TORCH = "safetensors", "torch"
# ``torch.serialization.MAGIC_NUMBER``, pickled, as files before PyTorch 1.6 begin.
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# What Python's reader of zip files raises for damaged ones.
_ZIP_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError, LookupError),
    *(struct.error, MemoryError, OverflowError),
)
# The library's own limit (safetensors ``MAX_HEADER_SIZE``).
_MAX_HEADER = 100_000_000
_HEAD_BYTES = 512
_BLOCK_BYTES = 1 << 20
# How files begin that people have beside weights, or in their place.
_OTHERS = (
    (b"version https://git-lfs", "a git-LFS pointer: the file itself was not fetched"),
    (b"/annex/objects/", "a git-annex pointer: the file itself was not fetched"),
    (b"GGUF", "a GGUF file (llama.cpp)"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet table"),
    (b"\x7fELF", "a program or library"),
    (b"model_checkpoint_path", "a TensorFlow checkpoint's index of names"),
    (b"\x08\x01\x12", "a TensorFlow SavedModel or an ONNX model (protobuf)"),
)


def file_kind(path: Path) -> str:
    """Which reader takes a weights file: ``SAFETENSORS`` or ``TORCH``.

    Raises:
        MissingPathError: There is no such file.
        WeightsError: A file of another kind, which is named.
    """
    if not path.is_file():
        raise MissingPathError(
            str(path), "there is no such file", "a weights file", "Check the path after --weights."
        )
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise not_weights(path, f"it cannot be read: {error.strerror}") from error
    if _is_safetensors(head):
        return SAFETENSORS
    if head.startswith(_LEGACY):
        return TORCH
    if head.startswith(_ZIP):
        _require_torch_zip(path)
        return TORCH
    raise not_weights(path, _described(head))


def not_weights(path: Path, why: str) -> WeightsError:
    """The refusal of a file that is no weights file."""
    return WeightsError(
        str(path),
        f"does not load ({why})",
        "safetensors, or a PyTorch file of tensors and plain values",
        "Convert it to safetensors, or fetch it again.",
    )


def _is_safetensors(head: bytes) -> bool:
    if len(head) < 9:
        return False
    (length,) = struct.unpack("<Q", head[:8])
    return head[8:9] == b"{" and 2 <= length <= _MAX_HEADER


def _described(head: bytes) -> str:
    if not head:
        return "it is empty"
    for start, what in _OTHERS:
        if head.startswith(start):
            return f"it is {what}"
    if head[4:8] == b"TFL3":
        return "it is a TensorFlow Lite model"
    if head[257:262] == b"ustar":
        return "it is a tar archive"
    if head[:1] == b"\x08" and head[2:3] in (b"\x12", b"\x1a", b":", b"B"):
        return "it is an ONNX model (protobuf)"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "it is a Python pickle that torch.save did not write in its own form"
    return _described_text(head)


def _described_text(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return "it is a web page, such as the error page of a download"
    if text.startswith(b"<"):
        return "it is XML, such as the error message of a download"
    if text.startswith((b"{", b"[")):
        return "it is JSON text"
    return f"it starts with {head[:8]!r}, as no known weights file does"


def _require_checksums(archive: zipfile.ZipFile) -> None:
    """Raise ``BadZipFile`` where a member is not what its checksum says; torch does not ask.

    A checksum of zero was never taken (``torch.serialization.set_crc32_options``).
    """
    for member in archive.infolist():
        if member.CRC:
            with archive.open(member) as file:
                while file.read(_BLOCK_BYTES):
                    pass


def _require_torch_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            _require_checksums(archive)
    except _ZIP_DAMAGE as error:
        raise not_weights(path, "it is a zip file that is cut short or damaged") from error
    is_script = any(name.endswith("/constants.pkl") or "/code/" in name for name in names)
    if is_script:
        raise not_weights(path, "it is a TorchScript program, not tensors alone")
    if any(name.endswith("data.pkl") for name in names):
        return
    if names and all(name.endswith(".npy") for name in names):
        raise not_weights(path, "it is a NumPy archive (.npz)")
    if any(name.endswith(".weights.h5") for name in names):
        raise not_weights(path, "it is a Keras model")
    raise not_weights(path, "it is a zip archive that torch.save did not write")
