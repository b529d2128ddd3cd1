"""Inputs: from a dataset's pixels to what a network takes: read, check, resize, normalise."""
