"""Exact k-nearest-neighbour search and vote, shared by probes, maps and curation."""
