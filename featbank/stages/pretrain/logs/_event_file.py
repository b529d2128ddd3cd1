"""TensorBoard's event files: protocol buffers in checksummed records.

References:
    tensorflow ``core/util/event.proto``, ``core/framework/summary.proto`` and
    ``core/lib/io/record_writer.cc``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from google_crc32c import value as crc32c

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SESSION_START = 1
# record_writer.cc masks checksums, since a checksum of data that holds checksums is weak.
_MASK_DELTA, _ALL_BITS = 0xA282EAD8, 0xFFFFFFFF


def version_record(wall_time: float) -> bytes:
    """The record that every event file begins with."""
    return _record(_event(wall_time, 0, _text(3, "brain.Event:2")))


def restart_record(wall_time: float, step: int) -> bytes:
    """Tells TensorBoard that what older files say of this step and later ones is void."""
    session = _number(1, _SESSION_START)
    return _record(_event(wall_time, step, _message(7, session)))


def scalars_record(wall_time: float, step: int, scalars: Mapping[str, float]) -> bytes:
    """Numbers of one step by their tags."""
    values = (
        _message(1, _text(1, tag) + _key(2, _FIXED32) + struct.pack("<f", number))
        for tag, number in scalars.items()
    )
    return _record(_event(wall_time, step, _message(5, b"".join(values))))


def _event(wall_time: float, step: int, what: bytes) -> bytes:
    time = _key(1, _FIXED64) + struct.pack("<d", wall_time)
    return time + _number(2, step) + what


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    crc = crc32c(data)
    rotated = ((crc >> 15) | (crc << 17)) & _ALL_BITS
    return struct.pack("<I", (rotated + _MASK_DELTA) & _ALL_BITS)


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _number(field: int, number: int) -> bytes:
    return _key(field, _VARINT) + _varint(number)


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _message(field: int, content: bytes) -> bytes:
    return _key(field, _BYTES) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
