"""PNG files: depths below eight bits are stretched to eight, as the format says they mean."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from featbank.datasets.decoding.refusals import (
    FAULTS,
    cut_error,
    refuse,
    refuse_undecoded,
    require_bytes,
    require_size,
)
from featbank.datasets.decoding.stored import Stored, split_opacity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array

# Width, height, depth and colour type of IHDR, which is always the first chunk (ISO/IEC 15948).
_HEADER = struct.Struct(">8s4x4sIIBBBBB")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {1, 2, 4, 8, 16}
_COLOURED = {2, 3, 6}
_GREY_WITH_OPACITY = 4
# Deflate makes at most 258 bytes of two bits (RFC 1951).
_LARGEST_RATIO = 1032
# What pixels depend on; the rest tells viewers of printers, gamma and dates.
_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_LENGTH = struct.Struct(">I4s")


class _PngHeader(NamedTuple):
    size_px: tuple[int, int]
    depth: int
    kind: int

    @property
    def colours(self) -> int:
        """Bands without opacity."""
        return 3 if self.kind in _COLOURED else 1


def decode_png(data: bytes, name: str) -> Stored:
    """Grey or RGB; opacity, also that of a transparent colour, says what is missing.

    Raises:
        DecodeError: Damaged, cut short, or too large.
    """
    header = _header(data, name)
    depth, size_px = header.depth, header.size_px
    require_size(name, size_px, bands=header.colours + 1, sample_bytes=2 if depth == 16 else 1)
    row_bytes = (size_px[1] * _CHANNELS[header.kind] * depth + 7) // 8 + 1
    least = size_px[0] * row_bytes / _LARGEST_RATIO
    require_bytes(name, size_px, held=len(data), least=least)
    chunks = list(_chunks(data, name))
    try:
        pixels = _pixels(data, header, chunks)
    except FAULTS as error:
        refuse_undecoded(name, "PNG", error)
    if pixels.shape[:2] != size_px:
        refuse(name, "changes its size inside", "one size", "Replace it.")
    bands, is_clear = split_opacity(pixels, header.colours)
    return Stored(bands, header.kind in _COLOURED, is_clear, is_plain=is_clear is None)


def _header(data: bytes, name: str) -> _PngHeader:
    if len(data) < _HEADER.size:
        raise cut_error(name, "PNG")
    signature, chunk, width, height, depth, kind, *_ = _HEADER.unpack_from(data)
    is_known = kind in _CHANNELS and depth in _DEPTHS
    if signature != _SIGNATURE or chunk != b"IHDR" or not is_known:
        raise cut_error(name, "PNG")
    return _PngHeader((height, width), depth, kind)


def _chunks(data: bytes, name: str) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk, up to the last one, whose checksums are right."""
    view, start = memoryview(data), len(_SIGNATURE)
    while start + _LENGTH.size <= len(data):
        length, kind = _LENGTH.unpack_from(data, start)
        end = start + _LENGTH.size + length + 4
        if end > len(data):
            break
        told = int.from_bytes(view[end - 4 : end], "big")
        if zlib.crc32(view[start + 4 : end - 4]) != told:
            found = f"does not decode as PNG (a wrong checksum in {kind.decode('latin-1')!r})"
            refuse(name, found, "a whole image", "Replace it.")
        yield kind, start, end
        if kind == b"IEND":
            return
        start = end
    refuse(name, "does not decode as PNG (it is cut short)", "a whole image", "Replace it.")


def _pixels(data: bytes, header: _PngHeader, chunks: list[tuple[bytes, int, int]]) -> Array:
    import imagecodecs

    has_opacity = header.kind == _GREY_WITH_OPACITY or any(c[0] == b"tRNS" for c in chunks)
    if not has_opacity and header.depth <= 8:
        return np.asarray(imagecodecs.spng_decode(data))
    # libpng tells the terminal of faults in chunks that no pixel depends on, and of a wrong sum
    # behind the pixels, so that it is given neither.
    kept = [data[start:end] for kind, start, end in chunks if kind in _NEEDED]
    _require_sum(b"".join([c[8:-4] for c in kept if c[4:8] == b"IDAT"]))
    return np.asarray(imagecodecs.png_decode(_SIGNATURE + b"".join(kept)))


def _require_sum(packed: bytes) -> None:
    """Raise ``ValueError`` where the compressed stream is damaged; nothing of it is kept."""
    stream, step = zlib.decompressobj(), 1 << 20
    try:
        while not stream.eof:
            got = stream.decompress(packed, step)
            packed = stream.unconsumed_tail
            if not got and not packed and not stream.eof:
                raise ValueError("its pixels are cut short")
    except zlib.error as error:
        raise ValueError(str(error)) from error
