"""MLflow: rows go where ``MLFLOW_TRACKING_URI`` points."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from featbank.stages.pretrain.logs.logger import STEP, Logger, LoggerSpec, lacking_extra

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.stages.pretrain.logs.logger import LogRequest

_TAG = "featbank_recipe"


class MlflowLog(Logger):
    """A run of the experiment ``featbank``; a resumed training goes on in the same one.

    Args:
        mlflow: The library.
    """

    def __init__(self, mlflow: Any) -> None:  # noqa: ANN401 - the library is an extra
        self._mlflow = mlflow

    def write(self, row: Mapping[str, float]) -> None:
        """Send a row."""
        numbers = {name: value for name, value in row.items() if name != STEP}
        self._mlflow.log_metrics(numbers, step=int(row[STEP]))

    def close(self) -> None:
        """End the run."""
        self._mlflow.end_run()


def _open(request: LogRequest) -> Logger:
    try:
        mlflow = importlib.import_module("mlflow")
    except ImportError as error:
        raise lacking_extra("mlflow") from error
    mlflow.set_experiment("featbank")
    former = mlflow.search_runs(
        filter_string=f"tags.{_TAG} = '{request.recipe_id}'", output_format="list"
    )
    if request.start and former:
        mlflow.start_run(run_id=former[0].info.run_id)
    else:
        mlflow.start_run(run_name=request.name, tags={_TAG: request.recipe_id})
        mlflow.log_params({name: str(value) for name, value in request.hyper.items()})
    return MlflowLog(mlflow)


SPECS = (LoggerSpec(name="mlflow", summary="MLflow, an extra", open=_open),)
