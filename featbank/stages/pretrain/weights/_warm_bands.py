"""The patch embedding of trained weights, for the bands of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.errors import ContractError, UsageError
from featbank.layers.inflation import mean_inflated, wavelength_inflated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from featbank.bands import Band
    from featbank.sources.first_weights import FirstWeights

WAYS = ("mean", "wavelength")


def fitted_bands(
    kernel: Tensor, source: FirstWeights, bands: Sequence[Band], inflate: str
) -> tuple[Tensor, list[str]]:
    """Kernels (D, N, p, p) for the bands of a run, and what was done to get them.

    A band that the weights know, by name or as red, green or blue, keeps its kernel. Otherwise
    ``wavelength`` interpolates; ``mean`` spreads the mean kernel over bands of another number, and
    carries kernels over in order where the numbers agree, as for three principal components.

    Args:
        kernel: (D, C, p, p).
        source: Its bands and name.
        bands: N bands wanted.
        inflate: One of ``WAYS``.

    Raises:
        ContractError: A wavelength is not known.
        UsageError: Another way than ``WAYS``.
    """
    if inflate not in WAYS:
        raise UsageError(
            f"--inflate {inflate}", "is no way to inflate", "mean or wavelength", "Name one."
        )
    count, known = kernel.shape[1], source.bands
    places = [_place(band, known) for band in bands]
    chosen = [place for place in places if place is not None]
    if len(set(chosen)) == len(bands):
        notes = [] if chosen == list(range(count)) else [f"kernels of {_names(bands)} are taken"]
        return kernel[:, chosen] * (count / len(bands)), notes
    is_spectral = inflate == "wavelength"
    if len(bands) == count and not (is_spectral and _all_known((*bands, *known))):
        taken = f"{_names(known)}" if known else f"{count} bands"
        return kernel, [f"kernels of {taken} are taken for {_names(bands)}, in this order"]
    note = f"the patch embedding is inflated from {count} to {len(bands)} bands by {inflate}"
    if not is_spectral:
        return mean_inflated(kernel, len(bands)), [note]
    known_um, wanted_um = _wavelengths(source.origin, known), _wavelengths("--bands", bands)
    outside = [b for b, um in zip(bands, wanted_um, strict=True) if not _within(um, known_um)]
    beyond = [f"{_names(outside)} lie outside its wavelengths: the nearest kernel"]
    return wavelength_inflated(kernel, known_um, wanted_um), [note, *(beyond if outside else [])]


def _place(band: Band, known: Sequence[Band]) -> int | None:
    for index, other in enumerate(known):
        if band.name == other.name or (band.role and band.role == other.role):
            return index
    return None


def _all_known(bands: Sequence[Band]) -> bool:
    return bool(bands) and all(band.wavelength_um is not None for band in bands)


def _within(wavelength_um: float, known_um: Sequence[float]) -> bool:
    return min(known_um) <= wavelength_um <= max(known_um)


def _names(bands: Sequence[Band]) -> str:
    return ", ".join(band.name for band in bands)


def _wavelengths(subject: str, bands: Sequence[Band]) -> list[float]:
    unknown = [band for band in bands if band.wavelength_um is None]
    if unknown or not bands:
        raise ContractError(
            subject,
            f"has no wavelength for {_names(unknown) or 'any band'}",
            "centre wavelengths of all bands for --inflate wavelength",
            "Pass --inflate mean.",
        )
    return [float(band.wavelength_um) for band in bands if band.wavelength_um is not None]
