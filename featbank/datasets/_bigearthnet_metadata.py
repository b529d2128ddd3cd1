"""The metadata tables of BigEarthNet v2.0: labels, splits, partners and countries by patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.catalog import suggest
from featbank.datasets._bigearthnet_editions import S1, S2, V1, V2
from featbank.datasets._bigearthnet_table import CLOUD, SNOW
from featbank.datasets._bigearthnet_v1 import split_files
from featbank.datasets._clc import CLASSES_19, unknown_class
from featbank.datasets._metadata_table import checked_table, require_one_word
from featbank.datasets.splitting import split_lists as lists
from featbank.errors import DatasetError
from featbank.samples import UNKNOWN_LABEL, UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pyarrow import Array as Column
    from pyarrow import Table

MAIN = "metadata.parquet"
LEFT_OUT = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"
_NAME_COLUMNS = {S1: "s1_name", S2: "patch_id"}
_REQUIRED = ("patch_id", "labels", "split", "s1_name")
_TEXTS = ("patch_id", "split", "s1_name")
_FLAGS = ("contains_seasonal_snow", "contains_cloud_or_shadow")
_OPTIONAL = ("country", *_FLAGS)
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Metadata:
    """Both metadata tables, one under the other; no rows where a copy has none.

    Row -1 stands for a patch that the tables do not hold: every column has a last entry for it.

    Args:
        table: A pyarrow table of M rows.
        path: The first file, for messages.
    """

    table: Table
    path: Path

    def rows_of(self, names: Sequence[str], sensor: str) -> NDArray[np.int64]:
        """(N,) row of each patch, -1 where the tables do not hold it."""
        import pyarrow as pa

        column = self._column(_NAME_COLUMNS[sensor])
        return _index_in(pa.array(names, type=column.type), column)

    def labels(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """(N, 19) labels of rows, -1 for row -1 and where a row tells none.

        Raises:
            DatasetError: A label outside the nomenclature.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self._column("labels")
        flat = column.flatten()
        codes = _index_in(flat, pa.array(CLASSES_19, type=flat.type))
        if (codes < 0).any():
            raise unknown_class(str(flat[int(np.argmin(codes))]), CLASSES_19, str(self.path))
        labels = np.zeros((len(self.table) + 1, len(CLASSES_19)), dtype=np.int8)
        labels[pc.list_parent_indices(column).to_numpy(), codes] = 1
        labels[:-1][self._is_null("labels")] = UNKNOWN_LABEL
        labels[-1] = UNKNOWN_LABEL
        return labels[rows]

    def splits(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """(N,) split codes of rows, unlabelled for row -1 and where a row tells none.

        Raises:
            DatasetError: A word that is no split.
        """
        import pyarrow as pa

        column = self._column("split")
        codes = _index_in(column, pa.array(_SPLITS, type=column.type))
        codes[self._is_null("split")] = UNLABELLED
        if (codes < 0).any():
            word = str(column[int(np.argmin(codes))])
            raise DatasetError(
                str(self.path),
                f"holds the split '{word}'",
                f"one of {', '.join(_SPLITS)}",
                suggest(word, _SPLITS),
            )
        return np.append(codes, UNLABELLED).astype(np.int8)[rows]

    def exclude(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """(N,) reasons to leave rows out."""
        reasons = np.full(len(rows), "", dtype=object)
        flags = {CLOUD: "contains_cloud_or_shadow", SNOW: "contains_seasonal_snow"}
        for reason, name in flags.items():
            if name in self.table.column_names:
                flag = self._column(name).fill_null(False).to_numpy(zero_copy_only=False)
                reasons[np.append(flag, False).astype(bool)[rows]] = reason
        return reasons

    def texts(self, name: str, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """(N,) values of a text column, empty for row -1 and where the column is absent."""
        if name not in self.table.column_names:
            return np.full(len(rows), "", dtype=object)
        # Encoded, so that a country is one string for all its patches.
        encoded = self._column(name).fill_null("").dictionary_encode()
        values = np.array([*encoded.dictionary.to_pylist(), ""], dtype=object)
        codes = np.append(encoded.indices.to_numpy(), len(values) - 1)
        found: NDArray[np.object_] = values[codes[rows]]
        return found

    def notes(self, rows: NDArray[np.int64]) -> tuple[str, ...]:
        """What the tables leave open for these rows, counted."""
        known = rows[rows >= 0]
        told = {"labels": "their labels are unknown", "split": "they are in no split"}
        counts = {name: int(self._is_null(name)[known].sum()) for name in told}
        return tuple(
            f"{count} of {len(rows)} patches have no '{name}' in {self.path.name}: {told[name]}"
            for name, count in counts.items()
            if count
        )

    def _is_null(self, name: str) -> NDArray[np.bool_]:
        return np.asarray(self._column(name).is_null().to_numpy(zero_copy_only=False), dtype=bool)

    def _column(self, name: str) -> Column:
        return self.table[name].combine_chunks()


def _index_in(values: Column, known: Column) -> NDArray[np.int64]:
    import pyarrow.compute as pc

    rows = pc.index_in(values, value_set=known)
    return np.asarray(rows.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def read_metadata(root: Path, splits: Path | None) -> Metadata:
    """The metadata of a copy.

    Raises:
        MissingPathError: ``splits`` names something that is not there.
        DatasetError: A file that cannot be used, or lists of the other edition in its place.
    """
    paths = _paths(root, splits)
    import pyarrow as pa

    if not paths:
        return Metadata(pa.table(_empty_columns()), root / MAIN)
    tables = [_read(path) for path in paths]
    names = [name for name in (*_REQUIRED, *_OPTIONAL) if name in tables[0].column_names]
    table = pa.concat_tables([_with_all(t, names) for t in tables])
    if len(table) == 0:
        raise DatasetError(str(paths[0]), "holds no row", "a row a patch", "Fetch it again.")
    require_one_word(table, paths[0], key="patch_id")
    return Metadata(table, paths[0])


def _with_all(table: Table, names: Sequence[str]) -> Table:
    """A table with columns of these names, in this order; null where it has none."""
    import pyarrow as pa

    for name in names:
        if name not in table.column_names:
            kind = pa.bool_() if name in _FLAGS else pa.string()
            table = table.append_column(name, pa.nulls(len(table), kind))
    return table.select(names)


def _paths(root: Path, splits: Path | None) -> list[Path]:
    folders = lists.search_folders(root, splits)
    is_file = splits is not None and splits.is_file()
    main = splits if is_file else lists.find_list(folders, [MAIN])
    if main is None or main.suffix != ".parquet":
        strays = [splits] if splits is not None else [*split_files(root, None).values()]
        if strays:
            raise DatasetError(
                str(strays[0]),
                f"holds no splits of {V2.name}",
                f"the publisher's {MAIN}",
                f"CSV lists are those of {V1.name}. {V2.splits_from}",
            )
        return []
    left_out = lists.find_list([*folders, root, root / "splits"], [LEFT_OUT])
    return list(dict.fromkeys(path for path in (main, left_out) if path is not None))


def _empty_columns() -> dict[str, Column]:
    import pyarrow as pa

    columns = {name: pa.array([], pa.string()) for name in _REQUIRED}
    return columns | {"labels": pa.array([], pa.list_(pa.string()))}


def _read(path: Path) -> Table:
    return checked_table(path, required=_REQUIRED, flags=_FLAGS, texts=(*_TEXTS, "country"))
