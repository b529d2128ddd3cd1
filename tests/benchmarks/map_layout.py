"""A map of 50,000 features of 768: our UMAP against umap-learn's own seeded default.

Each run is a process of its own, from import and compilation to coordinates, as every command
pays them; a second, warm layout in the same process is timed too. umap-learn runs with
``random_state=0`` and else its defaults, once with its Euclidean metric and once with cosine, which
is ours; both have its approximate graph. Features are made of the tiny ViT's of AID's 3,000 chips:
means of a chip and its nearest with random shares, perturbed and turned into 768 dimensions, so
that clusters, a falling spectrum and a dense middle stay as they are in true features.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

N, D = int(os.environ.get("FEATBANK_MAP_SAMPLES", 50_000)), 768
RUNS = ("featbank", "umap-learn", "umap-learn cosine")
# Share of the spread of all features that parts a made sample from its chip.
NOISE = 0.3
# Chips that a made sample is a mean of, with unequal shares: one chip and its nearest.
MIXED = 10


def measure(shared: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        np.save(path, spread_out(chip_features(shared, Path(folder) / "bank")))
        found = {name: run(name, path) for name in RUNS}
    ours = found["featbank"]
    figures = {
        f"ratio_to_{name.replace(' ', '_').replace('-', '_')}{kind}": round(
            found[name][key] / ours[key], 2
        )
        for name in RUNS[1:]
        for kind, key in (("", "cold_s"), ("_warm", "warm_s"))
    }
    return {**figures, "runs": found, "samples": N, "dim": D}


def chip_features(shared: Path, bank: Path) -> np.ndarray:
    """(3000, 192) features of the tiny ViT."""
    import featbank

    store = featbank.embed(
        "vit-tiny",
        shared / "data" / "aid100",
        weights=shared / "weights" / "vit_tiny_patch16_224.safetensors",
        normalise="half",
        bank=bank,
    )
    return store.features()


def spread_out(chips: np.ndarray) -> np.ndarray:
    """(N, D) float32 made of fewer and narrower features."""
    rng = np.random.default_rng(0)
    near = np.argsort(-(unit(chips) @ unit(chips).T), axis=1)[:, :MIXED]
    first = rng.integers(len(chips), size=N)
    shares = rng.dirichlet(np.full(MIXED, 0.5), size=N)
    mixed = sum(shares[:, [i]] * chips[near[first, i]] for i in range(MIXED))
    mixed += NOISE * chips.std(axis=0) * rng.standard_normal(mixed.shape)
    turn = np.linalg.qr(rng.normal(size=(D, D)))[0][: chips.shape[1]]
    made = mixed @ turn + 0.02 * chips.std() * rng.standard_normal((N, D))
    return made.astype(np.float32)


def unit(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def run(name: str, path: Path) -> dict[str, Any]:
    """Seconds of a fresh process, and of a second layout in it."""
    command = [sys.executable, "-m", "tests.benchmarks.map_layout", name, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    figures = json.loads(done.stdout)
    print(name, figures, file=sys.stderr)
    return figures


def main(name: str, path: str) -> None:
    # The interpreter's own start, a few hundredths of a second, is left out.
    features = np.load(path)
    start = time.perf_counter()
    layout = LAYOUTS[name]
    xy = layout(features)
    cold = time.perf_counter() - start
    start = time.perf_counter()
    again = layout(features)
    figures = {
        "cold_s": round(cold, 1),
        "warm_s": round(time.perf_counter() - start, 1),
        "repeats": again.tobytes() == xy.tobytes(),
        **quality(features, xy),
    }
    print(json.dumps(figures))


def by_featbank(features: np.ndarray) -> np.ndarray:
    from featbank.projections import PROJECTIONS
    from featbank.projections.projection import silent

    spec = PROJECTIONS["umap"]
    return spec.fit(features, spec.params({}), 0, silent).xy


def by_umap_learn(features: np.ndarray, **options: Any) -> np.ndarray:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap

        return umap.UMAP(random_state=0, **options).fit_transform(features)


LAYOUTS = {
    "featbank": by_featbank,
    "umap-learn": by_umap_learn,
    "umap-learn cosine": lambda features: by_umap_learn(features, metric="cosine"),
}


def quality(features: np.ndarray, xy: np.ndarray) -> dict[str, Any]:
    from featbank.knn.tiles import ArrayTiles
    from featbank.stages.map.faithfulness import faithfulness

    start = time.perf_counter()
    found = faithfulness(ArrayTiles(features), xy, seed=0)
    return {
        "trustworthiness": round(found.trustworthiness or 0, 4),
        "continuity": round(found.continuity or 0, 4),
        "overlap": round(found.overlap or 0, 4),
        "quality_s": round(time.perf_counter() - start, 1),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
