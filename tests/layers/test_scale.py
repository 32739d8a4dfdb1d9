"""Trained factors."""

import numpy as np
from networks import by_name, initialized, run

from skconv._network.network import Network
from skconv.layers import Flatten, Scale


def test_channels_are_multiplied_and_the_gradient_is_a_sum_of_products():
    network = initialized([Scale(), Flatten()], (4, 5, 3))
    X, R = np.random.default_rng(1).standard_normal((2, 9, 60))
    scale, images = network.named_parameters()["scale1.scale"], X.reshape(9, 4, 5, 3)
    y, gradient = run(network, X, R)
    np.testing.assert_allclose(y, (images * scale).reshape(9, 60), rtol=0, atol=1e-15)
    slopes = (R.reshape(9, 4, 5, 3) * images).sum(axis=(0, 1, 2))
    np.testing.assert_allclose(by_name(network, gradient)["scale1.scale"], slopes, rtol=0, atol=1e-13)


def test_the_first_value_is_the_parameter():
    network = Network([Scale(1e-6), Flatten()], (2, 2, 3), np.float32)
    network.initialize(np.random.default_rng(0))
    np.testing.assert_array_equal(network.parameters, np.full(3, 1e-6, np.float32))
