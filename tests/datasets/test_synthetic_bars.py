"""The landscape is hard enough to rank models, and not too hard: three bars on 2,000 chips.

Image statistics stay low, random convolutional features stand clearly above them, and a per-pixel
oracle that knows the classes' spectra (not the chip's light, haze or drift) solves the task.
"""

import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from featbank.datasets import DATASETS, DatasetRequest
from featbank.datasets.landscape_view import DN_PER_REFLECTANCE, pixel_statistics
from featbank.layers.image_statistics import ImageStatistics
from featbank.layers.random_conv import FILTERS, KERNEL_PX, RandomConv, fit_random_conv

pytestmark = pytest.mark.slow

SEEDS = (0, 1, 2)
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2)
REPEATS = {"10m": 1, "20m": 2, "60m": 6}


@pytest.fixture(scope="module")
def dataset():
    return DATASETS["synthetic-s2"].open(DatasetRequest())


@pytest.fixture(scope="module")
def chips(dataset):
    return np.stack([joined(dataset.reader.read(i)) for i in range(len(dataset.samples))])


def joined(image):
    grids = [np.repeat(np.repeat(image[g], n, axis=1), n, axis=2) for g, n in REPEATS.items()]
    return np.concatenate(grids)


def split_rows(groups, seed):
    blocks = np.random.default_rng(seed).permutation(np.unique(groups))
    cuts = np.array_split(blocks, [round(0.6 * len(blocks)), round(0.8 * len(blocks))])
    return [np.flatnonzero(np.isin(groups, cut)) for cut in cuts]


def macro_f1(truth, predicted):
    return f1_score(truth, predicted, average="macro", labels=np.unique(truth))


def knn_score(features, codes, rows):
    train, val, test = rows
    bank = np.concatenate([train, val])
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = unit[test] @ unit[bank].T
    near = np.argsort(-similarity, axis=1)[:, :20]
    weight = np.exp((np.take_along_axis(similarity, near, axis=1) - 1) / 0.07)
    votes = [np.sum(weight * (codes[bank][near] == c), axis=1) for c in range(codes.max() + 1)]
    return macro_f1(codes[test], np.argmax(votes, axis=0))


def logistic_score(features, codes, rows):
    train, val, test = rows

    def predict(penalty, fit_rows, rows):
        model = LogisticRegression(C=penalty, max_iter=300, tol=1e-3)
        return model.fit(features[fit_rows], codes[fit_rows]).predict(features[rows])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        on_val = [macro_f1(codes[val], predict(c, train, val)) for c in PENALTIES]
        best = PENALTIES[int(np.argmax(on_val))]
        return macro_f1(codes[test], predict(best, np.concatenate([train, val]), test))


def better_probe(features, codes, rows):
    return max(knn_score(features, codes, rows), logistic_score(features, codes, rows))


def embed(network, scaled):
    with torch.inference_mode():
        return np.concatenate([network(torch.from_numpy(c[None])).numpy() for c in scaled])


def baseline_scores(chips, codes, rows):
    train = rows[0]
    mean = chips[train].mean(axis=(0, 2, 3), dtype=np.float64)
    std = chips[train].std(axis=(0, 2, 3), dtype=np.float64)
    scaled = np.empty(chips.shape, dtype=np.float32)
    for row, chip in enumerate(chips):
        scaled[row] = (chip - mean[:, None, None]) / std[:, None, None]
    fitted = fit_random_conv(list(scaled[train]), filters=FILTERS, kernel=KERNEL_PX, seed=0)
    random_conv = RandomConv(filters=FILTERS, bands=chips.shape[1], kernel=KERNEL_PX)
    random_conv.load_state_dict({k: torch.from_numpy(v) for k, v in fitted.items()})
    networks = (ImageStatistics(), random_conv)
    return [better_probe(embed(network, scaled), codes, rows) for network in networks]


@pytest.fixture(scope="module")
def scores(dataset, chips):
    """(S, 2) macro F1 of image statistics and random convolutions for each split seed."""
    codes, groups = dataset.samples.labels["dominant"].codes, dataset.samples.group
    return np.array([baseline_scores(chips, codes, split_rows(groups, seed)) for seed in SEEDS])


def oracle(chip, bands):
    """The class that wins most pixels: Gaussian maximum likelihood on the 10 m and 20 m bands."""
    means, covariances = pixel_statistics(bands)
    pixels = chip[: len(bands)].reshape(len(bands), -1).T / DN_PER_REFLECTANCE
    likelihood = []
    for mean, covariance in zip(means, covariances, strict=True):
        root = np.linalg.cholesky(np.linalg.inv(covariance))
        distance = np.sum(((pixels - mean) @ root) ** 2, axis=1)
        likelihood.append(-distance - np.linalg.slogdet(covariance)[1])
    winners = np.argmax(likelihood, axis=0)
    return int(np.argmax(np.bincount(winners, minlength=len(means))))


def test_image_statistics_stay_below_60(scores):
    assert scores[:, 0].mean() <= 0.60, scores


def test_random_convolutions_stand_10_above_image_statistics(scores):
    assert scores[:, 1].mean() - scores[:, 0].mean() >= 0.10, scores


def test_a_per_pixel_oracle_reaches_90(dataset, chips):
    fine = tuple(band for band in dataset.bands if band.gsd_m < 60)
    codes = dataset.samples.labels["dominant"].codes
    rows = np.arange(0, len(chips), 2)
    assert macro_f1(codes[rows], [oracle(chips[row], fine) for row in rows]) >= 0.90


def test_every_class_is_dominant_in_3_percent_of_the_chips(dataset):
    codes = dataset.samples.labels["dominant"].codes
    assert np.bincount(codes).min() >= 0.03 * len(codes)
