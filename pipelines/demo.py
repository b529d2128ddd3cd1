"""What `make demo` runs: a synthetic landscape embedded twice, probed, mapped, and its report page.

    python pipelines/demo.py
    python pipelines/demo.py --data-root path/to/AID --weights vit-tiny.safetensors

With ``--data-root``, a folder of class folders of images takes the landscape's place; with
``--weights``, a ViT-Ti/16 is embedded beside the two baselines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pandas as pd
from stage_times import stage
from study_options import given, study_options

import featbank

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = ["model", "protocol", "metric", "value", "low", "high", "n"]


@click.command()
@study_options
@click.option("--chips", type=int, help="Chips of the landscape; default: 2,000.")
def main(
    *,
    data_root: Path | None,
    weights: str | None,
    bank: Path,
    out: Path | None,
    **embed: Any,  # noqa: ANN401 - limit, image_size and chips
) -> None:
    """Embed, probe, map and report."""
    dataset = str(data_root or "synthetic-s2")
    image_size = embed.pop("image_size")
    runs: dict[str, dict[str, Any]] = {"imagestats": {}, "rcf": {}}
    if weights is not None:
        # A z-score over the train split serves weights of which nobody says how they were trained.
        chosen = given(weights=weights, image_size=image_size)
        runs["vit-tiny"] = {"normalise": "dataset", **chosen}
    results = []
    for model, options in runs.items():
        with stage(f"embed by {model}"):
            store = featbank.embed(model, dataset, bank=bank, **given(**embed), **options)
        with stage(f"probe {model}"):
            results.append(featbank.probe("logistic", store, bank=bank).headlines)
    with stage("map"):
        featbank.map_store(store, bank=bank)
    with stage("report"):
        page = featbank.report(
            *(head["result"].item() for head in results),
            store=store,
            bank=bank,
            out=None if out is None else out / "report.html",
        )
    print(pd.concat(results)[SHOWN].round(3).to_string(index=False))
    print(f"Look at it: {page.resolve()}")


if __name__ == "__main__":
    main()
