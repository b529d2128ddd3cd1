"""Files that stand beside an image and change what its pixels mean, in the way of GDAL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Behind the whole name: GDAL's metadata and its external mask.
_BEHIND_NAME = (".aux.xml", ".msk")
# In place of the suffix: ENVI's header and the world files, https://gdal.org/drivers/raster/wld.html
_BEHIND_STEM = (".aux.xml", ".hdr", ".wld", ".prj")


def side_files(path: Path) -> tuple[Path, ...]:
    """Files beside an image that exist, in a fixed order.

    Args:
        path: The image, such as ``x.tif``.

    Returns:
        Those of ``x.tif.aux.xml``, ``x.tif.msk``, ``x.aux.xml``, ``x.hdr``, ``x.wld``, ``x.prj``,
        ``x.tfw``, ``x.tifw`` that are there.
    """
    suffix = path.suffix.removeprefix(".")
    worlds = (f".{suffix[:1]}{suffix[-1:]}w", f".{suffix}w") if suffix else ()
    names = [f"{path.name}{end}" for end in _BEHIND_NAME]
    names += [f"{path.stem}{end}" for end in (*_BEHIND_STEM, *worlds)]
    return tuple(side for name in names if (side := path.with_name(name)).is_file())
