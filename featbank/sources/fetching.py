"""Fetching datasets and weights from their publishers, when the user says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.backbones import BACKBONES
from featbank.catalog import suggest
from featbank.datasets import DATASETS
from featbank.downloads.fetch import fetch
from featbank.downloads.unpack import unpack
from featbank.errors import DownloadError, UnknownNameError, UsageError
from featbank.sources.local_files import data_folder, weights_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.datasets import DatasetSpec
    from featbank.remote import RemoteFile

    # Takes what is done, and bytes done and in all; the latter None where nobody knows.
    Progress = Callable[[str, int, int | None], None]


def fetch_dataset(
    name: str,
    data_root: Path | None = None,
    progress: Progress | None = None,
    *,
    edition: str | None = None,
) -> list[Path]:
    """Download and unpack every file of a dataset that is not here yet.

    Archives are kept beside what they make; repeating the call goes on where it was cut off.

    Args:
        name: Catalog name.
        data_root: The dataset's own folder; None takes ``$FEATBANK_DATA/<name>``.
        progress: Takes the step, its bytes done and in all.
        edition: An edition other than the current one, such as ``v1`` of BigEarthNet.

    Returns:
        What is now there that was not: files, and folders that archives made.

    Raises:
        UnknownNameError: No dataset or edition has this name.
        DownloadError: Nobody offers its files for download, or a file does not come whole.
    """
    spec = DATASETS[name]
    if not spec.files:
        raise _not_offered(spec)
    files = spec.files if edition is None else _edition(spec, edition)
    root = data_folder(spec, data_root)
    absent = [file for file in files if not (root / (file.makes or file.name)).exists()]
    return [_fetch_one(file, root, progress) for file in absent]


def _edition(spec: DatasetSpec, edition: str) -> tuple[RemoteFile, ...]:
    if edition not in spec.editions:
        raise UnknownNameError(
            edition,
            f"{spec.name} has no such edition to fetch",
            f"one of {', '.join(spec.editions) or 'none'}, or no --edition for the current one",
            suggest(edition, spec.editions),
        )
    return spec.editions[edition]


def fetch_weights(file: RemoteFile, folder: Path, progress: Progress | None = None) -> Path:
    """Download one file of weights, or check the one that is there.

    Args:
        file: What to fetch.
        folder: Where to.
        progress: Takes the step, its bytes done and in all.

    Raises:
        DownloadError: It does not come whole.
    """
    return _fetch_one(file, folder, progress)


def fetch_model(name: str, progress: Progress | None = None) -> Path:
    """Download the publisher's own weights of a backbone, or find them here.

    Args:
        name: Catalog name.
        progress: Takes the step, its bytes done and in all.

    Raises:
        UnknownNameError: No backbone has this name.
        UsageError: It has no weights of its own to fetch.
        DownloadError: They do not come whole, or the hub does not give them.
    """
    spec = BACKBONES[name]
    if spec.hub_id:
        from featbank.downloads.hub import hub_folder

        return hub_folder(spec.hub_id, may_download=True)
    if spec.remote is None:
        raise UsageError(
            f"--download {name}",
            f"its weights: {spec.weights_from}",
            "a model whose publisher offers a file",
            "Leave --download out.",
        )
    return fetch_weights(spec.remote, weights_folder(), progress)


def _fetch_one(file: RemoteFile, root: Path, progress: Progress | None) -> Path:
    def fetched(done: int, total: int | None) -> None:
        if progress:
            progress(f"downloading {file.name}", done, total)

    def unpacked(done: int, total: int) -> None:
        if progress:
            progress(f"unpacking {file.name}", done, total)

    path = fetch(file, root, progress=fetched)
    if not file.unpack:
        return path
    unpack(path, root, last=file.makes, progress=unpacked)
    return _made(file, path, root)


def _made(file: RemoteFile, archive: Path, root: Path) -> Path:
    made = root / (file.makes or file.name)
    if not made.exists():
        raise DownloadError(
            str(archive),
            f"was unpacked and brought no {file.makes}",
            f"{file.makes} in it",
            "The publisher may have changed the archive: look into its folder.",
        )
    return made


def _not_offered(spec: DatasetSpec) -> DownloadError:
    if not spec.needs_root:
        return DownloadError(
            spec.name,
            "has no files, it is computed",
            "a dataset with files",
            f"Use it as it is: --dataset {spec.name}.",
        )
    return DownloadError(
        spec.name,
        "no file of it is offered for download",
        "a dataset whose publisher offers files",
        f"Get it by hand from {spec.homepage or 'its publisher'} and pass --data-root.",
    )
