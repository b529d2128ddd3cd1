"""Entries of somebody else's that say what they are in words of their own."""

import numpy as np

from featbank.bands import Band
from featbank.errors import ContractError
from featbank.inputs.adapters.adapter import Adapted, AdapterSpec
from featbank.metrics.metric import MetricSpec
from featbank.projections.projection import ProjectionSpec
from featbank.publications.publication import PublicationSpec, PublishedRow


def sum_of_two(bands, moments, subject):
    if len(bands) != 2:
        raise ContractError(subject, "nope", "two", "Pick two.")
    channel = Band(name="sum", unit=bands[0].unit)
    return Adapted(name="band-sum", channels=(channel,), weights=((1.0, 1.0),))


def wrong_share(counts):
    with np.errstate(invalid="ignore"):
        return 1 - counts.tp.sum(axis=-1) / counts.samples


class Axes:
    """The two features that vary most."""

    def __init__(self, features):
        self._chosen = np.sort(np.argsort(-features.var(axis=0), kind="stable")[:2])
        self.xy = self.place(features)

    def place(self, features):
        found = np.zeros((len(features), 2), dtype=np.float32)
        found[:, : len(self._chosen)] = features[:, self._chosen]
        return found


def fit_axes(features, params, seed, progress):
    progress("picking", 1, 1)
    return Axes(features)


class Adapters:
    SPECS = (AdapterSpec(name="band-sum", summary="Sum.", adapt=sum_of_two),)


class Metrics:
    SPECS = (
        MetricSpec(
            name="wrong-share",
            summary="Wrong ones.",
            function=wrong_share,
            multilabel=False,
            less_is_better=True,
        ),
    )


class Projections:
    SPECS = (
        ProjectionSpec(
            name="two-axes",
            summary="Two features.",
            defaults={},
            check=lambda params: None,
            fit=fit_axes,
            source="a note of mine",
        ),
    )


class Publications:
    SPECS = (
        PublicationSpec(
            name="somebody",
            source="a report",
            rows=(
                PublishedRow(
                    dataset="coast-chips",
                    label_set="cover",
                    metric="wrong-share",
                    average=None,
                    value=0.25,
                    model="band means",
                    probe="bayes",
                    normalisation="none",
                    commit="report",
                    date="2026",
                ),
            ),
        ),
    )


ENTRY_POINTS = {
    "featbank.inputs.adapters": {"other": "other_words:Adapters"},
    "featbank.metrics": {"other": "other_words:Metrics"},
    "featbank.projections": {"other": "other_words:Projections"},
    "featbank.publications": {"other": "other_words:Publications"},
}
