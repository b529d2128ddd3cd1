"""Where files of datasets and weights belong on this machine, and what to say when they do not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.downloads.space import in_words
from featbank.errors import MissingPathError

if TYPE_CHECKING:
    from featbank.datasets import DatasetSpec

DATA_VARIABLE = "FEATBANK_DATA"
WEIGHTS_VARIABLE = "FEATBANK_WEIGHTS"


def data_folder(spec: DatasetSpec, data_root: Path | None) -> Path:
    """The folder that holds, or will hold, a dataset's own published layout.

    Args:
        spec: A dataset with files.
        data_root: As the user named it; None takes ``$FEATBANK_DATA/<name>``.

    Raises:
        MissingPathError: Neither was named.
    """
    if data_root is not None:
        return data_root
    data = os.environ.get(DATA_VARIABLE)
    if not data:
        raise MissingPathError(
            spec.name,
            "no folder was named that holds it",
            f"--data-root or the variable {DATA_VARIABLE}",
            "Pass --data-root path/to/its/own/folder.",
        )
    return Path(data) / spec.name


def missing_dataset(spec: DatasetSpec, root: Path) -> MissingPathError:
    """The one error for a dataset that is not on this machine.

    Args:
        spec: The dataset.
        root: Where it was looked for.
    """
    made = ", ".join(file.makes or file.name for file in spec.files)
    return MissingPathError(
        spec.name,
        f"is not at {root}",
        f"its published layout there{f' ({made})' if made else ''}",
        _how_to_get(spec, root),
    )


def _how_to_get(spec: DatasetSpec, root: Path) -> str:
    elsewhere = "name its folder with --data-root if it is elsewhere."
    if not spec.files:
        return f"Get it from {spec.homepage or 'its publisher'}, or {elsewhere}"
    sizes = [file.size_bytes for file in spec.files]
    known = sum(size for size in sizes if size is not None)
    size = f" ({in_words(known)}{' and more' if None in sizes else ''})" if known else ""
    command = f"featbank datasets --download {spec.name} --data-root {root}"
    return f"Run '{command}'{size}, or {elsewhere}"


def weights_folder() -> Path:
    """Where published weights are kept: ``$FEATBANK_WEIGHTS``, or the user's cache."""
    named = os.environ.get(WEIGHTS_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "featbank" / "weights"
