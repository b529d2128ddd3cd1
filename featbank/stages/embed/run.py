"""Embedding a dataset: readers ahead of the device, the writer behind it, shard by shard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank import runlog
from featbank.bank.bank import Bank
from featbank.bank.environment import environment, peak_memory
from featbank.bank.fitted_states import write_state
from featbank.bank.lock import locked
from featbank.datasets import DATASETS
from featbank.device import pick_device, use_deterministic
from featbank.errors import ReadError
from featbank.inputs.reader_pool import PoolConfig, ReaderPool
from featbank.layers.compiled_blocks import CompiledBlocks
from featbank.recipes.recipe import recipe_id
from featbank.sources.digesting import changed_rows
from featbank.stages.embed.attributes import attributes
from featbank.stages.embed.buffers import Cut, Running, fill, fill_masks, fill_missing
from featbank.stages.embed.device_memory import AtOnce
from featbank.stages.embed.forward import forward_of
from featbank.stages.embed.plan import refuse_too_many
from featbank.stages.embed.relabelling import in_rows_of_store, renamed
from featbank.stages.embed.report import EmbedReport
from featbank.stages.embed.shard_reuse import copy_shards
from featbank.stages.embed.shard_writing import ShardThread
from featbank.store.create import NewStore, create_store
from featbank.store.schema import MASK, REFUSED
from featbank.store.state import check_same_recipe, is_finished, metadata, require_whole
from featbank.store.writer import StoreWriter

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.stages.embed.plan import EmbedPlan
    from featbank.store.writer import Shard

Tell = Callable[[str], None]
Progress = Callable[[int, int], None]


def embed_dataset(
    plan: EmbedPlan, *, tell: Tell = lambda _: None, progress: Progress = lambda _done, _n: None
) -> EmbedReport:
    """Write or finish the store of a plan.

    Args:
        plan: What to embed, with what, to where.
        tell: Takes lines that a person should see.
        progress: Takes rows done and rows to do, after each batch.

    Raises:
        RefusedError: More chips are refused than allowed; finished shards stay.
        ReadError: The disk or network failed; finished shards stay.
        StoreError: The finished store has lost files since.
        LockedError: Another process writes the store.
    """
    with locked(plan.path, tell=tell):
        if plan.path.exists():
            check_same_recipe(plan.path, plan.recipe)
            plan = in_rows_of_store(plan)
            renamed(plan, tell)
        else:
            create_store(plan.path, _new_store(plan))
        report = _finish(plan, tell, progress)
        bank = Bank(plan.options.bank)
        if plan.spec.fit is not None:
            write_state(bank, plan.weights.sha256, plan.weights.state)
        before = bank.source(plan.path)
        if plan.options.follow is None:
            bank.remember_newest(plan.path)
        # Copies that are predicted bear other ids than the rows of a store that stands already.
        if plan.options.follow is None or not before:
            bank.remember_source(plan.path, _source(plan, before))
        return report


def _finish(plan: EmbedPlan, tell: Tell, progress: Progress) -> EmbedReport:
    if is_finished(plan.path):
        require_whole(plan.path)
        return EmbedReport(store=plan.path, n=plan.n, embedded=0, shards=0)
    writer = StoreWriter(plan.path, plan.layout, plan.n)
    copied = copy_shards(plan, writer, tell)
    run = EmbedRun(plan, writer, progress, tell)
    for change in runlog.changed_environment(plan.path, run.environment):
        tell(f"{plan.path.name}: goes on in another environment ({change})")
    report = run.embed()
    _refuse_changed(plan, writer)
    writer.finish()
    return replace(report, copied=copied)


def _refuse_changed(plan: EmbedPlan, writer: StoreWriter) -> None:
    """Stop where images changed while they were embedded: the recipe names what they were.

    Raises:
        ReadError: Names the first of them.
    """
    dataset = plan.imagery.dataset
    changed = changed_rows(dataset, plan.made_ns)
    for shard in {row // plan.layout.shard_rows for row in changed}:
        writer.forget(shard)
    if changed:
        raise ReadError(
            str(dataset.samples.ids[changed[0]]),
            f"changed while it was embedded ({len(changed):,} of {plan.n:,} images did)",
            "images that stay as they are until the run ends",
            "Repeat the command; what did not change is kept.",
        )


class EmbedRun:
    """One pass over the shards that are not committed.

    Args:
        plan: What to embed.
        writer: The store's writer.
        progress: Takes rows done and rows to do.
        tell: Takes lines that a person should see.
    """

    def __init__(
        self, plan: EmbedPlan, writer: StoreWriter, progress: Progress, tell: Tell
    ) -> None:
        use_deterministic(plan.options.deterministic)
        self._plan = plan
        self._writer = writer
        self._progress = progress
        self._tell = tell
        self._pending = writer.pending()
        self._todo = sum(len(writer.rows(shard)) for shard in self._pending)
        self._before = writer.refused(self._pending)
        device, size = pick_device(plan.options.device), plan.batch_size
        self.environment = environment(device, size, compiled=plan.options.compile)
        self._at_once = AtOnce(size, must_keep=plan.options.deterministic, tell=tell)
        self._compiled = CompiledBlocks(tell) if plan.options.compile else None
        self._forward = forward_of(plan, self._at_once, self._compiled)
        self._done = 0
        self._refused: dict[int, str] = {}
        self._embedded = 0
        self._n_missing = 0
        self._shard_started = time.perf_counter()

    def embed(self) -> EmbedReport:
        """Embed every pending shard."""
        start = self._shard_started = time.perf_counter()
        with ReaderPool(self._pool_config()) as pool:
            thread = ShardThread(self._writer, self._log)
            try:
                self._stream(pool, thread)
            finally:
                thread.close()
            waited_input_s = pool.waited_s
        ids = self._plan.imagery.dataset.samples.ids
        return EmbedReport(
            store=self._plan.path,
            n=self._plan.n,
            embedded=self._embedded,
            shards=len(self._pending),
            refused={str(ids[row]): why for row, why in self._refused.items()},
            n_missing=self._n_missing,
            seconds=time.perf_counter() - start,
            waited_input_s=waited_input_s,
            waited_output_s=thread.waited_s,
        )

    def _pool_config(self) -> PoolConfig:
        plan = self._plan
        return PoolConfig(
            reader=plan.imagery.dataset.reader,
            contract=plan.imagery.contract,
            workers=plan.imagery.workers,
            slot_bytes=plan.look.chip_bytes * plan.batch_size,
            is_locked=pick_device(plan.options.device).type == "cuda",
            tell=self._tell,
        )

    def _stream(self, pool: ReaderPool, thread: ShardThread) -> None:
        """Submit each batch before the one ahead of it is taken back from the device."""
        cuts = list(self._cuts())
        behind: Running | None = None
        buffers: Shard = {}
        for cut, batch in zip(cuts, pool.read(cut.rows for cut in cuts), strict=True):
            submitted = self._forward.submit(batch)
            running = Running(cut, submitted, dict(batch.refused), dict(batch.shares))
            if behind is not None:
                buffers = self._collect(behind, buffers, thread)
            behind = running
        if behind is not None:
            self._collect(behind, buffers, thread)

    def _cuts(self) -> Iterator[Cut]:
        """Batches cut at fixed places inside shards, so that a resumed run gives the same bytes."""
        size = self._plan.batch_size
        for shard in self._pending:
            rows = self._writer.rows(shard)
            for start in range(0, len(rows), size):
                cut = rows[start : start + size]
                yield Cut(shard, cut, start, cut.stop == rows.stop)

    def _collect(self, done: Running, buffers: Shard, thread: ShardThread) -> Shard:
        cut, refused = done.cut, done.refused
        buffers = buffers or self._writer.empty_shard(cut.shard)
        for pending in done.pendings:
            self._embedded += len(pending.rows)
            refused |= fill(buffers, cut.start, pending)
        fill_missing(buffers, done, self._plan)
        self._n_missing += len(done.shares.keys() - refused.keys())
        if self._plan.layout.has_mask:
            fill_masks(buffers[MASK], cut, self._plan)
        for position, reason in refused.items():
            buffers[REFUSED][cut.start + position] = reason
            self._refused[cut.rows[position]] = reason
        refuse_too_many(self._plan, self._refused, before=self._before)
        self._done += len(cut.rows)
        self._progress(self._done, self._todo)
        if not cut.is_last:
            return buffers
        thread.put(cut.shard, buffers)
        return {}

    def _log(self, shard: int) -> None:
        now = time.perf_counter()
        line = {
            **self.environment,
            "batch_size": self._at_once.most,
            "compiled": self._compiled is not None and self._compiled.is_on,
            "shard": shard,
            "rows": len(self._writer.rows(shard)),
            "seconds": round(now - self._shard_started, 4),
            "workers": self._plan.imagery.workers,
            **peak_memory(pick_device(self._plan.options.device)),
        }
        self._shard_started = now
        runlog.append(self._plan.path, line)


def _new_store(plan: EmbedPlan) -> NewStore:
    state, masks = plan.weights.state, plan.imagery.dataset.masks
    norm = (state["norm.weight"], state["norm.bias"]) if "norm.weight" in state else None
    return NewStore(
        samples=plan.imagery.dataset.samples,
        layout=plan.layout,
        attributes=attributes(plan),
        mask_classes=() if masks is None else masks.classes,
        token_norm=None if norm is None else _joined_norm(plan, *norm),
    )


def _joined_norm(plan: EmbedPlan, weight: Array, bias: Array) -> tuple[Array, Array]:
    count = len(plan.passes.picks)
    return np.tile(np.asarray(weight), count), np.tile(np.asarray(bias), count)


def _source(plan: EmbedPlan, before: dict[str, Any]) -> dict[str, Any]:
    """What opens the imagery again on this machine."""
    name, root = plan.options.dataset, plan.imagery.dataset.root
    place = None if root is None else str(root.resolve())
    # A store that was moved is known by its recipe.
    known: dict[str, Any] = {"recipe_id": recipe_id(plan.recipe)}
    if name in DATASETS:
        return {**known, "dataset": name, "chips": plan.options.chips, "data_root": place}
    # Copies of a folder have one store; each of them finds it.
    places = dict.fromkeys([place, *before.get("places", [])])
    version = metadata(plan.path)["attributes"]["labels_sha256"]
    return {
        **known,
        "dataset": place,
        "places": list(places),
        # Which ids, labels and splits each of them came with: copies may be sorted otherwise.
        "labelled": {**before.get("labelled", {}), str(place): version},
        "chips": None,
        "data_root": None,
        "needs_labels": bool(plan.imagery.dataset.samples.labels),
        "unit": plan.options.unit,
    }
