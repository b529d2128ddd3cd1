"""What each result says of the samples on the map: right, wrong, and what it predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.pages.report.columns import MapColumn, bits, indices

if TYPE_CHECKING:
    from featbank.bank.results import Predictions
    from featbank.image import Array
    from featbank.stages.report.content import ReportContent

_OUTCOMES = ("right", "wrong", "not scored")
_FIXED = 0.5


def outcome_columns(content: ReportContent, ids: Array) -> list[MapColumn]:
    """Two columns for each result with predictions of these samples.

    Args:
        content: The report.
        ids: (n,) sample ids on the map.
    """
    subject, found = content.subject, []
    for rows, name in zip(content.results, content.names, strict=True):
        said = None if subject is None else subject.predictions(rows[0].result)
        if said is None or rows[0].test_store is not None:
            continue
        columns = _of_result(rows[0].result, name, said, ids)
        found += columns
    return found


def _of_result(result: str, name: str, said: Predictions, ids: Array) -> list[MapColumn]:
    place_of = {sample: place for place, sample in enumerate(said.ids.tolist())}
    places = np.array([place_of.get(sample, -1) for sample in ids.tolist()], dtype=np.int64)
    scored = places >= 0
    if not scored.any():
        return []
    decided, right = _decisions(said)
    outcome = np.where(scored, np.where(right[places], 0, 1), 2)
    header: dict[str, Any] = {"result": result, "values": list(_OUTCOMES), "kind": "one"}
    told = MapColumn(
        header={**header, "key": f"outcome-{result}", "title": f"Right or wrong: {name}",
                "role": "outcome", "note": _note(said)},
        codes=outcome.astype(np.uint8),
    )  # fmt: skip
    header = {"result": result, "title": f"Predicted: {name}", "role": "predicted"}
    return [told, _predicted(header, said, decided, places)]


def _decisions(said: Predictions) -> tuple[Array, Array]:
    """Class indices (n,) or labels (n, K) that are predicted, and whether all of them are right."""
    if said.truth.ndim == 1:
        return said.predicted, said.predicted == said.truth
    decided = said.scores >= said.thresholds.get("0.5", _FIXED)
    return decided, (decided == (said.truth == 1)).all(axis=1)


def _note(said: Predictions) -> str:
    return "" if said.truth.ndim == 1 else "right: every label is, at 0.5"


def _predicted(
    header: dict[str, Any], said: Predictions, decided: Array, places: Array
) -> MapColumn:
    scored = places >= 0
    key = f"predicted-{header['result']}"
    if decided.ndim == 1:
        values = [*said.classes, "not scored"]
        codes = indices(np.where(scored, decided[places], len(said.classes)), len(values))
        return MapColumn(header={**header, "key": key, "kind": "one", "values": values},
                         codes=codes)  # fmt: skip
    codes = bits(decided[places] & scored[:, None])
    return MapColumn(
        header={**header, "key": key, "kind": "many", "values": list(said.classes)}, codes=codes
    )
