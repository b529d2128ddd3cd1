"""DINOv2-base on EuroSAT: probes, few-shot runs, fine-tuning, tables and figures.

The study that this repeats fine-tuned `dinov2-base` on 100 or 200 images of a class, and printed a
confusion matrix, a table of each class, single cases, and CPU beside GPU. Here the backbone is
first left frozen: it sees each image once, and every number of a probe comes from the store. Then
it is fine-tuned as in the study, and judged by the same metrics on the same test split.

    python pipelines/dinov2_eurosat.py --data-root path/to/EuroSAT --weights path/to/dinov2-base
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import numpy as np
from figure_files import write_figures, write_tables
from stage_times import stage
from study_options import given, study_options

import featbank

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.store.reader import Store

PROBES = ("knn", "linear", "logistic")
# Training images of each class in the study's text (100) and in its training section (200); of
# both the fine-tuning and the few-shot probes.
SHOTS = (100, 200)
OF_EACH = ("confusion-matrix", "reliability", "cases")
OF_ALL = (
    *("class-distribution", "examples", "headlines", "class-scores", "comparison"),
    *("feature-map", "map-panels", "retrieval", "attention", "cost"),
)


@click.command()
@study_options
@click.option("--dataset", default="eurosat-rgb", show_default=True)
@click.option("--epochs", type=int, default=10, show_default=True, help="Of fine-tuning.")
def main(
    *,
    dataset: str,
    epochs: int,
    data_root: Path | None,
    limit: int | None,
    bank: Path,
    out: Path | None,
    **options: Any,  # noqa: ANN401 - weights and image_size
) -> None:
    """Embed, probe, draw and write the tables of the study."""
    folder = out or bank / "dinov2-eurosat"
    source = given(data_root=data_root, limit=limit, bank=bank)
    with stage("embed by dinov2-base"):
        store = featbank.embed("dinov2-base", dataset, bands="rgb", **source, **given(**options))
    with stage("embed by imagestats, the baseline"):
        baseline = featbank.embed("imagestats", dataset, bands="rgb", **source)
    results = []
    for clf, probed in [*((clf, store) for clf in PROBES), ("logistic", baseline)]:
        with stage(f"probe {clf} on {probed.attributes['model']}"):
            results.append(featbank.probe(clf, probed, bank=bank).loc[0, "result"])
    with stage("few-shot"):
        few = few_shot(store, bank)
    tuned = fine_tuned(dataset, shots_allowed(store), source, given(epochs=epochs, **options))
    every = [*results, *few, *tuned]
    with stage("map"):
        featbank.map_store(store, bank=bank)
    with stage("figures"):
        write_figures(OF_EACH, [results[-2], tuned[-1]], bank=bank, out=folder)
        write_figures(OF_ALL, [*results, *tuned], bank=bank, out=folder)
        if few:
            write_figures(["few-shot-curve"], [*results[:-1], *few], bank=bank, out=folder)
    with stage("tables"):
        write_tables(every, bank=bank, out=folder)
    with stage("report"):
        page = featbank.report(*every, store=store, bank=bank, out=folder / "report.html")
    print(f"Look at it: {page.resolve()}")


def shots_allowed(store: Store) -> tuple[int, ...]:
    """The study's numbers of training images of a class that every class has."""
    smallest = int(np.bincount(store.xy("train")[1]).min())
    return tuple(number for number in SHOTS if number <= smallest)


def few_shot(store: Store, bank: Path) -> list[str]:
    """Id of the few-shot result; none where a class has too few training samples."""
    shots = shots_allowed(store)
    if not shots:
        print(f"few-shot: left out, it needs {SHOTS[0]} training samples of each class.")
        return []
    return [featbank.probe("logistic", store, bank=bank, shots=shots).loc[0, "result"]]


def fine_tuned(
    dataset: str, shots: tuple[int, ...], source: dict[str, Any], options: dict[str, Any]
) -> list[str]:
    """Id of a result for each number of training images of a class; of all where there are few."""
    found = []
    for number in shots or (None,):
        with stage(f"fine-tune on {number or 'all'} training images{' a class' * bool(number)}"):
            results = featbank.finetune(
                "dinov2-base", dataset, bands="rgb", **source, **options, **given(shots=number)
            )
        found.append(results.loc[0, "result"])
    return found


if __name__ == "__main__":
    main()
