"""``featbank datasets``: the datasets; fetching one; checking a copy of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from featbank.cli.options import output_options
from featbank.cli.output import print_json, say

_COLUMNS = {
    "name": "dataset",
    "title": "what it is",
    "size": "size",
    "licence": "licence",
    "on_this_machine": "here",
}


@click.command(name="datasets")
@click.option("--download", metavar="D", help="Fetch this dataset; repeat to finish what was cut.")
@click.option("--check", metavar="D", help="Read every chip of this dataset, a name or a folder.")
@click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    help="Folder of the named dataset; default: $FEATBANK_DATA/<dataset>.",
)
@click.option(
    "--splits", type=click.Path(path_type=Path), help="With --check: split lists, file or folder."
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    help="With --check: CSV of path,bytes,sha256 (or .csv.gz) to compare the files with.",
)
@click.option("--edition", help="With --download: an edition other than the current one: v1.")
@click.option("--chips", type=int, help="With --check: number of chips of a synthetic dataset.")
@output_options
def command(
    download: str | None,
    check: str | None,
    data_root: Path | None,
    edition: str | None,
    as_json: bool,
    debug: bool,
    **asked: Any,  # noqa: ANN401 - click's values
) -> int:
    """List the datasets: bands, size, licence, whether they are on this machine.

    --check exits with 1 where a chip or a file is broken; a clean part is not broken.

    \b
    Examples:
      featbank datasets
      featbank datasets --download eurosat-ms --data-root data/eurosat
      featbank datasets --check path/to/EuroSATallBands --manifest sha256.csv
    """
    _require_partners(download, check, data_root, asked)
    _require_download(download, edition)
    if download is not None:
        return _download(download, data_root, edition, as_json)
    if check is not None:
        return _check(check, data_root, asked, as_json)
    return _list(as_json)


def _require_partners(
    download: str | None, check: str | None, data_root: Path | None, asked: dict[str, Any]
) -> None:
    from featbank.errors import UsageError

    if download is not None and check is not None:
        raise UsageError(
            "--download and --check", "both are given", "one of the two", "Download, then check."
        )
    alone = [f"--{name}" for name, value in asked.items() if value is not None and check is None]
    alone += ["--data-root"] if data_root is not None and download is None and check is None else []
    for option in alone:
        raise UsageError(
            option,
            "has nothing to work on",
            "--check D" if option != "--data-root" else "--check D or --download D",
            "Name the dataset.",
        )


def _require_download(download: str | None, edition: str | None) -> None:
    from featbank.errors import UsageError

    if edition is not None and download is None:
        raise UsageError(
            "--edition", "has nothing to work on", "--download D", "Name the dataset to fetch."
        )


def _list(as_json: bool) -> int:
    from featbank.lookup.listing import dataset_rows

    rows = dataset_rows()
    if as_json:
        print_json({"datasets": rows})
        return 0
    from featbank.pages.catalog_table import print_rows

    print_rows(rows, _COLUMNS, fold=("title", "size", "licence"))
    return 0


def _download(name: str, data_root: Path | None, edition: str | None, as_json: bool) -> int:
    from featbank.cli.step_bars import step_bars
    from featbank.sources.fetching import fetch_dataset

    with step_bars(counts_bytes=True) as progress:
        made = fetch_dataset(name, data_root, progress, edition=edition)
    if as_json:
        print_json({"dataset": name, "made": made})
    elif made:
        kept = " Archives are kept beside." if any(path.is_dir() for path in made) else ""
        say(f"{name}: fetched {', '.join(map(str, made))}.{kept}")
    else:
        say(f"{name}: all of it is here already.")
    return 0


def _check(name: str, data_root: Path | None, asked: dict[str, Any], as_json: bool) -> int:
    from featbank.cli.step_bars import step_bars
    from featbank.sources.checking import check_dataset

    with step_bars(counts_bytes=False) as progress:
        report = check_dataset(name, data_root, progress=progress, **asked)
    if as_json:
        print_json(report.as_row())
    else:
        from featbank.pages.check_page import print_check

        print_check(report)
    return int(report.is_broken)
