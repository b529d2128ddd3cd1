"""Comparing results: paired differences on common samples, corrected for how many there are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.bank import Bank
from featbank.errors import StoreError, UsageError
from featbank.lookup.result_names import names_of
from featbank.metrics import METRICS
from featbank.metrics.scoring.averages import LEFT_OUT, ZERO, Absent
from featbank.metrics.scoring.paired import Judged, Wanted, paired_values
from featbank.metrics.scoring.resampling import Resampling
from featbank.probes.protocols import PROTOCOLS
from featbank.stages.compare.choice import chosen_results
from featbank.stages.compare.options import CompareOptions
from featbank.stages.compare.pairs import Pair, all_pairs
from featbank.stages.compare.samples import CommonSamples, common_samples
from featbank.stages.compare.verdict import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.image import Array
    from featbank.metrics.metric import MetricSpec, Values
    from featbank.result import Result

__all__ = ["CompareOptions", "Comparison", "Pair", "compare_results"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a comparison found.

    Attributes:
        results: Headline row of each result.
        names: What they are called.
        values: (P,) the metric of each on the common samples.
        pairs: Every pair.
        wanted: The metric.
        n: Samples in all of them.
        left_out: Samples that some of them lack, or hold as another image.
        units: Groups, or samples, that are resampled.
        resampled: Which of both.
        options: Resamples and seed.
    """

    results: list[Result]
    names: list[str]
    values: Values
    pairs: list[Pair]
    wanted: Wanted
    n: int
    left_out: int
    units: int
    resampled: str
    options: CompareOptions

    def rows(self) -> list[dict[str, Any]]:
        """One row a pair, with ids, names and values of both sides."""
        return [self._row(pair) for pair in self.pairs]

    def _row(self, pair: Pair) -> dict[str, Any]:
        sides = {
            side: {
                side: self.results[position].result,
                f"{side}_name": self.names[position],
                f"{side}_value": float(self.values[position]),
            }
            for side, position in (("a", pair.a), ("b", pair.b))
        }
        numbers = {k: v for k, v in asdict(pair).items() if k not in ("a", "b", "better")}
        better = None if pair.better is None else self.results[pair.better].result
        wanted = {k: v for k, v in asdict(self.wanted).items() if k != "absent"}
        return {
            **sides["a"],
            **sides["b"],
            **wanted,
            **numbers,
            "better": better,
            "verdict": sentence(pair, self.names),
            "n": self.n,
            "n_left_out": self.left_out,
            "resampled": self.resampled,
            "units": self.units,
            "resamples": self.options.resamples,
            "seed": self.options.seed,
        }


def compare_results(options: CompareOptions) -> Comparison:
    """Compare results of one bank with each other, pair by pair.

    All resamples are the same for all results, so that what makes samples easy or hard for all of
    them cancels. Groups are resampled where a result says that its interval counts them. Beside
    the accuracy of samples without groups stands McNemar's exact test. Like intervals, this is of
    the fitted probes on new samples: other training sets or splits may turn the order.

    Raises:
        FeatbankError: Unknown or too few results, results that cannot be joined, or a metric that
            they do not have.
    """
    bank = Bank(options.bank)
    heads = chosen_results(bank, options)
    names = names_of(heads)
    samples = common_samples(bank, heads, names)
    wanted = _wanted(heads, samples, options)
    resampling = Resampling(groups=samples.groups, resamples=options.resamples, seed=options.seed)
    judged = [
        Judged(scores=each.scores, limits=each.thresholds.get(str(wanted.threshold)))
        for each in samples.predictions
    ]
    values, replicates = paired_values(samples.truth, judged, wanted, resampling)
    units = resampling.units(len(samples.ids)).count
    return Comparison(
        results=heads,
        names=names,
        values=values,
        pairs=all_pairs(
            values,
            replicates,
            METRICS[wanted.metric],
            units=units,
            is_right=_is_right(samples, wanted),
        ),
        wanted=wanted,
        n=len(samples.ids),
        left_out=samples.left_out,
        units=units,
        resampled="sample" if samples.groups is None else "group",
        options=options,
    )


def _is_right(samples: CommonSamples, wanted: Wanted) -> Array | None:
    """Which samples (P, N) each result has right, where McNemar's test may be asked."""
    if samples.groups is not None or wanted.metric != "accuracy":
        return None
    found = [each.scores.argmax(axis=1) == samples.truth for each in samples.predictions]
    return np.stack(found)


def _wanted(heads: Sequence[Result], samples: CommonSamples, options: CompareOptions) -> Wanted:
    """The headline's metric, or the one that was asked for.

    Raises:
        UnknownNameError: No metric has this name.
        UsageError: The results do not have the metric, the average or the thresholds.
    """
    is_multilabel = samples.truth.ndim == 2
    spec = METRICS[options.metric or heads[0].metric]
    of_kind = spec.multilabel if is_multilabel else spec.single_label
    classes = len(samples.predictions[0].classes)
    if not of_kind or not spec.has_interval or classes <= spec.more_than:
        kind = "several labels a sample" if is_multilabel else "one class a sample"
        usable = [s.name for s in METRICS.values() if s.has_interval and _is_of(s, is_multilabel)]
        raise UsageError(
            f"--metric {spec.name}",
            f"it has no paired difference for {classes} classes, {kind}",
            f"one of {', '.join(usable)}",
            "Choose another metric.",
        )
    average = options.average
    if options.metric is None and average is None:
        average = _headline_average(spec, heads[0])
    decided = is_multilabel and spec.takes == "counts"
    return Wanted(
        metric=spec.name,
        average=_average(spec, average, is_multilabel=is_multilabel),
        threshold=_threshold(samples, options.threshold) if decided else None,
        absent=_absent(heads),
    )


def _headline_average(spec: MetricSpec, head: Result) -> str | None:
    """That of a result's headline.

    Raises:
        StoreError: The metric has no such average: the file is damaged.
    """
    if head.average not in (None, *spec.averages):
        raise StoreError(
            f"result {head.result}",
            f"its headline is {spec.name}, average '{head.average}'",
            f"one of {', '.join(spec.averages)}" if spec.averages else "no average",
            "Remove its file and probe again.",
        )
    return head.average


def _is_of(spec: MetricSpec, is_multilabel: bool) -> bool:
    return spec.multilabel if is_multilabel else spec.single_label


def _average(spec: MetricSpec, asked: str | None, *, is_multilabel: bool) -> str | None:
    kept = [name for name in spec.averages if is_multilabel or name in ("macro", "weighted")]
    if asked is None:
        return kept[0] if kept else None
    if asked not in kept:
        raise UsageError(
            f"--average {asked}",
            f"'{spec.name}' has no such average here",
            f"one of {', '.join(kept)}" if kept else "none",
            "Choose another average or leave --average out.",
        )
    return asked


def _threshold(samples: CommonSamples, asked: str) -> str:
    for each in samples.predictions:
        if asked not in each.thresholds:
            raise UsageError(
                f"--threshold {asked}",
                "a result has no such thresholds",
                f"one of {', '.join(each.thresholds)}",
                "Choose others with --threshold.",
            )
    return asked


def _absent(heads: Sequence[Result]) -> Absent:
    """Absent classes count as zero only where the protocols of all results count them so."""
    known = [PROTOCOLS[head.protocol] for head in heads if head.protocol in PROTOCOLS]
    is_zero = len(known) == len(heads) and all(spec.absent_as_zero for spec in known)
    return ZERO if is_zero else LEFT_OUT
