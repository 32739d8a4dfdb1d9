"""Activations far from zero; vectors; the order of the features after flattening."""

import numpy as np
import pytest
from exported import assert_close, check_network, network_model, run, settled
from networks import predicted

from skconv.layers import Activation, BatchNorm, Bias, Flatten, LayerNorm
from skconv.layers.activation_functions import FUNCTIONS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_activations_far_from_zero(name):
    x = np.array([-3e38, -1e4, -90, -20, -5, -1, -1e-3, -1e-30, 0, 1e-30, 1e-3, 1, 5, 20, 90, 1e4, 3e38], np.float32)
    network = settled([Activation(name), Flatten()], (1, 1, 1))
    X = x.reshape(-1, 1, 1, 1)
    with np.errstate(over="ignore"):
        wanted = predicted(network, X.reshape(len(x), 1))
    np.testing.assert_allclose(run(network_model(network), X)["y"], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 5, 3), (1, 1, 6), (4, 3, 1), (1, 7, 1)])
def test_features_have_the_order_of_rows(shape):
    X = np.arange(2 * np.prod(shape), dtype=np.float32).reshape(2, *shape)
    found = run(network_model(settled([Flatten()], shape)), X)["y"]
    np.testing.assert_array_equal(found, X.reshape(2, -1))


def test_layers_of_vectors():
    check_network(settled([Flatten(), Bias(), LayerNorm(), BatchNorm(), LayerNorm("sample"), Flatten()], (2, 3, 4)))


def test_normalisation_of_values_far_from_zero():
    network = settled([LayerNorm("sample", epsilon=1e-3), Flatten()], (3, 4, 5))
    X = (100 + np.random.default_rng(0).standard_normal((3, 3, 4, 5))).astype(np.float32)
    assert_close(run(network_model(network), X)["y"], predicted(network, X.reshape(3, -1)), within=1e-4)
