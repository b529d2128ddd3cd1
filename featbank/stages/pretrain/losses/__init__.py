"""Losses of the pretraining methods: arithmetic on tensors, all in float32."""
