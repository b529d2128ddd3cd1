"""How many readers a run starts."""

import os

import pytest

from featbank.sources.reading_rules import worker_count


@pytest.mark.parametrize(
    ("cores", "processes", "expected"),
    [(1, None, 1), (8, None, 7), (64, None, 16), (128, "8", 15), (16, "8", 1), (4, "8", 1),
     (64, "1", 16)],
)  # fmt: skip
def test_processes_of_one_machine_share_its_cores(cores, processes, expected, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    if processes is None:
        monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    else:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    assert worker_count(None) == expected


def test_readers_that_are_asked_for_are_started(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    assert worker_count(5) == 5
