"""Winograd's tiles down and across against loops and SciPy, and training with them."""

import numpy as np
import pytest
from correlations import correlated, inputs, stored, weight_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv._kernels import choose, winograd2d
from skconv._kernels.correlation import Gathered
from skconv._kernels.geometry import Axis, Window
from skconv._kernels.winograd2d import Winograd2D, tile_across
from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Activation, Convolution, Dense, Flatten, MaxPool

TOLERANCE = {np.float32: 1e-4, np.float64: 1e-10}  # of the largest output, see `test_error_in_single_precision`


def run(kernel, x, weight, dy):
    """Output and gradient of the weight, from scratch that holds no number, twice."""

    def empty(shape):
        return np.full(shape, np.nan, x.dtype)

    storage = stored(kernel, x)
    prepared, out, gradient = empty(kernel.weight_shape), empty(dy.shape), empty(weight.shape)
    kernel.prepare(weight, prepared)
    scratch = {name: empty(shape) for name, shape in kernel.scratch.items()}
    kernel.run(kernel.bind(storage, scratch, out), prepared)
    once = out.copy()
    kernel.run(kernel.bind(storage, scratch, out), prepared)
    np.testing.assert_array_equal(out, once)
    scratch = {name: empty(shape) for name, shape in kernel.gradient_scratch.items()}
    kernel.run_gradient(kernel.bind_gradient(storage, dy, scratch), scratch, gradient)
    return out, gradient


def naive(x, weight, dy, window):
    return correlated(x, weight, window), weight_gradient(x, dy, window)


def largest_error(actual, expected):
    return abs(actual - expected).max() / abs(expected).max()


def check(window, channels, filters, width, dtype, **options):
    arrays = inputs(window, channels, filters, 1, width, dtype)
    kernel = Winograd2D(window, channels, filters, width, dtype, **options)
    for actual, expected in zip(run(kernel, *arrays), naive(*arrays, window), strict=True):
        assert actual.dtype == dtype
        assert largest_error(actual, expected) < TOLERANCE[dtype]
    return kernel


CASES = {  # (window, channels, filters, height and width of a tile, tiles down and across)
    "whole tiles": (Window(Axis(16, 3), Axis(14, 3)), 3, 2, (7, 4), (2, 3)),
    "last tiles lower and narrower": (Window(Axis(15, 3), Axis(15, 3)), 3, 2, (7, 4), (2, 4)),
    "one tile": (Window(Axis(10, 3), Axis(6, 3)), 2, 3, (8, 4), (1, 1)),
    "one output": (Window(Axis(3, 3), Axis(3, 3)), 2, 3, (2, 2), (1, 1)),
    "several tiles": (Window(Axis(26, 3), Axis(18, 3)), 2, 3, (8, 4), (3, 4)),
    "five taps": (Window(Axis(10, 5), Axis(9, 5)), 2, 3, (6, 3), (1, 2)),
    "five taps across": (Window(Axis(9, 3), Axis(11, 5)), 2, 3, (7, 4), (1, 2)),
    "five taps down": (Window(Axis(11, 5), Axis(7, 3)), 2, 3, (4, 3), (2, 2)),
    "two taps across": (Window(Axis(6, 3), Axis(5, 2)), 3, 2, (4, 4), (1, 1)),
}


@pytest.mark.parametrize("group_bytes", [1, 1 << 15, 1 << 20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_equals_loops(monkeypatch, name, alike, dtype, group_bytes):
    monkeypatch.setattr(winograd2d, "_GROUP_BYTES", group_bytes)
    window, channels, filters, tile, tiles = CASES[name]
    kernel = check(window, channels, filters, 16, dtype, alike=alike)
    assert ((kernel.m, kernel.m2), (kernel.tiles, kernel.tiles2)) == (tile, tiles)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    outputs=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    taps=st.tuples(st.integers(2, 5), st.integers(2, 4)),
    channels=st.integers(1, 4),
    filters=st.integers(1, 4),
    alike=st.booleans(),
)
def test_equals_loops_at_any_size(outputs, taps, channels, filters, alike):
    window = Window(*[Axis(n + k - 1, k) for n, k in zip(outputs, taps, strict=True)])
    check(window, channels, filters, 16, np.float64, alike=alike)


def test_input_and_output_within_larger_arrays():
    """As in a session: rows of the input and of the output are further apart than their columns tell."""
    window = Window(Axis(11, 3), Axis(8, 3))
    x, weight, _ = inputs(window, 3, 2, 1, 16, np.float64)
    kernel = Winograd2D(window, 3, 2, 16, np.float64)
    storage, out = np.full((kernel.stored_rows + 1, 10, 3, 16), np.nan), np.full((11, 9, 2, 16), 7.0)
    storage[1:, 2:] = 0
    storage[1:12, 2:] = x
    prepared = np.empty(kernel.weight_shape)
    kernel.prepare(weight, prepared)
    scratch = {name: np.full(shape, np.nan) for name, shape in kernel.scratch.items()}
    kernel.run(kernel.bind(storage[1:, 2:], scratch, out[1:10, 1:7]), prepared)
    np.testing.assert_allclose(out[1:10, 1:7], correlated(x, weight, window), rtol=0, atol=1e-10)
    out[1:10, 1:7] = 7
    assert (out == 7).all()


@pytest.mark.parametrize("outputs", [14, 16, 28])
def test_error_in_single_precision(outputs):
    """Measured with 64 to 128 channels: 2.1e-5 of the largest output, 7.5e-6 of the largest gradient."""
    window = Window(Axis(outputs + 2, 3), Axis(outputs + 2, 3))
    arrays = inputs(window, 64, 64, 1, 16, np.float32)
    kernel = Winograd2D(window, 64, 64, 16, np.float32)
    for actual, expected, limit in zip(run(kernel, *arrays), naive(*arrays, window), (2.5e-5, 1e-5), strict=True):
        assert largest_error(actual, expected) < limit


@pytest.mark.parametrize(("channels", "filters"), [(8, 16), (64, 16), (64, 13), (64, 64)])
@pytest.mark.parametrize("size", [(10, 12), (8, 8), (11, 11)])
def test_columns_are_alike(size, channels, filters, machine):
    """What a column gives does not depend on its place, nor on the others."""
    window = Window(Axis(size[0], 3), Axis(size[1], 3))
    x, weight, dy = inputs(window, channels, filters, 1, 32, np.float32)
    kernel = Winograd2D(window, channels, filters, 32, np.float32, alike=True)
    order = np.random.default_rng(1).permutation(32)
    with Team(1):
        out, _ = run(kernel, x, weight, dy)
        moved, _ = run(kernel, np.ascontiguousarray(x[..., order]), weight, dy)
        same, _ = run(kernel, np.repeat(x[..., :1], 32, axis=-1), weight, dy)
    np.testing.assert_array_equal(moved, out[..., order])
    np.testing.assert_array_equal(same, np.broadcast_to(out[..., :1], out.shape))
    assert largest_error(out, correlated(x, weight, window)) < TOLERANCE[np.float32]


@pytest.mark.parametrize(
    ("outputs", "width"), [(1, 2), (2, 2), (3, 3), (4, 4), (6, 3), (8, 4), (9, 3), (12, 4), (14, 4), (16, 4), (18, 3)]
)
def test_tile_across_with_three_taps(outputs, width):
    assert tile_across(outputs, 3) == width


@pytest.mark.parametrize("taps", [2, 3, 4, 5])
def test_tile_across_has_the_fewest_products_and_is_the_narrowest_of_those(taps):
    for outputs in range(1, 60):
        products = {m: len(range(0, outputs, m)) * (m + taps - 1) for m in (2, 3, 4)}
        fewest = [m for m, count in products.items() if count == min(products.values())]
        assert tile_across(outputs, taps) == fewest[0]


def losses(kind, noise=0, steps=20):
    """Loss before each step of gradient descent from parameters that are off by a share ``noise``."""
    layers = [Convolution(64), Activation("relu"), Convolution(64), Activation("relu"), MaxPool(2), Flatten(), Dense(4)]
    network = Network(layers, (14, 10, 3), np.float32)
    network.initialize(np.random.default_rng(0))
    network.parameters *= 1 + noise * np.random.default_rng(2).standard_normal(len(network.parameters))
    rng = np.random.default_rng(1)
    X, labels = rng.standard_normal((32, 420)).astype(np.float32), rng.integers(0, 4, 32)
    curve = []
    with Team(1) as team:
        session = Session(network, 32, 1, training=True, team=team)
        plan = session.placed[3].plan
        (adjoint,) = plan.adjoint.parts
        assert type(plan.algorithm) is type(adjoint.algorithm) is kind
        for _ in range(steps):
            session.prepare()
            output = session.forward(lambda k: session.load(k, X))
            shares = np.exp(output - output.max(axis=0))
            shares /= shares.sum(axis=0)
            curve.append(-np.log(shares[labels, range(32)]).mean(dtype=float))
            session.output_gradient[...] = (shares - (np.arange(4)[:, None] == labels)) / 32
            network.parameters -= 0.05 * session.backward()
    return np.array(curve)


def test_training_follows_the_direct_method(monkeypatch):
    """Losses differ by rounding that grows with the steps, no more than from parameters off by 1e-5."""
    actual = losses(Winograd2D)
    monkeypatch.setattr(choose, "choose_correlation", Gathered)
    expected, off = losses(Gathered), losses(Gathered, noise=1e-5)
    assert expected[-1] < 0.5 * expected[0]
    np.testing.assert_allclose(actual[:10], expected[:10], rtol=1e-5)
    np.testing.assert_allclose(actual, expected, rtol=1e-3)
    assert abs(actual / expected - 1).max() < 2 * abs(off / expected - 1).max()
