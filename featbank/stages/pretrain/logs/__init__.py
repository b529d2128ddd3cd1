"""The catalog of loggers: where the rows of a run go, one a step."""

from featbank.catalog import Catalog
from featbank.stages.pretrain.logs.logger import LoggerSpec

LOGGERS: Catalog[LoggerSpec] = Catalog(
    "featbank.stages.pretrain.logs", kind="logger", record=LoggerSpec
)
