"""Metrics: functions of counts by class, or of rankings. One module, one ``SPECS``."""

from featbank.catalog import Catalog
from featbank.metrics.metric import Bins, Counts, MetricSpec, Values

METRICS: Catalog[MetricSpec] = Catalog(__name__, kind="metric", record=MetricSpec)

__all__ = ["METRICS", "Bins", "Counts", "MetricSpec", "Values"]
