"""What a protocol is: how a probe is fitted, chosen and averaged, under one name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Part = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class FewShotRule:
    """What a protocol makes of a few training samples a class.

    Attributes:
        k_within_shots: Whether the numbers of neighbours to choose from are those of the grid up
            to the shots, and the shots; otherwise all of the grid, up to the number of samples.
        takes_short_classes: Whether all of a class are taken that has fewer samples than shots;
            otherwise such a run is refused.
        drawn_by: ``numpy``, or ``torch`` for the very draws of a source that uses it.
    """

    k_within_shots: bool = False
    takes_short_classes: bool = False
    drawn_by: str = "numpy"


@dataclass(frozen=True, kw_only=True)
class ProtocolSpec:
    """A catalog entry.

    Attributes:
        name: What users type after ``--protocol``, and what stands beside every number.
        summary: One line that tells it from its neighbours.
        probe: Name in the probes catalog.
        params: Parameters that differ from the probe's own.
        grid: Parameter values to choose from, simplest first; one empty mapping where nothing
            is swept.
        parts: Features that it reads, joined: name and place on the store's layer axis, counted
            from its end, such as ``("cls", -4)``. Empty where the user chooses.
        views: Parts (places in ``parts``) that a candidate sees, by the name that the grid's
            ``view`` gives; empty where all candidates see all.
        last_blocks: Whether the layers must be the backbone's last, without a gap.
        chosen_on: ``val``, or the share of train that is drawn for it, in (0, 1).
        final_on: Splits that the scored probe is fitted on; of few shots, the shots alone.
        final_params: Parameters that differ in that fit.
        tells_all: Whether every candidate is scored on test too, not just the chosen one.
        absent_as_zero: Whether classes without a test sample count as 0 in macro averages;
            otherwise they are left out.
        top: Number of labels, the most probable, that each sample is given beside the decisions
            by thresholds; None where thresholds alone decide.
        of_several: Metric and average that stand first, and that parameters are chosen by, where
            samples bear several labels; a metric of decisions is of those of ``top``.
        resamples: Bootstrap resamples that the source takes; here the most parts that intervals
            leave out, unless the user says otherwise. None takes 1,000.
        few_shot: What it makes of few-shot runs.
        family: Name that runs this protocol and its siblings one after the other; "" for none.
        source: Paper, or repository and file.
        settled: How this meets the source, line by line, or fills what it leaves open.
        unmet: What of the source is done otherwise or not at all, and why.
    """

    name: str
    summary: str
    probe: str
    params: Mapping[str, Any] = field(default_factory=dict)
    grid: tuple[Mapping[str, Any], ...] = ({},)
    parts: tuple[Part, ...] = ()
    views: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    last_blocks: bool = False
    chosen_on: str | float = "val"
    final_on: tuple[str, ...] = ("train", "val")
    final_params: Mapping[str, Any] = field(default_factory=dict)
    tells_all: bool = False
    absent_as_zero: bool = False
    top: int | None = None
    of_several: tuple[str, str] = ("map", "macro")
    resamples: int | None = None
    few_shot: FewShotRule = FewShotRule()
    family: str = ""
    source: str
    settled: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()

    @property
    def procedure(self) -> str:
        """What is chosen on what and fitted on what, in words.

        Example:
            >>> ProtocolSpec(name="p", summary="", probe="knn", source="").procedure
            'nothing is chosen; fitted on train and validation'
        """
        fitted_on = " and ".join("validation" if s == "val" else s for s in self.final_on)
        if len(self.grid) == 1:
            return f"nothing is chosen; fitted on {fitted_on}"
        is_val = self.chosen_on == "val"
        where = "validation" if is_val else f"{float(self.chosen_on):.0%} of train"
        again = "fitted on" if is_val and self.final_on == ("train",) else "fitted again on"
        return f"chosen on {where}, {again} {fitted_on}"

    @property
    def few_shot_procedure(self) -> str:
        """The same of a few-shot run.

        Example:
            >>> ProtocolSpec(name="p", summary="", probe="knn", source="").few_shot_procedure
            'nothing is chosen; fitted on the shots alone'
        """
        chosen = "nothing is chosen;"
        if len(self.grid) > 1:
            chosen = "chosen on at most as many validation samples of each class,"
        return f"{chosen} fitted on the shots alone"
