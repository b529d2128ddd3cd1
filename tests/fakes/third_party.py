"""A package of somebody else's, made of the templates that the docs show, and imagery for it."""

from __future__ import annotations

import csv
import os
import re
import tomllib
from pathlib import Path

import numpy as np
import tifffile

ROOT = Path(__file__).resolve().parents[2]
COVERS, SPLITS = ("water", "sand", "rock"), ("train", "train", "train", "val", "test")
SIDE_PX, CHIPS = 32, 60


def blocks(page, language):
    """Code blocks of a page of the checkout."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)


def templates():
    """Text of each module of the package by its path; the first line of a block names it."""
    found = {}
    for block in blocks("docs/architecture.md", "python"):
        name, _, text = block.partition("\n")
        found[name.removeprefix("# ")] = text
    (backbone,) = (b for b in blocks("README.md", "python") if "BackboneSpec(" in b)
    return {**found, "coast/band_mean.py": backbone}


def install(site, modules):
    """Lay the package out as installers do, with the entry points that its pyproject names.

    Args:
        site: Folder to be put on the path.
        modules: Text of each module by its path.
    """
    for path, text in modules.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    (toml,) = blocks("docs/architecture.md", "toml")
    project = tomllib.loads(toml)["project"]
    declare(site, project["name"], project["entry-points"])
    return site


def declare(site, name, entry_points):
    """What the installer of a distribution writes beside its modules."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, points in entry_points.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def write_coast(root):
    """60 chips of 32 px whose cover shows in their mean, and the table that tells of them."""
    rng, rows = np.random.default_rng(0), []
    root.mkdir(parents=True)
    for row in range(CHIPS):
        cover = row % len(COVERS)
        pixels = rng.normal(1500 + 1000 * cover, 400, (4, SIDE_PX, SIDE_PX)).clip(1, 9000)
        name = f"chip-{row:02d}.tif"
        tifffile.imwrite(
            root / name,
            pixels.astype(np.uint16),
            photometric="minisblack",
            planarconfig="separate",
            metadata=None,
        )
        seen = {COVERS[cover], COVERS[rng.integers(len(COVERS))]}
        rows.append(
            {
                "file": name,
                "flight": f"flight-{row // 6}",
                "split": SPLITS[row // 3 % len(SPLITS)],
                "cover": COVERS[cover],
                "seen": ";".join(sorted(seen)),
            }
        )
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return root


def environment(site, data, **more):
    """Variables of a process that finds the package, and its imagery in the folder of data."""
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "FEATBANK_DATA": str(data), **more}
