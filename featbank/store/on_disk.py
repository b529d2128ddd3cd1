"""A store's arrays and attributes as they stand on disk, and its columns of places."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.store.schema import BBOX, CRS, LONLAT, MISSING, MISSING_BAND, REFUSED, VALID
from featbank.store.state import metadata
from featbank.store.stored import reading, stored_array

if TYPE_CHECKING:
    from pathlib import Path

    import zarr
    from numpy.typing import NDArray

    from featbank.image import Array


class OnDisk:
    """What a store is read from.

    Attributes:
        path: The store.
    """

    path: Path
    _group: zarr.Group

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Recipe, origins, licences, statistics and the command that made the store."""
        attributes: dict[str, Any] = metadata(self.path)["attributes"]
        return attributes

    @cached_property
    def lonlat(self) -> NDArray[np.float64] | None:
        """(N, 2) longitude and latitude in degrees, NaN unknown; None where no place is known."""
        return self._array(LONLAT).astype(np.float64) if LONLAT in self._group else None

    @cached_property
    def bbox(self) -> NDArray[np.float64] | None:
        """(N, 4) min x, min y, max x, max y in each sample's ``crs``; None where no file says."""
        return self._array(BBOX).astype(np.float64) if BBOX in self._group else None

    @cached_property
    def crs(self) -> NDArray[np.object_] | None:
        """(N,) such as ``EPSG:32632``, '' unknown; None where no file says."""
        return self._text(CRS) if CRS in self._group else None

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """(N,) whether the sample was embedded."""
        return self._array(VALID).astype(bool)

    @cached_property
    def refused(self) -> NDArray[np.object_]:
        """(N,) why a sample was refused; '' elsewhere."""
        return self._text(REFUSED)

    @cached_property
    def missing(self) -> NDArray[np.float32] | None:
        """(N,) share of pixels missing in any band, NaN unknown; None in stores of version 1."""
        return self._array(MISSING) if MISSING in self._group else None

    @cached_property
    def missing_by_band(self) -> NDArray[np.float32] | None:
        """(N, C) share of each band's pixels missing; None where the store does not tell."""
        return self._array(MISSING_BAND) if MISSING_BAND in self._group else None

    @property
    def scheme_aliases(self) -> dict[str, str]:
        """True name of a scheme by its other name: what ``random-0`` keeps apart."""
        return dict(self.attributes.get("scheme_aliases", {}))

    def _open(self, name: str) -> zarr.Array[Any]:
        return stored_array(self.path, name)

    def _array(self, name: str) -> Array:
        array = self._open(name)
        with reading(self.path, name):
            return np.asarray(array[...])

    def _text(self, name: str) -> NDArray[np.object_]:
        # Python strings: NumPy's own fixed-width text would pad each id to the longest.
        return self._array(name).astype(object)
