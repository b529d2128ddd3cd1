"""What people look at: maps, figures, the report page, the scatter of notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.front_door.stores import open_store
from featbank.trouble import told

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from featbank.bank.maps import FeatureMap
    from featbank.pages.scatter_widget import ScatterWidget
    from featbank.store.reader import Store


@told
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
        **options: Fields of ``featbank.stages.map.options.MapOptions``, the same as the
            options of ``featbank map``: ``features``, ``layer``, ``split``, ``neighbors``,
            ``min_dist``, ``fit_samples``, ``seed``, ….

    Returns:
        Sample ids and coordinates, with the recipe and how far they are to be believed: of a
        labelled store ``quality`` tells the mean neighbour purity of its classes too.

    Raises:
        FeatbankError: An unknown name, an unfinished store, or fewer than two samples.
    """
    from featbank.stages.map.run import MapOptions, map_features

    path = None if store is None else store if isinstance(store, str | Path) else store.path
    asked = MapOptions(
        projection=projection,
        store=None if path is None else Path(path),
        bank=Path(bank),
        **options,
    )
    return map_features(asked).believable


@told
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
    from featbank.lookup.subject_finding import find_subject
    from featbank.pages.figure_drawing import draw_figure
    from featbank.pages.figures import FigureOptions

    names = ("model", "dataset", "labels", "split_scheme")
    asked = {name: options.pop(name) for name in names if name in options}
    path = None if store is None else Path(store if isinstance(store, str | Path) else store.path)
    chosen = FigureOptions(**options | {"ids": tuple(options.get("ids", ()))})
    subject = find_subject(Bank(Path(bank)), results=results, store=path, **asked)
    return draw_figure(figure, subject, chosen, is_named=bool(results)).figure


@told
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
        **options: Fields of ``featbank.stages.report.options.ReportOptions``, the same as the
            options of ``featbank report``: ``labels``, ``map``, ``thumbnails``, ``format``, ….

    Returns:
        The file that was written.

    Raises:
        FeatbankError: Unknown results, nothing to show, or a file that cannot be written.
    """
    from featbank.pages.report import write_report
    from featbank.stages.report.finding_map import map_maker
    from featbank.stages.report.run import ReportOptions, gather_report

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


@told
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
