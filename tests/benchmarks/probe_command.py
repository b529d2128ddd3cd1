"""``featbank probe --clf logistic``, shell to table: 27,000 features of 768, 10 classes.

A new process each time, on a finished store of the size of EuroSAT, with the probe's own sweep,
refit and bootstrap. Where the time goes is measured beside it, in one process.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

N, D, CLASSES, ROUNDS = 27_000, 768, 10, 3
FAKES = Path(__file__).resolve().parents[1] / "fakes"


def measure(shared: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder) / "bank" / "stores" / "made" / "none-00000000.zarr")
        bank = store.parents[2]
        common = [sys.executable, "-m"]
        args = ["--clf", "logistic", "--store", str(store), "--bank", str(bank), "--again"]
        whole = [seconds([*common, "featbank", "probe", *args]) for _ in range(ROUNDS)]
        command = [*common, "tests.benchmarks.probe_command", str(store), str(bank)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return {
        "s": round(statistics.median(whole), 1),
        "s_of_rounds": [round(each, 1) for each in whole],
        "parts_s": json.loads(done.stdout),
        "samples": N,
        "dim": D,
        "classes": CLASSES,
    }


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main(store: str, bank: str) -> None:
    """Seconds of the parts of one run, imports included."""
    spent: dict[str, float] = {}
    with timed(spent, "imports"):
        import torch  # noqa: F401

        import featbank.probes.fitting.logistic_classifier  # noqa: F401
        from featbank.probes.protocols import PROTOCOLS
        from featbank.stages.probe.probe_run import ProbeRun
        from featbank.stages.probe.run import ProbeOptions
        from featbank.stages.probe.verdict import judge
        from featbank.store.reader import Store
    options = ProbeOptions(bank=Path(bank))
    with timed(spent, "read"):
        run = ProbeRun(PROTOCOLS["featbank-logistic"], Store(Path(store)), options)
        data = run.read()
    with timed(spent, "sweep"):
        choice = run.choose(data)
    with timed(spent, "refit"):
        _, scores = next(run.final_fits(data, choice.params))
    with timed(spent, "metrics"):
        judge(data, scores, choice, resamples=run.resamples, seed=0)
    print(json.dumps({name: round(value, 1) for name, value in spent.items()}))


@contextmanager
def timed(spent: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    spent[name] = time.perf_counter() - start


def make_store(path: Path) -> Path:
    """A finished store whose classes are told apart by nine in ten."""
    sys.path.insert(0, str(FAKES))
    from labelled_store import ATTRIBUTES, LAYOUT

    from featbank.samples import LabelSet, Samples
    from featbank.store.create import NewStore, create_store
    from featbank.store.writer import StoreWriter
    from tests.benchmarks.logistic_sweep import make_features

    X, parts, _ = make_features(N)
    rng = np.random.default_rng(2)
    scores = parts @ rng.normal(size=(D, CLASSES)).astype(np.float32) * 0.3
    codes = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1).astype(np.int32)
    names = tuple(f"class {k}" for k in range(CLASSES))
    samples = Samples(
        ids=np.array([f"chip-{i:05d}" for i in range(N)], dtype=object),
        origins=np.array([str(i) for i in range(N)], dtype=object),
        labels={"class": LabelSet(classes=names, codes=codes)},
        # 60/20/20, as schemes made at embed
        splits={"random-0": rng.choice(3, size=N, p=(0.6, 0.2, 0.2)).astype(np.int8)},
    )
    layout = replace(LAYOUT, dim=D, shard_rows=4096)
    attributes = ATTRIBUTES | {"label_sets": ["class"], "split_schemes": ["random-0"]}
    create_store(path, NewStore(samples=samples, layout=layout, attributes=attributes))
    writer = StoreWriter(path, layout, N)
    for shard in range(writer.shards):
        buffers = writer.empty_shard(shard)
        buffers["mean"][:, 0] = X[shard * 4096 :][: len(buffers["valid"])]
        buffers["valid"][:] = True
        writer.write(shard, buffers)
    writer.finish()
    return path


if __name__ == "__main__":
    main(*sys.argv[1:])
