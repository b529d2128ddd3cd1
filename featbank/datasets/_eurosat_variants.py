"""The two forms that EuroSAT is published in: folders, bands, processing, statistics."""

from __future__ import annotations

from dataclasses import dataclass

from featbank.bands import RGB, SENTINEL2, Band
from featbank.datasets.dataset import BandStatistics

CLASSES = (
    *("AnnualCrop", "Forest", "HerbaceousVegetation", "Highway", "Industrial"),
    *("Pasture", "PermanentCrop", "Residential", "River", "SeaLake"),
)
# As the files hold them: B8A stands last, not after B08 (phelber/EuroSAT, README).
_FILE_ORDER = (*(f"B{i:02d}" for i in range(1, 13)), "B8A")
_BY_NAME = {band.name: band for band in SENTINEL2}
SIZE_PX = (64, 64)
COUNT = 27_000
# torchgeo datamodules/eurosat.py, band_means and band_stds: lists without names, in file order.
# PANGAEA puts the same numbers beside names that have B8A after B08: five bands get another's.
_STATISTICS = {
    "B01": (1354.40546513, 245.71762908),
    "B02": (1118.24399958, 333.00778264),
    "B03": (1042.92983953, 395.09249139),
    "B04": (947.62620298, 593.75055589),
    "B05": (1199.47283961, 566.4170017),
    "B06": (1999.79090914, 861.18399006),
    "B07": (2369.22292565, 1086.63139075),
    "B08": (2296.82608323, 1117.98170791),
    "B09": (732.08340178, 404.91978886),
    "B10": (12.11327804, 4.77584468),
    "B11": (1819.01027855, 1002.58768311),
    "B12": (1118.92391149, 761.30323499),
    "B8A": (2594.14080798, 1231.58581042),
}
CITATION = (
    "P. Helber, B. Bischke, A. Dengel, D. Borth, EuroSAT: A Novel Dataset and Deep Learning "
    "Benchmark for Land Use and Land Cover Classification, IEEE JSTARS 2019, arXiv:1709.00029."
)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One of the two forms that EuroSAT is published in.

    Attributes:
        name: Catalog name.
        folders: Where archives put the class folders; the data root itself is tried last.
        suffix: Suffix of the images.
        bands: Bands in file order.
        dtype: NumPy dtype name.
        processing: Processing level.
        statistics: Published band statistics.
    """

    name: str
    folders: tuple[str, ...]
    suffix: str
    bands: tuple[Band, ...]
    dtype: str
    processing: str
    statistics: BandStatistics | None = None


MULTISPECTRAL = Variant(
    name="eurosat-ms",
    folders=(
        "EuroSATallBands",
        "EuroSAT_MS",
        "ds/images/remote_sensing/otherDatasets/sentinel_2/tif",
    ),
    suffix=".tif",
    bands=tuple(_BY_NAME[name] for name in _FILE_ORDER),
    dtype="uint16",
    processing=(
        "Sentinel-2 L1C, DN = top-of-atmosphere reflectance x 10000, no offset, all bands on 10 m"
    ),
    statistics=BandStatistics(values=_STATISTICS, source="torchgeo, EuroSAT"),
)
COLOUR = Variant(
    name="eurosat-rgb",
    folders=("EuroSAT_RGB", "2750"),
    suffix=".jpg",
    bands=RGB,
    dtype="uint8",
    processing="Sentinel-2 L1C, B04, B03, B02 with 0..2750 stretched to 0..255, JPEG",
)
