"""Fitting the state of backbones that are fitted on train chips instead of trained."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from featbank.sources.fitting import Imagery, read_rows, train_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from featbank.backbones import BackboneSpec
    from featbank.backbones.backbone import State
    from featbank.inputs.preprocess import InputRecipe
    from featbank.sources.loaded_weights import Weights

# Enough chips for patches of every cover, few enough to hold in memory at 12 bands of 120 px.
FIT_CHIPS = 256


def fitted_weights(
    spec: BackboneSpec, weights: Weights, *, imagery: Imagery, inputs: InputRecipe, seed: int
) -> Weights:
    """The weights, fitted on a repeatable sample of train chips where the backbone is fitted.

    Where a recipe is followed, the state that was fitted for it is taken instead.
    """
    if spec.fit is None:
        return weights
    follow = imagery.follow
    if follow is not None:
        sha256 = state_sha256(follow.state)
        return replace(weights, state=follow.state, origin=follow.weights, sha256=sha256)
    rows = train_rows(imagery, count=FIT_CHIPS)
    state = spec.fit(weights.config, list(_chips(imagery, inputs, rows)), seed)
    origin = f"fitted on {len(rows)} train chips of scheme {imagery.scheme} (seed {seed})"
    return replace(weights, state=state, origin=origin, sha256=state_sha256(state))


def _chips(imagery: Imagery, inputs: InputRecipe, rows: list[int]) -> Iterator[NDArray[np.float32]]:
    import torch

    from featbank.inputs.preprocess import Preprocess

    prepare = Preprocess(inputs, torch.device("cpu"))
    for _, batch in read_rows(imagery, rows):
        for group in batch.groups:
            planes = {name: torch.from_numpy(array) for name, array in group.planes.items()}
            yield from prepare(planes).numpy()


def state_sha256(state: State) -> str:
    """SHA-256 of a state's names, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(state):
        values = np.ascontiguousarray(state[name])
        digest.update(f"{name} {values.dtype} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
