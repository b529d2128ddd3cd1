"""Parameter names of vision transformers: from transformers' back to the originals'.

References:
    transformers ``models/dinov2/convert_dinov2_to_hf.py`` and
    ``models/vit/convert_vit_timm_to_pytorch.py``, read from right to left.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODELS = ("dinov2_with_registers.", "dinov2.", "vit.")
_WHOLE = {
    "embeddings.cls_token": "cls_token",
    "embeddings.mask_token": "mask_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.register_tokens": "register_tokens",
    "embeddings.patch_embeddings.projection.weight": "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.bias": "patch_embed.proj.bias",
    "layernorm.weight": "norm.weight",
    "layernorm.bias": "norm.bias",
}
_PARTS = (
    ("attention.output.dense.", "attn.proj."),
    ("layer_scale1.lambda1", "ls1.gamma"),
    ("layer_scale2.lambda1", "ls2.gamma"),
    # ViT and ViT-MAE; after the attention's own ``output.dense``.
    ("layernorm_before.", "norm1."),
    ("layernorm_after.", "norm2."),
    ("intermediate.dense.", "mlp.fc1."),
    ("output.dense.", "mlp.fc2."),
    ("mlp.weights_in.", "mlp.w12."),
    ("mlp.weights_out.", "mlp.w3."),
)
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)")
_QKV = re.compile(r"attention\.attention\.(query|key|value)\.(weight|bias)")


def original_names(state: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A state under the original's names, whichever it comes with.

    Args:
        state: Tensors by name.
        source: File, for messages.

    Raises:
        WeightsError: A query, key or value without its partners.
    """
    plain = {_without_model(name): value for name, value in state.items()}
    if "embeddings.cls_token" not in plain:
        return dict(plain)
    renamed: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for name, value in plain.items():
        new = _renamed(name)
        query = _QKV.search(new)
        if query:
            joined = f"{new[: query.start()]}attn.qkv.{query[2]}"
            parts.setdefault(joined, {})[query[1]] = value
        else:
            renamed[new] = value
    return renamed | {name: _joined(three, name, source) for name, three in parts.items()}


def _without_model(name: str) -> str:
    for prefix in _MODELS:
        name = name.removeprefix(prefix)
    return name


def _renamed(name: str) -> str:
    layer = _LAYER.match(name)
    if layer is None:
        return _WHOLE.get(name, name)
    rest = layer[2]
    for theirs, original in _PARTS:
        rest = rest.replace(theirs, original)
    return f"blocks.{layer[1]}.{rest}"


def _joined(three: Mapping[str, Any], name: str, source: str) -> Any:  # noqa: ANN401 - a tensor
    import torch

    if set(three) != {"query", "key", "value"}:
        raise WeightsError(
            source,
            f"'{name}' has only {', '.join(sorted(three))}",
            "query, key and value of every block",
            "Fetch the file again.",
        )
    return torch.cat([three["query"], three["key"], three["value"]])
