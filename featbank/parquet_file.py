"""Parquet tables: written with a checksum a page, and read from files that may be damaged."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from featbank.errors import FeatbankError


def as_parquet(table: Any, **options: Any) -> bytes:  # noqa: ANN401 - pyarrow ships no types
    """A ``pyarrow.Table`` as the bytes of a file whose pages bear checksums."""
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(table, buffer, write_page_checksum=True, **options)
    return buffer.getvalue()


def read_parquet(
    path: Path,
    damaged: Callable[[str], FeatbankError],
    *,
    columns: Sequence[str] | None = None,
) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """The ``pyarrow.Table`` of one file.

    Args:
        path: The file.
        damaged: Makes the error of a file that does not read, from the rest of a sentence.
        columns: Those to read; None for all.

    Raises:
        FeatbankError: ``damaged``'s, where the file is no whole Parquet file.
        OSError: The file is missing, or the disk fails.
    """
    import pyarrow as pa
    from pyarrow import parquet

    # Read by ourselves: an error of the disk and damage inside then stay two things.
    data = path.read_bytes()
    if not data:
        raise damaged("is empty")
    try:
        file = parquet.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        names = file.schema_arrow.names
        if len(set(names)) < len(names):
            raise damaged("has two columns of one name")
        missing = [name for name in columns or () if name not in names]
        if missing:
            raise damaged(f"has no column {', '.join(missing)}")
        table = file.read(columns=None if columns is None else list(columns))
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        from featbank.errors import FeatbankError

        if isinstance(error, FeatbankError):
            raise
        raise damaged(f"is not a Parquet file, or damaged ({_reason(error)})") from error
    return table


def _reason(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
