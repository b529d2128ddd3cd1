"""Torch building blocks that backbones are made of."""
