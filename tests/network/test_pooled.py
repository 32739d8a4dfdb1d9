"""Training does a convolution and the maxima of its tiles in one: the same numbers as the two steps."""

from math import prod

import numpy as np
import pytest

from skconv._kernels.algorithm import Correlation
from skconv._network import pooled
from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Activation, BatchNorm, Convolution, Dense, Flatten, MaxPool

CONVOLUTIONS = {  # (convolution, input, algorithm)
    "by position": (Convolution(5), (12, 8, 2), "Gathered"),
    "by position, odd": (Convolution(5), (13, 9, 2), "Gathered"),
    "by tap": (Convolution(5, (5, 3)), (12, 9, 7), "Gathered by tap"),
    "by tap, odd": (Convolution(5, (5, 3)), (9, 8, 7), "Gathered by tap"),
    "one row of windows": (Convolution(3, (1, 3)), (11, 6, 2), "Gathered"),
    "one sample": (Convolution(3, 1), (7, 7, 20), "Gathered"),
    "strided": (Convolution(4, 3, stride=2), (13, 14, 3), "Gathered"),
    "valid, strided": (Convolution(4, 3, stride=(1, 2), padding="valid"), (13, 12, 3), "Gathered"),
    "dilated": (Convolution(4, 3, dilation=2), (10, 10, 6), "Gathered"),
    "dilated down": (Convolution(4, 3, dilation=(3, 1)), (11, 6, 11), "Gathered by tap"),
    "one tile, of three rows": (Convolution(5), (3, 3, 2), "Gathered"),
    "tiles of eight": (Convolution(8), (16, 7, 8), "Winograd"),
    "tiles of seven": (Convolution(8), (14, 6, 8), "Winograd"),
    "three tiles of seven": (Convolution(8), (21, 5, 8), "Winograd"),
    "Winograd, odd": (Convolution(8, 5), (13, 9, 8), "Winograd"),
    "Winograd, three rows": (Convolution(8), (3, 4, 8), "Winograd"),
    "both ways": (Convolution(64), (16, 8, 64), "Winograd2D"),
    "both ways, tiles of seven": (Convolution(64), (21, 5, 64), "Winograd2D"),
    "both ways, odd": (Convolution(64, padding="valid"), (13, 7, 64), "Winograd2D"),
    "groups": (Convolution(6, groups=2), (11, 9, 4), "Grouped"),
    "groups of many channels": (Convolution(16, groups=2), (14, 6, 16), "Split"),
    "depthwise": (Convolution(4, groups=4), (13, 9, 4), "Depthwise"),
    "depthwise, few taps": (Convolution(4, 2, groups=4), (12, 9, 4), "TapSums"),
}
IN_BANDS = {"Gathered", "Depthwise"}  # add up the gradients of each band first
LATER = [Convolution(2, 1, bias=False)]  # so that a gradient of its input is wanted


def make(layers, shape, dtype=np.float32):
    network = Network([*layers, Activation("tanh"), Flatten(), Dense(3)], shape, dtype)
    network.initialize(np.random.default_rng(0))
    return network


def train(network, X, blocks=1, threads=1, steps=2):
    """Session, outputs and gradients of the last of some steps from the same parameters."""
    width = len(X) // blocks
    rng = np.random.default_rng(1)
    with Team(threads) as team:
        session = Session(network, width, blocks, training=True, team=team)
        direction = rng.standard_normal(session.output.shape).astype(X.dtype)

        def loss(k):
            columns = slice(k * width, (k + 1) * width)
            session.output_gradient[:, columns] = direction[:, columns]

        for _ in range(steps):
            session.forward_backward(lambda k: session.load(k, X[k * width : (k + 1) * width]), loss)
    return session, session.output.copy(), session.gradient.copy()


def apart(monkeypatch, network, X, **options):
    """As `train`, each layer a step of its own."""
    with monkeypatch.context() as patch:
        patch.setattr(Network, "training_steps", lambda self: self.steps)
        return train(network, X, **options)


def limit_bands(monkeypatch, limit):
    monkeypatch.setattr(Correlation, "band_bytes", limit)
    monkeypatch.setattr(pooled, "_BAND_BYTES", limit)


def samples(shape, n=16, dtype=np.float32):
    return np.random.default_rng(2).standard_normal((n, prod(shape))).astype(dtype)


@pytest.mark.parametrize("limit", [1, 1 << 14, 1 << 16, 1 << 30])
@pytest.mark.parametrize("place", ["first", "later"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_equals_the_two_steps(monkeypatch, name, place, limit):
    limit_bands(monkeypatch, limit)
    convolution, shape, algorithm = CONVOLUTIONS[name]
    before = [Convolution(shape[2], 1, bias=False)] if place == "later" else []
    network, X = make([*before, convolution, MaxPool(2)], shape), samples(shape)
    session, *actual = train(network, X)
    other, *expected = apart(monkeypatch, network, X)
    i = len(before)
    assert isinstance(session.steps[i].operation, pooled.PooledConvolution)
    found = session.placed[i].plan.algorithm
    assert type(found).__name__ + " by tap" * getattr(found, "by_tap", False) == algorithm
    assert len(other.steps) == len(session.steps) + 1
    np.testing.assert_array_equal(actual[0], expected[0])
    if i:
        np.testing.assert_array_equal(session.placed[i].frames[0].dx, other.placed[i].frames[0].dx)
    if algorithm in IN_BANDS:  # the same sums in another order
        np.testing.assert_allclose(actual[1], expected[1], rtol=0, atol=1e-6 * abs(expected[1]).max())
    else:
        np.testing.assert_array_equal(actual[1], expected[1])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("limit", [1, 1 << 30])
@pytest.mark.parametrize("name", ["by tap, odd", "three tiles of seven", "both ways, tiles of seven", "groups"])
def test_blocks_and_threads(monkeypatch, name, limit, threads):
    limit_bands(monkeypatch, limit)
    convolution, shape, _ = CONVOLUTIONS[name]
    network, X = make([convolution, MaxPool(2), Convolution(7), MaxPool(2)], shape), samples(shape, 48)
    _, *actual = train(network, X, blocks=3, threads=threads)
    _, *expected = apart(monkeypatch, network, X, blocks=3)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=0, atol=1e-6 * abs(e).max())  # 7 filters on few channels: in bands
    for a, e in zip(actual, train(network, X, blocks=3)[1:], strict=True):
        np.testing.assert_array_equal(a, e)


def test_is_right_in_double_precision_by_finite_differences():
    network, X = make([*LATER, Convolution(3), MaxPool(2)], (7, 5, 2), np.float64), samples((7, 5, 2), 16, np.float64)
    _, output, gradient = train(network, X)
    direction = np.random.default_rng(1).standard_normal(output.shape)
    values = []
    for change in (1e-6, -1e-6):
        network.parameters += change * np.sign(gradient)
        values.append((train(network, X, steps=1)[1] * direction).sum())
        network.parameters -= change * np.sign(gradient)
    np.testing.assert_allclose((values[0] - values[1]) / 2e-6, abs(gradient).sum(), rtol=1e-7)


@pytest.mark.parametrize("limit", [1, 1 << 30])
def test_a_tie_goes_to_the_first_of_the_tile(monkeypatch, limit):
    limit_bands(monkeypatch, limit)
    network, X = make([*LATER, Convolution(3, 1), MaxPool(2)], (5, 7, 2)), np.ones((16, 70), np.float32)
    session, output, _ = train(network, X)
    other, expected, _ = apart(monkeypatch, network, X)
    np.testing.assert_array_equal(output, expected)
    np.testing.assert_array_equal(session.placed[1].frames[0].dx, other.placed[1].frames[0].dx)
    where = np.zeros((5, 7), bool)
    where[0:4:2, 0:6:2] = True
    np.testing.assert_array_equal((session.placed[1].frames[0].dx != 0).any(axis=(2, 3)), where)


# PyTorch 2: torch.nn.functional.max_pool2d(conv2d(x, weight, padding=1), 2), times these gradients, in integers.
X_TORCH = [[2, 0, 0, 1], [-3, 3, -1, 1], [2, -3, 3, 3], [-3, 3, 3, -1], [3, 2, 3, 2]]
WEIGHT = [[[-1, 2, -1], [-1, 0, 1], [0, 2, 2]], [[-2, -2, -1], [2, 1, 2], [0, 1, -2]]]
DY = [[[7, 2], [6, 3]], [[1, 4], [7, 8]]]
Y = [[[5, 9], [23, 12]], [[9, 3], [5, 8]]]
DX = [[16, -16, -2, -6], [-20, 12, -27, -6], [22, 18, 50, 1], [0, 16, -2, 11], [0, 0, 6, 6]]
DW = [[[-27, 41, 5], [27, -32, 38], [-18, 47, 9]], [[-29, 29, -3], [52, -1, 25], [-12, 28, 32]]]


@pytest.mark.parametrize("limit", [1, 1 << 30])
def test_equals_pytorch(monkeypatch, limit):
    limit_bands(monkeypatch, limit)
    layers = [Convolution(1, 1, bias=False), Convolution(2, bias=False), MaxPool(2), Flatten()]
    network = Network(layers, (5, 4, 1), np.float64)
    first, weight = network.named_parameters().values()
    first[...], weight[...] = 1, np.array(WEIGHT)[..., None]
    X = np.tile(np.ravel(X_TORCH).astype(float), (16, 1))
    with Team(1):
        session = Session(network, 16, 1, training=True)
        session.forward(lambda k: session.load(k, X))
        np.testing.assert_array_equal(session.output[:, 0].reshape(2, 2, 2), np.transpose(Y, (1, 2, 0)))
        session.output_gradient[...] = np.transpose(DY, (1, 2, 0)).reshape(8, 1)
        session.backward()
    np.testing.assert_array_equal(session.placed[1].frames[0].dx[:, :, 0, 5], DX)
    np.testing.assert_array_equal(session.gradient[1:].reshape(2, 3, 3), 16 * np.array(DW))


@pytest.mark.parametrize("name", ["by position", "by tap", "tiles of seven", "both ways", "groups"])
def test_allocates_nothing_after_the_first_step(name, allocated):
    convolution, shape, _ = CONVOLUTIONS[name]
    network, X = make([convolution, MaxPool(2)], shape), samples(shape, 64)
    with Team(1) as team:
        session = Session(network, 64, 1, training=True, team=team)

        def step():
            session.forward_backward(lambda k: session.load(k, X), lambda k: session.output_gradient.fill(1))

        assert allocated(step) < 1 << 15


@pytest.mark.parametrize(
    "layers",
    [
        [Convolution(3), MaxPool((3, 2), stride=(2, 2))],
        [Convolution(3), MaxPool(3)],
        [Convolution(3), MaxPool(2, stride=1)],
        [Convolution(3), MaxPool(2, padding=1)],
        [Convolution(3), MaxPool(2, ceil_mode=True)],
        [Convolution(3, bias=False), BatchNorm(), MaxPool(2)],
    ],
)
def test_other_pairs_stay_apart(layers):
    network = make(layers, (9, 9, 1))
    assert network.training_steps() == network.steps


def test_what_moves_behind_the_pooling_stays_behind_it():
    network = make([Convolution(3), Activation("relu"), MaxPool(2)], (9, 9, 1))
    names = [type(step.operation).__name__ for step in network.training_steps()]
    assert names[:3] == ["PooledConvolution", "Bias", "Activation"]
    assert [s.parameter_shapes for s in network.training_steps()] == [
        s.parameter_shapes for s in network.steps if not isinstance(s.operation, MaxPool)
    ]
