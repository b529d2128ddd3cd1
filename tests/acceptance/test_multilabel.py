"""Every probe finds more in random convolutional features than in image statistics.

On both sensors of the landscape, several labels a chip. Filters see texture, statistics of single
pixels do not; a probe that does not gain from it is broken, or the imagery has no texture.
"""

import pytest

import featbank
from featbank.probes import PROBES

pytestmark = pytest.mark.slow

LABELS = "cover"


@pytest.fixture(scope="module", params=["synthetic-s1", "synthetic-s2"])
def stores(request, tmp_path_factory):
    bank = tmp_path_factory.mktemp("bank")
    return bank, {m: featbank.embed(m, request.param, bank=bank) for m in ("imagestats", "rcf")}


@pytest.mark.parametrize("probe", PROBES)
def test_every_probe_beats_image_statistics(stores, probe):
    bank, by_model = stores
    scores = {
        model: featbank.probe(probe, store, bank=bank, labels=LABELS, resamples=0).iloc[0]
        for model, store in by_model.items()
    }
    assert {(row["metric"], row["average"]) for row in scores.values()} == {("map", "macro")}
    # The smallest gain seen is .05 (forest on Sentinel-1); its standard error is about .01.
    assert scores["rcf"]["value"] > scores["imagestats"]["value"] + 0.02


def test_tuned_thresholds_raise_f2(stores):
    bank, by_model = stores
    rows = featbank.probe("logistic", by_model["rcf"], bank=bank, labels=LABELS, resamples=0)
    f2 = rows[(rows["metric"] == "f2") & (rows["average"] == "macro")].set_index("threshold")
    assert f2.loc["tuned-f2", "value"] > f2.loc["0.5", "value"]
