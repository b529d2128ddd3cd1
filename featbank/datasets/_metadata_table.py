"""A publisher's Parquet table of labels and splits, its columns of the kinds that readers take.

Copies differ: pandas writes texts as ``large_string`` or as dictionaries, flags as whole numbers.
What means the same is taken; everything else is refused by the file's and the column's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.errors import DatasetError
from featbank.parquet_file import read_parquet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyarrow import ChunkedArray, Table

LABELS = "labels"
_SHOWN = 3


def checked_table(
    path: Path, *, required: Sequence[str], flags: Sequence[str], texts: Sequence[str]
) -> Table:
    """The table of a file, rows without a name left out.

    Args:
        path: A Parquet file.
        required: Columns that it has to have; the first is the key, whose null is a row of nobody.
        flags: Columns of true and false, also as 0 and 1.
        texts: Columns of text.

    Returns:
        Known columns alone: ``string``, ``bool``, and ``list<string>`` for the labels.

    Raises:
        DatasetError: It does not read, lacks a column, or holds one of another kind.
        OSError: The file is missing, or the disk fails.
    """
    table = read_parquet(path, lambda found: _unusable(path, found))
    missing = [name for name in required if name not in table.column_names]
    if missing:
        raise DatasetError(
            str(path),
            f"has no column {', '.join(missing)}",
            f"columns {', '.join(required)}",
            "Take the publisher's metadata.parquet.",
        )
    known = [n for n in (*texts, LABELS, *flags) if n in table.column_names]
    columns = {name: _cast(path, name, table[name], flags) for name in known}
    return _with_key(path, columns, required[0])


def _with_key(path: Path, columns: dict[str, Any], key: str) -> Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.table(columns)
    kept = table.filter(pc.is_valid(table[key]))
    if len(table) and not len(kept):
        raise _unusable(path, f"names no sample in '{key}'")
    return kept


def _cast(path: Path, name: str, column: ChunkedArray, flags: Sequence[str]) -> ChunkedArray:
    import pyarrow as pa

    kind = column.type
    if name == LABELS:
        target, is_so = pa.list_(pa.string()), _is_list_of_text(kind)
    elif name in flags:
        target, is_so = pa.bool_(), pa.types.is_boolean(kind) or pa.types.is_integer(kind)
    else:
        target, is_so = pa.string(), _is_text(kind)
    if not is_so and not pa.types.is_null(kind):
        raise _unusable(path, f"holds {kind} in column '{name}', where {_in_words(target)} belong")
    try:
        cast = column.cast(target)
    except (pa.ArrowException, ValueError) as error:
        raise _unusable(path, f"holds no {_in_words(target)} in column '{name}'") from error
    if name == LABELS and any(chunk.flatten().null_count for chunk in cast.chunks):
        raise _unusable(path, "holds a label that is null")
    return cast


def _is_text(kind: Any) -> bool:  # noqa: ANN401 - pyarrow ships no types
    from pyarrow import types

    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    is_view = getattr(types, "is_string_view", lambda _: False)
    return types.is_string(kind) or types.is_large_string(kind) or is_view(kind)


def _is_list_of_text(kind: Any) -> bool:  # noqa: ANN401
    from pyarrow import types

    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return is_list and _is_text(kind.value_type)


def _in_words(kind: Any) -> str:  # noqa: ANN401
    return {"bool": "flags", "string": "texts"}.get(str(kind), "lists of texts")


def require_one_word(table: Table, path: Path, *, key: str) -> None:
    """Refuse tables that name a sample twice and say different things of it.

    Raises:
        DatasetError: Names the first few such samples.
    """
    import pyarrow.compute as pc

    counted = pc.value_counts(table[key].combine_chunks())
    twice = counted.filter(pc.greater(counted.field("counts"), 1)).field("values")
    if not len(twice):
        return
    rows = table.filter(pc.is_in(table[key], value_set=twice)).to_pylist()
    said: dict[str, Any] = {}
    clash = [r[key] for r in rows if said.setdefault(r[key], r) != r]
    if clash:
        few = ", ".join(list(dict.fromkeys(clash))[:_SHOWN])
        raise _unusable(path, f"says different things of one sample, {len(clash)} times: {few}")


def _unusable(path: Path, found: str) -> DatasetError:
    return DatasetError(str(path), found, "the publisher's metadata", "Fetch it again.")
