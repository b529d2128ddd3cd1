"""The store: one Zarr v3 group with the features of one dataset under one embed recipe."""
