"""Max pooling against loops."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skconv._kernels.geometry import Axis, Window
from skconv._kernels.pooling import (
    bind_marks,
    bind_unpool,
    max_pool,
    max_pool_gradient,
    max_tiles,
    max_tiles_gradient,
    run_calls,
    taps,
)


def naive(x, dy, rows, columns):
    """Maxima and the gradient of the input; the first maximum in row-major order takes it all."""
    y, dx = np.full(dy.shape, -np.inf), np.zeros(x.shape)
    for p, q, c, n in np.ndindex(dy.shape):
        winner = None
        for r in range(rows.kernel):
            for s in range(columns.kernel):
                where = (p * rows.stride + r, q * columns.stride + s, c, n)
                if x[where] > y[p, q, c, n]:
                    y[p, q, c, n], winner = x[where], where
        dx[winner] += dy[p, q, c, n]
    return y, dx


def pool(x, dy, window):
    y, dx = np.full(dy.shape, np.nan), np.full(x.shape, np.nan)
    max_pool(x, window, y)
    boolean = np.zeros(dy.shape, bool)
    work = SimpleNamespace(left=boolean, mask=boolean.copy(), part=np.full(dy.shape, np.nan))
    max_pool_gradient(x, window, y, dy, work, dx)
    return y, dx


def pool_tiles(x, dy):
    height, width = x.shape[:2]
    across = np.full((height, width // 2, *x.shape[2:]), np.nan)
    y, dx = np.full(dy.shape, np.nan), np.full(x.shape, np.nan)
    max_tiles(x, across, y)
    work = SimpleNamespace(
        rows=np.full_like(across, np.nan), mask=np.zeros(dy.shape, bool), mask2=np.zeros(across.shape, bool)
    )
    max_tiles_gradient(x, across, dy, work, dx)
    return y, dx


def pool_marked(x, dy):
    """As `pool_tiles`, by marks; the rows that no tile covers are left out forward and zero backward."""
    height, width = x.shape[0] // 2 * 2, x.shape[1]
    across = np.full((height, width // 2, *x.shape[2:]), np.nan)
    y, dx, rows = np.full(dy.shape, np.nan), np.full(x.shape, np.nan), np.full_like(across, np.nan)
    left, top = np.zeros(across.shape, bool), np.zeros(dy.shape, bool)
    run_calls(bind_marks(x[:height], across, y, left, top))
    run_calls(bind_unpool(dy, left, top, rows, dx))
    return y, dx


def sample(shape, ties):
    rng = np.random.default_rng(0)
    return rng.integers(0, 3, shape).astype(float) if ties else rng.standard_normal(shape)


WINDOWS = {
    "tiles": Window(Axis(4, 2, 2), Axis(6, 2, 2)),
    "odd": Window(Axis(5, 2, 2), Axis(7, 2, 2)),
    "overlapping": Window(Axis(6, 3, 1), Axis(7, 3, 2)),
    "rectangle": Window(Axis(6, 1, 1), Axis(7, 4, 3)),
    "gaps": Window(Axis(8, 2, 3), Axis(9, 1, 2)),
    "whole": Window(Axis(3, 3, 3), Axis(4, 4, 4)),
}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", WINDOWS)
def test_max_pool_equals_loops(name, ties):
    window = WINDOWS[name]
    x = sample((window.rows.size, window.columns.size, 2, 3), ties)
    dy = np.random.default_rng(1).standard_normal((*window.output, 2, 3))
    for actual, expected in zip(pool(x, dy, window), naive(x, dy, window.rows, window.columns), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-14)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    rows=st.builds(Axis, st.integers(1, 8), st.integers(1, 4), st.integers(1, 4)),
    columns=st.builds(Axis, st.integers(1, 8), st.integers(1, 4), st.integers(1, 4)),
    ties=st.booleans(),
)
def test_max_pool_equals_loops_at_any_geometry(rows, columns, ties):
    window = Window(rows, columns)
    assume(window.fits)
    x = sample((rows.size, columns.size, 1, 2), ties)
    dy = np.random.default_rng(1).standard_normal((*window.output, 1, 2))
    for actual, expected in zip(pool(x, dy, window), naive(x, dy, rows, columns), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("size", [(2, 2), (4, 6), (5, 6), (4, 7), (5, 7), (3, 3), (1, 4)])
@pytest.mark.parametrize("pool", [pool_tiles, pool_marked])
def test_max_tiles_equal_loops(pool, size, ties):
    rows, columns = Axis(size[0], 2, 2), Axis(size[1], 2, 2)
    x = sample((*size, 2, 3), ties)
    dy = np.random.default_rng(1).standard_normal((rows.output, columns.output, 2, 3))
    for actual, expected in zip(pool(x, dy), naive(x, dy, rows, columns), strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("first", range(4))
def test_ties_go_to_the_first_in_row_major_order(first):
    """A window in which all positions from ``first`` on are the maximum."""
    flat = np.where(np.arange(4) < first, -1.0, 5.0)
    x = flat.reshape(2, 2, 1, 1)
    expected = (np.arange(4) == first).astype(float).reshape(x.shape)
    window = Window(Axis(2, 2, 2), Axis(2, 2, 2))
    dy = np.ones((1, 1, 1, 1))
    np.testing.assert_array_equal(pool(x, dy, window)[1], expected)
    np.testing.assert_array_equal(pool_tiles(x, dy)[1], expected)
    np.testing.assert_array_equal(pool_marked(x, dy)[1], expected)


def test_a_border_of_minus_infinity_never_wins():
    x = np.full((4, 4, 1, 1), -np.inf)
    x[1:3, 1:3, 0, 0] = [[-5, -7], [-6, -8]]
    window = Window(Axis(4, 2, 2), Axis(4, 2, 2))
    y, dx = pool(x, np.full((2, 2, 1, 1), 3.0), window)
    np.testing.assert_array_equal(y[..., 0, 0], [[-5, -7], [-6, -8]])
    np.testing.assert_array_equal(dx[..., 0, 0], np.pad(np.full((2, 2), 3.0), 1))


def test_taps_are_views_in_row_major_order():
    x = np.arange(20).reshape(4, 5)
    views = list(taps(x, Window(Axis(4, 2, 2), Axis(5, 3, 2))))
    assert all(np.shares_memory(view, x) for view in views)
    np.testing.assert_array_equal([view[1, 1] for view in views], [12, 13, 14, 17, 18, 19])
