"""``featbank attend``: where the heads of a backbone look in named samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from featbank.cli.options import SEED, bank_option, device_option, names, output_options
from featbank.cli.output import print_json, say
from featbank.cli.step_bars import step_bars


@click.command(name="attend")
@click.option("--store", type=click.Path(path_type=Path), help="The store; default: the newest.")
@click.option("--model", help="Or find the store by backbone.")
@click.option("--dataset", help="Or by dataset, as 'embed' takes it.")
@click.option(
    "--ids",
    callback=names,
    default="",
    help="Sample ids, separated by commas. Default: one of each of six classes.",
)
@click.option(
    "--layer", type=int, default=-1, show_default=True, help="Block; negative from the end."
)
@click.option("--weights", help="The backbone's weights file, where it is not found by itself.")
@click.option("--download", is_flag=True, help="Fetch weights that are not on this machine.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the samples drawn.")
@device_option
@bank_option
@output_options
def command(
    store: Path | None,
    model: str | None,
    dataset: str | None,
    bank: Path,
    as_json: bool,
    debug: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Keep the attention maps of some samples, which the figure 'attention' draws.

    \b
    Examples:
      featbank attend --weights path/to/vit_tiny_patch16_224.safetensors
      featbank attend --ids Airport/airport_1,Beach/beach_7 --layer 5 --weights path/to/weights

    The store's recipe is followed: same images, bands, size, normalisation numbers and weights.
    For each head: how much the CLS token, and each register where there are any, takes from each
    patch. What is kept already stays.
    """
    from featbank.bank.bank import Bank
    from featbank.lookup.stores import find_store
    from featbank.stages.attend.run import AttendOptions, attend
    from featbank.store.reader import Store

    path = find_store(Bank(bank), store=store, model=model, dataset=dataset)
    with step_bars(counts_bytes=True) as fetching:
        report = attend(Store(path), AttendOptions(**options), progress=fetching)
    if as_json:
        print_json({**vars(report), "results": []})
    else:
        say(report.sentence())
