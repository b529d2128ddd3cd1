"""Losses of the pretraining methods, each a function of tensors."""
