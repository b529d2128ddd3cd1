"""Every multilabel metric of a resample is that of the rows repeated."""

import numpy as np
import pytest

from featbank.metrics.scoring.multilabel_panel import MultilabelPanel
from featbank.metrics.scoring.resampling import units_of

K = 5


def panel_of(truth, scores, units):
    thresholds = {"0.5": np.full(K, 0.5), "low": np.linspace(0.1, 0.6, K)}
    return MultilabelPanel(truth, scores, thresholds, units, "left out")


@pytest.mark.parametrize("by_group", [False, True])
def test_every_metric_of_a_resample_equals_that_of_repeated_rows(by_group):
    rng = np.random.default_rng(3)
    truth = (rng.uniform(size=(60, K)) < [0.1, 0.5, 0, 1, 0.3]).astype(np.int8)
    scores = np.round(rng.uniform(size=(60, K)) * 0.7 + 0.2 * truth, 1)
    units = units_of(60, np.arange(60) // 4 if by_group else None)
    times = rng.integers(0, 3, size=(units.count, 5)).astype(np.uint8)
    drawn = panel_of(truth, scores, units).measure(times)
    for r in range(5):
        rows = np.repeat(np.arange(60), times[units.codes, r])
        panel = panel_of(truth[rows], scores[rows], units_of(len(rows)))
        for found, expected in zip(drawn, panel.measure(panel.units.once), strict=True):
            np.testing.assert_allclose(found[r], expected[0], rtol=1e-12)
