"""How backbones are built: weights files read and checked, networks put together."""
