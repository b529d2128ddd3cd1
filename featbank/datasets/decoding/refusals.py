"""Images that are not read: what a file claims is judged before any pixel is decoded."""

from __future__ import annotations

import struct
from typing import NoReturn

from featbank.errors import DecodeError

# A chip of 13 uint16 bands may be 4,500 px a side, one of 369 float32 bands 600 px. Decoding takes
# up to twice the pixels themselves, so that one header claims no more than a gigabyte.
MAX_DECODED_BYTES = 512 * 2**20
# Resizing kernels count pixels of a side in signed 16-bit numbers (OpenCV's SHRT_MAX).
MAX_SIDE_PX = 2**15 - 1
# Files hold overviews, masks and metadata beside the pixels; longer ones are scenes, not chips.
MAX_FILE_BYTES = 2 * MAX_DECODED_BYTES

# What decoders raise on damaged bytes. All read from memory, so that OSError is no disk's fault.
FAULTS = (
    ValueError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    OSError,
    EOFError,
    TypeError,
    AttributeError,
    AssertionError,
    SyntaxError,
    MemoryError,
    struct.error,
)


def refuse(name: str, found: str, expected: str, remedy: str) -> NoReturn:
    """Refuse one image.

    Raises:
        DecodeError: Always.
    """
    raise DecodeError(name, _printable(found), expected, remedy)


def refuse_undecoded(name: str, kind: str, error: BaseException) -> NoReturn:
    """Refuse an image that its decoder did not read.

    Raises:
        DecodeError: Always.
    """
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MemoryError):
        reason = "there is not enough memory for it"
    found = _printable(f"does not decode as {kind} ({reason})")
    raise DecodeError(name, found, "a whole image", "Replace it.") from error


def cut_error(name: str, kind: str) -> DecodeError:
    """What to raise for an image whose header is not whole."""
    found = f"does not decode as {kind} (its header is damaged or cut short)"
    return DecodeError(name, found, "a whole image", "Replace it.")


def require_size(name: str, size_px: tuple[int, int], *, bands: int, sample_bytes: int = 1) -> None:
    """Refuse an image by what its header claims.

    Args:
        name: The file.
        size_px: (H, W) by the header.
        bands: Number of bands.
        sample_bytes: Bytes that one number takes while it is decoded.

    Raises:
        DecodeError: No pixel at all, a side too long, or more bytes than a chip may take.
    """
    height, width = size_px
    claim = f"claims {height} × {width} pixels of {bands} bands"
    if height < 1 or width < 1 or bands < 1:
        refuse(name, claim, "at least one pixel and band", "Replace it.")
    decoded = height * width * bands * sample_bytes
    if max(size_px) > MAX_SIDE_PX or decoded > MAX_DECODED_BYTES:
        refuse(
            name,
            f"{claim}, which take {decoded / 2**20:,.0f} MiB to decode",
            f"at most {MAX_SIDE_PX:,} px a side and {MAX_DECODED_BYTES // 2**20} MiB",
            "Cut it into chips, or remove it.",
        )


def require_bytes(name: str, size_px: tuple[int, int], *, held: int, least: float) -> None:
    """Refuse an image that claims more pixels than its bytes can hold.

    Args:
        name: The file.
        size_px: (H, W) by the header.
        held: Bytes of the file.
        least: Bytes that the format needs at the very least.

    Raises:
        DecodeError: The file is shorter.
    """
    if held < least:
        refuse(
            name,
            f"claims {size_px[0]} × {size_px[1]} pixels in {held:,} bytes, which cannot hold them",
            "a whole image",
            "Replace it.",
        )


def _printable(text: str) -> str:
    # What a damaged file says of itself may hold anything.
    return "".join(letter if letter.isprintable() else "?" for letter in text)
