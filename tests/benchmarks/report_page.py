"""The report page of 100,000 points and 5,000 thumbnails: its size, and frames while panning.

The browser draws WebGL by software (SwiftShader) on the processor: a graphics card is many times
faster. Chips are those of AID, turned and shifted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))

POINTS, CHIPS = 100_000, 1_000


def measure(shared: Path) -> dict[str, Any]:
    from browser import BY_SOFTWARE, chromium
    from many_points import PAN, write_many_points

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        written = write_many_points(Path(folder), aid_chips(shared), POINTS)
        seconds = time.perf_counter() - start
        with chromium(*BY_SOFTWARE) as browser:
            opened = time.perf_counter()
            browser.get(written.path.as_uri())
            while not browser.execute_script(
                "return document.querySelector('#explorer').dataset.ready"
            ):
                time.sleep(0.02)
            opened = time.perf_counter() - opened
            browser.execute_script("document.querySelector('#explorer').scrollIntoView()")
            frames = browser.execute_async_script(PAN)
    return {
        "points": written.points,
        "thumbnails": written.thumbnails,
        "megabytes": round(written.size / 1e6, 2),
        "seconds_to_write": round(seconds, 1),
        "seconds_to_open": round(opened, 1),
        "frame_ms": round(statistics.median(frames), 1),
        "frame_ms_worst": round(max(frames), 1),
        "renderer": "SwiftShader, WebGL by software",
    }


def aid_chips(shared: Path) -> np.ndarray:
    """(k, 64, 64, 3) chips of AID, an equal share of each class."""
    from PIL import Image

    paths = sorted((shared / "data" / "aid100").rglob("*.jpg"))
    step = max(1, len(paths) // CHIPS)
    opened = (Image.open(path).convert("RGB").resize((64, 64)) for path in paths[::step])
    return np.stack([np.asarray(picture) for picture in opened])
