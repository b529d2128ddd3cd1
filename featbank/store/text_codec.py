"""Chunks of texts that are checked before room is made for what they say they hold."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import zarr
from zarr.codecs import vlen_utf8
from zarr.registry import register_codec

if TYPE_CHECKING:
    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer, NDBuffer

_NAME = "vlen-utf8"
# numcodecs writes the number of texts, then the length and the bytes of each.
_NUMBER = struct.Struct("<I")


class VLenUTF8Codec(vlen_utf8.VLenUTF8Codec):
    """Zarr's codec of texts, which refuses a chunk that tells more texts than it has bytes for.

    numcodecs makes room for as many texts as the first four bytes say before it looks at what
    follows: up to 32 GiB for one damaged number. Sound chunks decode as ever. It bears the name of
    zarr's own, since zarr 3.1.6 knows the codec of texts by the name of its class.

    References:
        numcodecs ``vlen.pyx``, ``VLenUTF8.decode``.
    """

    def _decode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        held = len(chunk_bytes) - _NUMBER.size
        if held >= 0:
            told = _NUMBER.unpack(chunk_bytes[: _NUMBER.size].to_bytes())[0]
            if told * _NUMBER.size > held:
                raise ValueError(f"{told:,} texts in {held:,} bytes")
        return super()._decode_sync(chunk_bytes, chunk_spec)


def use_text_codec() -> None:
    """Have zarr read texts with it, in this process."""
    register_codec(_NAME, VLenUTF8Codec)
    zarr.config.set({f"codecs.{_NAME}": f"{__name__}.{VLenUTF8Codec.__name__}"})
