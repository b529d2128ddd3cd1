"""The store: one Zarr v3 group with the features of one dataset under one embed recipe."""

from featbank.store.text_codec import use_text_codec

use_text_codec()
