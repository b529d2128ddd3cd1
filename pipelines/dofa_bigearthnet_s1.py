"""DOFA features of BigEarthNet-S1: forest, linear layer and MLP, on 19 and on 43 classes.

The study that this repeats (Hot Topics in Computer Vision 2024) printed one table for each
nomenclature and drew the distribution and correlation of classes, a map for each class, F2 of each
class for two classifiers, and a confusion matrix of each class. Both nomenclatures are asked of
one store here. Beside the study's protocol stand featbank's own probes, whose thresholds are tuned
on validation.

    python pipelines/dofa_bigearthnet_s1.py --data-root path/to/BigEarthNet --weights dofa.pth
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from figure_files import write_figures, write_tables
from stage_times import stage
from study_options import given, study_options

import featbank

if TYPE_CHECKING:
    from featbank.store.reader import Store

DATASET = "bigearthnet-s1"
LABEL_SETS = ("19-class", "43-class")
FOREST, LINEAR, MLP = "htcv-2024-forest", "htcv-2024-linear", "htcv-2024-mlp"
OWN = ("logistic", "mlp")
OF_DATA = ("class-distribution", "label-correlation", "label-cooccurrence", "map-panels")
OF_EACH = ("label-confusion", "precision-recall", "reliability")
OF_ALL = ("headlines", "comparison", "examples", "cost")


@click.command()
@study_options
@click.option("--splits", type=click.Path(path_type=Path), help="Split lists of v1.")
@click.option(
    "--labels",
    type=click.Choice(LABEL_SETS),
    multiple=True,
    default=LABEL_SETS,
    show_default=True,
    help="Nomenclatures; v2 has 19 classes alone.",
)
@click.option("--seeds", default=5, show_default=True, help="Fits of a random probe.")
def main(
    *,
    labels: tuple[str, ...],
    seeds: int,
    bank: Path,
    out: Path | None,
    weights: str | None,
    image_size: int | None,
    **source: Any,  # noqa: ANN401 - data_root, limit and splits
) -> None:
    """Embed once, then ask both nomenclatures."""
    folder = out or bank / "dofa-bigearthnet-s1"
    taken = given(**source, bank=bank)
    with stage("embed by dofa"):
        store = featbank.embed(
            "dofa", DATASET, **taken, **given(weights=weights, image_size=image_size)
        )
    with stage("embed by imagestats, the baseline"):
        baseline = featbank.embed("imagestats", DATASET, **taken)
    with stage("map"):
        featbank.map_store(store, bank=bank)
    for name in labels:
        asked = {"bank": bank, "labels": name, "seeds": seeds}
        page = study(store, baseline, asked, folder / name)
        print(f"Look at it: {page.resolve()}")


def study(store: Store, baseline: Store, asked: dict[str, Any], folder: Path) -> Path:
    """Probe one nomenclature, and write its figures, tables and page."""
    bank, labels, found = asked["bank"], asked["labels"], {}
    for protocol in (FOREST, LINEAR, MLP):
        with stage(f"{labels}: {protocol}"):
            found[protocol] = probe(store, protocol=protocol, **asked)
    for clf in OWN:
        with stage(f"{labels}: featbank-{clf}, thresholds tuned"):
            found[clf] = probe(store, clf=clf, **asked)
    with stage(f"{labels}: the baseline"):
        found["baseline"] = probe(baseline, clf=OWN[0], **asked)
    ids = list(found.values())
    with stage(f"{labels}: figures"):
        write_figures(OF_DATA, ids[:1], bank=bank, out=folder)
        write_figures(OF_ALL, ids, bank=bank, out=folder)
        pair = [found[LINEAR], found[MLP]]
        write_figures(["class-scores"], pair, bank=bank, out=folder, metric="f2")
        tuned = [found[clf] for clf in OWN]
        tuned_folder = folder / "tuned-f2"
        choice = {"metric": "f2", "threshold": "tuned-f2"}
        write_figures(["class-scores"], tuned, bank=bank, out=tuned_folder, **choice)
        write_figures(OF_EACH, [found[MLP], found["mlp"]], bank=bank, out=folder)
    with stage(f"{labels}: tables"):
        write_tables(ids, bank=bank, out=folder)
    with stage(f"{labels}: report"):
        return featbank.report(*ids, store=store, bank=bank, out=folder / "report.html")


def probe(store: Store, **options: Any) -> str:  # noqa: ANN401
    """Id of a probe's result."""
    return str(featbank.probe(store=store, **options).loc[0, "result"])


if __name__ == "__main__":
    main()
