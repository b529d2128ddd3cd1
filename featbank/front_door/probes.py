"""Probing stores, comparing results, predicting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.trouble import told

if TYPE_CHECKING:
    import pandas as pd

    from featbank.bank.result_frame import ResultFrame
    from featbank.store.reader import Store


@told
def probe(
    clf: str | None = None,
    store: Store | str | Path | None = None,
    *,
    bank: str | Path = "bank",
    **options: Any,  # noqa: ANN401
) -> ResultFrame:
    """Fit a probe on a store's features, choose its parameters, score it on test.

    By default candidates are fitted on train, the best on validation is taken, and fitted again on
    train and validation together; ``knn`` and ``forest`` have nothing to choose. Protocols of
    other authors may do otherwise, and few-shot runs fit on the shots alone.

    Args:
        clf: ``knn``, ``logistic``, or another name in the probes catalog; None where
            ``protocol`` says it.
        store: A store or its path; None takes the bank's newest.
        bank: Folder where results and predictions are kept.
        **options: Fields of ``featbank.stages.probe.options.ProbeOptions``, the same as the options
            of ``featbank probe``: ``protocol``, ``features``, ``layer``, ``labels``,
            ``split_scheme``, ``shots``, ``by``, ….

    Returns:
        A DataFrame of one row a metric and class, the headline first, which a notebook shows as
        its headline.

    Raises:
        FeatbankError: An unknown name, an unfinished store, or splits without samples.
    """
    from featbank.bank.result_frame import ResultFrame
    from featbank.bank.results import to_frame
    from featbank.stages.probe.run import ProbeOptions, probe_store

    path = None if store is None else store if isinstance(store, str | Path) else store.path
    report = probe_store(
        ProbeOptions(
            clf=clf, store=None if path is None else Path(path), bank=Path(bank), **options
        )
    )
    return ResultFrame(to_frame(report.results))


@told
def compare(
    *results: str,
    bank: str | Path = "bank",
    **options: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """Tell whether results differ by more than chance, on the samples that all of them scored.

    Args:
        *results: Ids of results or their first digits; none takes all that the options leave.
        bank: Folder where results and predictions are kept.
        **options: Fields of ``featbank.stages.compare.options.CompareOptions``, the same as the
            options of ``featbank compare``: ``dataset``, ``protocol``, ``metric``, ….

    Returns:
        One row a pair: both sides, their difference with its 95 % interval (of the pair alone),
        its p-value before and after Holm's correction, and which is the better (None where no
        difference is shown).

    Raises:
        FeatbankError: Unknown or too few results, or results that cannot be joined.
    """
    import pandas as pd

    from featbank.stages.compare.run import CompareOptions, compare_results

    return pd.DataFrame(
        compare_results(CompareOptions(results=results, bank=Path(bank), **options)).rows()
    )


@told
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
        **options: Fields of ``featbank.stages.predict.options.PredictOptions``, the same as the
            options of ``featbank predict``: ``threshold``, ``weights``, ``limit``, ….

    Returns:
        One row a sample: its id, whether it is valid and why not, the predicted class or labels,
        a probability for each class, its place.

    Raises:
        FeatbankError: No such probe or source, or one that is embedded in another way.
    """
    from featbank.stages.predict.run import PredictOptions, plan_prediction
    from featbank.stages.predict.run import predict as predict_plan

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


@told
def read_results(bank: str | Path = "bank") -> ResultFrame:
    """Every result of a bank in long form, one row a metric and class."""
    from featbank.bank.bank import Bank
    from featbank.bank.result_frame import whole_frame
    from featbank.bank.results import read_results as read

    return whole_frame(read(Bank(Path(bank))))
