"""Weights of a frozen network held in the dtype that autocast would cast them to at every pass."""

from __future__ import annotations

import torch
from torch import nn

# Layers whose weights autocast casts, by their very type: what is derived from them may read its
# weights otherwise.
_CAST = (nn.Linear, nn.Conv2d)


def hold_half(network: nn.Module) -> int:
    """Cast the weights of linear layers and convolutions to bfloat16, once.

    Features under bfloat16 autocast stay the same bits: it casts the same numbers the same way,
    but again at every pass, since it keeps no copies of weights in inference mode.

    Args:
        network: In evaluation mode; changed in place.

    Returns:
        How many weights and biases were cast.
    """
    layers = [layer for layer in network.modules() if type(layer) in _CAST]
    if any(type(each).__module__.startswith("transformers") for each in network.modules()):
        return 0  # other people's networks may compute with them outside of autocast
    held = [p for layer in layers for p in layer.parameters(recurse=False)]
    for parameter in held:
        parameter.data = parameter.data.to(torch.bfloat16)
    return len(held)
