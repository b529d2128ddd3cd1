"""Ways to damage bytes, JSON and Parquet, drawn at random."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
from pyarrow import parquet

ODD = [None, True, 0, -1, 2**31, 1e308, "", "x", "\x1b[31m\u202e", [], {}, [None], {"a": None},
       [[[]]], "NaN", 1e-320, ["a", 1]]  # fmt: skip


def damaged_bytes(data, rng):
    """Bytes cut, emptied, flipped, spliced, doubled or replaced."""
    data = bytearray(data)
    way = rng.integers(7)
    size = len(data)
    if way == 0 or not size:
        return b""
    if way == 1:
        return bytes(data[: rng.integers(size)])
    if way == 2:
        for place in rng.integers(size, size=rng.integers(1, 9)):
            data[place] ^= 1 << rng.integers(8)
        return bytes(data)
    if way == 3:
        start, length = rng.integers(size), rng.integers(1, 65)
        data[start : start + length] = rng.bytes(int(length))
        return bytes(data)
    if way == 4:
        start, stop = sorted(rng.integers(size, size=2))
        return bytes(data[:start] + data[stop:])
    if way == 5:
        return bytes(data + data)
    return rng.bytes(int(rng.integers(1, 200)))


def damaged_json(text, rng):
    """JSON one of whose values is another, is gone, or stands elsewhere; sometimes its bytes."""
    if rng.random() < 0.25:
        return damaged_bytes(text, rng)
    content = json.loads(text)
    if rng.random() < 0.1:
        return json.dumps(_odd(rng)).encode()
    holders = list(_holders(content))
    if not holders:
        return json.dumps(_odd(rng)).encode()
    holder, key = holders[rng.integers(len(holders))]
    way = rng.integers(4)
    if way == 0:
        del holder[key]
    elif way == 1:
        holder[key] = [holder[key]]
    elif way == 2:
        holder[key] = {"inner": holder[key]}
    else:
        holder[key] = _odd(rng)
    return json.dumps(content).encode()


def _holders(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _holders(inner)


def _odd(rng):
    return ODD[rng.integers(len(ODD))]


def damaged_parquet(path, rng):
    """A table with columns gone, renamed, null, of another type, or its metadata lost."""
    if rng.random() < 0.35:
        return damaged_bytes(path.read_bytes(), rng)
    table = parquet.read_table(path)
    name = table.column_names[rng.integers(table.num_columns)]
    place, n = table.column_names.index(name), len(table)
    ways = {
        0: lambda: table.drop_columns([name]),
        1: lambda: table.set_column(place, name, pa.nulls(n)),
        2: lambda: table.set_column(place, name, pa.array(range(n))),
        3: lambda: table.set_column(place, name, pa.array([str(i) for i in range(n)])),
        4: lambda: table.set_column(place, name, pa.array([[float(i)] for i in range(n)])),
        5: lambda: table.set_column(place, f"{name}x", table[name]),
        6: lambda: table.append_column(name, table[name]),
        7: lambda: table.slice(0, 0),
        8: lambda: table.replace_schema_metadata(None),
        9: lambda: table.set_column(place, name, _with_null(table[name], rng)),
        10: lambda: _odd_metadata(table, rng),
        11: lambda: table.set_column(place, name, pa.array([np.nan] * n)),
        12: lambda: table.set_column(place, name, pa.array([b"\xff"] * n)),
    }
    sink = pa.BufferOutputStream()
    parquet.write_table(ways[int(rng.integers(len(ways)))](), sink)
    return sink.getvalue().to_pybytes()


def _with_null(column, rng):
    values = column.to_pylist()
    if values:
        values[rng.integers(len(values))] = None
    return pa.array(values, column.type)


def _odd_metadata(table, rng):
    held = dict(table.schema.metadata or {b"a": b"{}"})
    key = list(held)[rng.integers(len(held))]
    try:
        held[key] = damaged_json(held[key], rng)
    except ValueError:
        held[key] = damaged_bytes(held[key], rng)
    return table.replace_schema_metadata(held)
