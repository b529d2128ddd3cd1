"""What figures ask of a subject before they are drawn, as the end of "needs ..."."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bank.results import Predictions
    from featbank.lookup.subject import Subject
    from featbank.result import Result

RESULT = "a result ('featbank probe' makes one)"
PREDICTIONS = "a result with predictions, which few-shot runs do not keep"
LABELS = "labels in the store"
SEVERAL_LABELS = "samples that may bear several labels each"
ONE_CLASS = "samples of one class each"
CLASSES = "two classes or more"


def first_predictions(subject: Subject) -> Predictions | None:
    """Predictions of the first result that kept any."""
    return predictions_of(subject)[1]


def predictions_of(subject: Subject) -> tuple[tuple[Result, ...], Predictions | None]:
    """Rows and predictions of the first result that kept any."""
    for rows in subject.results:
        said = subject.predictions(rows[0].result)
        if said is not None and len(said.ids):
            return rows, said
    return (), None


def drawn_predictions(subject: Subject) -> tuple[Result, Predictions]:
    """The same where there are some: headline and predictions.

    Raises:
        ValueError: There are none; ``missing`` tells so before.
    """
    rows, said = predictions_of(subject)
    if said is None:
        raise ValueError(PREDICTIONS)
    return rows[0], said


def no_predictions(subject: Subject) -> str:
    """Empty where a result with predictions is there."""
    if not subject.results:
        return RESULT
    return "" if first_predictions(subject) is not None else PREDICTIONS


def no_pictures(subject: Subject) -> str:
    """Empty where the chips can be drawn."""
    return "" if subject.pictures else f"the images: {subject.no_pictures}"


def no_labels(subject: Subject) -> str:
    """Empty where the store has the label set that is asked for."""
    known = subject.store.label_sets
    if not known:
        return LABELS
    if subject.label_set is not None and subject.label_set not in known:
        return f"label set '{subject.label_set}'; the store has {', '.join(known)}"
    scheme = subject.split_scheme
    if scheme is not None and scheme not in subject.store.split_schemes:
        return f"split scheme '{scheme}'; the store has {', '.join(subject.store.split_schemes)}"
    return "" if subject.store.usable(subject.label_set).any() else "a labelled sample"


def whole_results(subject: Subject) -> list[tuple[Result, ...]]:
    """Results on the whole training split, without few-shot runs."""
    return [rows for rows in subject.results if rows and rows[0].shots is None]


def same_task(results: Sequence[tuple[Result, ...]]) -> list[tuple[Result, ...]]:
    """Those whose values may stand on one axis with those of the first."""
    first = task_of(results[0][0]) if results else ()
    return [rows for rows in results if task_of(rows[0]) == first]


def task_of(head: Result) -> tuple[str, ...]:
    """What two values must share to be compared: data, labels, split, metric."""
    names = ("dataset", "label_set", "split_scheme", "test_store", "metric", "average", "split")
    return tuple(str(getattr(head, name) or "") for name in names)
