import numpy as np
import torch

from featbank.layers.image_statistics import ImageStatistics


def pixels():
    return np.random.default_rng(0).normal(3, 2, (2, 3, 5, 7)).astype(np.float32)


def test_statistics_equal_numpy():
    images = pixels()
    by_numpy = [f(images, axis=(2, 3)) for f in (np.mean, np.std, np.min, np.max)]
    ours = ImageStatistics()(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(ours, np.concatenate(by_numpy, axis=1), rtol=1e-5)


def test_statistics_of_one_image_do_not_depend_on_its_batch():
    images = torch.from_numpy(pixels())
    torch.testing.assert_close(ImageStatistics()(images)[1:], ImageStatistics()(images[1:]))


def test_image_statistics_have_no_weights():
    assert not ImageStatistics().state_dict()
