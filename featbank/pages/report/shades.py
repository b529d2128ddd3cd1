"""Colours of classes on the interactive map, whose legend tells classes apart too."""

from __future__ import annotations

# Okabe and Ito 2008, without black and yellow: as the figures have it.
FEW = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a5c2e")


_TABLES = ("tab20", "tab20b", "tab20c")


def _many() -> tuple[str, ...]:
    """Sixty colours of d3's category palettes, neighbours unlike: dark ones first, then light."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    tables = [[to_hex(colormaps[name](k)) for k in range(20)] for name in _TABLES]
    dark, light = tables[0][::2], tables[0][1::2]
    rest = [shade for table in tables[1:] for start in range(4) for shade in table[start::4]]
    return tuple(dark + light + rest)


MANY = _many()
