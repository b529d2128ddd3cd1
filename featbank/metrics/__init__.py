"""Metrics: functions of confusion matrices. One module, one family; each declares ``SPECS``."""

from featbank.catalog import Catalog
from featbank.metrics.metric import Counts, MetricSpec

METRICS: Catalog[MetricSpec] = Catalog(__name__, kind="metric", record=MetricSpec)

__all__ = ["METRICS", "Counts", "MetricSpec"]
