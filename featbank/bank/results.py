"""Results and predictions as Parquet files: one file each, written whole, joined on reading."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

import numpy as np

from featbank.disk import write_atomically
from featbank.errors import FeatbankError, FeatbankWarning, StoreError
from featbank.json_file import DamagedJson, parse_object
from featbank.parquet_file import as_parquet, read_parquet
from featbank.result import Result
from featbank.samples import UNKNOWN_LABEL

Read = TypeVar("Read")

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from featbank.bank.bank import Bank
    from featbank.image import Array


def to_frame(results: Sequence[Result]) -> pd.DataFrame:
    """Rows as a table, the columns of ``Result`` in order."""
    import pandas as pd

    return pd.DataFrame([result.as_row() for result in results])


def write_results(bank: Bank, results: Sequence[Result]) -> Path:
    """Write the rows of one result, replacing an earlier run of the same."""
    path = bank.result_path(results[0].result)
    path.parent.mkdir(parents=True, exist_ok=True)
    import pyarrow as pa

    table = pa.Table.from_pandas(to_frame(results), preserve_index=False)
    write_atomically(path, as_parquet(table))
    return path


def read_results(bank: Bank) -> pd.DataFrame:
    """Every result of a bank in long form; a column that an old file lacks is empty there.

    A file that is damaged is left out, and a ``FeatbankWarning`` names it.
    """
    import pandas as pd

    paths = sorted(bank.result_path("x").parent.glob("*.parquet"))
    tables = (table for path in paths if (table := _unless_damaged(_table, path)) is not None)
    frames = [_frame(table).dropna(axis="columns", how="all") for table in tables]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _frame(table: Any) -> pd.DataFrame:  # noqa: ANN401 - pyarrow ships no types
    # Without what pandas has noted of itself there, which may be damaged too.
    found: pd.DataFrame = table.replace_schema_metadata(None).to_pandas()
    return found


def readable_result(path: Path) -> list[Result] | None:
    """The rows of one result; None, and a ``FeatbankWarning``, where its file is damaged."""
    return _unless_damaged(read_result, path)


def _unless_damaged(read: Callable[[Path], Read], path: Path) -> Read | None:
    try:
        return read(path)
    except (FeatbankError, OSError) as error:
        said = str(error) if isinstance(error, FeatbankError) else f"{path}: {error.strerror}"
        warnings.warn(f"left out: {said}", FeatbankWarning, stacklevel=4)
        return None


def read_result(path: Path) -> list[Result]:
    """The rows of one result, as they were written.

    Raises:
        StoreError: The file is damaged, or holds something else.
    """
    rows = _table(path).to_pylist()
    if not rows:
        raise _damaged(path, "holds no row")
    return [_result(row, path) for row in rows]


def _table(path: Path) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """The ``pyarrow.Table`` of a result's file, its columns of the kinds that a result has."""
    table = read_parquet(path, lambda found: _damaged(path, found))
    kinds = {("class" if name == "class_name" else name): kind for name, kind in _KINDS.items()}
    missing = [name for name in ("metric", "value") if name not in table.column_names]
    wrong = [f.name for f in table.schema if f.name in kinds and not _fits(f.type, kinds[f.name])]
    if missing or wrong:
        found = f"lacks {', '.join(missing)}" if missing else f"holds no results in {wrong[0]}"
        raise _damaged(path, found)
    # The name leads to predictions, figures and pages; rows of another would lead elsewhere.
    if "result" in table.column_names and set(table["result"].to_pylist()) - {path.stem}:
        raise _damaged(path, "holds rows of a result that is not the one it is named after")
    return table


def _fits(kind: Any, allowed: tuple[type, ...]) -> bool:  # noqa: ANN401
    from pyarrow import types

    told = {
        str: types.is_string(kind) or types.is_large_string(kind),
        float: types.is_floating(kind) or types.is_integer(kind),
        # Beside empty cells pandas keeps whole numbers as floating ones.
        int: types.is_integer(kind) or types.is_floating(kind),
        bool: types.is_boolean(kind),
    }
    return types.is_null(kind) or any(told.get(each, False) for each in allowed)


# Kinds of each field of a row; a number may be whole in a file that others wrote.
_HINTS = get_type_hints(Result)
_KINDS = {f.name: get_args(_HINTS[f.name]) or (_HINTS[f.name],) for f in fields(Result)}


def _result(row: Mapping[str, Any], path: Path) -> Result:
    try:
        found = Result.from_row({name: _whole(name, value) for name, value in row.items()})
    except (KeyError, TypeError) as error:
        raise _damaged(path, "lacks columns that every result has") from error
    for name, kinds in _KINDS.items():
        value = getattr(found, name)
        is_whole = float in kinds and isinstance(value, int) and not isinstance(value, bool)
        if not is_whole and type(value) not in kinds:
            raise _damaged(path, f"holds {value!r} as '{name}'")
    try:
        parse_object(found.params)
    except DamagedJson as error:
        raise _damaged(path, f"holds params of another kind: they are JSON that {error}") from error
    return found


def _whole(name: str, value: Any) -> Any:  # noqa: ANN401 - any cell
    kinds = _KINDS.get(name, ())
    is_float = isinstance(value, float) and int in kinds and float not in kinds
    return int(value) if is_float and value.is_integer() else value


def _damaged(path: Path, found: str) -> StoreError:
    return StoreError(
        str(path),
        found,
        "what 'featbank probe' wrote",
        "Remove it, and probe again; other results of the bank are not touched.",
    )


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What a probe said of n samples.

    Attributes:
        ids: (n,) sample ids.
        split: Split that was scored.
        truth: (n,) class indices, or (n, K) 0 and 1 where a sample may bear several labels.
        scores: (n, K) probabilities.
        classes: K class names.
        thresholds: (K,) thresholds by name that make decisions of scores; none for one class a
            sample, whose decision is the greatest score.
    """

    ids: Array
    split: str
    truth: Array
    scores: Array
    classes: Sequence[str]
    thresholds: Mapping[str, Array] = field(default_factory=dict)

    @property
    def predicted(self) -> Array:
        """(n,) most probable class of samples of one class each."""
        best: Array = self.scores.argmax(axis=1)
        return best


def write_predictions(bank: Bank, result: str, predictions: Predictions) -> Path:
    """Write one result's predictions: a row a sample, lists where there is a number a class.

    Class names and thresholds are kept in the file's metadata, as JSON under their names.
    """
    import pyarrow as pa

    limits = {name: values.tolist() for name, values in predictions.thresholds.items()}
    metadata = {"classes": json.dumps(list(predictions.classes))}
    metadata |= {"thresholds": json.dumps(limits)} if limits else {}
    table = pa.table(_columns(predictions)).replace_schema_metadata(metadata)
    path = bank.predictions_path(result)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, as_parquet(table))
    return path


def read_predictions(path: Path) -> Predictions:
    """The predictions of one result.

    Args:
        path: Their file.

    Raises:
        StoreError: It is damaged, or holds something else.
    """

    def damaged(found: str) -> StoreError:
        return _damaged(path, found)

    table = read_parquet(path, damaged)
    metadata = table.schema.metadata or {}
    try:
        limits = parse_object(metadata.get(b"thresholds", b"{}"))
        found = Predictions(
            ids=np.array(table["sample_id"].to_pylist(), dtype=object),
            split=table["split"][0].as_py() if len(table) else "",
            truth=_numbers(table["truth"]),
            scores=_numbers(table["scores"]),
            classes=json.loads(metadata[b"classes"]),
            thresholds={name: np.array(values, float) for name, values in limits.items()},
        )
    except (KeyError, ValueError, TypeError, RecursionError, DamagedJson) as error:
        raise damaged(f"is no table of predictions ({type(error).__name__}: {error})") from error
    _require_whole(found, damaged)
    return found


def _require_whole(found: Predictions, damaged: Callable[[str], StoreError]) -> None:
    is_list = isinstance(found.classes, list) and all(isinstance(c, str) for c in found.classes)
    if not is_list or not found.classes:
        raise damaged("holds classes that no predictions have")
    n, k = len(found.ids), len(found.classes)
    checks = {
        "sample_id": all(isinstance(sample, str) for sample in found.ids),
        "split": isinstance(found.split, str),
        "scores": _are(found.scores, "f") and found.scores.shape == (n, k),
        "truth": _are(found.truth, "iu") and found.truth.shape in ((n,), (n, k)) and _fit(found),
        "thresholds": all(limit.shape == (k,) for limit in found.thresholds.values()),
    }
    wrong = [name for name, is_so in checks.items() if not is_so]
    if wrong:
        raise damaged(f"holds {', '.join(wrong)} that no predictions have")


def _fit(found: Predictions) -> bool:
    """Whether every truth is one of the classes, or unknown."""
    greatest = len(found.classes) - 1 if found.truth.ndim == 1 else 1
    return bool(((found.truth >= UNKNOWN_LABEL) & (found.truth <= greatest)).all())


def _are(values: Array, kinds: str) -> bool:
    return values.dtype.kind in kinds


def _numbers(column: Any) -> Array:  # noqa: ANN401 - pyarrow ships no types
    """(n,) numbers, or (n, K) of lists of K."""
    whole = column.combine_chunks()
    if not hasattr(whole, "flatten") or whole.type.num_fields == 0:
        return np.asarray(whole)
    return np.asarray(whole.flatten()).reshape(len(whole), -1)


def _columns(predictions: Predictions) -> dict[str, Any]:
    import pyarrow as pa

    truth, scores = predictions.truth, predictions.scores
    columns = {
        "sample_id": pa.array(predictions.ids.tolist(), pa.string()),
        "split": pa.array([predictions.split] * len(scores), pa.string()),
    }
    if truth.ndim == 2:
        columns["truth"] = pa.array(list(truth.astype(np.int8)), pa.list_(pa.int8()))
    else:
        columns["truth"] = pa.array(truth.astype(np.int32))
        columns["predicted"] = pa.array(predictions.predicted.astype(np.int32))
    columns["scores"] = pa.array(list(scores.astype(np.float32)), pa.list_(pa.float32()))
    return columns
