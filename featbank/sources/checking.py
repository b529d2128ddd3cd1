"""Checking a copy of a dataset: how much of it is here, and whether every chip is good."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from featbank.datasets import DATASETS
from featbank.datasets.split_gaps import in_a_row
from featbank.errors import UsageError
from featbank.samples import SPLITS
from featbank.sources.fitting import Imagery, read_rows
from featbank.sources.manifest import ManifestReport, compare_manifest
from featbank.sources.opening import open_dataset
from featbank.sources.reading_rules import contract_of
from featbank.sources.split_gaps import embed_notes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from featbank.datasets import Dataset

    # Takes the step, and counts done and in all.
    Progress = Callable[[str, int, int], None]

_MOST_WORKERS = 16


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """What a copy of a dataset holds.

    Attributes:
        dataset: Its name.
        root: Where it is; None where it is computed.
        n: Number of samples N.
        expected: Numbers of samples that a whole copy may have; empty where any number is right.
        refused: Reason by sample id, of chips that break the input contract.
        splits: Number of samples by split, by scheme; splits without samples are left out, and of
            the schemes that are drawn where none is published only the default is told.
        excluded: Number of samples by the reason for which they are marked to be left out.
        notes: What a user must know of this copy.
        manifest: How its files compare with a list of checksums; None where none was named.
    """

    dataset: str
    root: Path | None
    n: int
    expected: tuple[int, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    splits: dict[str, dict[str, int]] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    manifest: ManifestReport | None = None

    @property
    def is_broken(self) -> bool:
        """Whether anything here is not as it should be; a clean part is not broken."""
        return bool(self.refused) or (self.manifest is not None and self.manifest.is_broken)

    @property
    def extent(self) -> str:
        """How much of the dataset is here, in words."""
        if not self.expected:
            return f"{self.n:,} samples"
        if self.n in self.expected:
            return f"whole: {self.n:,} samples"
        whole = " or ".join(f"{count:,}" for count in sorted(self.expected))
        kind = "a part" if self.n < max(self.expected) else "more than was published"
        return f"{kind}: {self.n:,} of {whole} samples"

    @property
    def verdict(self) -> str:
        """The answer in one line."""
        faults = [f"{len(self.refused):,} of {self.n:,} chips refused"] if self.refused else []
        if self.manifest is not None:
            faults += self.manifest.faults()
        if faults:
            return f"broken: {'; '.join(faults)} ({self.extent})"
        return f"{self.extent}, all good"

    def as_row(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        row = asdict(self)
        row["root"] = None if self.root is None else str(self.root)
        return {"verdict": self.verdict, "is_broken": self.is_broken, **row}


def check_dataset(
    name: str,
    data_root: Path | None = None,
    splits: Path | None = None,
    *,
    chips: int | None = None,
    manifest: Path | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Read and check every chip of a dataset, and compare its files with a manifest.

    Args:
        name: Catalog name, or path of a folder of images.
        data_root: The named dataset's own folder; None takes ``$FEATBANK_DATA/<name>``.
        splits: Split lists, a file or a folder; None takes those beside the imagery.
        chips: Number of chips of a procedural dataset.
        manifest: CSV file of ``path,bytes,sha256``, plain or gzipped.
        progress: Takes the step, and counts done and in all.

    Raises:
        MissingPathError: The dataset or the manifest is not on this machine.
        ReadError: The disk failed; that tells nothing of the chips.
    """
    dataset = open_dataset(name, data_root=data_root, chips=chips, splits=splits)
    files = None
    if manifest is not None:
        files = compare_manifest(manifest, _root(dataset), workers=_cores(), progress=progress)
    samples = dataset.samples
    spec = DATASETS.get(name)
    return CheckReport(
        dataset=dataset.name,
        root=dataset.root,
        n=len(samples),
        expected=() if spec is None else spec.expected_samples,
        refused=_refused(dataset, progress),
        splits={scheme: _split_counts(samples.splits[scheme]) for scheme in _schemes(dataset)},
        excluded={} if samples.exclude is None else _counts(samples.exclude),
        notes=_notes(dataset),
        manifest=files,
    )


def _root(dataset: Dataset) -> Path:
    if dataset.root is None:
        raise UsageError(
            "--manifest",
            f"dataset '{dataset.name}' has no files",
            "a dataset with files",
            "Leave --manifest out.",
        )
    return dataset.root


def _refused(dataset: Dataset, progress: Progress | None) -> dict[str, str]:
    imagery = Imagery(dataset=dataset, contract=contract_of(dataset), scheme="", workers=_cores())
    n, done = len(dataset.samples), 0
    refused: dict[str, str] = {}
    for rows, batch in read_rows(imagery, range(n)):
        ids = dataset.samples.ids
        refused |= {str(ids[rows[at]]): why for at, why in sorted(batch.refused.items())}
        done += len(rows)
        if progress:
            progress("checking chips", done, n)
    return refused


def _cores() -> int:
    # macOS has no affinity; there every core counts.
    has_affinity = hasattr(os, "sched_getaffinity")
    return min(_MOST_WORKERS, len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1)


def _schemes(dataset: Dataset) -> list[str]:
    """The schemes worth telling: of the drawn ones, the default speaks for all."""
    schemes = list(dataset.samples.splits)
    return schemes[:1] if _has_drawn_splits(dataset) else schemes


def _has_drawn_splits(dataset: Dataset) -> bool:
    return bool(dataset.samples.aliases)


def _notes(dataset: Dataset) -> tuple[str, ...]:
    others, true = (
        list(names) for names in (dataset.samples.aliases, dataset.samples.aliases.values())
    )
    drawn = ""
    if others:
        drawn = f"no split lists are here; {others[0]} to {others[-1]} are drawn: {in_a_row(true)}"
    samples = dataset.samples
    first = next((samples.true_scheme(name) for name in samples.splits), None)
    lacking = () if first is None else embed_notes(samples, first)
    own = (*dataset.notes, drawn, *lacking, dataset.splits_from)
    return tuple(note for note in own if note)


def _split_counts(codes: NDArray[np.int8]) -> dict[str, int]:
    counts = Counter(codes.tolist())
    return {name: counts[code] for code, name in enumerate(SPLITS) if counts[code]}


def _counts(reasons: NDArray[Any]) -> dict[str, int]:
    return dict(Counter(str(reason) for reason in reasons if str(reason)).most_common())
