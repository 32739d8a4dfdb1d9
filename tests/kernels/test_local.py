"""Correlation with weights per position, and both its gradients, against loops."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skconv._kernels.algorithm import Correlation
from skconv._kernels.geometry import Axis, Window
from skconv._kernels.local import LocalAdjoint, LocalGathered

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
DTYPES = [np.float32, np.float64]


def loops(window, weight, x, dy):
    """Output, gradient of the weight and gradient of ``x`` (H, W, C, N), without borders: taps in them are left out."""
    rows, columns = window.rows, window.columns
    out, gradient, dx = np.zeros(dy.shape), np.zeros(weight.shape), np.zeros(x.shape)
    P, Q, F, R, S, _ = weight.shape
    for p, q, f, r, s in np.ndindex(P, Q, F, R, S):
        i = p * rows.stride + r * rows.dilation - rows.before
        j = q * columns.stride + s * columns.dilation - columns.before
        if 0 <= i < rows.size and 0 <= j < columns.size:
            out[p, q, f] += weight[p, q, f, r, s] @ x[i, j]
            gradient[p, q, f, r, s] = x[i, j] @ dy[p, q, f]
            dx[i, j] += np.outer(weight[p, q, f, r, s], dy[p, q, f])
    return out, gradient, dx


def filled(shapes, dtype):
    return {name: np.full(shape, np.nan, dtype) for name, shape in shapes.items()}


def run(window, weight, x, dy, alike=False):
    """The kernel's results, from scratch that holds no number; ``x`` and ``dx`` lie within borders."""
    dtype, rows, columns = x.dtype, window.rows, window.columns
    stored = Window(
        Axis(rows.padded, rows.kernel, rows.stride, rows.dilation),
        Axis(columns.padded, columns.kernel, columns.stride, columns.dilation),
    )
    kernel = LocalGathered(stored, x.shape[2], weight.shape[2], x.shape[3], dtype, alike)
    whole = np.pad(x, ((rows.before, rows.after), (columns.before, columns.after), (0, 0), (0, 0)))
    prepared = np.full(kernel.weight_shape, np.nan, dtype)
    kernel.prepare(weight, prepared)
    out, gradient = np.full(dy.shape, np.nan, dtype), np.full(weight.shape, np.nan, dtype)
    dx = np.full((x.shape[0] + 3, x.shape[1] + 2, *x.shape[2:]), np.nan, dtype)
    inside = dx[1:-2, 1:-1]
    kernel.run(kernel.bind(whole, filled(kernel.scratch, dtype), out), prepared)
    scratch = filled(kernel.gradient_scratch, dtype)
    kernel.run_gradient(kernel.bind_gradient(whole, dy, scratch), scratch, gradient)
    adjoint = LocalAdjoint(kernel, window)
    scratch = {group: filled(shapes, dtype) for group, shapes in adjoint.scratch.items()}
    adjoint.run(adjoint.bind(dy, scratch, inside), {"weight": prepared}, inside)
    assert np.isnan(dx[[0, -2, -1]]).all()
    assert np.isnan(dx[:, [0, -1]]).all()
    return out, gradient, inside


def inputs(window, channels, filters, width, dtype):
    rng = np.random.default_rng(0)
    shapes = (
        (*window.output, filters, window.rows.kernel, window.columns.kernel, channels),
        (window.rows.size, window.columns.size, channels, width),
        (*window.output, filters, width),
    )
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def check(window, channels, filters, width, dtype, alike=False):
    arrays = inputs(window, channels, filters, width, dtype)
    expected = loops(window, *(a.astype(float) for a in arrays))
    for actual, wanted in zip(run(window, *arrays, alike), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=0, atol=TOLERANCE[dtype] * max(1, abs(wanted).max()))


WINDOWS = {
    "no border": (Window(Axis(6, 3), Axis(7, 3)), 2, 3),
    "same": (Window(Axis(6, 3, before=1, after=1), Axis(7, 3, before=1, after=1)), 2, 3),
    "across": (Window(Axis(3, 1), Axis(9, 4, before=1, after=2)), 3, 2),
    "across, strided down": (Window(Axis(5, 1, 2), Axis(6, 4)), 3, 2),
    "down": (Window(Axis(9, 4, before=2), Axis(3, 1)), 3, 2),
    "single": (Window(Axis(4, 1), Axis(5, 1)), 3, 4),
    "series": (Window(Axis(1, 1), Axis(12, 5, before=2, after=2)), 2, 3),
    "series, dilated": (Window(Axis(1, 1), Axis(12, 3, 1, 4)), 2, 3),
    "stride and dilation": (Window(Axis(9, 2, 2, 3, 1, 2), Axis(11, 3, 3, 2, 2, 0)), 3, 2),
    "windows in the border": (Window(Axis(3, 2, 2, 1, 5, 4), Axis(4, 2, 3, 1, 4, 6)), 2, 2),
    "many filters": (Window(Axis(4, 2), Axis(5, 3)), 12, 13),
    "many filters of few terms": (Window(Axis(4, 1), Axis(5, 2)), 3, 17),
    "one output": (Window(Axis(3, 3), Axis(4, 4)), 2, 5),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("case", WINDOWS)
def test_equals_loops(case, alike, dtype):
    check(*WINDOWS[case], 16, dtype, alike)


@pytest.mark.parametrize("limit", [1, 1 << 11, 1 << 12, 1 << 13])
@pytest.mark.parametrize("case", WINDOWS)
def test_bands_of_any_height_give_the_same(monkeypatch, case, limit):
    window, channels, filters = WINDOWS[case]
    arrays = inputs(window, channels, filters, 16, np.float64)
    whole = run(window, *arrays)
    monkeypatch.setattr(Correlation, "band_bytes", limit)
    for actual, expected in zip(run(window, *arrays), whole, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13 * abs(expected).max())


def test_bands_keep_scratch_small():
    window = Window(Axis(64, 5), Axis(64, 5))
    kernel = LocalGathered(window, 8, 4, 64, np.float32)
    assert kernel.band == 1  # 60 windows of 200 numbers, 64 samples: 3 MB a row
    assert {name: shape[0] for name, shape in kernel.gradient_scratch.items()} == {"gathered": 1, "product": 1}
    assert LocalAdjoint(kernel, window).scratch == {"adjoint": {"windows": (1, 60, 200, 64)}}


axes = st.builds(
    Axis,
    size=st.integers(1, 7),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 3),
    before=st.integers(0, 5),
    after=st.integers(0, 5),
)


@settings(deadline=None, max_examples=60)
@given(rows=axes, columns=axes, channels=st.integers(1, 3), filters=st.integers(1, 3))
def test_any_geometry(rows, columns, channels, filters):
    window = Window(rows, columns)
    assume(window.fits)
    check(window, channels, filters, 16, np.float64)


@pytest.mark.parametrize("case", ["same", "many filters", "many filters of few terms"])
def test_columns_are_computed_alike(case, machine):
    window, channels, filters = WINDOWS[case]
    weight, x, dy = inputs(window, channels, filters, 64, np.float32)
    expected = run(window, weight, x, dy, alike=True)[0]
    moved = np.roll(x, 19, axis=-1)
    moved[..., 40:] += 1
    actual = run(window, weight, moved, dy, alike=True)[0]
    np.testing.assert_array_equal(actual[..., 19:40], expected[..., :21])
