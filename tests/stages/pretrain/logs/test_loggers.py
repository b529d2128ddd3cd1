import sys
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featbank.errors import UnknownNameError, UsageError
from featbank.stages.pretrain.all_logs import AllLogs
from featbank.stages.pretrain.logs import LOGGERS
from featbank.stages.pretrain.logs.logger import LogRequest
from featbank.stages.pretrain.logs.parquet import ParquetLog


def request(folder, start=0):
    return LogRequest(
        folder=folder, name="dino-x", recipe_id="ab" * 32, hyper={"lr": 0.1}, start=start
    )


def test_the_catalog_has_what_every_run_has_and_the_extras():
    assert {n: s.is_default for n, s in LOGGERS.items()} == {
        "parquet": True,
        "tensorboard": True,
        "wandb": False,
        "mlflow": False,
    }


def test_a_number_that_comes_later_is_empty_before(tmp_path):
    log = ParquetLog(tmp_path / "log.parquet", 0)
    log.write({"step": 0, "loss": 2.0})
    log.write({"step": 1, "loss": 1.5, "rank": 3.0})
    log.write({"step": 2, "loss": 1.0})
    log.close()
    frame = pd.read_parquet(tmp_path / "log.parquet")
    assert frame["loss"].tolist() == [2.0, 1.5, 1.0]
    assert frame["rank"].isna().tolist() == [True, False, True]


@given(written=st.integers(0, 9), start=st.integers(0, 12))
def test_rows_that_are_computed_again_are_left_out(tmp_path_factory, written, start):
    path = tmp_path_factory.mktemp("log") / "log.parquet"
    first = ParquetLog(path, 0)
    for step in range(written):
        first.write({"step": step, "loss": float(step)})
    first.close()
    second = ParquetLog(path, start)
    assert len(second) == min(written, start)


def test_a_log_that_cannot_be_replaced_stands(tmp_path, monkeypatch):
    path = tmp_path / "log.parquet"
    log = ParquetLog(path, 0)
    log.write({"step": 0, "loss": 2.0})
    log.flush()

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fails)
    log.write({"step": 1, "loss": 2.0})
    with pytest.raises(OSError, match="No space"):
        log.flush()
    assert len(pd.read_parquet(path)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["log.parquet"]


def test_an_unknown_logger_is_named(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'wandb'"):
        AllLogs(["wandbb"], request(tmp_path))


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_library_that_is_not_installed_is_one_line(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=rf"pip install 'featbank\[{name}\]'"):
        LOGGERS[name].open(request(tmp_path))


class StandIn:
    """Writes down how a service's library is called."""

    def __init__(self, former=()):
        self.calls = []
        self._former = former

    def __getattr__(self, name):
        def call(*args, **named):
            self.calls.append((name, args, named))
            return {"init": self, "search_runs": list(self._former)}.get(name)

        return call


def test_wandb_gets_rows_by_step_and_a_name_that_a_resumed_run_finds_again(tmp_path, monkeypatch):
    library = StandIn()
    monkeypatch.setitem(sys.modules, "wandb", library)
    log = LOGGERS["wandb"].open(request(tmp_path))
    log.write({"step": 7, "loss": 0.5})
    log.close()
    names = [name for name, _, _ in library.calls]
    assert names == ["init", "log", "finish"]
    assert library.calls[0][2]["id"] == "ab" * 16
    assert library.calls[0][2]["resume"] == "allow"
    assert library.calls[1][1:] == (({"loss": 0.5},), {"step": 7})


def test_mlflow_gets_rows_and_hyper_parameters(tmp_path, monkeypatch):
    library = StandIn()
    monkeypatch.setitem(sys.modules, "mlflow", library)
    log = LOGGERS["mlflow"].open(request(tmp_path))
    log.write({"step": 7, "loss": 0.5})
    log.close()
    calls = {name: (args, named) for name, args, named in library.calls}
    assert calls["log_params"] == (({"lr": "0.1"},), {})
    assert calls["log_metrics"] == (({"loss": 0.5},), {"step": 7})
    assert library.calls[-1][0] == "end_run"


def test_a_resumed_run_goes_on_in_its_mlflow_run(tmp_path, monkeypatch):
    former = SimpleNamespace(info=SimpleNamespace(run_id="r1"))
    library = StandIn(former=[former])
    monkeypatch.setitem(sys.modules, "mlflow", library)
    LOGGERS["mlflow"].open(request(tmp_path, start=4))
    assert ("start_run", (), {"run_id": "r1"}) in library.calls
    assert "log_params" not in [name for name, _, _ in library.calls]
