"""Wavelengths that an option asks the images themselves for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.datasets.band_descriptions import described_wavelengths
from featbank.errors import UsageError
from featbank.sources.selection import sampled_rows

if TYPE_CHECKING:
    from featbank.datasets import Dataset
    from featbank.sources.embed_options import EmbedOptions

DESCRIPTIONS = "descriptions"
# Files of one product describe their bands alike; these few tell a folder of two products.
_FILES = 16


def with_described_waves(options: EmbedOptions, dataset: Dataset) -> EmbedOptions:
    """The options, with the wavelengths that the images give their bands where that is asked for.

    Raises:
        UsageError: The dataset has no files to ask.
        DatasetError: A file does not say, or says otherwise than another.
    """
    if options.wavelengths != DESCRIPTIONS:
        return options
    files = getattr(dataset.reader, "files", None)
    rows = sampled_rows(dataset.samples, count=_FILES)
    paths = [Path(files(row)[0]) for row in rows] if files is not None else []
    if not paths:
        raise UsageError(
            f"--wavelengths {DESCRIPTIONS}",
            f"dataset '{dataset.name}' has no files that describe their bands",
            "a folder of GeoTIFF images",
            "Give numbers.",
        )
    return replace(options, wavelengths=described_wavelengths(paths))
