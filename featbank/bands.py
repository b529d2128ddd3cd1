"""Spectral bands: name, centre wavelength (µm), bandwidth (µm), ground sampling distance, unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from featbank.catalog import suggest
from featbank.errors import ContractError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

Unit = Literal["uint8", "DN", "reflectance", "dB", "linear", "amplitude", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Band:
    """One spectral channel.

    Attributes:
        name: The sensor's own name, such as ``B04`` or ``VV``.
        wavelength_um: Centre wavelength in µm; None where the file does not tell.
        bandwidth_um: Full width in µm; None where unknown.
        gsd_m: Ground sampling distance in m; None where it differs from chip to chip.
        unit: Unit of the stored number. ``DN`` is reflectance × 10,000.
        role: ``red``, ``green``, ``blue``, ``nir``, or empty; what ``--bands rgb`` looks for.
    """

    name: str
    wavelength_um: float | None = None
    bandwidth_um: float | None = None
    gsd_m: float | None = None
    unit: Unit = "unknown"
    role: str = ""


# C-band SAR at 5.405 GHz: c / f = 5.5466 cm (ESA Sentinel-1 SAR user guide, instrument payload).
# What a checkpoint wants to hear instead (DOFA's 3.75 or 5.405) belongs to the checkpoint.
SENTINEL1 = tuple(
    Band(name=name, wavelength_um=55465.8, gsd_m=10.0, unit="dB") for name in ("VV", "VH")
)

# Central wavelength and bandwidth of Sentinel-2A, ESA Sentinel-2 MSI user guide, spatial and
# spectral resolution tables (nm there, µm here).
_SENTINEL2 = (
    ("B01", 0.4427, 0.021, 60.0, ""),
    ("B02", 0.4924, 0.066, 10.0, "blue"),
    ("B03", 0.5598, 0.036, 10.0, "green"),
    ("B04", 0.6646, 0.031, 10.0, "red"),
    ("B05", 0.7041, 0.015, 20.0, ""),
    ("B06", 0.7405, 0.015, 20.0, ""),
    ("B07", 0.7828, 0.020, 20.0, ""),
    ("B08", 0.8328, 0.106, 10.0, "nir"),
    ("B8A", 0.8647, 0.021, 20.0, ""),
    ("B09", 0.9451, 0.020, 60.0, ""),
    ("B10", 1.3735, 0.031, 60.0, ""),
    ("B11", 1.6137, 0.091, 20.0, ""),
    ("B12", 2.2024, 0.175, 20.0, ""),
)
SENTINEL2 = tuple(
    Band(name=n, wavelength_um=w, bandwidth_um=b, gsd_m=g, unit="DN", role=r)
    for n, w, b, g, r in _SENTINEL2
)
# Level-2A has no cirrus band: atmospheric correction removes it.
SENTINEL2_L2A = tuple(band for band in SENTINEL2 if band.name != "B10")

# Eight-bit aerial or web imagery: the wavelengths that wavelength-conditioned models were trained
# with for NAIP and RGB (zhu-xlab/DOFA README).
RGB = (
    Band(name="red", wavelength_um=0.665, unit="uint8", role="red"),
    Band(name="green", wavelength_um=0.56, unit="uint8", role="green"),
    Band(name="blue", wavelength_um=0.49, unit="uint8", role="blue"),
)
NAIP = (*RGB, Band(name="nir", wavelength_um=0.842, unit="uint8", role="nir"))

# Zhuhai-1 OHS as cut in WHU-OHS, 32 bands of 10 m. The publisher's list prints 569 for the ninth
# band, out of order between 580 and 610; 596 is the only value that fits.
_OHS_NM = (
    *(466, 480, 500, 520, 536, 550, 566, 580, 596, 610, 626, 640, 656, 670, 686, 700),
    *(716, 730, 746, 760, 776, 790, 806, 820, 836, 850, 866, 880, 896, 910, 926, 940),
)
_OHS_ROLES = {656: "red", 550: "green", 480: "blue", 836: "nir"}
WHU_OHS = tuple(
    Band(
        name=f"b{i:02d}",
        wavelength_um=nm / 1000,
        gsd_m=10.0,
        unit="DN",
        role=_OHS_ROLES.get(nm, ""),
    )
    for i, nm in enumerate(_OHS_NM, start=1)
)

_SENSORS = {
    "s1": tuple(band.name for band in SENTINEL1),
    "s2": tuple(band.name for band in SENTINEL2),
    "ohs": tuple(band.name for band in WHU_OHS),
}


def select_bands(available: Sequence[Band], wanted: str, *, subject: str) -> tuple[Band, ...]:
    """Bands by name, by role (``rgb``), by sensor (``s1``, ``s2``, ``ohs``), or ``all``.

    Args:
        available: Bands that the dataset offers.
        wanted: ``all``, ``rgb``, a sensor, or comma-separated names in the order wanted.
        subject: Name of the dataset, for messages.

    Raises:
        ContractError: The dataset has no bands of this role or sensor.
        UnknownNameError: A name that the dataset does not have.
    """
    names = [band.name for band in available]
    if wanted == "all":
        return tuple(available)
    if wanted == "rgb":
        return _by_role(available, subject)
    if wanted in _SENSORS:
        chosen = tuple(band for band in available if band.name in _SENSORS[wanted])
        if not chosen:
            raise ContractError(
                subject,
                f"holds no band of sensor '{wanted}'",
                f"bands among {', '.join(names)}",
                "Pass --bands all or name the bands.",
            )
        return chosen
    return tuple(_by_name(available, name.strip(), subject) for name in wanted.split(","))


def _by_role(available: Sequence[Band], subject: str) -> tuple[Band, ...]:
    by_role = {band.role: band for band in available}
    missing = [role for role in ("red", "green", "blue") if role not in by_role]
    if missing:
        raise ContractError(
            subject,
            f"has no {', '.join(missing)} band among {', '.join(b.name for b in available)}",
            "red, green and blue bands for --bands rgb",
            "Name the bands with --bands.",
        )
    return by_role["red"], by_role["green"], by_role["blue"]


def _by_name(available: Sequence[Band], name: str, subject: str) -> Band:
    by_name = {band.name: band for band in available}
    if name not in by_name:
        raise UnknownNameError(
            name,
            f"{subject} has no band of this name",
            f"bands among {', '.join(by_name)}",
            suggest(name, by_name),
        )
    return by_name[name]
