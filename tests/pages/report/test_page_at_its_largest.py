"""100,000 points and 5,000 chips on one page: within ten megabytes, and drawn frame by frame."""

import statistics

import numpy as np
import pytest
from browser import BY_SOFTWARE, chromium, errors_of
from many_points import PAN, write_many_points

pytestmark = pytest.mark.slow
# Software draws a frame in about a third of a second on two busy cores; a page that sorted or
# uploaded its points on each frame would take seconds.
SLOWEST_MS = 1_500


def textures(n=200):
    """(n, 64, 64, 3) of noise on two scales, as hard to compress as true chips."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 200, size=(n, 8, 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    return np.clip(coarse + rng.normal(size=(n, 64, 64, 3)) * 10, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_many_points(tmp_path_factory.mktemp("many"), textures())


def test_it_stays_within_ten_megabytes(written):
    assert (written.points, written.thumbnails) == (100_000, 5_000)
    assert written.size <= 10_000_000
    assert written.size == written.path.stat().st_size


def test_it_opens_and_pans(written):
    with chromium(*BY_SOFTWARE) as browser:
        browser.get(written.path.as_uri())
        browser.set_script_timeout(120)
        ready = "return document.querySelector('#explorer').dataset.ready"
        for _ in range(200):
            if browser.execute_script(ready):
                break
        assert browser.execute_script(ready) == "webgl"
        assert statistics.median(browser.execute_async_script(PAN)) < SLOWEST_MS
        assert errors_of(browser) == []
