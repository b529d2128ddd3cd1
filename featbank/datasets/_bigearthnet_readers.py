"""Reading BigEarthNet patches and label maps: band files by name, whatever their order on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._clc import map_to_19
from featbank.datasets.decode import FileLayout, decode, read_whole
from featbank.errors import DecodeError
from featbank.image import with_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array, Grid, Image

# Codes of land cover stay numbers, whatever colours a map draws them in.
_MAP = FileLayout(bands=1, dtype="uint16", applies_scale=False, takes_indices=True)


@dataclass(frozen=True, kw_only=True)
class PatchReader:
    """Reads the patches of one sensor.

    Attributes:
        root: The sensor's folder.
        names: (N,) patch names, as bytes: a quarter of the memory in every reader process.
        fields: How many fields at the end of a patch's name are not in its parent folder's name;
            0 where patches stand directly in the root.
        grids: Bands, dtype and size of each array.
    """

    root: str
    names: NDArray[np.bytes_]
    fields: int
    grids: tuple[Grid, ...]

    def read(self, index: int) -> Image:
        """Pixels of patch ``index``, grid by grid."""
        name = self.names[index].decode()
        stem = f"{patch_folder(name, self.fields)}/{name}"
        return {grid.name: self._read_grid(stem, grid) for grid in self.grids}

    def files(self, index: int) -> tuple[str, ...]:
        """Band files of patch ``index``, in the order in which they are read."""
        name = self.names[index].decode()
        stem = f"{self.root}/{patch_folder(name, self.fields)}/{name}"
        return tuple(f"{stem}_{band}.tif" for grid in self.grids for band in grid.bands)

    def only(self, grids: tuple[Grid, ...]) -> PatchReader:
        """A reader of fewer bands, which opens no other file."""
        return replace(self, grids=grids)

    def _read_grid(self, stem: str, grid: Grid) -> Array:
        layout = FileLayout(bands=1, dtype=grid.dtype, applies_scale=False)
        bands = [self._read_band(f"{stem}_{band}.tif", grid, layout) for band in grid.bands]
        if any(isinstance(band, np.ma.MaskedArray) for band in bands):
            missing = np.concatenate([np.ma.getmaskarray(band) for band in bands])
            return with_missing(np.concatenate([np.ma.getdata(band) for band in bands]), missing)
        return np.concatenate(bands)

    def _read_band(self, path: str, grid: Grid, layout: FileLayout) -> Array:
        pixels = read_tiff(self.root, path, layout)
        if pixels.shape[1:] != grid.size_px or pixels.dtype != grid.dtype:
            raise DecodeError(
                path,
                f"holds {pixels.shape[1]} × {pixels.shape[2]} pixels of {pixels.dtype}",
                f"{grid.size_px} pixels of {grid.dtype}",
                "Replace it by the publisher's file.",
            )
        return pixels


@dataclass(frozen=True, kw_only=True)
class PairReader:
    """Reads both sensors of a pair as one chip.

    Attributes:
        readers: Readers with the same rows and different grids.
    """

    readers: tuple[PatchReader, ...]

    def read(self, index: int) -> Image:
        """Pixels of pair ``index``: the grids of both sensors."""
        image: dict[str, Array] = {}
        for reader in self.readers:
            image |= reader.read(index)
        return image

    def files(self, index: int) -> tuple[str, ...]:
        """Band files of both patches of pair ``index``."""
        return tuple(path for reader in self.readers for path in reader.files(index))


@dataclass(frozen=True, kw_only=True)
class MapReader:
    """Reads reference maps: CORINE level-3 codes, merged to 19 classes.

    Attributes:
        root: Folder of the maps.
        names: (N,) names of the Sentinel-2 patches, as bytes; empty where unknown.
        fields: As for ``PatchReader``.
    """

    root: str
    names: NDArray[np.bytes_]
    fields: int

    def read_mask(self, index: int) -> Array:
        """(H, W) int16 indices of the 19 classes, -1 for all other land."""
        name = self.names[index].decode()
        if not name:
            raise DecodeError(
                f"row {index}", "its Sentinel-2 patch is unknown", "its name", "Add its metadata."
            )
        path = f"{patch_folder(name, self.fields)}/{name}_reference_map.tif"
        # What a map calls nodata is a code like any other, of no class.
        return map_to_19(np.ma.getdata(read_tiff(self.root, path, _MAP)[0]))


def patch_folder(name: str, fields: int) -> str:
    """Path of a patch's folder inside its sensor's folder."""
    return f"{name.rsplit('_', fields)[0]}/{name}" if fields else name


def read_tiff(root: str, path: str, layout: FileLayout) -> Array:
    """(C, H, W) of one file.

    Raises:
        DecodeError: The file is missing or does not decode.
        OSError: The disk or network failed.
    """
    try:
        data = read_whole(f"{root}/{path}", path)
    except (FileNotFoundError, NotADirectoryError):
        raise DecodeError(
            path, "is missing", "every band file of the patch", "Unpack the archive again."
        ) from None
    return decode(data, name=path, layout=layout)
