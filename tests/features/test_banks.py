"""From the parameters of `ConvFeatures` to filters, biases and layers."""

import numpy as np
import pytest
from helpers import by_scipy

from skconv import ConvFeatures
from skconv._features.banks import bank_shape, named_bank
from skconv._features.filters import CLASSICAL, RANDOM

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((5, 9, 11, 2))
BANK = RNG.standard_normal((4, 3, 4, 2))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(5, 4), (1, 6), (3, 3)])
@pytest.mark.parametrize("name", [*CLASSICAL, *RANDOM])
def test_the_size_of_a_bank_is_known_before_it_is_made(name, size, channels):
    for n in (1, 7, 50):
        weight, names = named_bank(name, n, size, (size[0] + 3 if size[0] > 1 else 1, 9, channels), RNG)
        assert weight.shape == bank_shape(name, n, size, (9 if size[0] > 1 else 1, 9, channels))
        assert len(names) == len(weight)


def test_forms_of_given_filters():
    images = IMAGES[..., :1]
    expected = ConvFeatures(BANK[..., :1]).fit_transform(images)
    np.testing.assert_array_equal(ConvFeatures(BANK[..., 0].tolist()).fit_transform(images[..., 0]), expected)
    series = RNG.standard_normal((6, 20))
    kernels = RNG.standard_normal((3, 5))
    expected = np.stack([[np.correlate(x, k, "same") for k in kernels] for x in series]).transpose(0, 2, 1)
    for bank in (kernels, kernels[..., None], kernels[:, None, :, None]):
        np.testing.assert_allclose(ConvFeatures(bank).fit_transform(series), expected.reshape(6, -1), atol=1e-12)
        images = ConvFeatures(bank, image_shape="series").fit_transform(series[..., None])
        np.testing.assert_allclose(images, expected, atol=1e-12)


def test_automatic_pooling_leaves_four_windows():
    model = ConvFeatures(BANK, pool="max").fit(IMAGES)
    assert model.output_shape_ == (3, 4, 4)  # windows of ceil(9 / 4) = 3 and ceil(11 / 4) = 3 over 9 x 11
    response = by_scipy(np.pad(IMAGES, ((0, 0), (1, 1), (1, 2), (0, 0))), BANK, "valid")
    np.testing.assert_allclose(model.transform(IMAGES)[:, 2, 3], response[:, 6:, 9:].max(axis=(1, 2)), atol=1e-12)
    assert ConvFeatures(BANK[:, :1, :, :1], pool="mean").fit(RNG.standard_normal((3, 30))).output_shape_ == (1, 4, 4)


def test_one_number_pools_no_axis_of_length_one():
    assert ConvFeatures("random", pool_size=2).fit(np.ones((3, 6, 1))).output_shape_ == (3, 1, 64)
    assert ConvFeatures("random", pool_size=2).fit(np.ones((3, 7))).output_shape_ == (1, 3, 64)
