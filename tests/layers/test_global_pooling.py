"""Pooling over the whole image."""

import numpy as np
import pytest
from networks import initialized, predicted, run

from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Bias, Dense, Flatten, GlobalMaxPool, GlobalMeanPool


def gradients(layer, x, dy):
    """Gradient of an image ``x``, from that of the layer's output."""
    network = Network([Bias("position"), layer, Flatten(), Dense(dy.size, bias=False)], (*x.shape, 1), np.float64)
    views = network.named_parameters()
    views["dense1.weight"][...] = np.eye(dy.size)
    session = Session(network, 16, 1, training=True)
    session.weight[0] = 1
    with Team(1):
        session.forward(lambda k: session.load(k, x.reshape(1, -1)))
        session.output_gradient[...] = 0
        session.output_gradient[:, 0] = dy.ravel()
        gradient = session.backward()
    return gradient[: x.size].reshape(x.shape)


def test_global_maximum_sends_the_gradient_of_ties_to_the_first():
    x = np.array([[0.0, 3.0, 1.0], [3.0, 3.0, 2.0]])
    np.testing.assert_array_equal(gradients(GlobalMaxPool(), x, np.array([7.0])), [[0, 7, 0], [0, 0, 0]])


@pytest.mark.parametrize("shape", [(4, 5, 3), (1, 7, 2), (1, 1, 2)])
@pytest.mark.parametrize(("layer", "function"), [(GlobalMaxPool(), np.max), (GlobalMeanPool(), np.mean)])
def test_one_number_a_channel(layer, function, shape):
    X = np.random.default_rng(0).standard_normal((18, np.prod(shape)))
    network = initialized([Bias(), layer], shape)
    images = X.reshape(18, *shape) + network.named_parameters()["bias1.bias"]
    expected = function(images, axis=(1, 2))
    np.testing.assert_allclose(predicted(network, X), expected, rtol=0, atol=1e-14)
    y, gradient = run(network, X, np.ones_like(expected))
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(gradient, 18, rtol=1e-13)  # one for each sample, however it is shared out
