"""What figures say of themselves: a title names the data, a caption the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.pages.table_style import metric_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.lookup.subject import Subject
    from featbank.result import Result

_SHOWN = 4


def title_of(what: str, head: Result, n: int | None = None) -> str:
    """What is drawn of which data, such as ``Confusion: aid100, split random-0, test, N = 600``."""
    count = head.n if n is None else n
    return f"{what}: {head.dataset}, split {head.split_scheme}, {head.split}, N = {count:,}"


def caption_of(heads: Sequence[Result], more: str = "") -> str:
    """Which probe on which features the numbers come from, and what else a reader must know.

    Args:
        heads: Headlines of the results drawn; beyond a few they are counted.
        more: A sentence that follows.
    """
    said = [_of(head) for head in heads[:_SHOWN]]
    rest = len(heads) - _SHOWN
    said += [f"{rest} more"] if rest > 0 else []
    return " ".join(part for part in (f"{'; '.join(said)}.", more) if part)


def _of(head: Result) -> str:
    found = f"{head.protocol} on {head.model}, feature {head.feature}, layer {head.layer}"
    return f"{found}, labels {head.label_set}, result {head.result[:8]}"


def metric_of(head: Result) -> str:
    """The headline's metric as people write it, such as ``mAP (macro)``."""
    return metric_name(head.metric, head.average, head.threshold)


def title_of_store(what: str, subject: Subject, n: int) -> str:
    """What is drawn of which samples of the subject's store."""
    dataset, scheme = subject.store.attributes["dataset"], scheme_of(subject)
    return f"{what}: {dataset}, split {scheme}, N = {n:,}"


def scheme_of(subject: Subject) -> str:
    """The split scheme that the subject speaks of."""
    return subject.store.scheme_name(subject.split_scheme)
