"""Convolution: groups of channels against PyTorch and SciPy, errors, first values, prediction."""

from math import prod

import numpy as np
import pytest
from cases import Case
from networks import build, run
from scipy.signal import correlate

from skconv._kernels.algorithm import Correlation
from skconv._network import fused
from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Activation, Convolution, Dense, Flatten, MaxPool

# By PyTorch 2.13, conv2d in two groups of 2 channels and 3 filters; image, weight and gradient channels last.
IMAGE = (np.arange(48) * 5 % 11 - 5).reshape(3, 4, 4)
WEIGHT = (np.arange(48) * 7 % 13 - 6).reshape(6, 2, 2, 2)
DY = (np.arange(36) * 3 % 7 - 3).reshape(2, 3, 6)
Y = [
    [[43, -12, -28, -13, -27, -2], [-44, -40, 42, 10, -31, 45], [-16, 43, -2, -24, -7, -3]],
    [[-7, 46, -5, 35, -14, -24], [31, -35, -23, -21, 11, -22], [-1, -21, -2, -15, -33, 40]],
]
WEIGHT_GRADIENT = [
    [17, -22, 8, 3, -24, 3, 16, -22],
    [-23, 16, 8, 4, 18, 2, -23, 17],
    [14, -23, -27, 5, -17, 1, 1, 0],
    [0, -1, 11, -22, -27, 5, 11, -22],
    [11, 11, -3, 9, 22, -22, 2, 3],
    [1, 2, -17, -2, -27, 7, 14, 7],
]
DATA_GRADIENT = [
    [[24, -15, -2, 17], [0, -14, 23, -14], [-2, -16, -12, -10], [4, 15, -10, 17]],
    [[19, -26, 20, -26], [-6, 38, 7, -18], [-9, 35, -4, -3], [-16, -16, -24, 40]],
    [[-3, 17, 24, -15], [-4, -11, -2, -16], [-5, -12, -4, 21], [-4, 11, 0, 11]],
]


def test_equals_pytorch():
    layer = Convolution(6, 2, stride=(1, 2), padding=((0, 0), (1, 1)), groups=2, bias=False)
    network = build(Case(layer, (3, 4, 4), (2, 3, 6)))
    values = network.named_parameters()
    values["offset1.offset"][...] = 0
    values["convolution1.weight"][...] = WEIGHT
    y, gradient = run(network, IMAGE.reshape(1, -1).astype(float), DY.reshape(1, -1))
    np.testing.assert_array_equal(y.reshape(2, 3, 6), Y)
    offset, convolution, *_ = network.views(gradient)[0]
    np.testing.assert_array_equal(offset.offset, DATA_GRADIENT)
    np.testing.assert_array_equal(convolution.weight.reshape(6, -1), WEIGHT_GRADIENT)


@pytest.mark.parametrize("kernel", [(3, 2), (4, 3), (1, 7)])
@pytest.mark.parametrize("each", [1, 2])
def test_depthwise_equals_scipy(kernel, each):
    """Each channel alone, with as many filters as it has."""
    layer = Convolution(3 * each, kernel, padding="valid", groups=3, bias=False)
    network = build(Case(layer, (6, 8, 3), layer.output_shape((6, 8, 3))))
    X = np.random.default_rng(0).standard_normal((2, 6, 8, 3))
    values = network.named_parameters()
    values["offset1.offset"][...] = 0
    y, _ = run(network, X.reshape(2, -1), np.zeros((2, prod(layer.output_shape((6, 8, 3))))))
    weight = values["convolution1.weight"]
    expected = [
        [correlate(x[..., f // each], weight[f, :, :, 0], "valid", method="direct") for f in range(3 * each)] for x in X
    ]
    expected = np.transpose(expected, (0, 2, 3, 1))
    np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("groups", [3, 8, 24])
def test_groups_that_do_not_fit(groups):
    match = rf"^groups must divide the 8 channels of the input and filters=12: one of 1, 2, 4, got {groups}$"
    with pytest.raises(ValueError, match=match):
        Convolution(12, groups=groups).output_shape((5, 6, 8))


def test_the_network_names_the_layer():
    layers = [Convolution(6), Convolution(9, groups=2), Flatten(), Dense(2)]
    with pytest.raises(
        ValueError, match=r"layers\[1\] \(Convolution\): groups must divide .* filters=9: one of 1, 3, got 2"
    ):
        Network(layers, (5, 6, 1), np.float32)


@pytest.mark.parametrize(
    ("initializer", "bound"), [("fan_in_uniform", (1 / 18) ** 0.5), ("glorot_uniform", (6 / (18 + 36)) ** 0.5)]
)
def test_first_values(initializer, bound):
    """Of 2 channels and 4 filters a group, 3 x 3: what a filter sees, and by how many a channel is seen."""
    layer = Convolution(400, groups=100, initializer=initializer)
    weight = np.zeros(layer.parameter_shapes((5, 5, 200))["weight"])
    assert weight.shape == (400, 3, 3, 2)
    layer.initialize({"weight": weight}, {}, (5, 5, 200), np.random.default_rng(0))
    assert 0.99 * bound < abs(weight).max() < bound


def test_a_stride_pooling_behind_it():
    layers = [Convolution(4, groups=2), Flatten(), Dense(2)]
    strided = layers[0].strided(2, (7, 6, 2))
    assert strided.get_params() == {**layers[0].get_params(), "stride": (2, 2)}


CHAINS = {
    "groups": Convolution(4, groups=2),
    "groups, winograd": Convolution(16, groups=2, dilation=(2, 1)),
    "depthwise": Convolution(16, groups=16),
    "depthwise, few taps": Convolution(16, 2, groups=16, padding=1),
    "dilated, winograd": Convolution(8, dilation=2),
    "1x1 behind": Convolution(16, 5, groups=16, padding="valid"),
}


@pytest.mark.parametrize("limit", [1, 1 << 13, 1 << 30])
@pytest.mark.parametrize("name", CHAINS)
def test_prediction_band_by_band(name, limit, monkeypatch):
    monkeypatch.setattr(Correlation, "band_bytes", limit)
    monkeypatch.setattr(fused, "_BAND_BYTES", limit)
    behind = [Convolution(6, 1, groups=2)] if name == "1x1 behind" else []
    network = Network([CHAINS[name], Activation(), *behind, MaxPool(2), Flatten(), Dense(3)], (13, 10, 16), np.float64)
    network.parameters[:] = np.random.default_rng(0).standard_normal(len(network.parameters))
    X = np.random.default_rng(1).standard_normal((7, prod(network.input_shape)))
    session, training = (Session(network, 16, 1, training=training) for training in (False, True))
    assert isinstance(session.steps[0].operation, fused.FusedConvolution)
    with Team(1):
        actual = session.forward(lambda k: session.load(k, X))[:, :7].T
        expected = training.forward(lambda k: training.load(k, X))[:, :7].T
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9)
