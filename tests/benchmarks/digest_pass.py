"""What it costs to know images by their content: the digest pass in a run of image statistics.

27,000 chips of 64 px, as many as EuroSAT has, each a window of a real Sentinel-2 chip, turned and
shifted so that no two files are equal; as JPEG, the smallest files and so the dearest, and as
13-band TIFF. The whole command is timed in a process of its own, start to end, into an empty bank;
the pass is timed inside it. A repeat costs one stat a file. Files lie in the page cache, as they do
whenever a pass over them follows.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

CHIPS, CLASSES, ROUNDS = 27_000, 10, 3
# Bands 4, 3 and 2 of 13, as EuroSAT's RGB chips show them.
_RGB, _WHITE_DN = [3, 2, 1], 2_750
# The command, with a clock around the pass.
_TIMED = """
import json, sys, time
start = time.perf_counter()
from featbank.cli.main import group
from featbank.stages.embed import plan as embed_plan
whole, spent = embed_plan.with_digests, []
def timed(*args, **kwargs):
    begin = time.perf_counter()
    done = whole(*args, **kwargs)
    spent.append(time.perf_counter() - begin)
    return done
embed_plan.with_digests = timed
group.main(sys.argv[1:], standalone_mode=False)
print(json.dumps({"pass_s": sum(spent), "run_s": time.perf_counter() - start}))
"""


@dataclass(frozen=True)
class DigestPass:
    """The pass over files of one kind: ``jpeg`` or ``tiff``."""

    kind: str

    def measure(self, shared: Path) -> dict[str, Any]:
        sources = sorted((shared / "data" / "eurosat100" / "EuroSATallBands").rglob("*.tif"))
        pixels = np.stack([tifffile.imread(path) for path in sources])
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "chips"
            size = write(root, pixels, self.kind)
            figures = timed(root, Path(folder))
        return {"chips": CHIPS, "kind": self.kind, "bytes_a_chip": size // CHIPS, **figures}


def write(root: Path, pixels: np.ndarray, kind: str) -> int:
    """Chips of ten classes; the bytes of all of them."""
    turns = itertools.cycle(range(4))
    size = 0
    for number in range(CHIPS):
        # Each source is shifted in its own way each time; 27 shifts along y of 10 along x.
        turn = number // len(pixels)
        chip = np.roll(pixels[number % len(pixels)], (turn % 27, turn // 27), axis=(0, 1))
        chip = np.rot90(chip, next(turns))
        path = root / f"class{number % CLASSES}" / f"{number:05d}.{kind[:3]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "jpeg":
            path = path.with_suffix(".jpg")
            tone = np.clip(chip[..., _RGB] * (255 / _WHITE_DN), 0, 255).astype(np.uint8)
            Image.fromarray(tone).save(path, quality=90)
        else:
            path = path.with_suffix(".tif")
            tifffile.imwrite(path, np.ascontiguousarray(chip), metadata=None)
        size += path.stat().st_size
    return size


def timed(root: Path, folder: Path) -> dict[str, Any]:
    """Seconds of the pass and of the run around it, of first runs and of a repeat."""
    runs = [run(root, folder / f"bank{number}") for number in range(ROUNDS)]
    repeat = run(root, folder / "bank0")
    return {
        "share": round(statistics.median(each["pass_s"] / each["run_s"] for each in runs), 4),
        "shares": [round(each["pass_s"] / each["run_s"], 4) for each in runs],
        "pass_s": [round(each["pass_s"], 2) for each in runs],
        "run_s": [round(each["run_s"], 1) for each in runs],
        "repeat_pass_s": round(repeat["pass_s"], 2),
        "load": round(os.getloadavg()[0], 1),
    }


def run(root: Path, bank: Path) -> dict[str, float]:
    words = ["embed", "--model", "imagestats", "--dataset", str(root), "--bank", str(bank)]
    done = subprocess.run(
        [sys.executable, "-c", _TIMED, *words], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


JPEG, TIFF = DigestPass("jpeg"), DigestPass("tiff")
