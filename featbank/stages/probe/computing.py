"""What computes a probe, and in what arithmetic, as results record it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.device import device_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.probes import ProbeSpec


def computed_on(probe: ProbeSpec, asked: str) -> str:
    """``cpu``, or the name of the GPU.

    Args:
        probe: The probe.
        asked: ``auto``, ``cpu`` or ``cuda``.
    """
    if (place := _place(probe, asked)) == "cpu":
        return "cpu"
    import torch

    return torch.cuda.get_device_name(place)


def computed_in(probe: ProbeSpec, asked: str, params: Mapping[str, Any], dim: int) -> str:
    """Arithmetic of a fit, as PyTorch names it.

    Args:
        probe: The probe.
        asked: ``auto``, ``cpu`` or ``cuda``.
        params: Of the fit; the probe's defaults fill the gaps.
        dim: Number of features.
    """
    return probe.dtype({**probe.defaults, **params}, _place(probe, asked), dim)


def idle_gpu(probe: ProbeSpec, asked: str) -> str:
    """That a probe has no use for the GPU that was asked for; '' where it has."""
    if asked == "cuda" and "cuda" not in probe.devices:
        return f"probe '{probe.name}' computes on the CPU, whatever --device says"
    return ""


def _place(probe: ProbeSpec, asked: str) -> str:
    return device_of(asked) if "cuda" in probe.devices else "cpu"
