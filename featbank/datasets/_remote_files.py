"""What publishers of the catalogued datasets offer for download, with the source of each value.

Addresses and checksums marked (torchgeo) stand in torchgeo's source, bigearthnet.py and eurosat.py;
those marked (record) were copied by several independent users from the publisher's own record. No
value here was guessed: a size or checksum without two agreeing sources is left out.
"""

from featbank.remote import RemoteFile

_ZENODO_V1 = "https://zenodo.org/records/12687186/files"
_ZENODO_V2 = "https://zenodo.org/records/10891137/files"
# The authors' repository at the commit that torchgeo pins.
_TUB_SPLITS = (
    "https://git.tu-berlin.de/rsim/BigEarthNet-MM_19-classes_models/-/raw/"
    "9a5be07346ab0884b2d9517475c27ef9db9b5104/splits"
)
# torchgeo's mirror of EuroSAT at the revision that torchgeo pins.
_EUROSAT = (
    "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
    "1ce6f1bfb56db63fd91b6ecc466ea67f2509774c"
)

# Addresses and checksums: torchgeo, class BigEarthNet; the checksums also in
# bigearthnet_common's constants. The archive's folder is torchgeo's `directory`. Sizes: not found
# in exact form (the Sentinel-2 archive is about 65 GB).
BIGEARTHNET_V1_S1 = (
    RemoteFile(
        name="BigEarthNet-S1-v1.0.tar.gz",
        url=f"{_ZENODO_V1}/BigEarthNet-S1-v1.0.tar.gz",
        checksum="md5:94ced73440dea8c7b9645ee738c5a172",
        unpack=True,
        makes="BigEarthNet-S1-v1.0",
    ),
)
BIGEARTHNET_V1_S2 = (
    RemoteFile(
        name="BigEarthNet-S2-v1.0.tar.gz",
        url=f"{_ZENODO_V1}/BigEarthNet-S2-v1.0.tar.gz",
        checksum="md5:5a64e9ce38deb036a435a7b59494924c",
        unpack=True,
        makes="BigEarthNet-v1.0",
    ),
)
# Rows `<S2 patch>,<S1 patch>`, no header. Addresses and checksums: torchgeo, class BigEarthNet.
BIGEARTHNET_V1_TABLES = (
    RemoteFile(
        name="train.csv",
        url=f"{_TUB_SPLITS}/train.csv?inline=false",
        checksum="md5:623e501b38ab7b12fe44f0083c00986d",
    ),
    RemoteFile(
        name="val.csv",
        url=f"{_TUB_SPLITS}/val.csv?inline=false",
        checksum="md5:22efe8ed9cbd71fa10742ff7df2b7978",
    ),
    RemoteFile(
        name="test.csv",
        url=f"{_TUB_SPLITS}/test.csv?inline=false",
        checksum="md5:697fb90677e30571b9ac7699b7e5b432",
    ),
)

# Addresses, sizes and checksums: (record) 10891137, as two or more public repositories quote each
# of them; the checksum of metadata.parquet is also torchgeo's, class BigEarthNetV2.
BIGEARTHNET_V2_S1 = (
    RemoteFile(
        name="BigEarthNet-S1.tar.zst",
        url=f"{_ZENODO_V2}/BigEarthNet-S1.tar.zst?download=1",
        size_bytes=54_439_153_171,
        checksum="md5:a55eaa2cdf6a917e296bd6601ec1e348",
        unpack=True,
        makes="BigEarthNet-S1",
    ),
)
BIGEARTHNET_V2_S2 = (
    RemoteFile(
        name="BigEarthNet-S2.tar.zst",
        url=f"{_ZENODO_V2}/BigEarthNet-S2.tar.zst?download=1",
        size_bytes=63_251_710_377,
        checksum="md5:2245ed2d1a93f6ce637d839bc856396e",
        unpack=True,
        makes="BigEarthNet-S2",
    ),
)
BIGEARTHNET_V2_MAPS = (
    RemoteFile(
        name="Reference_Maps.tar.zst",
        url=f"{_ZENODO_V2}/Reference_Maps.tar.zst?download=1",
        size_bytes=282_391_301,
        checksum="md5:95d85a222fa983faddcac51a19f28917",
        unpack=True,
        makes="Reference_Maps",
    ),
)
BIGEARTHNET_V2_TABLES = (
    RemoteFile(
        name="metadata.parquet",
        url=f"{_ZENODO_V2}/metadata.parquet?download=1",
        size_bytes=3_616_349,
        checksum="md5:55687065e77b6d0b0f1ff604a6e7b49c",
    ),
    RemoteFile(
        name="metadata_for_patches_with_snow_cloud_or_shadow.parquet",
        url=f"{_ZENODO_V2}/metadata_for_patches_with_snow_cloud_or_shadow.parquet?download=1",
        size_bytes=710_162,
        checksum="md5:fe31856f4986d446c9468b59d6387c91",
    ),
)

# Size and sha256: the Git LFS pointer of the mirror's commit 8c86b35; its md5
# (5ac12b3b2557aa56e1826e981e8e200e) is torchgeo's, for this mirror
# and for the publisher's own EuroSATallBands.zip alike.
EUROSAT_MS = (
    RemoteFile(
        name="EuroSATallBands.zip",
        url=f"{_EUROSAT}/EuroSATallBands.zip",
        size_bytes=2_067_725_275,
        checksum="sha256:751f070f9bffa2eed48b24ca2dd0b02959280c08837e8c9a5532a67ba611df59",
        unpack=True,
        makes="ds/images/remote_sensing/otherDatasets/sentinel_2/tif",
    ),
)
# Size and sha256: the Git LFS pointer of the mirror's commit c877bcd. The publisher's EuroSAT.zip
# unpacks to the folder 2750.
EUROSAT_RGB = (
    RemoteFile(
        name="EuroSAT.zip",
        url=f"{_EUROSAT}/EuroSAT.zip",
        size_bytes=94_280_567,
        checksum="sha256:8ebea626349354c5328b142b96d0430e647051f26efc2dc974c843f25ecf70bd",
        unpack=True,
        makes="2750",
    ),
)
# The 16,200/5,400/5,400 split of arXiv:1911.06721. Checksums: torchgeo, class EuroSAT. Older
# revisions of the mirror hold EuroSAT100's lists under these names.
EUROSAT_SPLITS = (
    RemoteFile(
        name="eurosat-train.txt",
        url=f"{_EUROSAT}/eurosat-train.txt",
        checksum="md5:908f142e73d6acdf3f482c5e80d851b1",
    ),
    RemoteFile(
        name="eurosat-val.txt",
        url=f"{_EUROSAT}/eurosat-val.txt",
        checksum="md5:95de90f2aa998f70a3b2416bfe0687b4",
    ),
    RemoteFile(
        name="eurosat-test.txt",
        url=f"{_EUROSAT}/eurosat-test.txt",
        checksum="md5:7ae5ab94471417b6e315763121e67c5f",
    ),
)
# 60/20/20 by longitude. Checksums: torchgeo, class EuroSATSpatial.
EUROSAT_SPATIAL_SPLITS = (
    RemoteFile(
        name="eurosat-spatial-train.txt",
        url=f"{_EUROSAT}/eurosat-spatial-train.txt",
        checksum="md5:7be3254be39f23ce4d4d144290c93292",
    ),
    RemoteFile(
        name="eurosat-spatial-val.txt",
        url=f"{_EUROSAT}/eurosat-spatial-val.txt",
        checksum="md5:acf392290050bb3df790dc8fc0ebf193",
    ),
    RemoteFile(
        name="eurosat-spatial-test.txt",
        url=f"{_EUROSAT}/eurosat-spatial-test.txt",
        checksum="md5:5ec1733f9c16116bf0aa2d921fc613ef",
    ),
)
