"""A gate on channels, against its formula."""

import numpy as np
import pytest
from networks import initialized, predicted, run
from scipy.special import expit

from skconv.layers import Flatten, SqueezeExcite


@pytest.mark.parametrize(("ratio", "channels", "hidden"), [(4, 8, 2), (3, 8, 2), (16, 3, 1), (1, 3, 3)])
def test_each_channel_is_scaled_by_a_number_of_all_means(ratio, channels, hidden):
    layer, shape = SqueezeExcite(ratio), (4, 5, channels)
    assert layer.parameter_shapes(shape)["squeeze_weight"] == (hidden, channels)
    assert layer.multiply_adds(shape) == 2 * hidden * channels
    network = initialized([layer, Flatten()], shape)
    X = np.random.default_rng(1).standard_normal((19, 20 * channels))
    images, values = X.reshape(19, *shape), network.named_parameters()
    squeeze, a, excite, b = (values[f"squeezeexcite1.{name}"] for name in layer.parameter_shapes(shape))
    gate = expit(np.maximum(images.mean(axis=(1, 2)) @ squeeze.T + a, 0) @ excite.T + b)
    expected = (images * gate[:, None, None]).reshape(19, -1)
    np.testing.assert_allclose(predicted(network, X), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(run(network, X, np.zeros_like(X))[0], expected, rtol=0, atol=1e-12)


def test_without_weights_all_channels_are_halved():
    network = initialized([SqueezeExcite(), Flatten()], (3, 3, 4), np.float32)
    network.parameters[:] = 0
    X = np.random.default_rng(1).standard_normal((5, 36)).astype(np.float32)
    np.testing.assert_array_equal(predicted(network, X), X / 2)
