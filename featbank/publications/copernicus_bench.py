"""Copernicus-Bench: frozen backbones on a twentieth of BigEarthNet v1, and on EuroSAT."""

from __future__ import annotations

from featbank.publications.publication import PublicationSpec, PublishedRow

_SUBSET = "5 % subset, 11,894/6,117/5,991 patches; the source says mAP, not which average"
# Dataset, label set, metric, note, and one value a model.
_MODELS = ("DOFA", "CROMA", "SoftCon", "Copernicus-FM", "random ViT", "supervised ViT-S")
_TABLES: tuple[tuple[str, str, str, str, tuple[float, ...]], ...] = (
    ("bigearthnet-s1", "19-class", "map", _SUBSET, (0.705, 0.708, 0.787, 0.779, 0.638, 0.715)),
    ("bigearthnet-s2", "19-class", "map", _SUBSET, (0.755, 0.764, 0.836, 0.790)),
    ("eurosat-ms", "class", "accuracy", "", (0.972, 0.970, 0.967, 0.979)),
)

SPECS = (
    PublicationSpec(
        name="Copernicus-Bench",
        source="Wang et al. 2025, arXiv:2503.11849 (Copernicus-Bench), frozen encoders",
        rows=tuple(
            PublishedRow(
                dataset=dataset,
                label_set=label_set,
                metric=metric,
                average=None,
                value=value,
                model=model,
                probe="whole network" if model.startswith("supervised") else "linear",
                normalisation="z-score by the dataset's statistics",
                commit="arXiv:2503.11849 (code da95635)",
                date="2025-03",
                note=note,
            )
            for dataset, label_set, metric, note, values in _TABLES
            for model, value in zip(_MODELS, values, strict=False)
        ),
    ),
)
