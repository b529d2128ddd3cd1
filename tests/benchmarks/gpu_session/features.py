"""Features on the device against the CPU's, and a store that is cut and resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

import featbank
from featbank.backbones import BACKBONES
from featbank.store.writer import StoreWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.benchmarks.gpu_session.session import Session

# Model, dataset and options; each family once, native and resized.
RUNS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "imagestats": ("imagestats", "synthetic-s2", {}),
    "rcf": ("rcf", "synthetic-s2", {}),
    "vit-tiny": ("vit-tiny", "synthetic-rgb", {"weights": "random", "normalise": "half"}),
    "dinov2-small": ("dinov2-small", "synthetic-rgb", {"weights": "random", "image_size": 112}),
    "dofa": ("dofa", "synthetic-s1", {"weights": "random"}),
    "resnet50": ("resnet50", "synthetic-rgb", {"weights": "random", "image_size": 96}),
}
# Untrained networks end far from the origin, so a cosine alone says little: the largest
# difference is a share of what features spread over the chips.
LEAST_COSINE = {"bfloat16": 0.9999, "float32": 1 - 1e-6}
MOST_APART = {"imagestats": 1e-5, "rcf": 1e-5}


def embedded(session: Session, name: str, device: str, dtype: str, **more: Any) -> NDArray[Any]:
    """(N, D) features of one run."""
    model, dataset, options = RUNS[name]
    store = featbank.embed(
        model, dataset, chips=session.sized(8, 64), batch_size=session.sized(4, 32),
        device=device, dtype=dtype, workers=0,
        **{"bank": session.folder / f"{name}-{device}-{dtype}", **options, **more},
    )  # fmt: skip
    features: NDArray[Any] = store.features().astype(np.float64)
    return features


def parity(session: Session) -> None:
    """Each family against the CPU in float32; in bfloat16 too where that is what it computes in."""
    for name in RUNS if not session.is_tiny else ("imagestats", "rcf", "vit-tiny"):
        expected = embedded(session, name, "cpu", "float32")
        halves = BACKBONES[RUNS[name][0]].compute_dtype == "bfloat16"
        for dtype in ("float32", "bfloat16") if halves else ("float32",):
            found = embedded(session, name, session.device, dtype)
            cosine = float(cosines(found, expected).min())
            apart = float(np.abs(found - expected).max() / np.abs(expected).max())
            is_right = cosine >= LEAST_COSINE[dtype]
            if dtype == "float32":
                is_right = is_right and apart <= MOST_APART.get(name, 1e-4)
            session.check(f"features of {name}, {dtype}", is_right, cosine=cosine, apart=apart)


def cosines(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """(N,) cosines of rows."""
    product: NDArray[Any] = (a * b).sum(axis=1)
    return product / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def resumed_store(session: Session) -> None:
    """A store that was cut after a shard ends with the bytes of one that was not."""
    options = {"shard_rows": 4 if session.is_tiny else 16}
    whole = embedded(session, "vit-tiny", session.device, "bfloat16", **options)
    write, done = StoreWriter.write, []

    def write_one(self: StoreWriter, shard: int, buffers: Any) -> None:
        if done:
            raise OSError(5, "cut on purpose")
        done.append(shard)
        write(self, shard, buffers)

    bank = session.folder / "cut"
    with mock.patch.object(StoreWriter, "write", write_one):
        is_cut = _fails(session, bank, options)
    model, dataset, known = RUNS["vit-tiny"]
    store = featbank.embed(
        model, dataset, chips=session.sized(8, 64), batch_size=session.sized(4, 32), bank=bank,
        device=session.device, dtype="bfloat16", workers=0, **{**known, **options},
    )  # fmt: skip
    is_same = np.array_equal(store.features().astype(np.float64), whole, equal_nan=True)
    session.check("a store cut and resumed has the same bytes", is_cut and is_same)


def _fails(session: Session, bank: Any, options: dict[str, Any]) -> bool:
    model, dataset, known = RUNS["vit-tiny"]
    try:
        featbank.embed(
            model, dataset, chips=session.sized(8, 64), batch_size=session.sized(4, 32), bank=bank,
            device=session.device, dtype="bfloat16", workers=0, **{**known, **options},
        )  # fmt: skip
    except Exception:
        return True
    return False


def deterministic(session: Session) -> None:
    """Two runs that may take deterministic algorithms alone give the same bytes."""
    runs = [
        embedded(
            session, "vit-tiny", session.device, "bfloat16", deterministic=True,
            bank=session.folder / f"deterministic-{number}",
        )
        for number in range(2)
    ]  # fmt: skip
    session.check("--deterministic, twice", bool(np.array_equal(*runs)))
