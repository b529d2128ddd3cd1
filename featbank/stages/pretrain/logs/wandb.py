"""Weights & Biases: rows go to its service, or to a folder where ``WANDB_MODE`` is ``offline``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from featbank.stages.pretrain.logs.logger import STEP, Logger, LoggerSpec, lacking_extra

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.stages.pretrain.logs.logger import LogRequest


class WandbLog(Logger):
    """A run of the project ``featbank``; a resumed training goes on in the same one.

    Args:
        run: What ``wandb.init`` gave.
    """

    def __init__(self, run: Any) -> None:  # noqa: ANN401 - the library is an extra
        self._run = run

    def write(self, row: Mapping[str, float]) -> None:
        """Send a row."""
        numbers = {name: value for name, value in row.items() if name != STEP}
        self._run.log(numbers, step=int(row[STEP]))

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


def _open(request: LogRequest) -> Logger:
    try:
        wandb = importlib.import_module("wandb")
    except ImportError as error:
        raise lacking_extra("wandb") from error
    run = wandb.init(
        project="featbank",
        name=request.name,
        id=request.recipe_id[:32],
        resume="allow",
        config=dict(request.hyper),
        dir=str(request.folder),
    )
    return WandbLog(run)


SPECS = (LoggerSpec(name="wandb", summary="Weights & Biases, an extra", open=_open),)
