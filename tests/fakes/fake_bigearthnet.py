"""Copies of real BigEarthNet patches that a test may change, and patch folders without pixels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import tifffile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Labels of the 43 classes and the level of their backscatter in dB; all map to the 19.
_LEVELS = {
    "Sea and ocean": -24.0,
    "Non-irrigated arable land": -14.0,
    "Coniferous forest": -10.0,
    "Pastures": -12.5,
    "Continuous urban fabric": -3.0,
}


def copy_writable(source: Path, target: Path) -> Path:
    """A copy whose files and folders may be changed; the originals may be read-only."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return target


def make_v2_folders(root: Path, *, s2: Iterable[str] = (), s1: Iterable[str] = ()) -> Path:
    """Empty patch folders in the layout of v2.0."""
    for name in s2:
        (root / "BigEarthNet-S2" / name.rsplit("_", 2)[0] / name).mkdir(parents=True)
    for name in s1:
        (root / "BigEarthNet-S1" / name.rsplit("_", 3)[0] / name).mkdir(parents=True)
    return root


def make_v1_radar(root: Path, patches: int) -> Path:
    """Made Sentinel-1 patches of v1.0 with split lists, whose first label shows in their level.

    The patches stand in ten acquisitions; three in five are train, one val, one test.
    """
    rng = np.random.default_rng(0)
    lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for number in range(patches):
        place, scene = f"{number % 90}_{number // 90}", number % 10
        name = f"S1A_IW_GRDH_1SDV_201706{13 + scene}T165043_33UUP_{place}"
        partner = f"S2A_MSIL2A_201706{13 + scene}T101031_{place}"
        labels = rng.choice(len(_LEVELS), size=rng.integers(1, 3), replace=False).tolist()
        folder = root / "BigEarthNet-S1-v1.0" / name
        folder.mkdir(parents=True)
        for band, offset in (("VV", 0.0), ("VH", -7.0)):
            level = offset + np.mean([list(_LEVELS.values())[k] for k in labels])
            pixels = rng.normal(level, 2.0, (120, 120)).astype(np.float32)
            tifffile.imwrite(folder / f"{name}_{band}.tif", pixels)
        record = {
            "labels": [list(_LEVELS)[k] for k in labels],
            "coordinates": {"ulx": 373200, "uly": 5353200, "lrx": 374400, "lly": 5352000},
            "projection": 'PROJCS["WGS 84 / UTM zone 33N",AUTHORITY["EPSG","32633"]]',
            "corresponding_s2_patch": partner,
            "acquisition_time": f"2017-06-{13 + scene}T16:50:43",
        }
        (folder / f"{name}_labels_metadata.json").write_text(json.dumps(record))
        lists[("train", "train", "train", "val", "test")[number // 10 % 5]].append(partner)
    for split, names in lists.items():
        (root / f"{split}.csv").write_text("\n".join(names))
    return root
