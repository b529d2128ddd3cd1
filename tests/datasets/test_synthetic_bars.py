"""The landscape is hard enough to rank models, and not too hard: bars on 2,000 chips.

Image statistics stay low, random convolutional features stand clearly above them, both embedded and
probed as a user does it, and a per-pixel oracle solves the task: it knows each class's spectrum and
how that spectrum varies, not the chip's light, haze or season, nor where the fields are.
"""

import numpy as np
import pytest

import featbank
from featbank.datasets.chip_layout import CHIP_PX
from featbank.datasets.synthetic.samples import COVER_SHARE, chip_areas
from featbank.landscape.landscape import Landscape
from featbank.landscape.view import DN_PER_REFLECTANCE, pixel_statistics

pytestmark = pytest.mark.slow
SCHEMES = ("random-0", "random-1", "random-2")
PROBES = ("knn", "logistic")


def macro_f1(results):
    is_headline = (results["metric"] == "f1") & (results["average"] == "macro")
    return results.loc[is_headline, "value"].item()


@pytest.fixture(scope="module")
def scores(landscape_bank):
    """Mean macro F1 on test over three split schemes, by model and probe."""
    found = {}
    for model in ("imagestats", "rcf"):
        store = featbank.embed(model, "synthetic-s2", bank=landscape_bank)
        for clf in PROBES:
            runs = [
                featbank.probe(clf, store, bank=landscape_bank, split_scheme=scheme, resamples=0)
                for scheme in SCHEMES
            ]
            found[model, clf] = np.mean([macro_f1(results) for results in runs])
    return found


def best(scores, model):
    return max(scores[model, clf] for clf in PROBES)


def test_image_statistics_stay_below_60(scores):
    assert best(scores, "imagestats") <= 0.60, scores


def test_random_convolutions_stand_10_above_image_statistics(scores):
    assert best(scores, "rcf") - best(scores, "imagestats") >= 0.10, scores


def oracle(image, fine):
    """The class that wins most pixels: Gaussian maximum likelihood on the 10 m and 20 m bands."""
    means, covariances = pixel_statistics(fine)
    coarse = np.repeat(np.repeat(image["20m"], 2, axis=1), 2, axis=2)
    pixels = np.concatenate([image["10m"], coarse]).reshape(len(fine), -1).T / DN_PER_REFLECTANCE
    likelihood = []
    for mean, covariance in zip(means, covariances, strict=True):
        root = np.linalg.cholesky(np.linalg.inv(covariance))
        distance = np.sum(((pixels - mean) @ root) ** 2, axis=1)
        likelihood.append(-distance - np.linalg.slogdet(covariance)[1])
    winners = np.argmax(likelihood, axis=0)
    return int(np.argmax(np.bincount(winners, minlength=len(means))))


def test_a_per_pixel_oracle_reaches_90():
    from sklearn.metrics import f1_score

    dataset = featbank.open_dataset("synthetic-s2")
    fine = tuple(band for band in dataset.bands if band.gsd_m < 60)
    codes = dataset.samples.labels["dominant"].codes
    rows = range(0, len(codes), 2)
    found = [oracle(dataset.reader.read(row), fine) for row in rows]
    assert f1_score(codes[list(rows)], found, average="macro") >= 0.90


def test_every_class_is_dominant_in_3_percent_of_the_chips():
    codes = featbank.open_dataset("synthetic-s2").samples.labels["dominant"].codes
    assert np.bincount(codes).min() >= 0.03 * len(codes)


@pytest.fixture(scope="module")
def areas():
    return chip_areas(Landscape(), 2000) / CHIP_PX**2


def test_every_class_is_present_in_5_to_60_percent_of_the_chips(areas):
    shares = (areas >= COVER_SHARE).mean(axis=0)
    assert 0.05 < shares.min() < shares.max() < 0.60


def test_backscatter_of_2000_chips_stays_in_range():
    reader = featbank.open_dataset("synthetic-s1").reader
    chips = (reader.read(index)["10m"] for index in range(0, 2000, 5))
    extremes = np.array([(image.min(), image.max()) for image in chips])
    assert np.isfinite(extremes).all()
    assert extremes.min() > -40
    assert extremes.max() < 20
