"""Results and predictions as Parquet files: one file each, written whole, joined on reading."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.bank import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from featbank.bank.bank import Bank
    from featbank.image import Array
    from featbank.result import Result


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
        columns["predicted"] = pa.array(scores.argmax(axis=1).astype(np.int32))
    columns["scores"] = pa.array(list(scores.astype(np.float32)), pa.list_(pa.float32()))
    return columns
