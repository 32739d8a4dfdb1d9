"""Layers as matrices: the lecture's construction in loops, and what a network gives."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from skconv import ConvNetClassifier
from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.inspection import _matrix, weight_matrix
from skconv.layers import (
    Bias,
    ConstantPadding,
    Convolution,
    Dense,
    Flatten,
    FullyConnected,
    LocallyConnected,
    MaxPool,
    StridePool,
)

KINDS = {"convolution1": Convolution, "locallyconnected1": LocallyConnected, "fullyconnected1": FullyConnected}
GEOMETRIES = {
    "same": ({"kernel_size": 3}, (5, 6, 2)),
    "valid": ({"kernel_size": (2, 3), "padding": "valid"}, (5, 6, 2)),
    "strided": ({"kernel_size": 3, "stride": (2, 3)}, (7, 8, 1)),
    "dilated": ({"kernel_size": (2, 3), "dilation": (3, 2), "padding": 1}, (6, 7, 2)),
    "even": ({"kernel_size": 4, "stride": 2}, (6, 5, 1)),
    "asymmetric": ({"kernel_size": 3, "padding": ((2, 0), (1, 4))}, (5, 4, 2)),
    "windows in the border": ({"kernel_size": 2, "stride": 2, "padding": ((3, 4), (5, 2))}, (4, 3, 1)),
    "series": ({"kernel_size": 5, "stride": 2}, (1, 11, 3)),
}


def network_of(layers, shape):
    """The layers, then the image as it is: the last layer is the identity."""
    network = Network([*layers, Flatten()], shape, np.float64)
    size = network.shapes[-1][0]
    network = Network([*layers, Flatten(), Dense(size, bias=False)], shape, np.float64)
    network.initialize(np.random.default_rng(0))
    network.named_parameters()["dense1.weight"][...] = np.eye(size)
    return network


def outputs(network, X):
    with Team(1) as team:
        session = Session(network, 16, 1, training=False, team=team)
        return session.forward(lambda k: session.load(k, X))[:, : len(X)].T.copy()


def samples(n, shape):
    return np.random.default_rng(1).standard_normal((n, int(np.prod(shape))))


def first_tap(size, kernel, stride, dilation, padding):
    """Where on the axis the first window starts, and how many windows there are."""
    span = (kernel - 1) * dilation + 1
    if padding == "same":
        return -((span - 1) // 2), -(-size // stride)
    before, after = (0, 0) if padding == "valid" else padding
    return -before, (size + before + after - span) // stride + 1


def two(value, height):
    return ((1 if height == 1 else value), value) if isinstance(value, int) else value


def lecture(kind, filters, shape, kernel_size, stride=1, dilation=1, padding="same"):
    """Which weight connects output and input, by the lecture's steps, from full to local to shared: -1 for none."""
    H, W, C = shape
    (R, S), (down, across), (apart, along) = (two(v, H) for v in (kernel_size, stride, dilation))
    if isinstance(padding, int):
        padding = (padding, padding)
    if not isinstance(padding, str):
        padding = [(side, side) if isinstance(side, int) else side for side in padding]
    sides = (padding, padding) if isinstance(padding, str) else padding
    top, P = first_tap(H, R, down, apart, sides[0])
    left, Q = first_tap(W, S, across, along, sides[1])
    ties = np.full((P, Q, filters, H, W, C), -1)
    for p, q, f, i, j, c in np.ndindex(ties.shape):
        if kind is FullyConnected:  # every output has a weight for every input
            ties[p, q, f, i, j, c] = ((((p * Q + q) * filters + f) * H + i) * W + j) * C + c
            continue
        # Acting locally: only inputs that lie under a tap of the output's window.
        y, x = i - top - p * down, j - left - q * across
        if y % apart or x % along or not 0 <= y // apart < R or not 0 <= x // along < S:
            continue
        own = ((f * R + y // apart) * S + x // along) * C + c
        # Sharing: the same tap of the same filter is the same weight wherever the window stands.
        ties[p, q, f, i, j, c] = own if kind is Convolution else (p * Q + q) * filters * R * S * C + own
    return ties.reshape(P * Q * filters, H * W * C)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_ties_are_the_lecture(name, geometry):
    options, shape = GEOMETRIES[geometry]
    network = network_of([KINDS[name](3, **options)], shape)
    ties = weight_matrix(network, name, ties=True)
    assert ties.dtype == np.int64
    np.testing.assert_array_equal(ties, lecture(KINDS[name], 3, shape, **options))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_matrix_does_what_the_layer_does(name, geometry):
    options, shape = GEOMETRIES[geometry]
    network = network_of([KINDS[name](3, bias=False, **options)], shape)
    X = samples(7, shape)
    matrix = weight_matrix(network, name)
    assert matrix.dtype == np.float64
    np.testing.assert_allclose(X @ matrix.T, outputs(network, X), rtol=0, atol=1e-12)
    # Values stand where the ties say, and nowhere else.
    ties = weight_matrix(network, name, ties=True)
    weight = network.named_parameters()[f"{name}.weight"].ravel()
    np.testing.assert_array_equal(matrix, np.where(ties < 0, 0, weight[ties]))


sizes = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 2))
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
borders = st.tuples(st.integers(0, 3), st.integers(0, 3))


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(sorted(KINDS)),
    shape=sizes,
    options=st.fixed_dictionaries(
        {
            "kernel_size": pairs,
            "stride": pairs,
            "dilation": pairs,
            "padding": st.sampled_from(["same", "valid"]) | st.tuples(borders, borders),
        }
    ),
)
def test_any_geometry(name, shape, options):
    layer = KINDS[name](2, bias=False, **options)
    try:
        layer.output_shape(shape)
    except ValueError:
        assume(False)
    network, X = network_of([layer], shape), samples(3, shape)
    np.testing.assert_array_equal(weight_matrix(network, name, ties=True), lecture(KINDS[name], 2, shape, **options))
    np.testing.assert_allclose(X @ weight_matrix(network, name).T, outputs(network, X), rtol=0, atol=1e-12)


def test_by_hand():
    network = network_of([Convolution(1, 2, stride=2, bias=False)], (2, 4, 1))
    network.named_parameters()["convolution1.weight"][...] = np.array([[1, 2], [3, 4]])[None, :, :, None]
    assert weight_matrix(network).tolist() == [[1, 2, 0, 0, 3, 4, 0, 0], [0, 0, 1, 2, 0, 0, 3, 4]]
    assert weight_matrix(network, ties=True).tolist() == [[0, 1, -1, -1, 2, 3, -1, -1], [-1, -1, 0, 1, -1, -1, 2, 3]]


def test_groups():
    """Two groups of a channel and two filters: zeros where a filter does not see the channel."""
    network = network_of([Convolution(4, (1, 2), padding="valid", groups=2, bias=False)], (1, 3, 2))
    network.named_parameters()["convolution1.weight"][...] = np.arange(1, 9).reshape(4, 1, 2, 1)
    assert weight_matrix(network).tolist() == [
        [1, 0, 2, 0, 0, 0],
        [3, 0, 4, 0, 0, 0],
        [0, 5, 0, 6, 0, 0],
        [0, 7, 0, 8, 0, 0],
        [0, 0, 1, 0, 2, 0],
        [0, 0, 3, 0, 4, 0],
        [0, 0, 0, 5, 0, 6],
        [0, 0, 0, 7, 0, 8],
    ]
    ties = [[0, -1, 1, -1, -1, -1], [2, -1, 3, -1, -1, -1], [-1, 4, -1, 5, -1, -1], [-1, 6, -1, 7, -1, -1]]
    assert weight_matrix(network, ties=True)[:4].tolist() == ties


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_matrix_does_what_groups_do(groups):
    network = network_of([Convolution(8, 3, stride=2, dilation=(1, 2), groups=groups, bias=False)], (5, 6, 4))
    X = samples(3, (5, 6, 4))
    np.testing.assert_allclose(X @ weight_matrix(network).T, outputs(network, X), rtol=0, atol=1e-12)


def test_layers_further_on():
    """The matrix is that of one layer on its own input, before the pooling that the network does first."""
    layers = [Convolution(2), MaxPool(2), LocallyConnected(3, 2), Bias(), Convolution(4, bias=False), StridePool(2)]
    network = network_of(layers, (6, 8, 1))
    assert weight_matrix(network, "convolution1").shape == (6 * 8 * 2, 6 * 8)
    assert weight_matrix(network, "locallyconnected1").shape == (3 * 4 * 3, 3 * 4 * 2)
    assert weight_matrix(network, "convolution2").shape == (3 * 4 * 4, 3 * 4 * 3)
    X = samples(5, (6, 8, 1))
    values = network.named_parameters()
    y = (X @ weight_matrix(network).T).reshape(5, 3, 2, 4, 2, 2).max(axis=(2, 4)) + values["convolution1.bias"]
    y = (y.reshape(5, -1) @ weight_matrix(network, "locallyconnected1").T).reshape(5, 3, 4, 3)
    y = y + values["locallyconnected1.bias"] + values["bias1.bias"]
    y = (y.reshape(5, -1) @ weight_matrix(network, "convolution2").T).reshape(5, 3, 4, 4)[:, ::2, ::2]
    np.testing.assert_allclose(outputs(network, X), y.reshape(5, -1), rtol=0, atol=1e-12)


def test_estimators():
    X, y = load_digits(return_X_y=True)
    X, y = X[:100] / 16, y[:100]
    model = ConvNetClassifier((2, 3), connectivity=("local", "shared"), max_iter=1, random_state=0)
    with pytest.raises(NotFittedError):
        weight_matrix(model)
    model.fit(X, y)
    first = weight_matrix(model, "locallyconnected1")
    assert first.shape == (128, 64)
    assert first.dtype == np.float32
    assert np.count_nonzero(first) == 2 * 22 * 22  # 22 pairs of pixels that touch or are the same, down and across
    np.testing.assert_array_equal(weight_matrix(model), weight_matrix(model.network_))
    # Nobody writes into the model through the matrix.
    first[...] = 0
    assert model.weights_["locallyconnected1.weight"].any()


def test_a_full_matrix_is_a_copy():
    network = network_of([FullyConnected(2)], (3, 3, 1))
    matrix = weight_matrix(network, "fullyconnected1")
    matrix[...] = 0
    assert network.named_parameters()["fullyconnected1.weight"].all()


@pytest.mark.parametrize("layer", ["convolution2", "dense1", "bias1", "convolution", None])
def test_unknown_layers(layer):
    network = network_of([Convolution(2), LocallyConnected(2), Bias()], (3, 3, 1))
    match = rf"layer={layer!r} is not .* it has convolution1, locallyconnected1"
    with pytest.raises(ValueError, match=match):
        weight_matrix(network, layer)


def test_no_layer():
    with pytest.raises(ValueError, match=r"layer='convolution1' is not .* it has none"):
        weight_matrix(Network([Flatten(), Dense(2)], (3, 3, 1), np.float64))


@pytest.mark.parametrize("name", ["convolution1", "locallyconnected1"])
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"padding_mode": "wrap"}, "padding_mode='wrap';"),
        ({"padding_mode": ConstantPadding([0, 0.5])}, r"padding_mode=ConstantPadding\(values=\[0, 0.5\]\);"),
    ],
)
def test_borders_of_something_else(name, options, match):
    network = network_of([KINDS[name](2, **options)], (4, 4, 2))
    with pytest.raises(ValueError, match=rf"layer={name!r} has a border with {match} only a border of zeros"):
        weight_matrix(network, name)
    # Without a border they say nothing.
    inside = network_of([KINDS[name](2, 3, padding="valid", **options)], (4, 4, 2))
    assert weight_matrix(inside, name).shape == (2 * 2 * 2, 4 * 4 * 2)


@pytest.mark.parametrize("name", KINDS)
def test_matrix_beyond_memory(monkeypatch, machine_memory, name):
    network = network_of([KINDS[name](32)], (16, 16, 1))
    machine_memory(1 << 24)
    matrix = weight_matrix(network, name)  # 8192 x 256 numbers of 8 bytes are 16 MiB
    assert matrix.nbytes == 1 << 24
    machine_memory(1 << 23)
    monkeypatch.setattr(_matrix.np, "full", None)
    match = f"the 8,192 x 256 matrix of {name} would take 16.0 MiB, more than the 8.0 MiB of this machine's memory"
    for ties in (False, True):
        with pytest.raises(ValueError, match=match):
            weight_matrix(network, name, ties=ties)
