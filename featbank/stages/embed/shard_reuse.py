"""A new store of images of which most are embedded: shards of the same content are copied.

Batches are cut at fixed places inside shards, so that only a shard whose rows hold the same images
in the same order holds the bytes that embedding them would give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank import runlog
from featbank.bank.bank import Bank
from featbank.errors import FeatbankError
from featbank.features.same_images import same_images
from featbank.inputs.adapters import ADAPTERS
from featbank.recipes.recipe import canonical_json, lines_sha256
from featbank.store.schema import DIGEST, REFUSED, SAMPLE_ID
from featbank.store.shard_reading import read_commits, read_shard
from featbank.store.state import metadata
from featbank.store.text_columns import text_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.samples import Samples
    from featbank.stages.embed.plan import EmbedPlan
    from featbank.store.writer import Shard, StoreWriter

# Fields of a recipe that name the images alone, and those of statistics, which may be fitted.
_IMAGES = ("dataset.fingerprint", "dataset.samples")
_STATISTICS = ("input.normalise.mean", "input.normalise.std", "input.normalise.source")
# A store of which fewer images are the same is another dataset, of which there is nothing to say.
_SHARED = 0.5


@dataclass(frozen=True, kw_only=True)
class Former:
    """A store of other images, and what its rows hold.

    Attributes:
        path: Its path.
        digests: (N,) of its rows.
        ids: (N,) of its rows.
    """

    path: Path
    digests: NDArray[np.object_]
    ids: NDArray[np.object_]


def copy_shards(plan: EmbedPlan, writer: StoreWriter, tell: Callable[[str], None]) -> int:
    """Fill shards of a store from other stores of the same recipe in all but the images.

    Args:
        plan: The run.
        writer: Of its store.
        tell: Takes one line on what was copied, or why nothing was.

    Returns:
        Rows copied.
    """
    samples, pending = plan.imagery.dataset.samples, writer.pending()
    # Label maps come from files that no digest covers.
    if samples.digests is None or plan.layout.has_mask or not pending:
        return 0
    formers = _formers(plan, _IMAGES)
    wanted = {_content(samples.digests, writer.rows(shard)): shard for shard in pending}
    copied: dict[int, str] = {}
    for former in formers:
        for shard, buffers, line in _matching(former, wanted, plan.layout.shard_rows, samples):
            if shard in copied or buffers.keys() != set(writer.names):
                continue
            writer.write(shard, buffers)
            runlog.append(plan.path, {**line, "shard": shard, "copied_from": former.path.name})
            copied[shard] = former.path.name
    _say(plan, formers, copied, writer, is_new=len(pending) == writer.shards, tell=tell)
    return sum(len(writer.rows(shard)) for shard in copied)


def _formers(plan: EmbedPlan, free: Sequence[str]) -> list[Former]:
    """Stores of the bank whose recipe is the same but for some fields."""
    found = []
    wanted = _rest(plan.recipe, free)
    for path in Bank(plan.options.bank).stores(model=plan.spec.name):
        recipe = _recipe(path)
        if same_images(recipe, plan.recipe) or _rest(recipe, free) != wanted:
            continue
        digests, ids = (text_column(path, name) for name in (DIGEST, SAMPLE_ID))
        if digests is not None and ids is not None:
            found.append(Former(path=path, digests=digests, ids=ids))
    return found


def _fitted(plan: EmbedPlan) -> tuple[str, ...]:
    """Fields of the recipe that were fitted on the images."""
    return (
        *(_STATISTICS if plan.inputs.statistics.method == "dataset" else ()),
        *(("input.missing.fill",) if plan.look.misses else ()),
        *(("input.adapter",) if ADAPTERS[plan.adapted.name].needs_moments else ()),
        *(("model.weights_sha256",) if plan.spec.fit is not None else ()),
    )


def _recipe(path: Path) -> Mapping[str, Any]:
    try:
        recipe: Mapping[str, Any] = metadata(path)["attributes"]["recipe"]
    except (FeatbankError, KeyError, ValueError):
        return {}
    return recipe


def _rest(recipe: Mapping[str, Any], free: Sequence[str]) -> str:
    """A recipe without some of its fields, as text that can be compared."""
    kept = {name: dict(part) if isinstance(part, dict) else part for name, part in recipe.items()}
    for field in free:
        *folders, name = field.split(".")
        part: Any = kept
        for folder in folders:
            # Copied on the way: the recipe itself stays.
            part[folder] = dict(part.get(folder, {}))
            part = part[folder]
        part.pop(name, None)
    return canonical_json(kept)


def _matching(
    former: Former, wanted: Mapping[str, int], shard_rows: int, samples: Samples
) -> Iterator[tuple[int, Shard, dict[str, Any]]]:
    """Shards of a store that hold wanted content: the shard they fill, contents, log line."""
    lines = {line.get("shard"): line for line in runlog.read(former.path)}
    for number, commit in enumerate(read_commits(former.path)):
        start = number * shard_rows
        rows = range(start, min(start + shard_rows, len(former.digests)))
        shard = wanted.get(_content(former.digests, rows))
        if shard is None or not commit:
            continue
        buffers = read_shard(former.path, commit, rows)
        new = slice(shard * shard_rows, shard * shard_rows + len(rows))
        if buffers is not None and _names_fit(
            buffers, former.ids[rows.start : rows.stop], samples.ids[new]
        ):
            yield shard, buffers, _log_line(lines.get(number, {}), len(rows))


def _names_fit(buffers: Shard, ids: NDArray[Any], new_ids: NDArray[Any]) -> bool:
    """Whether refused rows bear the same ids: their reasons name the files."""
    is_refused = np.asarray(buffers[REFUSED] != "")
    return bool((ids[is_refused] == new_ids[is_refused].astype(object)).all())


def _log_line(line: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """In which environment a copied shard was embedded; no time, since none was spent."""
    kept = {name: line[name] for name in runlog.ENVIRONMENT if name in line}
    return {**kept, "rows": rows}


def _content(digests: NDArray[Any], rows: range) -> str:
    return lines_sha256(digests[rows.start : rows.stop].tolist())


def _say(
    plan: EmbedPlan,
    formers: Sequence[Former],
    copied: Mapping[int, str],
    writer: StoreWriter,
    *,
    is_new: bool,
    tell: Callable[[str], None],
) -> None:
    if copied:
        names = ", ".join(dict.fromkeys(copied.values()))
        tell(
            f"{plan.path.name}: {len(copied)} of {writer.shards} shards are copied from {names}, "
            "whose rows hold the same images"
        )
    elif is_new and (former := _like(plan, formers)):
        tell(
            f"{plan.path.name}: its images are not those of {former.path.name}, of which no shard "
            "holds the same in the same order: all is embedded again"
        )
    elif is_new and (former := _like(plan, _formers(plan, (*_IMAGES, *_fitted(plan))))):
        tell(
            f"{plan.path.name}: its images are not those of {former.path.name}, and the statistics "
            "fitted on them moved: all is embedded again"
        )


def _like(plan: EmbedPlan, formers: Sequence[Former]) -> Former | None:
    """The store that shares most images with the run; None where all share few."""
    digests = set(plan.imagery.dataset.samples.digests.tolist())  # type: ignore[union-attr]
    shared = [len(digests.intersection(former.digests.tolist())) for former in formers]
    if not shared or max(shared) < _SHARED * len(digests):
        return None
    return formers[int(np.argmax(shared))]
