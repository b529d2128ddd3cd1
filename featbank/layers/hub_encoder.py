"""Vision transformers of the transformers library as backbones: any of their blocks, pooled."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from featbank.errors import ContractError
from featbank.layers.missing import kept_patches, mean_patch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featbank.layers.missing import Missing

# The final norm has another name in each family.
_NORMS = ("layernorm", "norm", "post_layernorm")


class HubEncoder(nn.Module):
    """Gives a transformers vision model the form of a backbone.

    Args:
        model: The model; its sequence is some prefix tokens (CLS first, then registers or a
            distillation token), then the patch tokens row by row.
        patch_px: Side of a patch.
        prefix: Number of tokens before the patch tokens; 0 means no CLS.
        registers: Number of register tokens among them.
    """

    def __init__(self, model: nn.Module, *, patch_px: int, prefix: int, registers: int) -> None:
        super().__init__()
        self.model = model
        self._patch_px = patch_px
        self._prefix = prefix
        self._registers = registers
        self._norm: nn.Module = next(
            getattr(model, name) for name in _NORMS if hasattr(model, name)
        )
        self._wanted: set[int] = set()
        self._taps: dict[int, Tensor] = {}
        for index, block in enumerate(blocks_of(model)):
            block.register_forward_hook(self._keep(index))

    def _keep(self, index: int) -> Any:  # noqa: ANN401 - a forward hook
        def hook(_module: nn.Module, _inputs: object, output: Any) -> None:  # noqa: ANN401
            if index in self._wanted:
                self._taps[index] = output[0] if isinstance(output, tuple) else output

        return hook

    def forward(
        self,
        x: Tensor,
        *,
        layers: Sequence[int],
        with_tokens: bool = False,
        missing: Missing | None = None,
    ) -> dict[str, Tensor]:
        """Features of the blocks named, as ``featbank.layers.vit.VisionTransformer`` gives them."""
        self._wanted, self._taps = set(layers), {}
        run_model(self.model, x)
        taps = [self._taps[index] for index in sorted(self._wanted)]
        self._taps = {}
        normed = [self._norm(tap).float() for tap in taps]
        grid = (x.shape[-2] // self._patch_px, x.shape[-1] // self._patch_px)
        kept = None if missing is None else kept_patches(missing, grid)
        means = [mean_patch(n[:, self._prefix :], kept) for n in normed]
        raw = [mean_patch(tap[:, self._prefix :].float(), kept) for tap in taps]
        features = {"mean": torch.stack(means, dim=1), "mean_raw": torch.stack(raw, dim=1)}
        if self._prefix:
            features["cls"] = torch.stack([n[:, 0] for n in normed], dim=1)
        if self._registers:
            held = [n[:, 1 : 1 + self._registers] for n in normed]
            features["registers"] = torch.stack(held, dim=1)
        if with_tokens:
            tokens = torch.stack([tap[:, self._prefix :] for tap in taps], dim=1)
            features["tokens"] = tokens.reshape(*tokens.shape[:2], *grid, tokens.shape[-1])
        return features

    def attention(self, x: Tensor, *, layer: int) -> Tensor:
        """As ``featbank.layers.vit.VisionTransformer.attention``; (B, heads, 1 + R, gy, gx).

        Raises:
            ContractError: The network has no CLS token.
        """
        if not self._prefix:
            raise ContractError(
                type(self.model).__name__,
                "it has no CLS token, whose attention could be shown",
                "a network with one",
                "Embed with another model.",
            )
        with _explicit(self.model):
            maps = run_model(self.model, x, output_attentions=True).attentions
        rows: Tensor = maps[layer][:, :, : 1 + self._registers, self._prefix :].float()
        grid = (x.shape[-2] // self._patch_px, x.shape[-1] // self._patch_px)
        return rows.reshape(*rows.shape[:3], *grid)


@contextmanager
def _explicit(model: Any) -> Iterator[None]:  # noqa: ANN401 - a transformers model
    """Attention as explicit products: the fused kernel silently gives no probabilities."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def blocks_of(model: nn.Module) -> nn.ModuleList:
    """The model's transformer blocks: its longest list of modules; none where it has no list."""
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len, default=nn.ModuleList())


def run_model(model: nn.Module, x: Tensor, **options: Any) -> Any:  # noqa: ANN401 - an output
    """Run a model on chips of any size, every patch kept in its place."""
    taken = inspect.signature(model.forward).parameters
    if "interpolate_pos_encoding" in taken:
        options["interpolate_pos_encoding"] = True
    if "noise" in taken:
        # Masked autoencoders sort patches by noise even where nothing is masked.
        patch = int(model.config.patch_size)  # type: ignore[union-attr, arg-type]
        count = (x.shape[-2] // patch) * (x.shape[-1] // patch)
        options["noise"] = torch.arange(count, device=x.device).expand(x.shape[0], -1).float()
    return model(pixel_values=x, **options)
