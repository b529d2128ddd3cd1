"""Metrics: functions of counts by class, or of rankings. One module, one ``SPECS``."""

from featbank.catalog import Catalog
from featbank.metrics.metric import Counts, Curve, MetricSpec, Values

METRICS: Catalog[MetricSpec] = Catalog(__name__, kind="metric", record=MetricSpec)

__all__ = ["METRICS", "Counts", "Curve", "MetricSpec", "Values"]
