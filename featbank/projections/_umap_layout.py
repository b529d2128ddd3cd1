"""UMAP on our exact graph of neighbours, laid out by umap-learn."""

from __future__ import annotations

import atexit
import importlib
import io
import shutil
import sys
import tempfile
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.knn.bank import prepare
from featbank.knn.search import nearest
from featbank.knn.space import unit_norm
from featbank.projections._memberships import fuzzy_graph, memberships
from featbank.projections._principal_plane import PrincipalPlane
from featbank.projections.projection import silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from scipy.sparse import csr_matrix

    from featbank.image import Array
    from featbank.projections.projection import Progress

# umap-learn's own: the greatest coordinate of first positions and the noise on them, which parts
# duplicates (umap/umap_.py, noisy_scale_coords); the rate of the descent, and a quarter of it for
# samples that are placed later; samples that push away for each that pulls.
_EXTENT, _NOISE = 10.0, 1e-4
_RATE, _PLACING_RATE, _REPULSION, _NEGATIVES = 1.0, 0.25, 1.0, 5
# What umap-learn's transform gives up to 10,000 samples (30 to more, but the search takes longer
# than either). AID by the tiny ViT, 2,000 chips placed among 1,000: trustworthiness .825 where
# chips stay at the mean of their neighbours, .867 after 30 epochs, .882 after 100.
_PLACING_EPOCHS = 100
_INT32 = np.iinfo(np.int32)


class UmapLayout:
    """Samples laid out so that neighbours by cosine stay together.

    umap-learn's class takes a graph too (``precomputed_knn``), but then compiles the making of its
    fuzzy graph in every process, drops the graph with a warning where it has fewer neighbours than
    asked for, starts from a spectral layout that duplicates tear apart, and refuses ``transform``
    without its own approximate index. So the graph is made here, and its layout function is called
    directly, on first positions of our own. It descends in one thread, where a seed repeats all
    bits.

    Args:
        features: (n, D) finite numbers, n >= 2.
        params: ``neighbors``, ``min_dist``, ``epochs``.
        seed: Seed of the noise on first positions and of the descent.
        progress: Told of steps.
    """

    def __init__(
        self, features: Array, params: Mapping[str, Any], *, seed: int, progress: Progress
    ) -> None:
        self._bank = prepare(features)
        self._k = min(params["neighbors"], len(features))
        self._seed = seed
        similarity, index = nearest(
            features,
            self._bank,
            k=self._k - 1,
            exclude=np.arange(len(features)),
            progress=lambda done, total: progress("neighbours", done, total),
        )
        distances = _distances(similarity)
        self._typical = float(distances.mean() * (self._k - 1) / self._k)
        self._curve: tuple[float, float] = _umap().find_ab_params(1.0, params["min_dist"])
        graph, start = fuzzy_graph(index, distances), first_positions(features, seed)
        self.xy = self._lay_out(graph, start, params["epochs"], progress)

    def place(self, features: Array) -> Array:
        """(m, 2) float32 positions of samples (m, D), among their neighbours of the layout.

        Each starts at the mean of its neighbours, weighted by its ties to them, and then descends
        while the layout stands still, as umap-learn's ``transform`` does.
        """
        k = min(self._k, len(self._bank))
        similarity, index = nearest(features, self._bank, k=k)
        distances = _distances(similarity)
        # The first neighbour stands where the sample itself does in a fit, and has a full tie only
        # at distance 0.
        ties = memberships(distances, k=k, nearest=np.zeros(len(distances)), typical=self._typical)
        shares = ties / ties.sum(axis=1, keepdims=True)
        start = (shares[:, :, None] * self.xy[index]).sum(axis=1)
        return self._descend(np.ascontiguousarray(start, dtype=np.float32), ties, index)

    def _lay_out(
        self, graph: csr_matrix, start: Array, epochs: int | None, progress: Progress
    ) -> Array:
        a, b = self._curve
        counter = _Counter(progress)
        xy, _ = _umap().simplicial_set_embedding(
            None,
            graph,
            n_components=2,
            initial_alpha=_RATE,
            a=a,
            b=b,
            gamma=_REPULSION,
            negative_sample_rate=_NEGATIVES,
            n_epochs=epochs,
            init=start,
            random_state=np.random.RandomState(self._seed),
            metric="cosine",
            metric_kwds={},
            densmap=False,
            densmap_kwds={},
            output_dens=False,
            parallel=False,
            tqdm_kwds=counter.bar,
        )
        counter.finish()
        return np.asarray(xy, dtype=np.float32)

    def _descend(self, start: Array, ties: Array, index: Array) -> Array:
        heads, columns = np.nonzero(ties >= 1 / _PLACING_EPOCHS)
        if not len(heads):
            return start
        state = np.random.RandomState(self._seed).randint(_INT32.min, _INT32.max, 3)
        a, b = self._curve
        placed: Array = _umap().optimize_layout_euclidean(
            start,
            self.xy,
            heads.astype(np.int32),
            index[heads, columns].astype(np.int32),
            _PLACING_EPOCHS,
            len(self.xy),
            1.0 / ties[heads, columns],
            a,
            b,
            state.astype(np.int64),
            _REPULSION,
            _PLACING_RATE,
            _NEGATIVES,
            parallel=False,
            tqdm_kwds={"disable": True},
        )
        return placed


def first_positions(features: Array, seed: int) -> Array:
    """(n, 2) float32 principal components of unit-norm rows, scaled to +-10, with a little noise.

    Args:
        features: (n, D) finite numbers.
        seed: Seed of the noise.
    """
    xy = PrincipalPlane(unit_norm(features)).xy
    extent = float(np.abs(xy).max())
    scaled = xy * np.float32(_EXTENT / extent) if extent > 0 else xy
    noise = np.random.RandomState(seed).normal(scale=_NOISE, size=xy.shape)
    start: Array = scaled + noise.astype(np.float32)
    return start


def _distances(similarity: Array) -> Array:
    """Cosine distances; rounding may bring a similarity past 1."""
    distances: Array = np.maximum(1.0 - similarity, 0.0)
    return distances


class _Counter(io.StringIO):
    """Where umap-learn's bar writes "done total"; tells them on."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress, self._total = progress, 0
        drawn = {"file": self, "bar_format": "{n_fmt} {total_fmt}", "leave": False}
        self.bar: dict[str, Any] = {"disable": progress is silent, **drawn}

    def write(self, text: str) -> int:
        parts = text.split()
        if len(parts) == 2 and all(part.isdigit() for part in parts):
            done, self._total = int(parts[0]), int(parts[1])
            self._progress("layout", done, self._total)
        return len(text)

    def finish(self) -> None:
        """Tell the end, which a bar that is redrawn ten times a second leaves out."""
        if self._total:
            self._progress("layout", self._total, self._total)


def _umap() -> ModuleType:
    try:
        return _imported()
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
    # Numba finds no folder that it may write, as in a container without a home: one of this run.
    numba = importlib.import_module("numba")
    numba.config.CACHE_DIR = tempfile.mkdtemp(prefix="featbank-numba-")
    atexit.register(shutil.rmtree, numba.config.CACHE_DIR, ignore_errors=True)
    for name in [n for n in sys.modules if n.partition(".")[0] in ("umap", "pynndescent")]:
        del sys.modules[name]
    return _imported()


def _imported() -> ModuleType:
    with warnings.catch_warnings():
        # It tells of a network library that only its parametric variant needs.
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        # In a kernel without widgets tqdm tells that its bars cannot be drawn; none is.
        warnings.filterwarnings("ignore", "IProgress not found")
        import umap.umap_
    module: ModuleType = umap.umap_
    return module
