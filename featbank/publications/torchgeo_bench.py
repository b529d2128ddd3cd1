"""torchgeo-bench: frozen backbones on subsets of EuroSAT and BigEarthNet.

Its maintainers found in August 2026 that ``dataset.normalization`` had done nothing for every
model of torchgeo (PR #206), retired the table (PR #205) and ran all of it again (PR #208). Rows
that no longer run (sensors of different scales joined: all bands of benv2 by DOFA, Panopticon,
CROMA and Prithvi) are withdrawn there and here. Rows whose second run nobody of us has read keep
the retired table's number and say so.
"""

from __future__ import annotations

from dataclasses import dataclass

from featbank.publications.publication import PublicationSpec, PublishedRow

# Dataset, label set, metric, average, note; the columns of the table below, k-NN and linear each.
_SETS = (
    ("eurosat-ms", "class", "accuracy", None, "m-eurosat, 2,000/1,000/1,000 chips"),
    ("eurosat-ms", "class", "accuracy", None, "whole, split by longitude"),
    ("bigearthnet-s2", "43-class", "map", "micro", "m-bigearthnet, 20,000/1,000/1,000 patches"),
    ("bigearthnet-s2", "19-class", "map", "micro", "benv2, 20,000/4,000/4,000 patches"),
)
_PROBES = ("knn (torchgeo-bench-knn5)", "logistic (torchgeo-bench-linear)")
_ZSCORE, _NATIVE = "bandspec_zscore", "model_native"


@dataclass(frozen=True, kw_only=True)
class _Run:
    commit: str
    date: str
    note: str = ""


# results/models/*.csv; the pull request was opened on this day.
_SECOND = _Run(commit="PR #208", date="2026-08-15")
# results/all_results.csv, kept upstream as results/legacy/all_results_2026-08-14.csv.
_RETIRED = _Run(commit="0660813", date="2026-08", note="of the retired table, second run not read")

_NONE = (None, None)
_Values = tuple[float | None, ...]
_TABLE: tuple[tuple[str, str, _Run, _Values], ...] = (
    ("DOFA-B, RGB", _ZSCORE, _SECOND, (0.921, 0.960, 0.900, 0.952, 0.549, 0.680, 0.669, 0.801)),
    ("DOFA-B, all bands", _ZSCORE, _SECOND, (0.833, 0.948, *_NONE, 0.500, 0.647, *_NONE)),
    ("DOFA-L, RGB", _ZSCORE, _SECOND, (0.936, 0.973, 0.924, 0.965, 0.565, 0.699, 0.680, 0.813)),
    ("DOFA-L, all bands", _ZSCORE, _SECOND, (0.911, 0.967, *_NONE, 0.538, 0.676, *_NONE)),
    (
        "DINOv3-L web, RGB",
        _ZSCORE,
        _RETIRED,
        (0.917, 0.962, 0.932, 0.956, 0.583, 0.711, 0.690, 0.816),
    ),
    (
        "DINOv3-L satellite, RGB",
        _ZSCORE,
        _SECOND,
        (0.930, 0.966, 0.916, 0.950, 0.625, 0.741, 0.711, 0.834),
    ),
    (
        "ResNet-50 MoCo, RGB",
        _NATIVE,
        _SECOND,
        (0.938, 0.956, 0.933, 0.958, 0.588, 0.706, 0.688, 0.818),
    ),
    (
        "ResNet-50 MoCo, RGB",
        _ZSCORE,
        _SECOND,
        (0.728, 0.857, 0.698, 0.854, 0.384, 0.539, 0.586, 0.725),
    ),
    ("Panopticon, RGB", _ZSCORE, _SECOND, (0.939, 0.969, 0.908, 0.946, 0.636, 0.715, 0.716, 0.829)),
    (
        "Panopticon, all bands",
        _ZSCORE,
        _SECOND,
        (0.948, 0.962, 0.930, 0.962, 0.652, 0.735, *_NONE),
    ),
    ("CROMA-B, all bands", _ZSCORE, _SECOND, (0.833, 0.930, 0.793, 0.906, 0.551, 0.697, *_NONE)),
    (
        "Clay v1.5 CLS, all bands",
        _ZSCORE,
        _RETIRED,
        (0.911, 0.967, 0.866, 0.959, 0.621, 0.721, 0.707, 0.826),
    ),
    (
        "Clay v1.5 mean, all bands",
        _ZSCORE,
        _RETIRED,
        (0.768, 0.962, 0.657, 0.959, 0.504, 0.725, 0.648, 0.828),
    ),
    (
        "Prithvi-v2-600 CLS, all bands",
        _ZSCORE,
        _RETIRED,
        (0.859, 0.938, 0.803, 0.914, 0.596, 0.682, *_NONE),
    ),
    (
        "TerraMind-L, all bands",
        _ZSCORE,
        _SECOND,
        (0.891, 0.965, 0.853, 0.959, 0.628, 0.750, 0.712, 0.846),
    ),
    (
        "TerraMind-L, all bands",
        _NATIVE,
        _SECOND,
        (0.921, 0.968, 0.926, 0.976, 0.660, 0.784, *_NONE),
    ),
    (
        "OlmoEarth, best size",
        _NATIVE,
        _RETIRED,
        (0.956, 0.976, 0.941, 0.978, 0.664, 0.771, 0.735, 0.853),
    ),
    (
        "random convolutions, all bands",
        _ZSCORE,
        _RETIRED,
        (0.763, 0.910, 0.628, 0.791, 0.466, 0.625, 0.637, 0.777),
    ),
    (
        "image statistics, all bands",
        _ZSCORE,
        _RETIRED,
        (0.783, 0.865, 0.731, 0.884, 0.421, 0.490, 0.612, 0.703),
    ),
)


def _row(model: str, normalisation: str, run: _Run, column: int, value: float) -> PublishedRow:
    dataset, label_set, metric, average, note = _SETS[column // 2]
    return PublishedRow(
        dataset=dataset,
        label_set=label_set,
        metric=metric,
        average=average,
        value=value,
        model=model,
        probe=_PROBES[column % 2],
        normalisation=normalisation,
        commit=run.commit,
        date=run.date,
        note="; ".join(part for part in (note, run.note) if part),
    )


SPECS = (
    PublicationSpec(
        name="torchgeo-bench",
        source=(
            "torchgeo/torchgeo-bench, results/models/*.csv as PR #208 wrote them, and "
            "results/all_results.csv (0660813), retired by PR #205; 224 px"
        ),
        rows=tuple(
            _row(model, normalisation, run, column, value)
            for model, normalisation, run, values in _TABLE
            for column, value in enumerate(values)
            if value is not None
        ),
    ),
)
