"""Making and opening stores and banks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.trouble import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from featbank.bank.bank import Bank
    from featbank.stages.diff.store_diff import StoreDiff
    from featbank.store.reader import Store


@told
def embed(model: str | Path, dataset: str | Path, **options: Any) -> Store:  # noqa: ANN401
    """Write or finish a store, and open it.

    Args:
        model: Backbone, a name of ``list_models``; or a checkpoint's folder.
        dataset: Dataset, a name of ``list_datasets``, or a folder of images.
        **options: Fields of ``featbank.sources.embed_options.EmbedOptions``, the same as the
            options of ``featbank embed``: ``weights``, ``bands``, ``normalise``, ``limit``, …;
            ``answers={"heads": 12}`` says what a weights file does not tell.

    Returns:
        The finished store.

    Raises:
        FeatbankError: Whatever the options, the dataset and the backbone do not agree on.
    """
    from featbank.stages.embed.run import embed_dataset

    return open_store(embed_dataset(_plan(model, dataset, options)).store)


@told
def rehearse(model: str | Path, dataset: str | Path, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """What ``embed`` would do and cost, from one timed batch; writes nothing.

    Args:
        model: As in ``embed``.
        dataset: As in ``embed``.
        **options: As in ``embed``.
    """
    from featbank.stages.embed.rehearse import rehearse as rehearse_plan

    return rehearse_plan(_plan(model, dataset, options, is_rehearsal=True))


def _plan(
    model: str | Path,
    dataset: str | Path,
    options: Mapping[str, Any],
    *,
    is_rehearsal: bool = False,
) -> Any:  # noqa: ANN401 - a plan, whose module is not imported before it is needed
    from featbank.sources.embed_options import EmbedOptions
    from featbank.stages.embed.plan import plan_embed

    named = ("bank", "data_root", "splits")
    paths = {name: Path(options[name]) for name in named if options.get(name)}
    asked = EmbedOptions(model=str(model), dataset=str(dataset), **{**options, **paths})
    return plan_embed(asked, is_rehearsal=is_rehearsal)


@told
def open_store(path: str | Path) -> Store:
    """Open a finished store: ``.features``, ``.labels``, ``.split``, ``.xy``, ``.show``, ….

    Args:
        path: The store's path, ending in ``.zarr``.

    Raises:
        MissingPathError: There is no store at this path.
        UnfinishedStoreError: Its embedding has not finished.
    """
    from featbank.pictures.show import open_store as open_with_pictures

    return open_with_pictures(path)


@told
def open_bank(path: str | Path = "bank") -> Bank:
    """Open a bank: ``.stores()``, ``.newest()``, and a table of both and of results in a notebook.

    Args:
        path: The bank's folder.

    Raises:
        MissingPathError: There is no folder at this path.
    """
    from featbank.bank.bank import Bank
    from featbank.errors import MissingPathError

    if not Path(path).is_dir():
        raise MissingPathError(
            str(path),
            "there is no such folder",
            "a bank that 'featbank embed' has made",
            "Check the path, or embed into it first.",
        )
    return Bank(Path(path))


@told
def list_stores(bank: str | Path = "bank") -> pd.DataFrame:
    """The stores of a bank, one row each, with state and size."""
    import pandas as pd

    from featbank.lookup.listing import store_rows

    return pd.DataFrame(store_rows(Path(bank)))


@told
def remove_store(path: str | Path) -> int:
    """Remove a store and its run log, and give the bytes freed.

    Raises:
        MissingPathError: There is no store at this path.
        LockedError: A process is writing it.
    """
    from featbank.lookup.listing import remove_store as remove

    return remove(Path(path))


@told
def diff(first: Store | str | Path, second: Store | str | Path, *, seed: int = 0) -> StoreDiff:
    """Why two stores differ, and how far their features are apart.

    Args:
        first: A store or its path.
        second: Another.
        seed: Seed of the samples whose neighbours are compared where there are more than 5,000.

    Returns:
        Differences of recipe, labels and environment, distances by feature and layer, and a
        ``verdict`` in one sentence.

    Raises:
        FeatbankError: One store twice, an unfinished store, or no sample in both.
    """
    from featbank.stages.diff.run import diff_stores

    paths = [store if isinstance(store, str | Path) else store.path for store in (first, second)]
    return diff_stores(Path(paths[0]), Path(paths[1]), seed=seed)
