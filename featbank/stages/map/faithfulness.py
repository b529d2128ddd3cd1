"""How far a map is to be believed: whether neighbours on it are neighbours in the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.knn.search import nearest
from featbank.knn.space import COSINE, EUCLIDEAN
from featbank.knn.tiles import ArrayTiles
from featbank.stages.map.ranks import ranks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array
    from featbank.knn.tiles import Tiles

# Neighbours that are looked at, whatever the projection took, so that maps can be compared.
NEIGHBOURS = 15
# The terms of trustworthiness and overlap lie in [0, 1]: the mean of 1,000 has a standard error of
# .016 at most, and of .006 where they spread by .2, as overlaps of real features do.
QUERIES = 1000
# A layout at random has a trustworthiness of .5; published maps of image features have .9 or more.
_GOOD, _POOR = 0.9, 0.75


@dataclass(frozen=True, kw_only=True)
class Faithfulness:
    """How well the neighbours on a map are those in the features.

    Attributes:
        k: Neighbours that were looked at.
        queries: Samples whose neighbours were looked at.
        samples: Samples among which they were sought: all of the map.
        dim: D of the features.
        trustworthiness: 1 where no sample on the map has a neighbour that is none in the
            features, about .5 for a map at random; None for fewer than four samples.
        continuity: The same for neighbours in the features that the map tears apart.
        overlap: Share of the k neighbours in the features that are among the k on the map.
        overlap_by_chance: That share for a map at random.
    """

    k: int
    queries: int
    samples: int
    dim: int
    trustworthiness: float | None
    continuity: float | None
    overlap: float | None
    overlap_by_chance: float | None


def faithfulness(features: Tiles, xy: Array, *, seed: int) -> Faithfulness:
    """Compare neighbours by cosine in the features with neighbours on the map.

    Queries are a seeded sample; their neighbours are sought, and ranks counted, among all samples.

    Args:
        features: (N, D) of the samples on the map.
        xy: (N, 2) coordinates.
        seed: Seed of the sample of queries.

    Returns:
        Equal to scikit-learn's where all samples are queries and no distances tie.

    References:
        Venna and Kaski 2001, "Neighborhood Preservation in Nonlinear Projection Methods", eq. 1 and
        2; scikit-learn, sklearn/manifold/_t_sne.py, trustworthiness.
    """
    n = len(xy)
    # The norm of the sum holds for k < N / 2.
    k = min(NEIGHBOURS, (n - 1) // 2)
    rows = np.arange(n)
    if n > QUERIES:
        rows = np.sort(np.random.default_rng(seed).choice(n, QUERIES, replace=False))
    told = {"k": k, "queries": len(rows), "samples": n, "dim": features.dim}
    if k < 1:
        return Faithfulness(
            **told, trustworthiness=None, continuity=None, overlap=None, overlap_by_chance=None
        )
    flat = ArrayTiles(xy)
    in_features = neighbours(features, rows, k, metric=COSINE)
    on_map = neighbours(flat, rows, k, metric=EUCLIDEAN)
    common = (in_features[:, :, None] == on_map[:, None, :]).sum(axis=(1, 2))
    return Faithfulness(
        **told,
        trustworthiness=_kept(ranks(features, rows, on_map, metric=COSINE), n),
        continuity=_kept(ranks(flat, rows, in_features, metric=EUCLIDEAN), n),
        overlap=float(common.mean() / k),
        overlap_by_chance=k / (n - 1),
    )


def neighbours(bank: Tiles, rows: Array, k: int, *, metric: str) -> Array:
    """(Q, k) rows nearest to each of some rows of a bank, itself left out."""
    queries = np.empty((len(rows), bank.dim), dtype=np.float32)
    for start, tile in bank.tiles(8192):
        inside = np.flatnonzero((rows >= start) & (rows < start + len(tile)))
        queries[inside] = tile[rows[inside] - start]
    return nearest(queries, bank, k=k, metric=metric, exclude=rows)[1]


def _kept(found: Array, n: int) -> float:
    """1 less the mean excess of ranks (Q, k) over k, scaled so that the worst map has 0."""
    k = found.shape[1]
    excess = np.maximum(found - k, 0).sum(axis=1).mean()
    return float(1 - 2 * excess / (k * (2 * n - 3 * k - 1)))


def belief(quality: Mapping[str, Any]) -> str:
    """One sentence that tells a reader how far to believe a map.

    Args:
        quality: ``FeatureMap.quality``.
    """
    trust, overlap = quality.get("trustworthiness"), quality.get("overlap")
    if trust is None or overlap is None:
        return "Too few samples to tell how far this map is to be believed."
    if trust >= _GOOD:
        advice = (
            "chips that lie together are mostly alike, but gaps and sizes of groups mean little"
        )
    elif trust >= _POOR:
        advice = "read groups with care, and check them by their purity in the features"
    else:
        advice = "do not read groups from it"
    return (
        f"Of the {quality['k']} chips nearest to a chip in the {quality['dim']} features, "
        f"{overlap:.0%} are so on the map too (by chance {quality['overlap_by_chance']:.1%}); "
        f"trustworthiness {trust:.3f} of 1: {advice}."
    )
