"""Larger images, against PyTorch, in strips of rows and one sample at a time."""

import numpy as np
import pytest
from networks import initialized, predicted, run

from skconv._network.network import Network
from skconv._network.single_sample import Alone
from skconv._network.strips import strips
from skconv.layers import Activation, Bias, Convolution, DepthToSpace, Flatten, Upsample
from skconv.layers.composite import own_layers, through

IMAGE = np.array([[0.0, 1, 5], [2, -1, 3]])


def test_interpolation_and_its_gradient_equal_pytorch():
    """``interpolate(x, scale_factor=(3, 2), mode="bilinear", align_corners=False)`` of PyTorch 2.13."""
    network = Network([Bias("position"), Upsample((3, 2), "linear"), Flatten()], (2, 3, 1), np.float64)
    y, gradient = run(network, IMAGE.reshape(1, -1), np.arange(36.0)[None])
    expected = [
        [0, 0.25, 0.75, 2, 4, 5],
        [0, 0.25, 0.75, 2, 4, 5],
        [2 / 3, 7 / 12, 5 / 12, 4 / 3, 10 / 3, 13 / 3],
        [4 / 3, 11 / 12, 1 / 12, 2 / 3, 8 / 3, 11 / 3],
        [2, 1.25, -0.25, 0, 2, 3],
        [2, 1.25, -0.25, 0, 2, 3],
    ]
    np.testing.assert_allclose(y.reshape(6, 6), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(gradient.reshape(2, 3), [[43.75, 55, 66.25], [143.75, 155, 166.25]], rtol=1e-13)


@pytest.mark.parametrize("factors", [(2, 2), (3, 1), (1, 4), (4, 3)])
def test_bands_change_nothing(factors, monkeypatch):
    network = initialized([Bias("position"), Upsample(factors, "linear"), Flatten()], (7, 5, 2))
    X, R = (np.random.default_rng(seed).standard_normal((9, n)) for seed, n in ((1, 70), (2, network.shapes[-1][0])))
    whole = run(network, X, R)
    for rows in (1, 2, 3, 5):
        monkeypatch.setattr("skconv.layers.resampling._BAND_BYTES", rows * 5 * factors[1] * 2 * 9 * 8)
        y, gradient = run(network, X, R)
        np.testing.assert_array_equal(y, whole[0])
        np.testing.assert_allclose(gradient, whole[1], rtol=0, atol=1e-13)


def test_nearest_repeats_pixels():
    network = Network([Upsample((2, 3)), Flatten()], (2, 3, 1), np.float64)
    repeated = IMAGE.repeat(2, axis=0).repeat(3, axis=1)
    np.testing.assert_array_equal(predicted(network, IMAGE.reshape(1, -1)).reshape(4, 9), repeated)


def test_channels_are_laid_out_as_in_pixel_shuffle():
    for order, expected in (
        ("CRD", [[[0, 4], [1, 5]], [[2, 6], [3, 7]]]),
        ("DCR", [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]),
    ):
        network = Network([DepthToSpace((2, 2), order), Flatten()], (1, 2, 8), np.float64)
        y = predicted(network, np.array([[*range(8), *range(8)]], float)).reshape(2, 4, 2)
        np.testing.assert_array_equal(y[:, :2], expected)
        np.testing.assert_array_equal(y[:, 2:], expected)


LAYERS = {
    "nearest": Upsample(3),
    "linear": Upsample(2, "linear"),
    "linear, thrice": Upsample((3, 2), "linear"),
    "depth to space": DepthToSpace(2),
    "depth to space, channel by channel": DepthToSpace((3, 1), "CRD"),
}


@pytest.mark.parametrize("height", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("name", LAYERS)
def test_strips_have_the_bits_of_the_whole(name, height):
    layers = [Convolution(12, 3), LAYERS[name], Activation("tanh"), Convolution(2, 3)]
    network = initialized([*layers, Flatten()], (7, 5, 2), np.float32)
    X = np.random.default_rng(1).standard_normal((16, 7, 5, 2)).astype(np.float32)
    whole = predicted(network, X.reshape(16, -1)).reshape(16, *network.shapes[-2])
    found = np.full_like(whole, np.nan)
    for rows, inside, part in strips(network, height):
        found[:, rows] = predicted(part, X[:, inside].reshape(16, -1)).reshape(16, -1, *network.shapes[-2][1:])
    np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("name", LAYERS)
def test_a_sample_alone_has_the_bits_of_the_batch(name):
    network = initialized([Convolution(12, 3), LAYERS[name], Activation("tanh"), Flatten()], (7, 5, 2), np.float32)
    X = np.random.default_rng(1).standard_normal((16, 70)).astype(np.float32)
    session = Alone(network, 16)
    assert len(session.ends) > 2  # beyond the layer
    session.load(0, X[3:4])
    np.testing.assert_array_equal(session.forward()[:, 0], predicted(network, X)[3])


def test_blocks_must_divide_the_channels():
    message = (
        r"\(DepthToSpace\): block_size=3 makes blocks of 9 pixels, which must divide the 12 channels of the input$"
    )
    with pytest.raises(ValueError, match=message):
        through(own_layers([DepthToSpace(3)]), (4, 4, 12))
    with pytest.raises(ValueError, match="block_size=5 makes blocks of 5 pixels, which must divide the 12 channels"):
        through(own_layers([DepthToSpace(5)]), (1, 4, 12))
