"""Results and predictions as Parquet files: one file each, written whole, joined on reading."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.bank import write_atomically
from featbank.result import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
    buffer = io.BytesIO()
    to_frame(results).to_parquet(buffer, index=False)
    write_atomically(path, buffer.getvalue())
    return path


def read_results(bank: Bank) -> pd.DataFrame:
    """Every result of a bank in long form; a column that an old file lacks is empty there."""
    import pandas as pd

    paths = sorted(bank.result_path("x").parent.glob("*.parquet"))
    frames = [pd.read_parquet(path).dropna(axis="columns", how="all") for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def read_result(path: Path) -> list[Result]:
    """The rows of one result, as they were written."""
    import pyarrow.parquet as pq

    return [Result.from_row(row) for row in pq.read_table(path).to_pylist()]


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
    import pyarrow.parquet as pq

    limits = {name: values.tolist() for name, values in predictions.thresholds.items()}
    metadata = {"classes": json.dumps(list(predictions.classes))}
    metadata |= {"thresholds": json.dumps(limits)} if limits else {}
    table = pa.table(_columns(predictions)).replace_schema_metadata(metadata)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    path = bank.predictions_path(result)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())
    return path


def read_predictions(path: Path) -> Predictions:
    """The predictions of one result.

    Args:
        path: Their file.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    metadata = table.schema.metadata
    limits = json.loads(metadata.get(b"thresholds", b"{}"))
    return Predictions(
        ids=np.array(table["sample_id"].to_pylist(), dtype=object),
        split=table["split"][0].as_py() if len(table) else "",
        truth=_numbers(table["truth"]),
        scores=_numbers(table["scores"]),
        classes=json.loads(metadata[b"classes"]),
        thresholds={name: np.array(values) for name, values in limits.items()},
    )


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
