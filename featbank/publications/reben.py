"""reBEN: supervised networks on BigEarthNet v2, the ceiling of frozen features."""

from __future__ import annotations

from featbank.publications.publication import PublicationSpec, PublishedRow

_VALUES = (
    ("bigearthnet-s1", "ResNet-50, S1", "map", "macro", 0.628),
    ("bigearthnet-s1", "ResNet-50, S1", "map", "micro", 0.801),
    ("bigearthnet-s1", "ResNet-50, S1", "f1", "micro", 0.702),
    ("bigearthnet-s1s2", "ResNet-50, all bands", "map", "macro", 0.711),
    ("bigearthnet-s1s2", "ResNet-50, all bands", "map", "micro", 0.859),
    ("bigearthnet-s1s2", "RDNet-B, all bands", "map", "macro", 0.689),
    ("bigearthnet-s1s2", "RDNet-B, all bands", "map", "micro", 0.859),
    ("bigearthnet-s1s2", "ViT-B/8, all bands", "map", "macro", 0.668),
    ("bigearthnet-s1s2", "ViT-B/8, all bands", "map", "micro", 0.842),
)

SPECS = (
    PublicationSpec(
        name="reBEN",
        source="Clasen et al. 2025, arXiv:2407.03653, and the model cards of its weights",
        rows=tuple(
            PublishedRow(
                dataset=dataset,
                label_set="19-class",
                metric=metric,
                average=average,
                value=value,
                model=model,
                probe="whole network",
                normalisation="not stated",
                commit="arXiv:2407.03653 (model cards)",
                date="2024-07",
                note="v2, supervised",
            )
            for dataset, model, metric, average, value in _VALUES
        ),
    ),
)
