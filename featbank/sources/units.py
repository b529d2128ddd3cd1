"""What the numbers of a folder of images are, where the user says it: files do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args

from featbank.bands import RGB, Unit
from featbank.catalog import suggest
from featbank.errors import UsageError

if TYPE_CHECKING:
    from featbank.datasets import Dataset, DatasetSpec

# What backscatter is per unit area of: the ground, the slant plane's normal, the slant range
# (Small 2011, doi:10.1109/TGRS.2011.2120616, section II).
CALIBRATIONS = ("sigma0", "gamma0", "beta0")
_RADAR = ("linear", "dB", "amplitude")
_UNITS = tuple(unit for unit in get_args(Unit) if unit != "unknown")
_FOLDER = "folder"
UNITS = (*_UNITS, *(f"{name}-{unit}" for name in CALIBRATIONS for unit in _RADAR))


def require_unit(unit: str | None, spec: DatasetSpec) -> None:
    """Raise for a unit that nobody knows, or of a dataset that says itself what its numbers are.

    Raises:
        UsageError: Names the nearest unit, or the dataset.
    """
    if unit is not None and spec.name != _FOLDER:
        raise UsageError(
            f"--unit {unit}",
            f"dataset '{spec.name}' says itself what its numbers are",
            "a folder of images",
            "Leave --unit out.",
        )
    if unit is not None and unit not in UNITS:
        raise UsageError(
            f"--unit {unit}",
            "no unit has this name",
            f"one of {', '.join(_UNITS)}, those of radar also behind {', '.join(CALIBRATIONS)} "
            "and a hyphen, such as gamma0-dB",
            suggest(unit, UNITS),
        )


def with_unit(dataset: Dataset, unit: str | None) -> Dataset:
    """The dataset with all its bands in one unit.

    Three bands of ``uint8`` are red, green and blue, whatever type they are stored in.

    Args:
        dataset: A folder of images.
        unit: Name in ``UNITS``; None leaves what the files tell.
    """
    if unit is None:
        return dataset
    calibration, _, name = unit.rpartition("-")
    plain = cast("Unit", name)
    bands = tuple(replace(band, unit=plain) for band in dataset.bands)
    grids = dataset.grids
    if plain == "uint8" and len(bands) == len(RGB) and len(grids) == 1:
        bands = RGB
        grids = (replace(grids[0], bands=tuple(band.name for band in RGB)),)
    return replace(dataset, bands=bands, grids=grids, calibration=calibration)


def unit_of(units: list[str], calibration: str = "") -> str | None:
    """The one unit of a recipe's bands, as ``--unit`` takes it; None where there is no such."""
    alike = set(units)
    if len(alike) != 1 or alike == {"unknown"}:
        return None
    return f"{calibration}-{units[0]}" if calibration else units[0]
