"""Sizes, borders and divisors of pooling: numbers by PyTorch, enumeration, and what the network makes of them."""

from math import ceil, inf

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from networks import Offset, run

from skconv._kernels.geometry import Axis
from skconv._network.network import Network
from skconv._network.session import Session
from skconv._network.steps import lower
from skconv._threads.team import Team
from skconv.layers import Activation, Bias, Convolution, Dense, Flatten, GlobalMaxPool, LpPool, MaxPool, MeanPool
from skconv.layers.composite import own_layers, through
from skconv.pooling import _MedianPool

SETTINGS = settings(deadline=None, max_examples=80, derandomize=True)


def image(height, width):
    """The image of the numbers below; many ties, both signs."""
    return ((np.arange(height * width) * 7) % 11 - 5.0).reshape(height, width)


def forward(layer, x):
    """Output of one layer for one image of one channel."""
    network = Network([layer, Flatten()], (*x.shape, 1), np.float64)
    session = Session(network, 16, 1, training=False)
    with Team(1):
        output = session.forward(lambda k: session.load(k, x.reshape(1, -1)))[:, 0]
    return output.reshape(layer.output_shape((*x.shape, 1))[:2])


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


# (height, width), pool_size, stride, padding, ceil_mode: maximum, mean without the border, mean with it; PyTorch 2.13.
PYTORCH = {
    "leftover row and column": (
        ((5, 5), 2, 2, 0, True),
        [[4.0, 5.0, 3.0], [1.0, 4.0, 5.0], [3.0, 2.0, -2.0]],
        [[-0.5, -0.25, 2.0], [-2.0, 1.0, 0.5], [1.0, -1.5, -2.0]],
        [[-0.5, -0.25, 2.0], [-2.0, 1.0, 0.5], [1.0, -1.5, -2.0]],
    ),
    "beyond the border": (
        ((5, 6), 3, 2, 1, True),
        [[4.0, 5.0, 5.0, -3.0], [4.0, 5.0, 4.0, 4.0], [5.0, 5.0, 4.0, 2.0]],
        [[0.25, 2 / 3, 0.0, -4.0], [0.0, 1 / 9, -5 / 9, 1 / 3], [-0.25, 1 / 6, -0.5, 1.0]],
        [[1 / 9, 4 / 9, 0.0, -4 / 3], [0.0, 1 / 9, -5 / 9, 1 / 6], [-1 / 9, 1 / 9, -1 / 3, 1 / 3]],
    ),
    "window in the border dropped": (
        ((4, 7), (3, 2), (3, 3), (1, 1), True),
        [[0.0, 5.0, 4.0], [5.0, 4.0, 3.0]],
        [[-2.5, 1.25, 0.25], [2.0, 0.25, -0.75]],
        [[-5 / 6, 5 / 6, 1 / 6], [2 / 3, 1 / 6, -0.5]],
    ),
    "windows apart": (
        ((6, 6), 2, 3, 1, True),
        [[-5.0, 5.0, -3.0], [2.0, 5.0, 4.0], [-4.0, -1.0, -2.0]],
        [[-5.0, 1.5, -3.0], [1.0, 2.0, 3.0], [-4.0, -3.0, -2.0]],
        [[-1.25, 0.75, -0.75], [0.5, 2.0, 1.5], [-1.0, -1.5, -0.5]],
    ),
    "rectangle": (
        ((3, 8), (2, 4), (2, 3), (1, 2), True),
        [[2.0, 5.0, 4.0, 0.0], [4.0, 4.0, 5.0, 2.0]],
        [[-1.5, 1.5, 0.5, 0.0], [0.0, 0.25, 0.625, 1.5]],
        [[-0.375, 0.75, 0.25, 0.0], [0.0, 0.25, 0.625, 0.5]],
    ),
    "window larger than the image": (((2, 2), 3, 2, 0, True), [[5.0]], [[0.0]], [[0.0]]),
    "rounded down": (
        ((5, 6), 3, 2, 1, False),
        [[4.0, 5.0, 5.0], [4.0, 5.0, 4.0], [5.0, 5.0, 4.0]],
        [[0.25, 2 / 3, 0.0], [0.0, 1 / 9, -5 / 9], [-0.25, 1 / 6, -0.5]],
        [[1 / 9, 4 / 9, 0.0], [0.0, 1 / 9, -5 / 9], [-1 / 9, 1 / 9, -1 / 3]],
    ),
    "series": (
        ((1, 9), 4, 3, 2, True),
        [[2.0, 5.0, 4.0, 0.0]],
        [[-1.5, 1.5, 0.5, -2.0]],
        [[-0.75, 1.5, 0.5, -1.0]],
    ),
}


@pytest.mark.parametrize("name", PYTORCH)
def test_equals_pytorch(name):
    (size, kernel, stride, padding, ceil_mode), maximum, mean, mean_with_border = PYTORCH[name]
    options = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    x = image(*size)
    np.testing.assert_array_equal(forward(MaxPool(kernel, **options), x), maximum)
    np.testing.assert_allclose(forward(MeanPool(kernel, **options), x), mean, atol=1e-14)
    actual = forward(MeanPool(kernel, count_include_pad=True, **options), x)
    np.testing.assert_allclose(actual, mean_with_border, atol=1e-14)


# PyTorch 2.13, of |image| + 1: there all is positive, and its signed sum of powers is the sum of absolute ones.
NORMS = {
    1: [[23.0, 22.0], [22.0, 24.0]],
    2: [[10.246950765959598, 9.695359714832659], [9.797958971132712, 10.583005244258363]],
    2.5: [[8.83723518026228, 8.37502289280428], [8.461406304557501, 9.127196291831943]],
    3: [[8.04660299297347, 7.651724731089556], [7.719442629361641, 8.320335292207616]],
}


@pytest.mark.parametrize("p", NORMS)
def test_norm_equals_pytorch(p):
    x = abs(image(4, 6)) + 1
    np.testing.assert_allclose(forward(LpPool((2, 3), p, stride=(2, 2)), x), NORMS[p], rtol=1e-14)


def test_gradient_of_the_norm_equals_pytorch():
    expected = [
        [-0.6201736729460424, 0.24806946917841696, -0.5153307110908414, 0.6681531047810609, 0.1336306209562122, 0],
        [0.4961389383568339, 0, -1.0306614221816828, 0.4008918628686366, -0.1336306209562122, 0],
        [0.2626128657194451, -0.2626128657194451, 1.2541464689658097, 0.11952286093343938, -0.3585685828003181, 0],
        [0, -0.5252257314388902, 0.7524878813794857, -0.11952286093343938, -0.5976143046671969, 0],
    ]
    actual = gradients(LpPool((2, 3), stride=(2, 2)), image(4, 6), np.ones((2, 2)))
    np.testing.assert_allclose(actual, expected, atol=1e-14)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_gradient_of_the_norm_of_zeros_is_zero(p):
    x = np.zeros((2, 4))
    x[0, 3] = -2
    actual = gradients(LpPool(2, p), x, np.array([[5.0, 3.0]]))
    np.testing.assert_allclose(actual, [[0, 0, 0, -3], [0, 0, 0, 0]], atol=1e-14)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_norm_neither_overflows_nor_underflows(scale):
    x = np.array([[3.0, 4.0], [0.0, 0.0]]) * scale
    np.testing.assert_allclose(forward(LpPool(2), x), [[5 * scale]], rtol=1e-14)
    np.testing.assert_allclose(gradients(LpPool(2), x, np.ones((1, 1))), [[0.6, 0.8], [0, 0]], rtol=1e-14)
    np.testing.assert_allclose(forward(LpPool(2, 80), x), [[4 * scale]], rtol=1e-9)


@pytest.mark.parametrize("p", [0.5, inf, float("nan")])
def test_exponent_of_the_norm(p):
    with pytest.raises(ValueError, match=rf"p must be a float in the range \[1.0, inf\), got {p}$"):
        through(own_layers([LpPool(2, p)]), (4, 4, 1))


def enumerated(size, kernel, stride, before, after, ceil_mode):
    """Positions in the axis of every window's taps, those beyond the border left out."""
    windows, start = [], -before
    while start + kernel <= size + after or (ceil_mode and start < size and start + kernel - stride < size + after):
        windows.append([i for i in range(start, start + kernel) if i < size + after])
        start += stride
    return windows


@st.composite
def geometries(draw, longest=6):
    """Size, kernel, stride and borders of at most half the kernel."""
    kernel = draw(st.integers(1, longest))
    border = st.integers(0, kernel // 2)
    return draw(st.integers(1, 12)), kernel, draw(st.integers(1, 7)), draw(border), draw(border)


@SETTINGS
@given(geometry=geometries())
def test_sizes_by_pytorch_s_formula_and_by_enumeration(geometry):
    size, kernel, stride, before, after = geometry
    axis = Axis(size, kernel, stride, 1, before, after)
    expected = ceil((size + before + after - kernel) / stride) + 1
    if (expected - 1) * stride >= size + before:
        expected -= 1
    windows = enumerated(*geometry, True)
    assert max(0, axis.rounded_up().output) == max(0, expected) == len(windows)
    assert max(0, axis.output) == len(enumerated(*geometry, False))
    if windows:
        assert axis.rounded_up().overhang == max(0, windows[-1][0] + kernel - size - after)


def reference(x, rows, columns, ceil_mode, summary):
    """``summary(pixels, taps)`` of each window; ``taps`` counts the border, not what is beyond."""
    down, across = enumerated(x.shape[0], *rows, ceil_mode), enumerated(x.shape[1], *columns, ceil_mode)

    def value(top, left):
        pixels = [x[i, j] for i in top for j in left if 0 <= i < x.shape[0] and 0 <= j < x.shape[1]]
        return summary(pixels, len(top) * len(left))

    return np.array([[value(top, left) for left in across] for top in down])


SUMMARIES = {
    "max": (MaxPool, {}, lambda pixels, taps: max(pixels)),
    "mean": (MeanPool, {}, lambda pixels, taps: sum(pixels) / len(pixels)),
    "mean with border": (MeanPool, {"count_include_pad": True}, lambda pixels, taps: sum(pixels) / taps),
    "norm": (LpPool, {"p": 3}, lambda pixels, taps: sum(abs(v) ** 3 for v in pixels) ** (1 / 3)),
    "median": (_MedianPool, {}, lambda pixels, taps: np.median(pixels)),
}


@pytest.mark.parametrize("name", SUMMARIES)
@SETTINGS
@given(rows=geometries() | geometries(30), columns=geometries(30) | geometries(), ceil_mode=st.booleans())
def test_equals_loops_at_any_geometry(name, rows, columns, ceil_mode):
    assume(enumerated(*rows, ceil_mode) and enumerated(*columns, ceil_mode))
    layer, options, summary = SUMMARIES[name]
    (height, *rows), (width, *columns) = rows, columns
    kernel, stride, *sides = zip(rows, columns, strict=True)
    padding = tuple(zip(*sides, strict=True))
    x = np.random.default_rng(0).integers(-4, 5, (height, width)) / 2
    actual = forward(layer(kernel, stride=stride, padding=padding, ceil_mode=ceil_mode, **options), x)
    expected = reference(x, rows, columns, ceil_mode, summary)
    np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-13)


HUGE = {"pool_size": 2**70, "stride": 1, "padding": ((2**69, 2**69 - 6), (2**69 - 1, 2**69 - 7))}  # 3 x 1 windows


@pytest.mark.parametrize("options", [{}, {"stride": None}, {"stride": 2**80}, {"ceil_mode": True}], ids=str)
@pytest.mark.parametrize("name", SUMMARIES)
def test_windows_of_any_size_read_the_image_only(name, options):
    layer, own, summary = SUMMARIES[name]
    x = image(8, 8)
    actual = forward(layer(**{**HUGE, **options}, **own), x)
    assert actual.shape == ((3, 1) if options in ({}, {"ceil_mode": True}) else (1, 1))
    np.testing.assert_allclose(actual, np.full(actual.shape, summary(list(x.ravel()), 2**140)), rtol=1e-13)


def test_a_border_of_thousands_of_digits_makes_the_mean_zero():
    layer = MeanPool(10**5000, padding=5 * 10**4999, count_include_pad=True)
    np.testing.assert_array_equal(forward(layer, image(8, 8)), [[0]])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (MaxPool, (np.arange(64) == 3) * 7.0),  # the first of the largest
        (MeanPool, np.full(64, 7 / 64)),
        (LpPool, 7 * image(8, 8).ravel() / np.linalg.norm(image(8, 8))),
    ],
)
def test_gradients_of_windows_of_any_size(layer, expected):
    actual = gradients(layer(2**70, padding=2**69), image(8, 8), np.full((1, 1), 7.0))
    np.testing.assert_allclose(actual.ravel(), expected, rtol=1e-12, atol=1e-14)


def test_the_median_has_no_gradient():
    layer = _MedianPool(2)
    with pytest.raises(NotImplementedError):
        gradients(layer, image(4, 4), np.ones((2, 2)))


def kinds(layers, shape=(5, 5, 2)):
    return [type(step).__name__ for _, step in lower(layers, shape)]


def test_a_bias_stays_before_a_mean_that_counts_the_border():
    assert kinds([Convolution(3), MeanPool(ceil_mode=True)]) == ["Convolution", "MeanPool", "Bias"]
    pool = MeanPool(3, padding=1, count_include_pad=True)
    assert kinds([Convolution(3), pool]) == ["Convolution", "Bias", "MeanPool"]
    assert kinds([Convolution(3), LpPool()]) == ["Convolution", "Bias", "LpPool"]
    assert kinds([Convolution(3), Activation(), MaxPool(ceil_mode=True)])[:2] == ["Convolution", "MaxPool"]


@pytest.mark.parametrize(
    "pool",
    [MaxPool(2, ceil_mode=True), MeanPool(3, padding=1, count_include_pad=True), LpPool(2), GlobalMaxPool()],
    ids=["max", "mean", "norm", "global"],
)
@pytest.mark.parametrize("size", [5, 6])
def test_prediction_behind_a_convolution_equals_training(pool, size):
    """Prediction would do the two in one where the windows tile the image."""
    after = [] if isinstance(pool, GlobalMaxPool) else [Flatten()]
    layers = [Convolution(3), Activation("tanh"), pool, *after, Dense(2)]
    network = Network(layers, (size, size + 2, 2), np.float64)
    network.parameters[:] = np.random.default_rng(0).standard_normal(len(network.parameters))
    X = np.random.default_rng(1).standard_normal((7, np.prod(network.input_shape)))
    outputs = []
    for training in (False, True):
        session = Session(network, 16, 1, training=training)
        with Team(1):
            outputs.append(session.forward(lambda k, session=session: session.load(k, X))[:, :7].copy())
    np.testing.assert_allclose(*outputs, atol=1e-12)


def test_max_pool_gradient_of_ties_goes_to_the_first():
    for layer, expected in ((MaxPool(2), [[1, 0, 1, 0], [0, 0, 0, 0]] * 2), (MaxPool(3, stride=1), [[1, 1, 0, 0]] * 2)):
        network = Network([Offset(), layer, Flatten()], (4, 4, 1), np.float64)
        size = network.shapes[-1][0]
        _, gradient = run(network, np.zeros((1, 16)), np.ones((1, size)))
        np.testing.assert_array_equal(gradient.reshape(4, 4)[: len(expected)], expected)
