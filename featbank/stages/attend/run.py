"""Attention of named samples, computed by the backbone of a store and kept in the bank."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from featbank.backbones import BACKBONES
from featbank.bank.attention_maps import write_attention
from featbank.bank.bank import bank_of
from featbank.device import full_float32, pick_device
from featbank.errors import StoreError, UsageError
from featbank.inputs.preprocess import Preprocess
from featbank.inputs.reading import read_batch
from featbank.layers.passes import attention_of
from featbank.lookup.example_samples import query_ids
from featbank.lookup.neighbours import embedded_row
from featbank.recipes.same_embedding import require_same_embedding
from featbank.sources.embed_options import Followed
from featbank.sources.following import followed_weights, following
from featbank.stages.embed.forward import encoder_of
from featbank.stages.embed.plan import plan_embed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featbank.backbones import Encoder
    from featbank.image import Array
    from featbank.sources.opening import FetchProgress
    from featbank.stages.embed.plan import EmbedPlan
    from featbank.store.reader import Store

# Explicit attention of 64 chips at 518 px would take GB.
_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class AttendOptions:
    """Options of ``featbank attend``.

    Attributes:
        ids: Sample ids; () draws one of each of some classes.
        layer: Block index, negative ones from the end.
        weights: File of the backbone's weights, where it is not found by itself.
        download: Whether to fetch weights that are not on this machine.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: Of the draw.
    """

    ids: tuple[str, ...] = ()
    layer: int = -1
    weights: str | None = None
    download: bool = False
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class AttendReport:
    """What was computed and kept.

    Attributes:
        path: File in the bank.
        store: The store.
        ids: Samples of this run.
        layer: Block index.
        heads: Attention heads, those of all passes.
        registers: Register tokens R.
        grid: (gy, gx) patches of the first sample.
        kept: Samples that the file holds.
    """

    path: Path
    store: Path
    ids: tuple[str, ...]
    layer: int
    heads: int
    registers: int
    grid: tuple[int, int]
    kept: int

    def sentence(self) -> str:
        """What was done, in one line."""
        rows = f"CLS and {self.registers} registers" if self.registers else "CLS"
        return (
            f"{self.path}: attention of {rows} in block {self.layer}, {self.heads} heads of "
            f"{self.grid[0]} x {self.grid[1]} patches, for {len(self.ids)} samples; "
            f"{self.kept} are kept."
        )


def attend(
    store: Store, options: AttendOptions, *, progress: FetchProgress | None = None
) -> AttendReport:
    """Compute attention of some samples of a store, and keep it in the store's bank.

    The store's recipe is followed: same bands, size, normalisation numbers and weights, told by
    their hash; in float32, whatever the features were computed in.

    Args:
        store: A store in the bank that made it.
        options: Which samples, which block.
        progress: Takes the step of a download, its bytes done and in all.

    Raises:
        UsageError: The backbone has no attention, or not this block.
        UnknownNameError: An id that the store does not hold.
        WeightsError: Other weights than the store's.
        StoreError: The images are gone, or a sample was refused.
        MissingPathError: Images or weights are not on this machine.
    """
    _require_attention(store)
    ids = options.ids or tuple(query_ids(store, seed=options.seed))
    for sample in ids:
        embedded_row(store, sample)
    plan = _plan(store, options, progress)
    layer = _layer(plan, options.layer)
    maps = dict(attention_maps(plan, ids, layer=layer))
    recipe = store.attributes["recipe_id"]
    path, kept = write_attention(bank_of(store.path), recipe, layer, maps)
    heads, rows, gy, gx = maps[ids[0]].shape
    return AttendReport(
        path=path,
        store=store.path,
        ids=ids,
        layer=layer,
        heads=heads,
        registers=rows - 1,
        grid=(gy, gx),
        kept=kept,
    )


def attention_maps(
    plan: EmbedPlan, ids: Sequence[str], *, layer: int
) -> Iterator[tuple[str, Array]]:
    """Attention of some samples of a plan's dataset.

    Args:
        plan: Settles network, preprocessing and dataset.
        ids: Samples.
        layer: Block index.

    Yields:
        Sample id, and (heads, 1 + R, gy, gx) float32 probabilities.

    Raises:
        StoreError: An image is gone or refused.
    """
    dataset = plan.imagery.dataset
    row_of = {str(sample): row for row, sample in enumerate(dataset.samples.ids)}
    gone = next((sample for sample in ids if sample not in row_of), None)
    if gone is not None:
        raise StoreError(
            f"sample '{gone}'",
            f"its image is no longer in {dataset.root or dataset.name}",
            "the image that was embedded",
            "Put it back, or leave it out.",
        )
    device = pick_device(plan.options.device)
    encoder, prepare = encoder_of(plan).to(device), Preprocess(plan.inputs, device)
    for start in range(0, len(ids), _BATCH):
        some = list(ids[start : start + _BATCH])
        yield from _of_batch(plan, encoder, prepare, [(s, row_of[s]) for s in some], layer)


def _of_batch(
    plan: EmbedPlan,
    encoder: Encoder,
    prepare: Preprocess,
    some: list[tuple[str, int]],
    layer: int,
) -> Iterator[tuple[str, Array]]:
    batch = read_batch(plan.imagery.dataset.reader, [row for _, row in some], plan.imagery.contract)
    for position, reason in batch.refused.items():
        raise StoreError(
            f"sample '{some[position][0]}'", reason, "the chip that was embedded", "Leave it out."
        )
    for group in batch.groups:
        device = pick_device(plan.options.device)
        with torch.inference_mode(), full_float32(device):
            x = prepare({n: torch.from_numpy(p).to(device) for n, p in group.planes.items()})
            maps = attention_of(encoder, x, layer).float().cpu().numpy()
        for position, values in zip(group.rows, maps, strict=True):
            yield some[position][0], values


def _require_attention(store: Store) -> None:
    """Refuse before anything is read; models of the hub are told when they are built."""
    model = store.attributes["recipe"].get("model", {})
    name = model.get("name", "")
    if name not in BACKBONES or BACKBONES[name].describe(model["config"]).patch_px:
        return
    raise UsageError(
        f"model '{name}'",
        f"it has no attention, and {store.path.name} is embedded by it",
        "a store of a vision transformer, such as vit-tiny or dinov2-base",
        "Name another store with --store.",
    )


def _plan(store: Store, options: AttendOptions, progress: FetchProgress | None) -> EmbedPlan:
    attributes = store.attributes
    bank = bank_of(store.path)
    source = bank.source(store.path)
    if not source:
        raise StoreError(
            str(store.path),
            "its bank does not remember where the images are",
            "a store in the bank that 'featbank embed' made it in",
            "Embed again in this bank.",
        )
    follow = Followed(
        recipe=attributes["recipe"],
        weights=attributes["weights"],
        fitted_scheme=attributes.get("fitted_scheme", ""),
        command=attributes["command"],
    )
    root = source.get("data_root")
    settings: dict[str, Any] = {
        "chips": source["chips"],
        "data_root": Path(root) if root else None,
        "bank": bank.root,
        "device": options.device,
        "workers": 0,
        "download": options.download,
        **followed_weights(follow, weights=options.weights, may_download=options.download),
    }
    plan = plan_embed(
        following(follow, dataset=str(source["dataset"]), **settings), progress=progress
    )
    require_same_embedding(
        attributes["recipe"],
        plan.recipe,
        subject=str(store.path),
        remedy="Give the same images and weights.",
    )
    return plan


def _layer(plan: EmbedPlan, layer: int) -> int:
    depth = plan.spec.describe(plan.weights.config).depth
    if not -depth <= layer < depth:
        raise UsageError(
            f"--layer {layer}",
            f"model '{plan.spec.name}' has blocks 0 to {depth - 1}",
            "one of them, or a negative one from the end",
            "Correct --layer.",
        )
    return layer % depth
