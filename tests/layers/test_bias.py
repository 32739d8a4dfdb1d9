"""Trained numbers, added."""

import numpy as np
import pytest
from networks import by_name, initialized, run

from skconv.layers import Bias, Dense, Flatten


@pytest.mark.parametrize(("kind", "shape"), [(True, (3,)), (np.True_, (3,)), ("position", (4, 5, 3))])
def test_it_is_added_and_its_gradient_is_a_sum(kind, shape):
    network = initialized([Bias(kind), Flatten()], (4, 5, 3))
    X, R = np.random.default_rng(1).standard_normal((2, 9, 60))
    bias = network.named_parameters()["bias1.bias"]
    assert bias.shape == shape
    y, gradient = run(network, X, R)
    np.testing.assert_allclose(y, (X.reshape(9, 4, 5, 3) + bias).reshape(9, 60), rtol=0, atol=1e-15)
    slopes = R.reshape(9, 4, 5, 3).sum(axis=0 if kind == "position" else (0, 1, 2))
    np.testing.assert_allclose(by_name(network, gradient)["bias1.bias"], slopes, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", [True, "position"])
def test_of_a_vector_each_element_has_its_own(kind):
    network = initialized([Flatten(), Dense(4, bias=False), Bias(kind)], (2, 2, 1))
    assert network.named_parameters()["bias1.bias"].shape == (4,)
