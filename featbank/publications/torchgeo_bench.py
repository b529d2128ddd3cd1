"""torchgeo-bench: frozen backbones on subsets of EuroSAT and BigEarthNet."""

from __future__ import annotations

from featbank.publications.publication import PublicationSpec, PublishedRow

# Dataset, label set, metric, average, note; the columns of the table below, k-NN and linear each.
_SETS = (
    ("eurosat-ms", "class", "accuracy", None, "m-eurosat, 2,000/1,000/1,000 chips"),
    ("eurosat-ms", "class", "accuracy", None, "whole, split by longitude"),
    ("bigearthnet-s2", "43-class", "map", "micro", "m-bigearthnet, 20,000/1,000/1,000 patches"),
    ("bigearthnet-s2", "19-class", "map", "micro", "benv2, 20,000/4,000/4,000 patches"),
)
_PROBES = ("knn (torchgeo-bench-knn5)", "logistic (torchgeo-bench-linear)")
_VALUES: dict[str, tuple[float | None, ...]] = {
    "DOFA-B, RGB": (0.921, 0.962, 0.900, 0.952, 0.549, 0.680, 0.669, 0.800),
    "DOFA-B, all bands": (0.833, 0.948, None, None, 0.500, 0.647, 0.642, 0.786),
    "DOFA-L, RGB": (0.936, 0.973, 0.924, 0.965, 0.565, 0.699, 0.680, 0.813),
    "DOFA-L, all bands": (0.911, 0.967, None, None, 0.538, 0.676, 0.666, 0.799),
    "DINOv3-L web, RGB": (0.917, 0.962, 0.932, 0.956, 0.583, 0.711, 0.690, 0.816),
    "DINOv3-L satellite, RGB": (0.924, 0.969, 0.918, 0.954, 0.625, 0.741, 0.711, 0.835),
    "ResNet-50 MoCo, RGB": (0.937, 0.956, 0.933, 0.958, 0.588, 0.706, 0.688, 0.818),
    "Panopticon, RGB": (0.939, 0.968, 0.908, 0.946, 0.636, 0.715, 0.716, 0.829),
    "Panopticon, all bands": (0.948, 0.962, 0.930, 0.962, 0.652, 0.735, 0.713, 0.824),
    "CROMA-B, all bands": (0.834, 0.931, 0.793, 0.906, 0.550, 0.698, 0.683, 0.813),
    "Clay v1.5 CLS, all bands": (0.911, 0.967, 0.866, 0.959, 0.621, 0.721, 0.707, 0.826),
    "Clay v1.5 mean, all bands": (0.768, 0.962, 0.657, 0.959, 0.504, 0.725, 0.648, 0.828),
    "Prithvi-v2-600 CLS, all bands": (0.859, 0.938, 0.803, 0.914, 0.596, 0.682, 0.702, 0.820),
    "TerraMind-L, all bands": (0.891, 0.965, 0.853, 0.959, 0.628, 0.750, 0.712, 0.846),
    "OlmoEarth, best size": (0.956, 0.976, 0.941, 0.978, 0.664, 0.771, 0.735, 0.853),
    "random convolutions, all bands": (0.763, 0.910, 0.628, 0.791, 0.466, 0.625, 0.637, 0.777),
    "image statistics, all bands": (0.783, 0.865, 0.731, 0.884, 0.421, 0.490, 0.612, 0.703),
}


def _row(model: str, column: int, value: float) -> PublishedRow:
    dataset, label_set, metric, average, note = _SETS[column // 2]
    return PublishedRow(
        dataset=dataset,
        label_set=label_set,
        metric=metric,
        average=average,
        value=value,
        model=model,
        probe=_PROBES[column % 2],
        note=note,
    )


SPECS = (
    PublicationSpec(
        name="torchgeo-bench",
        source="torchgeo/torchgeo-bench 0660813, results/all_results.csv (bandspec_zscore, 224 px)",
        rows=tuple(
            _row(model, column, value)
            for model, values in _VALUES.items()
            for column, value in enumerate(values)
            if value is not None
        ),
    ),
)
