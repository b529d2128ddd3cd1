"""DOFA's patch embedding, generated from wavelengths (Xiong et al. 2024, arXiv:2403.15356).

References:
    zhu-xlab/DOFA ``wave_dynamic_layer.py``; torchgeo ``models/dofa.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Width of wavelength tokens, number of learned weight tokens, and attention heads of the
# generator; ``wave_dim``, ``num_tokens`` and ``nhead`` upstream.
WAVE_DIM, WEIGHT_TOKENS, _HEADS = 128, 128, 4
# Upstream ``scaler``: generated weights and biases are a hundredth of what the layers give.
_SCALE = 0.01
_NM_PER_UM = 1000.0
# How the generator's rows become a kernel. The first published weights were trained with rows
# viewed as (D, C, k, k), which mixes bands; those after torchgeo #2256 with (C, k, k, D).
RESHAPES = ("new", "old")


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w1 = nn.Linear(WAVE_DIM, WAVE_DIM)
        self.w2 = nn.Linear(WAVE_DIM, WAVE_DIM)

    def forward(self, x: Tensor) -> Tensor:
        """(C, 128) -> (C, 128)."""
        return x + functional.relu(self.w2(functional.relu(self.w1(x))))


class _Generator(nn.Module):
    def __init__(self, kernel_size: int, dim: int) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(WAVE_DIM, _HEADS, activation="gelu", dropout=0.0)
        self.transformer_encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.fc_weight = nn.Linear(WAVE_DIM, kernel_size**2 * dim)
        self.fc_bias = nn.Linear(WAVE_DIM, dim)
        self.weight_tokens = nn.Parameter(torch.zeros(WEIGHT_TOKENS, WAVE_DIM))
        self.bias_token = nn.Parameter(torch.zeros(1, WAVE_DIM))

    def forward(self, waves: Tensor) -> tuple[Tensor, Tensor]:
        """(C, 128) -> (C, k * k * D) weight rows and (D,) bias."""
        tokens = torch.cat([self.weight_tokens, waves, self.bias_token])
        out = self.transformer_encoder(tokens)
        return self.fc_weight(out[WEIGHT_TOKENS:-1] + waves), self.fc_bias(out[-1])


class WaveKernels(nn.Module):
    """Generates the kernel and bias of a patch embedding for bands of given wavelengths.

    Equal wavelengths get equal kernels, since the generator's tokens have no positions: such bands
    are summed before anything else sees them.

    Args:
        patch_px: Side k of a patch.
        dim: D.
    """

    def __init__(self, patch_px: int, dim: int) -> None:
        super().__init__()
        self._shape = (patch_px, dim)
        self.weight_generator = _Generator(patch_px, dim)
        self.fclayer = _Residual()

    def forward(self, wavelengths_um: Sequence[float], reshape: str = "new") -> tuple[Tensor, ...]:
        """Kernel (D, C, k, k) and bias (D,).

        Args:
            wavelengths_um: C centre wavelengths in µm.
            reshape: ``new`` or ``old``, as the weights were trained.
        """
        waves = self.fclayer(wave_codes(wavelengths_um))
        rows, bias = self.weight_generator(waves)
        patch, dim = self._shape
        if reshape == "old":
            kernel = rows.reshape(dim, len(waves), patch, patch)
        else:
            kernel = rows.reshape(len(waves), patch, patch, dim).permute(3, 0, 1, 2)
        return kernel * _SCALE, bias * _SCALE


def wave_codes(wavelengths_um: Sequence[float]) -> Tensor:
    """(C, 128) sine and cosine codes of wavelengths, in float32."""
    nm = torch.tensor(wavelengths_um, dtype=torch.float32) * _NM_PER_UM
    half = WAVE_DIM // 2
    frequencies = 1.0 / 10000 ** (torch.arange(half, dtype=torch.float32) / half)
    angles = nm[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def generate_kernels(
    state: Mapping[str, Tensor],
    *,
    wavelengths_um: Sequence[float],
    patch_px: int,
    dim: int,
    reshape: str,
) -> dict[str, Tensor]:
    """The patch embedding of one sensor, generated once.

    Args:
        state: The generator's tensors, under upstream's names inside ``patch_embed``.
        wavelengths_um: C centre wavelengths in µm.
        patch_px: Side k of a patch.
        dim: D.
        reshape: ``new`` or ``old``.

    Returns:
        ``proj.weight`` (D, C, k, k) and ``proj.bias`` (D,).
    """
    network = WaveKernels(patch_px, dim)
    network.load_state_dict(dict(state))
    with torch.no_grad():
        kernel, bias = network.eval()(wavelengths_um, reshape)
    return {"proj.weight": kernel.contiguous(), "proj.bias": bias}
