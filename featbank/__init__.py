"""featbank: embed Earth-observation imagery once, answer every later question from the store.

The front door: most of what the command line does, as functions. Nothing heavy is imported
before a function is called.

Example:
    >>> import featbank
    >>> "rcf" in featbank.list_models()["name"].tolist()
    True
"""

from featbank.front_door.catalogs import list_datasets, list_models, list_protocols, open_dataset
from featbank.front_door.finetuning import finetune
from featbank.front_door.pictures import draw, map_store, report, scatter
from featbank.front_door.pretraining import (
    export,
    list_checkpoints,
    list_methods,
    open_checkpoint,
    pretrain,
)
from featbank.front_door.probes import compare, predict, probe, read_results
from featbank.front_door.stores import (
    diff,
    embed,
    list_stores,
    open_bank,
    open_store,
    rehearse,
    remove_store,
)

__all__ = [
    "compare",
    "diff",
    "draw",
    "embed",
    "export",
    "finetune",
    "list_checkpoints",
    "list_datasets",
    "list_methods",
    "list_models",
    "list_protocols",
    "list_stores",
    "map_store",
    "open_bank",
    "open_checkpoint",
    "open_dataset",
    "open_store",
    "predict",
    "pretrain",
    "probe",
    "read_results",
    "rehearse",
    "remove_store",
    "report",
    "scatter",
]
