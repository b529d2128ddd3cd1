"""featbank: embed Earth-observation imagery once, answer every later question from the store.

The front door: everything that the command line does, as functions. Nothing heavy is imported
before a function is called.

Example:
    >>> import featbank
    >>> "rcf" in featbank.list_models()["name"].tolist()
    True
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.figure import Figure

    from featbank.bank.bank import Bank
    from featbank.bank.maps import FeatureMap
    from featbank.bank.result_frame import ResultFrame
    from featbank.datasets import Dataset
    from featbank.pages.scatter_widget import ScatterWidget
    from featbank.stages.diff import StoreDiff
    from featbank.store.reader import Store

__all__ = [
    "compare",
    "diff",
    "draw",
    "embed",
    "list_datasets",
    "list_models",
    "list_protocols",
    "list_stores",
    "map_store",
    "open_bank",
    "open_dataset",
    "open_store",
    "predict",
    "probe",
    "read_results",
    "rehearse",
    "remove_store",
    "report",
    "scatter",
]


def embed(model: str, dataset: str | Path, **options: Any) -> Store:  # noqa: ANN401
    """Write or finish a store, and open it.

    Args:
        model: Backbone, a name of ``list_models``.
        dataset: Dataset, a name of ``list_datasets``, or a folder of images.
        **options: Fields of ``featbank.stages.embed_options.EmbedOptions``, the same as the
            options of ``featbank embed``: ``weights``, ``bands``, ``normalise``, ``limit``, ….

    Returns:
        The finished store.

    Raises:
        FeatbankError: Whatever the options, the dataset and the backbone do not agree on.
    """
    from featbank.stages.embed import embed_dataset

    return open_store(embed_dataset(_plan(model, dataset, options)).store)


def rehearse(model: str, dataset: str | Path, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """What ``embed`` would do and cost, from one timed batch; writes nothing.

    Args:
        model: As in ``embed``.
        dataset: As in ``embed``.
        **options: As in ``embed``.
    """
    from featbank.stages.rehearse import rehearse as rehearse_plan

    return rehearse_plan(_plan(model, dataset, options))


def _plan(model: str, dataset: str | Path, options: Mapping[str, Any]) -> Any:  # noqa: ANN401
    from featbank.stages.embed_options import EmbedOptions
    from featbank.stages.embed_plan import plan_embed

    named = ("bank", "data_root", "splits")
    paths = {name: Path(options[name]) for name in named if options.get(name)}
    return plan_embed(EmbedOptions(model=model, dataset=str(dataset), **{**options, **paths}))


def probe(
    clf: str | None = None,
    store: Store | str | Path | None = None,
    *,
    bank: str | Path = "bank",
    **options: Any,  # noqa: ANN401
) -> ResultFrame:
    """Fit a probe on train, choose on validation, score once on test.

    Args:
        clf: ``knn``, ``logistic``, or another name in the probes catalog; None where
            ``protocol`` says it.
        store: A store or its path; None takes the bank's newest.
        bank: Folder where results and predictions are kept.
        **options: Fields of ``featbank.stages.probe.ProbeOptions``, the same as the options of
            ``featbank probe``: ``protocol``, ``features``, ``layer``, ``labels``, ``split_scheme``,
            ``shots``, ``by``, ….

    Returns:
        A DataFrame of one row a metric and class, the headline first, which a notebook shows as
        its headline.

    Raises:
        FeatbankError: An unknown name, an unfinished store, or splits without samples.
    """
    from featbank.bank.result_frame import ResultFrame
    from featbank.bank.results import to_frame
    from featbank.stages.probe import ProbeOptions, probe_store

    path = None if store is None else store if isinstance(store, str | Path) else store.path
    report = probe_store(
        ProbeOptions(
            clf=clf, store=None if path is None else Path(path), bank=Path(bank), **options
        )
    )
    return ResultFrame(to_frame(report.results))


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
    from featbank.stages.diff import diff_stores

    paths = [store if isinstance(store, str | Path) else store.path for store in (first, second)]
    return diff_stores(Path(paths[0]), Path(paths[1]), seed=seed)


def compare(
    *results: str,
    bank: str | Path = "bank",
    **options: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """Tell whether results differ by more than chance, on the samples that all of them scored.

    Args:
        *results: Ids of results or their first digits; none takes all that the options leave.
        bank: Folder where results and predictions are kept.
        **options: Fields of ``featbank.stages.comparing.options.CompareOptions``, the same as the
            options of ``featbank compare``: ``dataset``, ``protocol``, ``metric``, ….

    Returns:
        One row a pair: both sides, their difference with its 95 % interval, its p-value before
        and after Holm's correction, and which is the better (None where no difference is shown).

    Raises:
        FeatbankError: Unknown or too few results, or results that cannot be joined.
    """
    import pandas as pd

    from featbank.stages.compare import CompareOptions, compare_results

    return pd.DataFrame(
        compare_results(CompareOptions(results=results, bank=Path(bank), **options)).rows()
    )


def draw(
    figure: str,
    *results: str,
    store: Store | str | Path | None = None,
    bank: str | Path = "bank",
    **options: Any,  # noqa: ANN401
) -> Figure:
    """Draw one figure of a store or of results; it shows itself in a notebook.

    Args:
        figure: A name that ``featbank figure`` lists, such as ``confusion-matrix``.
        *results: Ids of results or their first digits; none takes all results of the store, and
            of a figure of one result the newest.
        store: A store or its path; None takes the results' own, or the bank's newest.
        bank: Folder of stores, predictions and results.
        **options: The same as the options of ``featbank figure``: ``model``, ``dataset``,
            ``labels``, ``split_scheme``, ``ids``, ``by``, ``metric``, ``threshold``, ``k``,
            ``seed``.

    Raises:
        FeatbankError: An unknown figure, store or result, or something that the figure needs.
    """
    from featbank.bank.bank import Bank
    from featbank.pages.figure_drawing import draw_figure
    from featbank.pages.figures import FigureOptions
    from featbank.stages.subject_finding import find_subject

    names = ("model", "dataset", "labels", "split_scheme")
    asked = {name: options.pop(name) for name in names if name in options}
    path = None if store is None else Path(store if isinstance(store, str | Path) else store.path)
    chosen = FigureOptions(**options | {"ids": tuple(options.get("ids", ()))})
    subject = find_subject(Bank(Path(bank)), results=results, store=path, **asked)
    return draw_figure(figure, subject, chosen, is_named=bool(results)).figure


def predict(
    probe: str | Path,
    source: Store | str | Path,
    *,
    out: str | Path | None = None,
    bank: str | Path = "bank",
    **options: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """Apply a probe that ``probe(..., save=True)`` kept to a store or to new images.

    Args:
        probe: Id of its result (column ``result``) or the beginning of it, or its folder.
        source: A store or its path, a name of ``list_datasets``, or a folder of images, which are
            embedded as the probe's own store was.
        out: File to write too, ``.csv`` or ``.parquet``; None writes none.
        bank: Folder where the probe is kept and images are embedded.
        **options: Fields of ``featbank.stages.predicting.options.PredictOptions``, the same as the
            options of ``featbank predict``: ``threshold``, ``weights``, ``limit``, ….

    Returns:
        One row a sample: its id, whether it is valid and why not, the predicted class or labels,
        a probability for each class, its place.

    Raises:
        FeatbankError: No such probe or source, or one that is embedded in another way.
    """
    from featbank.stages.predict import PredictOptions, plan_prediction
    from featbank.stages.predict import predict as predict_plan

    named = source if isinstance(source, str | Path) else source.path
    paths = {name: Path(options[name]) for name in ("data_root", "splits") if options.get(name)}
    asked = PredictOptions(
        probe=str(probe),
        source=str(named),
        out=None if out is None else Path(out),
        write=out is not None,
        bank=Path(bank),
        **{**options, **paths},
    )
    frame: pd.DataFrame = predict_plan(plan_prediction(asked)).table.to_pandas()
    return frame


def map_store(
    store: Store | str | Path | None = None,
    *,
    projection: str = "umap",
    bank: str | Path = "bank",
    **options: Any,  # noqa: ANN401
) -> FeatureMap:
    """Lay the samples of a store out in two dimensions, and keep the map in the bank.

    Args:
        store: A store or its path; None takes the bank's newest.
        projection: ``umap`` or ``pca``.
        bank: Folder where the map is kept.
        **options: Fields of ``featbank.stages.mapping.options.MapOptions``, the same as the
            options of ``featbank map``: ``features``, ``layer``, ``split``, ``neighbors``,
            ``min_dist``, ``fit_samples``, ``seed``, ….

    Returns:
        Sample ids and coordinates, with the recipe and how far they are to be believed: of a
        labelled store ``quality`` tells the mean neighbour purity of its classes too.

    Raises:
        FeatbankError: An unknown name, an unfinished store, or fewer than two samples.
    """
    from featbank.stages.map import MapOptions, map_features

    path = None if store is None else store if isinstance(store, str | Path) else store.path
    asked = MapOptions(
        projection=projection,
        store=None if path is None else Path(path),
        bank=Path(bank),
        **options,
    )
    return map_features(asked).believable


def report(
    *results: str,
    dataset: str | None = None,
    store: Store | str | Path | None = None,
    bank: str | Path = "bank",
    out: str | Path | None = None,
    **options: Any,  # noqa: ANN401
) -> Path:
    """Write one self-contained page of a dataset's stores, results, figures and map.

    Args:
        *results: Ids of results or their first digits; none takes all of the dataset.
        dataset: Dataset; None takes that of ``store``, of the results, or of the newest store.
        store: A store or its path, whose samples the map shows.
        bank: Folder of stores, results and maps.
        out: File to write; None takes ``<bank>/reports/<dataset>.html``.
        **options: Fields of ``featbank.stages.reporting.options.ReportOptions``, the same as the
            options of ``featbank report``: ``labels``, ``map``, ``thumbnails``, ``format``, ….

    Returns:
        The file that was written.

    Raises:
        FeatbankError: Unknown results, nothing to show, or a file that cannot be written.
    """
    from featbank.pages.report import write_report
    from featbank.stages.report import ReportOptions, gather_report
    from featbank.stages.reporting.finding_map import map_maker

    path = None if store is None else store if isinstance(store, str | Path) else store.path
    asked = ReportOptions(
        results=results,
        dataset=dataset,
        store=None if path is None else Path(path),
        bank=Path(bank),
        out=None if out is None else Path(out),
        **options,
    )
    return write_report(gather_report(asked, make_map=map_maker(asked.bank))).path


def open_store(path: str | Path) -> Store:
    """Open a finished store: ``.features``, ``.labels``, ``.split``, ``.xy``, ``.show``, ….

    Args:
        path: The store's path, ending in ``.zarr``.

    Raises:
        MissingPathError: There is no store at this path.
        UnfinishedStoreError: Its embedding has not finished.
    """
    from featbank.stages.show import open_store as open_with_pictures

    return open_with_pictures(path)


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


def open_dataset(
    dataset: str | Path, *, data_root: str | Path | None = None, chips: int | None = None
) -> Dataset:
    """Open a dataset: ``.bands``, ``.samples``, ``.reader``.

    Args:
        dataset: A name of ``list_datasets``, or a folder of images.
        data_root: Folder that holds a named dataset's own layout.
        chips: Number of chips of a procedural dataset.

    Raises:
        UnknownNameError: Neither in the catalog nor a folder.
        MissingPathError: The imagery is not on this machine.
    """
    from featbank.stages.opening import open_dataset as open_by_name

    root = None if data_root is None else Path(data_root)
    return open_by_name(str(dataset), data_root=root, chips=chips)


def list_models() -> pd.DataFrame:
    """The backbones, one row each."""
    import pandas as pd

    from featbank.stages.listing import model_rows

    return pd.DataFrame(model_rows())


def list_datasets() -> pd.DataFrame:
    """The datasets, one row each."""
    import pandas as pd

    from featbank.stages.listing import dataset_rows

    return pd.DataFrame(dataset_rows())


def list_protocols() -> pd.DataFrame:
    """The named protocols that a probe may follow, one row each."""
    import pandas as pd

    from featbank.stages.protocol_listing import protocol_rows

    return pd.DataFrame(protocol_rows())


def list_stores(bank: str | Path = "bank") -> pd.DataFrame:
    """The stores of a bank, one row each, with state and size."""
    import pandas as pd

    from featbank.stages.listing import store_rows

    return pd.DataFrame(store_rows(Path(bank)))


def remove_store(path: str | Path) -> int:
    """Remove a store and its run log, and give the bytes freed.

    Raises:
        MissingPathError: There is no store at this path.
        LockedError: A process is writing it.
    """
    from featbank.stages.listing import remove_store as remove

    return remove(Path(path))


def read_results(bank: str | Path = "bank") -> ResultFrame:
    """Every result of a bank in long form, one row a metric and class."""
    from featbank.bank.bank import Bank
    from featbank.bank.result_frame import whole_frame
    from featbank.bank.results import read_results as read

    return whole_frame(read(Bank(Path(bank))))


def scatter(
    feature_map: FeatureMap | None = None,
    store: Store | str | Path | None = None,
    *,
    result: str | None = None,
    bank: str | Path = "bank",
    **options: Any,  # noqa: ANN401
) -> ScatterWidget:
    """An interactive map for Jupyter: hover shows the chip, a lasso selects samples.

    Args:
        feature_map: What ``map_store`` gives; None takes the store's newest.
        store: The store that it is a map of, or its path; None takes the bank's newest.
        result: Id of a probe's result, or its first digits, to colour by right or wrong.
        bank: Folder where maps and predictions are kept.
        **options: ``colour`` (``label_<set>``, ``split_<scheme>``, any column of the store, or
            ``right or wrong``), ``height`` and ``thumbnail_px`` in pixels.

    Returns:
        A widget; its ``selection`` holds sample ids, can be observed, and highlights what it is
        set to.

    Raises:
        UsageError: anywidget is not installed.
        FeatbankError: No such map, store or result, or a map of another store.
    """
    from featbank.bank.bank import Bank
    from featbank.pages.widget import newest_map, predictions_of, scatter_widget

    home = Bank(Path(bank))
    opened = open_store(home.newest()) if store is None else store
    opened = open_store(opened) if isinstance(opened, str | Path) else opened
    said = None if result is None else predictions_of(home, result)
    found = newest_map(home, opened) if feature_map is None else feature_map
    return scatter_widget(found, opened, predictions=said, **options)
