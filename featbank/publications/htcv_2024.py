"""The study of DOFA on BigEarthNet-S1: its two tables."""

from __future__ import annotations

from featbank.publications.publication import PublicationSpec, PublishedRow

_METRICS = (
    ("f2", "macro"),
    ("f2", "micro"),
    ("hamming_loss", None),
    ("precision", "macro"),
    ("precision", "micro"),
)
_NOTE = "v1, torchgeo's splits, radar in whole dB, thresholds not told, absent classes count 0"
_TABLES = {
    "19-class": {
        "forest": (0.214, 0.358, 0.123, 0.52, 0.72),
        "linear": (0.229, 0.353, 0.124, 0.49, 0.70),
        "mlp": (0.345, 0.478, 0.113, 0.58, 0.71),
    },
    "43-class": {
        "forest": (0.0946, 0.3373, 0.056, 0.24, 0.71),
        "linear": (0.1263, 0.3654, 0.057, 0.28, 0.66),
        "mlp": (0.1545, 0.4446, 0.052, 0.38, 0.71),
    },
}
_COMP = (0.528, 0.623, 0.04)


def _row(label_set: str, model: str, probe: str, place: int, value: float) -> PublishedRow:
    metric, average = _METRICS[place]
    return PublishedRow(
        dataset="bigearthnet-s1",
        label_set=label_set,
        metric=metric,
        average=average,
        value=value,
        model=model,
        probe=probe,
        normalisation="not stated",
        commit="report, without a repository",
        date="2024",
        note=_NOTE if model == "DOFA" else "Sentinel-2, supervised",
    )


SPECS = (
    PublicationSpec(
        name="HTCV 2024",
        source="DOFA, Hot Topics in Computer Vision 2024 (report), tables 1 and 2",
        rows=(
            *(
                _row(label_set, "DOFA", probe, place, value)
                for label_set, table in _TABLES.items()
                for probe, values in table.items()
                for place, value in enumerate(values)
            ),
            *(
                _row("43-class", "COMP (Sumbul and Demir 2020)", "whole network", place, value)
                for place, value in enumerate(_COMP)
            ),
        ),
    ),
)
