"""Sums of many numbers in single precision, against those in double precision and what is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skconv import StridedPooling
from skconv._features.encoding import Summary
from skconv._kernels.sums import FEW, RUN, add_positions, add_rows, dot, fold, partial_sums, sum_along
from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.augmentation import Scaling
from skconv.layers import (
    BatchNorm,
    Bias,
    Convolution,
    Flatten,
    GlobalMeanPool,
    LayerNorm,
    LpPool,
    MaxPool,
    MeanPool,
    Pad,
    SqueezeExcite,
)
from skconv.training.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    Focal,
    Huber,
    Poisson,
    SoftmaxCrossEntropy,
    SquaredError,
)
from skconv.training.regularizers import L2Penalty

SINGLE = np.float32


def random(shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, shape).astype(SINGLE)


# The functions


@pytest.mark.parametrize("n", [1, 2, 31, FEW, FEW + 1, 1999, 2048, 100_001])
def test_fold(n):
    for parts in (random((n, 3)), np.full((n, 3), 0.1, SINGLE)):
        expected, out = parts.sum(axis=0, dtype=float), np.empty(3, SINGLE)
        fold(parts, out)
        assert_allclose(out, expected, rtol=2e-5 if n <= FEW else 1e-6)


def test_fold_of_few_is_their_plain_sum():
    parts, out = random((FEW, 5)), np.empty(5, SINGLE)
    kept = parts.copy()
    fold(parts, out)
    np.testing.assert_array_equal(out, np.add.reduce(kept, axis=0))
    np.testing.assert_array_equal(parts, kept)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    rows=st.integers(1, 90), columns=st.integers(1, 90), tall=st.booleans(), rest=st.sampled_from([(), (3,), (2, 3)])
)
def test_add_positions(rows, columns, tall, rest):
    """Of an array within borders, as the layers have them, which stays as it is."""
    rows, columns = (rows * 40, columns) if tall else (rows, columns * 40)
    stored = random((rows + 3, columns + 2, *rest))
    x, kept, out = stored[2:-1, 1:-1], stored.copy(), np.full(rest, np.nan, SINGLE)
    memory = partial_sums(x.shape)
    assert bool(memory) == (rows * columns > FEW)
    parts = np.full(memory["parts"], np.nan, SINGLE) if memory else None
    add_positions(x, parts, out)
    assert_allclose(out, x.sum(axis=(0, 1), dtype=float), rtol=2e-6)
    np.testing.assert_array_equal(stored, kept)
    if memory:
        assert parts.size <= x.size / min(32, max(rows, columns)) + min(rows, columns) * np.prod(rest)


@pytest.mark.parametrize("columns", [1, 31, 32, 33, 1000, 10_001])
def test_add_rows(columns):
    """The bits of a row are those of it alone."""
    x = np.random.default_rng(0).uniform(0, 1, (5, columns, 2, 3)).astype(SINGLE)
    parts, out = np.empty((5, -(-columns // RUN), 2, 3), SINGLE), np.empty((5, 2, 3), SINGLE)
    add_rows(x, parts, out)
    assert_allclose(out, x.sum(axis=1, dtype=np.float64), rtol=1e-6)
    alone = np.empty((1, 2, 3), SINGLE)
    for row in range(5):
        add_rows(x[row : row + 1], parts[:1], alone)
        np.testing.assert_array_equal(alone[0], out[row])


@pytest.mark.parametrize("shape", [(2, 3, 100_001, 2), (1, 1, 1_000_000, 1), (2, 5000, 3, 1), (2, 40, 40, 3)])
def test_sum_along_is_that_of_a_sample_alone(shape):
    images = random(shape)
    for axis in (1, 2):
        expected = images.sum(axis=axis, dtype=float)
        out = sum_along(images, axis)
        assert_allclose(out, expected, rtol=5e-6)
        np.testing.assert_array_equal(sum_along(images[-1:], axis)[0], out[-1])


@pytest.mark.parametrize("n", [1, 8192, 8193, 3_000_000])
def test_dot(n):
    a, b = np.full(n, 0.1, SINGLE), np.full(n, 0.3, SINGLE)
    value = dot(a, b)
    assert isinstance(value, float)
    assert value == pytest.approx(n * float(SINGLE(0.1)) * float(SINGLE(0.3)), rel=5e-6)


# Layers on large images


def session(layers, X, training=False):
    network = Network(layers, X.shape[1:], SINGLE)
    network.initialize(np.random.default_rng(0))
    made = Session(network, len(X), 1, training=training)
    made.weight[:] = 1 / len(X)
    return made


def forward(layers, X, training=False):
    with np.errstate(all="ignore"), Team(1):  # as within the estimators' methods
        made = session(layers, X, training)
        return made.forward(lambda k: made.load(k, X.reshape(len(X), -1))).T.copy()


def gradients(layers, X, slope):
    """The gradient of each parameter by its name, where that of the outputs is ``slope`` (n, outputs)."""
    with Team(1):
        made = session(layers, X, training=True)
        made.forward(lambda k: made.load(k, X.reshape(len(X), -1)))
        made.output_gradient[...] = slope.T
        made.backward()
    return {f"{step.name}.{name}": view for step, each in [(placed.step, placed.gradients) for placed in made.placed]
            for name, view in each.items()}  # fmt: skip


@pytest.mark.parametrize("shape", [(1024, 1024, 1), (64, 20_000, 2), (20_000, 64, 2), (1, 10**6, 1), (10**6, 1, 1)])
@pytest.mark.parametrize("value", [255.0, 0.1, 1e38])
def test_the_mean_of_equal_numbers(shape, value):
    images = np.full((2, *shape), value, SINGLE)
    for layers in ([GlobalMeanPool()], [Summary(("mean",))]):
        assert_allclose(forward(layers, images), float(SINGLE(value)), rtol=1e-6)
    if max(shape) < 10**6:  # a window takes a call for each row and column
        assert_allclose(forward([MeanPool(shape[:2]), Flatten()], images), float(SINGLE(value)), rtol=1e-6)


def test_the_mean_of_a_million_numbers():
    images = random((16, 1024, 1024, 1))
    expected = images.mean(axis=(1, 2), dtype=float)
    for training in (False, True):
        assert_allclose(forward([GlobalMeanPool()], images, training), expected, rtol=5e-7)
    positive = (images > 0.25).mean(axis=(1, 2))
    assert_allclose(forward([Bias(), Summary(("ppv", "mean"))], images - SINGLE(0.25))[:, :1], positive, rtol=1e-6)


@pytest.mark.parametrize("pool", ["mean", "lp"])
@pytest.mark.parametrize("pool_size", ["global", (1024, 1024), (300, 500), 100, 64, 9])
def test_strided_pooling_of_large_windows(pool, pool_size):
    image = random((1, 1024, 1024))
    down, across = (1024, 1024) if pool_size == "global" else np.broadcast_to(pool_size, 2).tolist()
    rows, columns = 1024 // down, 1024 // across
    tiles = image[0, : rows * down, : columns * across].astype(float).reshape(rows, down, columns, across)
    expected = tiles.mean(axis=(1, 3)) if pool == "mean" else np.sqrt((tiles**2).sum(axis=(1, 3)))
    out = StridedPooling(pool, pool_size).fit_transform(image)
    assert_allclose(out[0], expected, rtol=1e-6)


@pytest.mark.parametrize("layer", [MeanPool, LpPool, MaxPool])
@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 1}, {"stride": (5, 3)}, {"padding": ((3, 4), (5, 2)), "stride": 4}, {"ceil_mode": True},
     {"padding": 4, "stride": (7, 6), "ceil_mode": True}],
    ids=str,
)  # fmt: skip
def test_large_windows_equal_a_loop_over_them(layer, options):
    """They are taken across, then down; gradients too."""
    X = np.random.default_rng(1).standard_normal((3, 31, 33, 2))
    counted = [False, True] if layer is MeanPool else [None]
    for count in counted:
        extra = {} if count is None else {"count_include_pad": count}
        pool = layer((9, 11), **options, **extra)
        assert len(pool.lower(X.shape[1:])) == 2
        window = pool.window(X.shape[1:])
        rows, columns = window.rows, window.columns
        fill = -np.inf if layer is MaxPool else 0.0
        padded = np.full((3, rows.padded, columns.padded, 2), fill)
        inside = np.zeros((rows.padded, columns.padded))
        at = slice(rows.before, rows.before + 31), slice(columns.before, columns.before + 33)
        padded[:, *at], inside[at] = X, 1
        if count:
            inside[: rows.padded - rows.overhang, : columns.padded - columns.overhang] = 1
        R = np.random.default_rng(2).standard_normal((3, *window.output, 2))
        expected, slope = np.empty(R.shape), np.zeros(padded.shape)
        for n, p, q, c in np.ndindex(R.shape):
            part = slice(p * rows.stride, p * rows.stride + 9), slice(q * columns.stride, q * columns.stride + 11)
            values = padded[n, *part, c]
            if layer is MaxPool:
                expected[n, p, q, c] = values.max()
                by = np.zeros(values.shape)
                by[np.unravel_index(values.argmax(), values.shape)] = 1
            elif layer is MeanPool:
                expected[n, p, q, c] = values.sum() / inside[part].sum()
                by = np.full(values.shape, 1 / inside[part].sum())
            else:
                expected[n, p, q, c] = np.sqrt((values**2).sum())
                by = values / expected[n, p, q, c]
            slope[n, *part, c] += by * R[n, p, q, c]
        with Team(1):
            network = Network([Bias("position"), pool, Flatten()], X.shape[1:], np.float64)
            made = Session(network, 3, 1, training=True)
            made.load(0, X.reshape(3, -1))
            assert_allclose(made.forward().T.reshape(R.shape), expected, rtol=1e-12, atol=1e-14)
            made.output_gradient[...] = R.reshape(3, -1).T
            gradient = made.backward().reshape(X.shape[1:])
            assert_allclose(gradient, slope[:, *at].sum(axis=0), rtol=1e-11, atol=1e-11)
            predicting = Session(network, 3, 1, training=False)
            predicting.load(0, X.reshape(3, -1))
            assert_allclose(predicting.forward().T.reshape(R.shape), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(512, 512, 16), (1, 100_000, 3), (1_000_000,)])
@pytest.mark.parametrize("training", [False, True])
def test_layer_normalisation_of_a_large_sample_far_from_zero(shape, training):
    X = (100 + np.random.default_rng(0).standard_normal((1, *shape))).astype(SINGLE)
    image = X if len(shape) == 3 else X.reshape(1, 1, -1, 1)
    layers = [LayerNorm("sample"), Flatten()] if len(shape) == 3 else [Flatten(), LayerNorm()]
    out = forward(layers, image, training)
    double = X.astype(float)
    expected = (double - double.mean()) / np.sqrt(double.var() + 1e-5)
    assert_allclose(out, expected.reshape(1, -1), atol=2e-5)
    assert abs(out.mean(dtype=float)) < 1e-5
    assert out.std(dtype=float) == pytest.approx(1, abs=1e-5)


def test_gradients_of_layer_normalisation_of_a_large_sample():
    X = (3 + np.random.default_rng(0).standard_normal((1, 256, 256, 2))).astype(SINGLE)
    slope = random((1, X.size), 1)
    double, by = X.astype(float), slope.astype(float).reshape(X.shape)
    normal = (double - double.mean()) / np.sqrt(double.var() + 1e-5)
    expected = (by - by.mean() - normal * (by * normal).mean()) / np.sqrt(double.var() + 1e-5)
    found = gradients([Bias("position"), LayerNorm("sample"), Flatten()], X, slope)
    assert_allclose(found["layernorm1.shift"], by.sum(axis=(0, 1, 2)), rtol=1e-6)
    assert_allclose(found["layernorm1.scale"], (by * normal).sum(axis=(0, 1, 2)), atol=1e-6 * X.size)
    assert_allclose(found["bias1.bias"], expected[0], atol=1e-6)


def test_batch_normalisation_of_large_images_far_from_zero():
    X = (100 + np.random.default_rng(0).standard_normal((2, 512, 512, 3))).astype(SINGLE)
    out = forward([BatchNorm(), Flatten()], X, training=True).reshape(-1, 3)
    assert_allclose(out.mean(axis=0, dtype=float), 0, atol=2e-5)
    assert_allclose(out.std(axis=0, dtype=float), 1, atol=2e-5)
    slope = np.full((2, X[0].size), 0.1, SINGLE)
    found = gradients([BatchNorm(), Flatten()], X, slope)
    assert_allclose(found["batchnorm1.shift"], 2 * 512 * 512 * float(SINGLE(0.1)), rtol=1e-6)


def test_a_gate_of_the_means_of_a_large_image():
    """With weights of one and biases of zero the gate is the logistic function of the sum of the channels' means."""
    X = np.full((1, 1024, 1024, 2), 0.1, SINGLE)
    with Team(1):
        made = session([SqueezeExcite(2), Flatten()], X, training=True)
        for name, array in ((name, array) for placed in made.placed for name, array in placed.parameters.items()):
            array.fill(name.endswith("weight"))
        made.prepare()
        out = made.forward(lambda k: made.load(k, X.reshape(1, -1))).copy()
        tenth = float(SINGLE(0.1))
        gate = 1 / (1 + np.exp(-2 * tenth))
        assert_allclose(out, tenth * gate, rtol=1e-6)
        made.output_gradient.fill(0.3)
        made.backward()
        slope = made.placed[0].gradients
        assert_allclose(slope.excite_bias, tenth * float(SINGLE(0.3)) * 2**20 * gate * (1 - gate), rtol=2e-6)


def test_a_border_of_noise_around_a_large_image():
    """A constant image has no deviation, and its border is its mean; the gradient of a border reaches all pixels."""
    X = np.full((1, 1024, 1024, 1), 0.1, SINGLE)
    out = forward([Pad(1, "noise"), Flatten()], X).reshape(1026, 1026)
    border = np.concatenate([out[0], out[-1], out[:, 0], out[:, -1]])
    assert abs(border.mean() - float(SINGLE(0.1))) < 1e-6
    assert border.std() < 2e-6  # of the root of epsilon


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((1024, 1024, 1), Convolution(2, bias=True)),
        ((512, 512, 4), Convolution(4, 2, groups=4, bias=True)),
        ((512, 512, 4), Convolution(4, 3, groups=4, bias=True)),
        ((256, 256, 8), Convolution(8, bias=True)),
        ((512, 512, 2), Convolution(2, stride=2, bias=True)),
        ((1, 200_000, 1), Convolution(2, 9, bias=True)),
        ((1, 200_000, 4), Convolution(4, 3, groups=2, bias=True)),
        ((1, 200_000, 4), Convolution(4, 3, groups=4, bias=True)),
        ((1, 30_000, 16), Convolution(8, 32, bias=True)),
    ],
    ids=str,
)
@pytest.mark.parametrize("equal", [False, True])
def test_gradients_of_convolutions_of_large_images(shape, layer, equal):
    if equal:
        X, by = np.full((1, *shape), 0.1, SINGLE), np.full((1, *layer.output_shape(shape)), 0.3, SINGLE)
    else:
        X, by = random((1, *shape)), random((1, *layer.output_shape(shape)), 1)
    found = gradients([layer, Flatten()], X, by.reshape(1, -1))
    assert_allclose(found["convolution1.bias"], by.sum(axis=(0, 1, 2), dtype=float), rtol=1e-6)
    window = layer.window(shape)
    rows, columns = window.rows, window.columns
    X, by = X.astype(float), by.astype(float)
    padded = np.pad(X, ((0, 0), (rows.before, rows.after), (columns.before, columns.after), (0, 0)))
    weight = found["convolution1.weight"]
    expected, G = np.empty(weight.shape), layer.groups
    by_group, into = by.reshape(-1, G, len(weight) // G), expected.reshape(G, -1, *weight.shape[1:])
    for r, s in np.ndindex(weight.shape[1:3]):
        down = slice(r, r + (rows.output - 1) * rows.stride + 1, rows.stride)
        across = slice(s, s + (columns.output - 1) * columns.stride + 1, columns.stride)
        channels = padded[0, down, across].reshape(-1, G, weight.shape[3])
        for g in range(G):
            into[g, :, r, s] = by_group[:, g].T @ channels[:, g]
    assert np.abs(weight - expected).max() < 5e-6 * np.abs(expected).max()


# Losses, penalties, augmentations

N = 2_000_000


@pytest.mark.parametrize(
    ("loss", "output", "target", "expected"),
    [
        (SquaredError(), 0.1, 0.4, 0.045),
        (AbsoluteError(), 0.1, 0.4, 0.3),
        (Huber(), 0.1, 0.4, 0.045),
        (Poisson(), 0.1, 0.4, np.exp(0.1) - 0.04),
        (BinaryCrossEntropy(), 0.3, 1, np.log1p(np.exp(-0.3))),
        (SoftmaxCrossEntropy(), [0.3, 0.1], [1, 0], np.log1p(np.exp(-0.2))),
        (Focal(2.0), [0.3, 0.1], [1, 0], (1 - 1 / (1 + np.exp(-0.2))) ** 2 * np.log1p(np.exp(-0.2))),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "encode") else "",
)
def test_the_mean_loss_of_millions(loss, output, target, expected):
    outputs, targets = (np.repeat(np.reshape(v, (-1, 1)), N, axis=1).astype(SINGLE) for v in (output, target))
    assert loss(outputs, targets, np.full(N, 1 / N, SINGLE)) == pytest.approx(expected, rel=3e-6)


def test_the_penalty_of_millions_of_weights():
    weights = np.full(N, 0.01, SINGLE)
    value = L2Penalty(1.0, np.ones(N), SINGLE).value(weights)
    assert value == pytest.approx(N * 0.5 * 0.01**2, rel=3e-6)


def test_an_augmentation_keeps_the_mean_of_a_long_series():
    """`Scaling` multiplies distances from the mean: a constant series stays as it is."""
    series = np.full((2, 1, 1_000_000, 1), 0.1, SINGLE)
    Scaling().change(series, np.array([3.0, 0.2]), None)
    assert_allclose(series, float(SINGLE(0.1)), rtol=2e-6)
