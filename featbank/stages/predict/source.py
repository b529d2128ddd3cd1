"""What a saved probe is applied to: a store, or images that are embedded as its recipe says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.bank.bank import STORE_SUFFIX
from featbank.datasets import DATASETS
from featbank.errors import MissingPathError, StoreError, UsageError
from featbank.file_names import folder_name
from featbank.recipes.recipe import recipe_id
from featbank.recipes.same_embedding import require_same_embedding
from featbank.sources.embed_options import Followed
from featbank.sources.following import followed_weights, following
from featbank.sources.opening import dataset_spec
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.predict.named_as_given import NamedAsGiven
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from featbank.sources.opening import FetchProgress
    from featbank.stages.embed.plan import EmbedPlan
    from featbank.stages.predict.options import PredictOptions
    from featbank.stages.probe.saved_probe import SavedProbe

    Progress = Callable[[int, int], None]
    Tell = Callable[[str], None]

FOLDER = "folder"
_NO_PART_OF_THE_RECIPE = (
    "data_root",
    "splits",
    "chips",
    "limit",
    "download",
    "batch_size",
    "workers",
    "max_invalid",
    "device",
    "bank",
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is to be predicted, settled before anything is embedded or written.

    Attributes:
        dataset: Its name.
        recipe_id: Id of its store's recipe.
        store: The store, where it stands already.
        plan: The embed run that makes it; None for a store.
        notes: What a reader must know.
    """

    dataset: str
    recipe_id: str
    store: Store | None = None
    plan: EmbedPlan | None = None
    notes: tuple[str, ...] = ()

    def open(self, *, tell: Tell, progress: Progress | None) -> Store:
        """The store, embedded first where it has to be.

        Raises:
            FeatbankError: As ``embed_dataset``.
        """
        if self.store is not None:
            return self.store
        if self.plan is None:
            raise AssertionError("a source is a store or a plan")
        report = embed_dataset(self.plan, tell=tell, progress=progress or _silent)
        for sample, reason in list(report.refused.items())[:5]:
            tell(f"refused {sample}: {reason}")
        return NamedAsGiven(self.plan)


def _silent(_done: int, _n: int) -> None:
    """Progress that nobody looks at."""


def predict_source(
    saved: SavedProbe, options: PredictOptions, progress: FetchProgress | None = None
) -> Source:
    """Find what the user means, and hold it against the probe's recipe.

    Raises:
        StoreError: It is, or would be, embedded in another way than the probe's store.
        WeightsError: Other weights than the probe's.
        UsageError: Options of embedding beside a store.
        FeatbankError: No such store, dataset or folder.
    """
    path = Path(options.source)
    if path.suffix == STORE_SUFFIX or (path / "zarr.json").is_file():
        return _of_store(saved, options, path)
    if options.source not in DATASETS and path.is_file():
        raise UsageError(
            options.source, "is a file", "a folder of images, a dataset or a store", "Name one."
        )
    return _of_images(saved, options, progress)


def _of_store(saved: SavedProbe, options: PredictOptions, path: Path) -> Source:
    given = ("weights", "data_root", "splits", "chips", "limit")
    named = {name: getattr(options, name) for name in given} | {"answer": options.answers or None}
    for name, value in named.items():
        if value is not None:
            raise UsageError(
                f"--{name.replace('_', '-')}",
                f"{options.source} is embedded already",
                "it beside images alone",
                "Leave it out.",
            )
    store = Store(path)
    attributes = store.attributes
    require_same_embedding(
        saved.recipe,
        attributes["recipe"],
        subject=str(path),
        remedy="Name the images instead of the store, and they are embedded as the probe needs.",
    )
    return Source(dataset=attributes["dataset"], recipe_id=attributes["recipe_id"], store=store)


def _of_images(
    saved: SavedProbe, options: PredictOptions, progress: FetchProgress | None
) -> Source:
    follow = Followed(
        recipe=saved.recipe,
        state=saved.state,
        weights=saved.weights,
        fitted_scheme=saved.fitted_scheme,
        command=_command(saved, options),
    )
    _require_images(options.source)
    _require_whole(saved)
    settings: dict[str, Any] = {name: getattr(options, name) for name in _NO_PART_OF_THE_RECIPE}
    asked = following(follow, dataset=options.source, **settings, **_weights(follow, options))
    asked = replace(asked, answers={**asked.answers, **options.answers})
    plan = plan_embed(asked, progress=progress)
    require_same_embedding(
        saved.recipe,
        plan.recipe,
        subject=options.source,
        remedy="Give images of the same bands and units, and the same weights.",
    )
    theirs, ours = plan.recipe["dataset"]["processing"], saved.recipe["dataset"]["processing"]
    differs = (f"processing is '{theirs}', that of the probe's images '{ours}'",)
    return Source(
        dataset=plan.imagery.dataset.name,
        recipe_id=recipe_id(plan.recipe),
        plan=plan,
        notes=(*plan.notes, *(differs if theirs != ours else ())),
    )


def _require_images(source: str) -> None:
    if dataset_spec(source).name == FOLDER and not Path(source).is_dir():
        raise MissingPathError(
            source,
            "there is no such folder, dataset or store",
            "images or a store",
            "Check the path.",
        )


def _require_whole(saved: SavedProbe) -> None:
    """Refuse a recipe that images cannot follow, such as that of a store made by other means."""
    needed = {"dataset", "input", "model", "features", "layers", "compute_dtype", "store_dtype"}
    if needed - saved.recipe.keys():
        raise StoreError(
            f"probe {saved.result}",
            f"the recipe of its store lacks {', '.join(sorted(needed - saved.recipe.keys()))}",
            "a store that 'featbank embed' made",
            "Name a store that was made in the same way, not images.",
        )


def _command(saved: SavedProbe, options: PredictOptions) -> str:
    """The command that finishes the store: no path of this machine."""
    is_named = options.source in DATASETS
    source = options.source if is_named else f"path/to/{folder_name(options.source)}"
    return f"featbank predict --probe {saved.result} {source}"


def _weights(follow: Followed, options: PredictOptions) -> dict[str, Any]:
    return followed_weights(follow, weights=options.weights, may_download=options.download)
