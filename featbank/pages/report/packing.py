"""Numbers and texts of a page as one compressed block: columns behind a JSON header, gzip, base64.

A browser opens it with ``DecompressionStream``; as plain JSON it would be several times larger.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array

# Typed arrays in a browser must start at a multiple of their item size.
_ALIGN = 4
_TYPES = {"uint8": "u1", "uint16": "u2", "uint32": "u4"}


def packed(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """A header and arrays as base64 text.

    Layout before compression: uint32 length of the JSON, the JSON, the arrays; all little endian,
    each from a multiple of 4 bytes on. The JSON's ``arrays`` names place, length and type of each.

    Args:
        header: JSON.
        arrays: uint8, uint16 or uint32, any shape; they are flattened by rows.
    """
    places, parts, start = {}, [], 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        places[name] = {"start": start, "length": array.size, "type": _TYPES[array.dtype.name]}
        parts.append(data + b"\0" * (-len(data) % _ALIGN))
        start += len(parts[-1])
    text = json.dumps({**header, "arrays": places}, ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGN)
    whole = len(text).to_bytes(4, "little") + text + b"".join(parts)
    # A fixed time: the same content gives the same page.
    return base64.b64encode(gzip.compress(whole, 9, mtime=0)).decode()
