"""Patch tokens of a few samples: read from a store, normed, and looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from featbank.errors import StoreError
from featbank.lookup.neighbours import embedded_row
from featbank.store.schema import TOKEN_NORM_BIAS, TOKEN_NORM_WEIGHT, TOKENS
from featbank.store.stored import reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.store.reader import Store

# LayerNorm epsilon of DINO, DINOv2, MAE and timm's networks.
_EPS = 1e-6
# A far sample of rows would decode a chunk for each: a large store's tokens are TB.
_SAMPLED_CHUNKS = 4
# Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers": a modified z-score, which is
# 0.6745 of the distance from the median in median absolute deviations, beyond 3.5.
_Z_LIMIT, _Z_SCALE = 3.5, 0.6745


def has_tokens(store: Store) -> bool:
    """Whether a store keeps patch tokens."""
    return (store.path / TOKENS).exists()


def tokens_of(
    store: Store, ids: Sequence[str], *, layer: int | None = None, is_normed: bool = True
) -> NDArray[np.float32]:
    """Patch tokens of some samples; no other rows are read, but for those of their chunks.

    Args:
        store: A store embedded with ``--tokens``.
        ids: n sample ids.
        layer: Block index; None takes the last one stored.
        is_normed: Whether the network's final norm is applied, as it is to pooled features; the
            store keeps tokens as they come before it. Without a final norm they stay as they are.

    Returns:
        (n, gy, gx, D).

    Raises:
        StoreError: The store has no tokens, or a sample was refused.
        UnknownNameError: A sample or layer that the store does not hold.
    """
    rows = np.array([embedded_row(store, str(sample)) for sample in ids], dtype=np.intp)
    tokens = read_tokens(store, rows, layer=layer)
    return with_norm(store, tokens) if is_normed else tokens


def read_tokens(store: Store, rows: Array, *, layer: int | None = None) -> NDArray[np.float32]:
    """(n, gy, gx, D) tokens of rows, before the final norm."""
    array = _open(store)
    position = store.layer_position(layer)
    order = np.argsort(rows, kind="stable")
    with reading(store.path, TOKENS):
        read = np.asarray(array.oindex[rows[order], position], dtype=np.float32)
    found = np.empty_like(read)
    found[order] = read
    return found


def with_norm(store: Store, tokens: Array) -> NDArray[np.float32]:
    """Tokens after the network's final norm, pass by pass where several stand end to end."""
    if not (store.path / TOKEN_NORM_WEIGHT).exists():
        return np.asarray(tokens, dtype=np.float32)
    weight, bias = (_whole(store.path / n) for n in (TOKEN_NORM_WEIGHT, TOKEN_NORM_BIAS))
    values = tokens.reshape(*tokens.shape[:-1], _passes(store), -1).astype(np.float64)
    mean, variance = values.mean(axis=-1, keepdims=True), values.var(axis=-1, keepdims=True)
    normed = ((values - mean) / np.sqrt(variance + _EPS)).reshape(tokens.shape)
    return np.asarray(normed * weight + bias, dtype=np.float32)


def principal_colours(tokens: Array) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The first three principal components of all tokens together as red, green and blue.

    The sign of a component is that which makes its largest loading positive: the same tokens give
    the same colours everywhere.

    Args:
        tokens: (n, gy, gx, D).

    Returns:
        (n, gy, gx, 3) colours, each channel between its 2nd and 98th percentile; and (3,) shares
        of the variance. A component that D or the number of tokens does not allow is grey.
    """
    flat = tokens.reshape(-1, tokens.shape[-1]).astype(np.float64)
    centred = flat - flat.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    first = vectors[:, ::-1][:, :3]
    largest = np.take_along_axis(first, np.abs(first).argmax(axis=0)[None], axis=0)
    scores = np.zeros((len(flat), 3))
    scores[:, : first.shape[1]] = centred @ (first * np.where(largest < 0, -1, 1))
    shares = np.zeros(3)
    shares[: first.shape[1]] = values[::-1][:3] / max(values.sum(), np.finfo(float).tiny)
    low, high = np.percentile(scores, (2, 98), axis=0)
    # What does not vary beyond rounding is no component.
    is_flat = high - low <= 1e-9 * max(np.abs(flat).max(), 1e-30)
    stretched = np.clip((scores - low) / np.where(is_flat, 1, high - low), 0, 1)
    colours = np.where(is_flat, 128, np.rint(stretched * 255)).astype(np.uint8)
    return colours.reshape(*tokens.shape[:-1], 3), np.clip(shares, 0, 1)


def outlier_norm(norms: Array) -> float:
    """The norm above which a token is an outlier: modified z-score beyond 3.5.

    References:
        Outlier tokens: Darcet et al. 2024, arXiv:2309.16588, whose cutoff is set by eye for one
        network.
    """
    median = float(np.median(norms))
    spread = float(np.median(np.abs(norms - median)))
    return median + _Z_LIMIT / _Z_SCALE * spread


def sampled_token_rows(store: Store, count: int, *, seed: int = 0) -> NDArray[np.intp]:
    """Valid rows drawn from at most four chunks of the tokens, in order."""
    rng = np.random.default_rng(seed)
    valid = np.flatnonzero(store.valid)
    chunk = int(_open(store).chunks[0])
    chunks = np.unique(valid // chunk)
    kept = rng.choice(chunks, min(_SAMPLED_CHUNKS, len(chunks)), replace=False)
    rows = valid[np.isin(valid // chunk, kept)]
    return np.sort(rng.choice(rows, min(count, len(rows)), replace=False)).astype(np.intp)


def _open(store: Store) -> zarr.Array[Any]:
    if not has_tokens(store):
        raise StoreError(
            str(store.path), "it holds no patch tokens", "a store with them", "Embed with --tokens."
        )
    return zarr.open_array(store.path / TOKENS, mode="r", zarr_format=3)


def _whole(path: Path) -> Array:
    return np.asarray(zarr.open_array(path, mode="r", zarr_format=3)[...])


def _passes(store: Store) -> int:
    adapter = store.attributes["recipe"].get("input", {}).get("adapter")
    return len(adapter.get("passes", [0])) if isinstance(adapter, dict) else 1
