"""Predictions of images as files for other programs: CSV, Parquet, GeoParquet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from featbank.bank.files_together import files_together
from featbank.bank.geoparquet import with_points
from featbank.bank.spreadsheet import plain_cells
from featbank.disk import write_atomically, write_new
from featbank.errors import MissingPathError, UsageError
from featbank.json_file import DamagedJson, parse_object
from featbank.parquet_file import as_parquet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featbank.image import Array

SUFFIXES = (".csv", ".parquet")
# What stands between the labels of a sample in CSV, where Parquet has lists.
LABELS_BETWEEN = "|"
_KEY = b"featbank"
# What two files share that may replace one another: the probe, and what it was applied to.
_SAME = ("probe", "store_recipe")


def require_out(path: Path) -> None:
    """Refuse a path that nothing can be written to, before any work.

    Raises:
        UsageError: Its suffix is unknown.
        MissingPathError: Its folder is not there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"--out {path}",
            f"its suffix is '{path.suffix}'",
            " or ".join(SUFFIXES),
            "Name the file so; .parquet holds places too, as GeoParquet.",
        )
    if not path.parent.is_dir():
        raise MissingPathError(
            f"--out {path}", "its folder is not there", "an existing folder", "Make it first."
        )


def require_replaceable(path: Path, provenance: Mapping[str, Any]) -> None:
    """Refuse to write over anything but earlier predictions of the same probe on the same images.

    Raises:
        UsageError: Another file stands there.
    """
    if not path.exists():
        return
    found = read_provenance(path)
    if not found:
        held = "a file that is no prediction of featbank stands there"
    elif any(found.get(name) != provenance[name] for name in _SAME):
        held = f"predictions of probe {found.get('probe')} on {found.get('dataset')} stand there"
    else:
        return
    raise UsageError(
        f"--out {path}", held, "no file, or one of the same probe and images", "Pass --overwrite."
    )


def read_provenance(path: Path) -> dict[str, Any]:
    """What made a file of predictions; empty where nothing tells."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() == ".csv":
            text = beside(path).read_bytes()
        else:
            text = (pq.read_schema(path).metadata or {}).get(_KEY, b"{}")
        found = parse_object(text)
    except (OSError, ValueError, DamagedJson, pa.ArrowException):
        return {}
    return found if found.get("probe") else {}


def beside(path: Path) -> Path:
    """The JSON file that tells what made a CSV file."""
    return path.with_name(f"{path.name}.json")


def write_predictions_file(
    path: Path,
    table: Any,  # noqa: ANN401 - pyarrow ships no types
    provenance: Mapping[str, Any],
    *,
    lonlat: Array | None,
) -> None:
    """Write a table of predictions, whole or not at all.

    Args:
        path: Ends in ``.csv`` or ``.parquet``.
        table: ``pyarrow.Table`` of N rows.
        provenance: What made it, as JSON: in the metadata of Parquet under ``featbank``, and in a
            file beside a CSV. Text of a CSV that a spreadsheet would run stands there as
            ``featbank.bank.spreadsheet`` says.
        lonlat: (N, 2) degrees; None where no place is known.
    """
    if path.suffix.lower() == ".csv":
        _write_csv(path, table, provenance)
    else:
        _write_parquet(path, table, provenance, lonlat)


def _write_csv(path: Path, table: Any, provenance: Mapping[str, Any]) -> None:  # noqa: ANN401
    from pyarrow import csv

    with files_together(path.parent) as hidden:
        csv.write_csv(_flat(table), hidden(path.name))
        text = json.dumps(provenance, indent=1).encode()
        write_new(hidden(beside(path).name), text)
        hidden.give_names()


def _flat(table: Any) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """A table whose lists are texts, and whose texts no spreadsheet runs."""
    import pyarrow.compute as pc
    from pyarrow import types

    for place, field in enumerate(table.schema):
        column = table[field.name]
        if types.is_list(field.type):
            column = pc.binary_join(column, LABELS_BETWEEN)
        if types.is_string(column.type):
            column = plain_cells(column)
        table = table.set_column(place, field.name, column)
    return table


def _write_parquet(
    path: Path,
    table: Any,  # noqa: ANN401
    provenance: Mapping[str, Any],
    lonlat: Array | None,
) -> None:
    table = table.replace_schema_metadata({_KEY: json.dumps(provenance).encode()})
    if lonlat is not None:
        table = with_points(table, lonlat)
    write_atomically(path, as_parquet(table))
