"""Datasets: imagery in. One module, one dataset; each declares ``SPECS``."""

from featbank.catalog import Catalog
from featbank.datasets.dataset import Dataset, DatasetRequest, DatasetSpec

DATASETS: Catalog[DatasetSpec] = Catalog(__name__, kind="dataset", record=DatasetSpec)

__all__ = ["DATASETS", "Dataset", "DatasetRequest", "DatasetSpec"]
