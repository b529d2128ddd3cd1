"""The two editions of BigEarthNet: folders, names, sources, and their published statistics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.bands import SENTINEL1, SENTINEL2_L2A
from featbank.image import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping

PATCH_M = 1200
_PIXELS = {10: (120, 120), 20: (60, 60), 60: (20, 20)}
S1, S2 = "s1", "s2"
SENSOR_NAMES = {S1: "Sentinel-1", S2: "Sentinel-2"}
SENTINEL2_BANDS = tuple(band for gsd in _PIXELS for band in SENTINEL2_L2A if band.gsd_m == gsd)
BANDS = {S1: SENTINEL1, S2: SENTINEL2_BANDS}
GRIDS = {
    S1: (Grid(name="s1", bands=("VV", "VH"), dtype="float32", size_px=_PIXELS[10]),),
    S2: tuple(
        Grid(
            name=f"{gsd}m",
            bands=tuple(band.name for band in SENTINEL2_BANDS if band.gsd_m == gsd),
            dtype="uint16",
            size_px=size,
        )
        for gsd, size in _PIXELS.items()
    ),
}

# Sentinel-1 names are the same in both editions: product, tile, column and row of the cell.
_S1_PATCH = re.compile(
    r"(?P<group>S1[AB]_IW_GRDH_1SDV_(?P<time>\d{8}T\d{6}))_(?P<tile>\d\d[C-X][A-Z]{2})"
    r"_(?P<column>\d+)_(?P<row>\d+)"
)
# The first edition leaves the tile out, and zeros and digits of the time ('T93020', 'T94161').
_S2_PATCH_V1 = re.compile(
    r"(?P<group>S2[AB]_MSIL2A_(?P<time>\d{8}T\d+))_(?P<column>\d+)_(?P<row>\d+)"
)
_S2_PATCH_V2 = re.compile(
    r"(?P<group>S2[AB]_MSIL2A_(?P<time>\d{8}T\d{6})_N\d{4}_R\d{3}_T(?P<tile>\d\d[C-X][A-Z]{2}))"
    r"_(?P<column>\d+)_(?P<row>\d+)"
)


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One edition as published.

    Attributes:
        name: In words.
        folders: Image folder by sensor.
        patches: Pattern of patch names by sensor.
        examples: A patch name by sensor, for messages.
        fields: By sensor, how many fields at the end of a patch's name are not in the name of
            the folder above it; 0 where patches stand directly in the sensor's folder.
        maps: Folder of label maps; empty where there are none.
        processing: By sensor: level, unit, offset.
        statistics: (mean, std) by band.
        statistics_source: Who published them.
        citation: How to cite it.
        splits_from: Where its split lists come from.
    """

    name: str
    folders: Mapping[str, str]
    patches: Mapping[str, re.Pattern[str]]
    examples: Mapping[str, str]
    fields: Mapping[str, int]
    maps: str
    processing: Mapping[str, str]
    statistics: Mapping[str, tuple[float, float]]
    statistics_source: str
    citation: str
    splits_from: str


_S1_PROCESSING = (
    "Sentinel-1 IW GRD, border and thermal noise removed, calibrated, terrain corrected, "
    "backscatter in dB as published"
)

V1 = Edition(
    name="BigEarthNet v1.0",
    folders={S1: "BigEarthNet-S1-v1.0", S2: "BigEarthNet-v1.0"},
    patches={S1: _S1_PATCH, S2: _S2_PATCH_V1},
    examples={
        S1: "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_61_39",
        S2: "S2A_MSIL2A_20170613T101031_61_39",
    },
    fields={S1: 0, S2: 0},
    maps="",
    # Tile sources in the label files are baselines 02.05 and 02.06; the offset came with 04.00.
    processing={
        S1: f"{_S1_PROCESSING} (BigEarthNet v1.0)",
        S2: "Sentinel-2 L2A (sen2cor), DN = reflectance x 10000, no offset (BigEarthNet v1.0)",
    },
    # bigearthnet_common, ben_band_stats.json (means and stds of the 12 + 2 bands by name).
    statistics={
        "VV": (-12.619993741972035, 5.115911777546365),
        "VH": (-19.29044597721542, 5.464428464912864),
        "B01": (340.76769064, 554.81258967),
        "B02": (429.9430203, 572.41639287),
        "B03": (614.21682446, 582.87945694),
        "B04": (590.23569706, 675.88746967),
        "B05": (950.68368468, 729.89827633),
        "B06": (1792.46290469, 1096.01480586),
        "B07": (2075.46795189, 1273.45393088),
        "B08": (2218.94553375, 1365.45589904),
        "B8A": (2266.46036911, 1356.13789355),
        "B09": (2246.0605464, 1302.3292881),
        "B11": (1594.42694882, 1079.19066363),
        "B12": (1009.32729131, 818.86747235),
    },
    statistics_source="bigearthnet_common, BigEarthNet v1.0",
    citation=(
        "G. Sumbul et al., BigEarthNet-MM: A Large Scale Multi-Modal Multi-Label Benchmark "
        "Archive for Remote Sensing Image Classification and Retrieval, IEEE GRSM 2021, "
        "arXiv:2105.07921."
    ),
    splits_from=(
        "Fetch train.csv, val.csv and test.csv from "
        "https://git.tu-berlin.de/rsim/BigEarthNet-MM_19-classes_models (folder splits), put them "
        "in the data root or name their folder with --splits."
    ),
)

V2 = Edition(
    name="BigEarthNet v2.0 (reBEN)",
    folders={S1: "BigEarthNet-S1", S2: "BigEarthNet-S2"},
    patches={S1: _S1_PATCH, S2: _S2_PATCH_V2},
    examples={
        S1: "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_61_39",
        S2: "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57",
    },
    fields={S1: 3, S2: 2},
    maps="Reference_Maps",
    # Atmospherically corrected anew with sen2cor 2.11 (rsim-tu-berlin/bigearthnet-pipeline,
    # README). No offset: the mean of B02 over the train split is 438 DN, against 430 in v1.0.
    processing={
        S1: f"{_S1_PROCESSING} (BigEarthNet v2.0)",
        S2: "Sentinel-2 L2A (sen2cor 2.11), DN = reflectance x 10000, no offset (BigEarthNet v2.0)",
    },
    # ConfigILM configilm/extra/BENv2_utils.py, means and stds "no_interpolation".
    statistics={
        "VV": (-12.643863677978516, 5.133493900299072),
        "VH": (-19.352558135986328, 5.590505599975586),
        "B01": (361.0767822265625, 575.0687255859375),
        "B02": (438.3720703125, 607.02685546875),
        "B03": (614.0556640625, 603.2968139648438),
        "B04": (588.4096069335938, 684.56884765625),
        "B05": (942.8433227539062, 738.4326782226562),
        "B06": (1769.931640625, 1100.4560546875),
        "B07": (2049.551513671875, 1275.805419921875),
        "B08": (2193.2919921875, 1369.3717041015625),
        "B8A": (2235.556640625, 1356.5440673828125),
        "B09": (2241.455322265625, 1316.393310546875),
        "B11": (1568.226806640625, 1070.1612548828125),
        "B12": (997.7324829101562, 813.5276489257812),
    },
    statistics_source="ConfigILM, train split of BigEarthNet v2.0",
    citation=(
        "K. N. Clasen et al., reBEN: Refined BigEarthNet Dataset for Remote Sensing Image "
        "Analysis, IGARSS 2025, arXiv:2407.03653."
    ),
    splits_from=(
        "Fetch metadata.parquet and metadata_for_patches_with_snow_cloud_or_shadow.parquet from "
        "https://zenodo.org/records/10891137, put them in the data root or name their folder with "
        "--splits."
    ),
)
EDITIONS = (V1, V2)
