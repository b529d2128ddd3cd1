import os
from types import SimpleNamespace

import pytest

from featbank.stages.reading_rules import worker_count


@pytest.mark.parametrize(
    ("cores", "sharers", "expected"),
    [(32, None, 16), (8, None, 7), (1, None, 1), (128, "8", 15), (16, "8", 1), (4, "8", 1)],
)
def test_processes_of_one_machine_share_its_cores(monkeypatch, cores, sharers, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    if sharers is not None:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", sharers)
    assert worker_count(SimpleNamespace(workers=None)) == expected


def test_readers_that_are_asked_for_are_had(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    assert worker_count(SimpleNamespace(workers=5)) == 5
