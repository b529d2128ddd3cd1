"""The features that a probe reads: what the user asks for, or what a protocol names."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import StoreError, UsageError
from featbank.store.schema import MEAN_RAW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featbank.probes.protocols import ProtocolSpec
    from featbank.stages.probe.options import ProbeOptions
    from featbank.store.reader import Store

Columns = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class ProbeFeatures:
    """Features of all samples.

    Attributes:
        values: (N, D) float32.
        name: What they are: ``cls+mean``, or ``cls@8+cls@11`` where layers differ.
        layer: Block index of the last one.
        views: (start, stop) pairs of columns by view, for protocols that compare some.
        notes: What a reader must know.
    """

    values: NDArray[np.float32]
    name: str
    layer: int
    views: Mapping[str, Columns] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def probe_features(store: Store, protocol: ProtocolSpec, options: ProbeOptions) -> ProbeFeatures:
    """Read what the protocol names, or else what the user asks for.

    Raises:
        UsageError: The user asks for features where the protocol names its own.
        StoreError: The store lacks a feature or layer that the protocol names.
        UnknownNameError: The store lacks what the user asks for.
    """
    if not protocol.parts:
        return _asked(store, options.features, options.layer)
    if options.features is not None or options.layer is not None:
        raise UsageError(
            "--features" if options.features is not None else "--layer",
            f"protocol '{protocol.name}' names the features it reads",
            "none beside it",
            "Leave it out, or take another protocol.",
        )
    if protocol.parts == (("cls", -1),) and "cls" not in store.feature_names:
        found = _asked(store, None, None)
        note = f"this backbone gives no CLS token: {found.name} is read instead"
        return ProbeFeatures(values=found.values, name=found.name, layer=found.layer, notes=(note,))
    return _joined(store, protocol)


def _asked(store: Store, features: str | None, layer: int | None) -> ProbeFeatures:
    return ProbeFeatures(
        values=store.features(features, layer=layer),
        name=features or store.attributes["default_feature"],
        layer=store.layers[-1] if layer is None else layer,
    )


def _joined(store: Store, protocol: ProtocolSpec) -> ProbeFeatures:
    _require_parts(store, protocol)
    layers = store.layers
    blocks = [store.features(name, layer=layers[place]) for name, place in protocol.parts]
    ends = np.cumsum([0, *(block.shape[1] for block in blocks)]).tolist()
    return ProbeFeatures(
        values=blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1),
        name="+".join(
            name if len(protocol.parts) == 1 else f"{name}@{layers[place]}"
            for name, place in protocol.parts
        ),
        layer=layers[-1],
        views={
            view: tuple((ends[i], ends[i + 1]) for i in parts)
            for view, parts in protocol.views.items()
        },
    )


def _require_parts(store: Store, protocol: ProtocolSpec) -> None:
    lacking = {name for name, _ in protocol.parts} - set(store.feature_names)
    if lacking:
        # Backbones without blocks, whose one layer is 0, have none to give.
        is_to_be_had = lacking == {MEAN_RAW} and store.layers != (0,)
        raise StoreError(
            str(store.path),
            f"it holds {', '.join(store.feature_names)}",
            f"{', '.join(sorted(lacking))} too, for protocol '{protocol.name}'",
            f"Make such a store with '{_embed_command(store, protocol)}'."
            if is_to_be_had
            else "Take another protocol, or a backbone that gives them.",
        )
    depth = max(-place for _, place in protocol.parts)
    last = store.layers[-depth:]
    has_gap = protocol.last_blocks and last != tuple(range(last[-1] - len(last) + 1, last[-1] + 1))
    if len(last) < depth or has_gap:
        raise StoreError(
            str(store.path),
            f"its layers are {', '.join(map(str, store.layers))}",
            f"the {'last ' if protocol.last_blocks else ''}{depth} of the backbone, for "
            f"protocol '{protocol.name}'",
            f"Embed it with --layers {_last(depth)}.",
        )


def _embed_command(store: Store, protocol: ProtocolSpec) -> str:
    """The store's own command, with the features and the layers that a protocol reads."""
    words = shlex.split(store.attributes["command"])
    for option in ("--layers", "--features", "--shard-rows"):
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
    depth = max(-place for _, place in protocol.parts)
    is_deep = len(store.layers) >= depth
    layers = ",".join(map(str, store.layers)) if is_deep else _last(depth)
    return shlex.join([*words, "--layers", layers, "--features", MEAN_RAW])


def _last(depth: int) -> str:
    return ",".join(str(place) for place in range(-depth, 0))
