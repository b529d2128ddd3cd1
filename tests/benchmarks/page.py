"""The page of measured figures: ``python -m tests.benchmarks.page`` writes ``docs/benchmarks.md``.

It reads ``results.json``, and ``gpu_session.json`` once a session of a GPU machine is kept here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.benchmarks.__main__ import BENCHMARKS, RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
SESSION = RESULTS.with_name("gpu_session.json")
# Longer ones are read in the file itself.
_MOST_NUMBERS, _MOST_FIGURES = 6, 24
_HEAD = """# What was measured

Each figure was made by a command that anybody can repeat from a clone:
`python -m tests.benchmarks NAME` writes it to `tests/benchmarks/results.json`, and
`python -m tests.benchmarks.page` writes this page from there. Claims are ratios of two things
measured in one run; times are those of the machine named. Names end in their unit: `_s` seconds,
`_us` microseconds, `_mb` megabytes, `_rate` chips a second.
"""
_NO_GPU = """## On a GPU

Not measured yet. `python -m tests.benchmarks.gpu_session --out tests/benchmarks`, from a clone on a
machine with an NVIDIA GPU, checks the GPU path and measures it; it should take ten minutes, and
this page then shows its figures. What follows was made without a GPU: launches are counted on a
simulated one.
"""


def page(results: Mapping[str, Any], session: Mapping[str, Any] | None) -> str:
    """Markdown of all figures.

    Args:
        results: Of ``results.json``.
        session: Of a session on a GPU; None where none is kept.
    """
    parts = [_HEAD, _NO_GPU if session is None else _gpu(session)]
    parts += [_benchmark(name, results[name]) for name in BENCHMARKS if name in results]
    return "\n".join(parts)


def _gpu(session: Mapping[str, Any]) -> str:
    lines = [
        f"| {each.pop('outcome')} | {each.pop('name')} | {_joined(each)} |"
        for each in map(dict, session["checks"])
    ]
    return (
        f"## On a GPU\n\n{len(lines)} lines of `python -m tests.benchmarks.gpu_session`, "
        f"{session['failed']} failed.\n\n| | what | figures |\n| --- | --- | --- |\n"
        + "\n".join(lines)
        + "\n"
    )


def _benchmark(name: str, figures: Mapping[str, Any]) -> str:
    told = dict(figures)
    where = f"{told.pop('machine')}; {told.pop('date')}"
    plain = {key: value for key, value in told.items() if not isinstance(value, Mapping)}
    nested = {key: value for key, value in told.items() if isinstance(value, Mapping)}
    lines = [f"- {key}: {_joined(value)}" for key, value in nested.items()]
    text = "\n".join([f"{_joined(plain)} ({where})", "", *lines]).rstrip()
    return f"## {name}\n\n{_about(BENCHMARKS[name])}\n\n{text}\n"


def _joined(figures: Mapping[str, Any]) -> str:
    short = [(key, _shown(value)) for key, value in _flat(figures)][:_MOST_FIGURES]
    told = "; ".join(f"`{key}` {value}" for key, value in short)
    more = len(list(_flat(figures))) - len(short)
    return f"{told}; {more} more in the file" if more else told


def _about(benchmark: Any) -> str:
    """What a benchmark measures: its module's first sentences."""
    module = benchmark if isinstance(benchmark, ModuleType) else sys.modules[benchmark.__module__]
    return " ".join((module.__doc__ or "").split("\n\n", 1)[0].split())


def _flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name} ")
        elif not isinstance(value, list) or len(value) <= _MOST_NUMBERS:
            yield f"{prefix}{name}", value


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_shown(each) for each in value) + "]"
    return str(value).replace("|", "\\|")


def main() -> None:
    """Write the page."""
    session = json.loads(SESSION.read_text()) if SESSION.exists() else None
    PAGE.write_text(page(json.loads(RESULTS.read_text()), session))


if __name__ == "__main__":
    main()
