import bz2
import json

import numpy as np
import pytest

from featbank.datasets._sentinel2_tiles import cell_centres, tile_corner
from featbank.datasets.geotiff import to_lonlat


@pytest.mark.parametrize("folder", ["BigEarthNet-v1.0", "BigEarthNet-S1-v1.0"])
def test_cells_stand_where_label_files_say(shared, folder):
    files = sorted((shared / "data" / "bigearthnet_v1" / folder).glob("*/*.json"))
    assert len(files) >= 9
    for path in files:
        record = json.loads(path.read_text())
        *_, tile, column, row = path.parent.name.split("_")
        if "tile_source" in record:
            tile = record["tile_source"].split("_")[5][1:]
        x, y, epsg = cell_centres(
            [tile], np.array([int(column)]), np.array([int(row)]), size_m=1200
        )[0]
        corner = record["coordinates"]
        assert (x, y) == (corner["ulx"] + 600, corner["uly"] - 600)
        assert f'"EPSG","{int(epsg)}"]]' in record["projection"]


def test_every_tile_lies_in_its_latitude_band_and_zone(shared):
    """All tiles of the archive, against the definition of MGRS bands: 8 degrees from 80° south."""
    table = shared / "data" / "bigearthnet_tables" / "s1_s2_mapping.csv.bz2"
    with bz2.open(table, "rt") as file:
        tiles = sorted({line.split(",")[0].split("_")[5] for line in list(file)[1:]})
    assert len(tiles) > 50
    x, y, epsg = np.array([tile_corner(tile) for tile in tiles]).T
    centres = np.stack([x + 50_000, y - 50_000, epsg], axis=1).astype(float)
    lon, lat = to_lonlat(centres).T
    south = np.array(["CDEFGHJKLMNPQRSTUVWX".index(tile[2]) * 8 - 80 for tile in tiles])
    west = np.array([int(tile[:2]) * 6 - 186 for tile in tiles])
    # Squares at a border overhang it: by up to half a square, 50 km, which is 1° of longitude.
    assert ((lat > south - 0.5) & (lat < south + 8.5)).all()
    assert ((lon > west - 1) & (lon < west + 7)).all()
