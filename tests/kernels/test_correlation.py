"""Correlation and its weight gradient against loops and scipy."""

import numpy as np
import pytest
from correlations import DTYPES, close, correlated, empty, inputs, stored, weight_gradient
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

from skconv._kernels.algorithm import Correlation
from skconv._kernels.correlation import Gathered
from skconv._kernels.geometry import Axis, Window
from skconv._kernels.winograd import Winograd
from skconv._kernels.winograd2d import Winograd2D
from skconv._network.fused import Band


def run(kernel, x, weight, dy):
    """Output and weight gradient of a kernel, from scratch that holds no number."""
    dtype = x.dtype
    storage = stored(kernel, x)
    prepared = np.full(kernel.weight_shape, np.nan, dtype)
    kernel.prepare(weight, prepared)
    out, gradient = np.full(dy.shape, np.nan, dtype), np.full(weight.shape, np.nan, dtype)
    kernel.run(kernel.bind(storage, empty(kernel.scratch, dtype), out), prepared)
    scratch = empty(kernel.gradient_scratch, dtype)
    kernel.run_gradient(kernel.bind_gradient(storage, dy, scratch), scratch, gradient)
    return out, gradient


def check(kind, window, channels, filters, width, dtype, **options):
    x, weight, dy = inputs(window, channels, filters, 1, width, dtype)
    out, gradient = run(kind(window, channels, filters, width, dtype, **options), x, weight, dy)
    close(out, correlated(x, weight, window), dtype)
    close(gradient, weight_gradient(x, dy, window), dtype)


GATHERED = {
    "square": (Window(Axis(6, 3), Axis(7, 3)), 2, 3),
    "tall": (Window(Axis(7, 5), Axis(4, 2)), 3, 2),
    "across": (Window(Axis(3, 1), Axis(9, 4)), 3, 2),
    "down": (Window(Axis(9, 4), Axis(3, 1)), 3, 2),
    "single": (Window(Axis(4, 1), Axis(5, 1)), 3, 4),
    "series": (Window(Axis(1, 1), Axis(12, 5)), 2, 3),
    "series, strided": (Window(Axis(1, 1), Axis(12, 5, 3)), 2, 3),
    "series, dilated": (Window(Axis(1, 1), Axis(12, 3, 1, 4)), 2, 3),
    "stride": (Window(Axis(8, 3, 2), Axis(9, 2, 3)), 2, 3),
    "stride down": (Window(Axis(8, 3, 3), Axis(6, 3)), 2, 3),
    "dilation": (Window(Axis(8, 3, 1, 2), Axis(10, 2, 1, 4)), 2, 3),
    "dilation down": (Window(Axis(8, 3, 1, 3), Axis(5, 3)), 2, 3),
    "stride and dilation": (Window(Axis(9, 2, 2, 3), Axis(11, 3, 3, 2)), 3, 2),
    "by tap": (Window(Axis(5, 2), Axis(6, 3)), 16, 3),
    "by tap, strided down": (Window(Axis(9, 2, 2, 3), Axis(6, 3)), 17, 2),
    "one output": (Window(Axis(3, 3), Axis(4, 4)), 2, 5),
}
WINOGRAD = {
    "whole tiles": (Window(Axis(10, 3), Axis(5, 3)), 2, 3),
    "last tile short": (Window(Axis(9, 3), Axis(5, 3)), 2, 3),
    "one row": (Window(Axis(3, 3), Axis(5, 3)), 2, 3),
    "rectangle": (Window(Axis(8, 3), Axis(6, 5)), 3, 2),
    "column": (Window(Axis(8, 3), Axis(3, 1)), 3, 2),
    "five taps": (Window(Axis(9, 5), Axis(4, 3)), 2, 3),
    "four taps": (Window(Axis(9, 4), Axis(4, 2)), 2, 3),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("case", GATHERED)
def test_gathered_equals_loops(case, alike, dtype):
    check(Gathered, *GATHERED[case], 16, dtype, alike=alike)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("case", WINOGRAD)
def test_winograd_equals_loops(case, alike, dtype):
    check(Winograd, *WINOGRAD[case], 16, dtype, alike=alike)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    channels=st.integers(1, 9),
    filters=st.integers(1, 3),
)
def test_gathered_equals_loops_at_any_geometry(sizes, kernel, stride, dilation, channels, filters):
    window = Window(*[Axis(*axis) for axis in zip(sizes, kernel, stride, dilation, strict=True)])
    assume(window.fits)
    check(Gathered, window, channels, filters, 3, np.float64)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    outputs=st.integers(1, 11),
    taps=st.sampled_from([2, 3, 4, 5]),
    across=st.integers(1, 3),
    extra=st.integers(0, 3),
    channels=st.integers(1, 4),
)
def test_winograd_equals_loops_at_any_height(outputs, taps, across, extra, channels):
    window = Window(Axis(outputs + taps - 1, taps), Axis(across + extra, across))
    check(Winograd, window, channels, 2, 3, np.float64)


@pytest.mark.parametrize("kind", [Gathered, Winograd, Winograd2D])
@pytest.mark.parametrize("size", [(7, 9), (12, 4), (18, 6)])
def test_one_channel_equals_scipy(kind, size):
    window = Window(Axis(size[0], 3), Axis(size[1], 4))
    x, weight, dy = inputs(window, 1, 1, 1, 2, np.float64)
    out, gradient = run(kind(window, 1, 1, 2, np.float64), x, weight, dy)
    for n in range(2):
        expected = correlate(x[:, :, 0, n], weight[0, :, :, 0], "valid")
        np.testing.assert_allclose(out[:, :, 0, n], expected, rtol=0, atol=1e-10)
    expected = sum(correlate(x[:, :, 0, n], dy[:, :, 0, n], "valid") for n in range(2))
    np.testing.assert_allclose(gradient[0, :, :, 0], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("rows_per_band", [1, 2])
@pytest.mark.parametrize(("kind", "case"), [(Gathered, case) for case in GATHERED] + [(Winograd, c) for c in WINOGRAD])
def test_bands_do_not_matter(kind, case, rows_per_band, monkeypatch):
    window, channels, filters = (GATHERED if kind is Gathered else WINOGRAD)[case]
    monkeypatch.setattr(Correlation, "band_bytes", 1)
    one = kind(window, channels, filters, 16, np.float64)
    if one.scratch:
        assert one.band == 1
        largest = max(np.prod(shape) for shape in one.scratch.values()) * 8
        monkeypatch.setattr(Correlation, "band_bytes", rows_per_band * largest * (2 if kind is Winograd else 1))
    check(kind, window, channels, filters, 16, np.float64)


def test_winograd_with_several_bands_of_several_tiles(monkeypatch):
    window = Window(Axis(30, 3), Axis(4, 3))
    monkeypatch.setattr(Correlation, "band_bytes", 2 * 9 * 16 * 8 * (4 * 2 + 2 * 3))
    kernel = Winograd(window, 2, 3, 16, np.float64)
    assert (kernel.m, kernel.band, kernel.tiles) == (7, 2, 4)
    check(Winograd, window, 2, 3, 16, np.float64)


@pytest.mark.parametrize("multiple", [1, 2, 3, 4])
@pytest.mark.parametrize("rows", [1, 5, 16, 100])
@pytest.mark.parametrize("limit", [1, 1 << 30])
@pytest.mark.parametrize(
    ("kind", "case"),
    [
        *[(Gathered, case) for case in ("square", "single", "stride and dilation", "by tap, strided down")],
        *[(kind, case) for kind in (Winograd, Winograd2D) for case in (*WINOGRAD, "three tiles of seven")],
    ],
)
def test_bands_of_a_multiple(kind, case, limit, rows, multiple, monkeypatch):
    """One band's memory at a time gives what all rows give, and the gradient takes the bands too."""
    monkeypatch.setattr(Correlation, "band_bytes", limit)
    cases = {**GATHERED, **WINOGRAD, "three tiles of seven": (Window(Axis(23, 3), Axis(7, 3)), 2, 3)}
    window, channels, filters = cases[case]
    x, weight, dy = inputs(window, channels, filters, 1, 16, np.float64)
    whole, expected = run(kind(window, channels, filters, 16, np.float64), x, weight, dy)
    kernel = kind(window, channels, filters, 16, np.float64)
    height = kernel.fit_bands(rows, multiple)
    assert height == kernel.rows_per_band
    assert height % multiple == 0 or height >= kernel.P
    np.testing.assert_allclose(run(kernel, x, weight, dy)[1], expected, rtol=0, atol=1e-12 * abs(expected).max())
    prepared = np.full(kernel.weight_shape, np.nan)
    kernel.prepare(weight, prepared)
    band, out = np.full((min(height, kernel.P), *dy.shape[1:]), np.nan), np.full(dy.shape, np.nan)
    bands = kernel.bind(stored(kernel, x), empty(kernel.scratch, np.float64), Band(band, kernel.P))
    for start, operation in zip(range(0, kernel.P, height), bands, strict=True):
        kernel.run([operation], prepared)
        out[start : start + height] = band[: kernel.P - start]
        band[...] = np.nan
    np.testing.assert_array_equal(out, whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kind", "window", "channels", "filters"),
    [
        (Gathered, Window(Axis(5, 3), Axis(6, 3)), 2, 16),
        (Gathered, Window(Axis(5, 3), Axis(6, 3)), 8, 16),
        (Gathered, Window(Axis(5, 3), Axis(6, 3)), 8, 13),
        (Winograd, Window(Axis(7, 3), Axis(6, 3)), 8, 16),
        (Winograd, Window(Axis(8, 5), Axis(6, 3)), 3, 13),
    ],
)
def test_split_products_are_alike_and_right(kind, window, channels, filters, dtype, machine):
    check(kind, window, channels, filters, 32, dtype, alike=True)
    x, weight, dy = inputs(window, channels, filters, 1, 32, dtype)
    x[...] = x[..., :1]
    out, _ = run(kind(window, channels, filters, 32, dtype, alike=True), x, weight, dy)
    np.testing.assert_array_equal(out, np.broadcast_to(out[..., :1], out.shape))


def test_tall_tiles_in_single_precision():
    window = Window(Axis(18, 3), Axis(18, 3))
    kernel = Winograd(window, 16, 8, 4, np.float32)
    assert kernel.m == 8
    x, weight, dy = inputs(window, 16, 8, 1, 4, np.float32)
    out, gradient = run(kernel, x, weight, dy)
    for actual, expected in (
        (out, correlated(x, weight, window)),
        (gradient, weight_gradient(x, dy, window)),
    ):
        assert np.linalg.norm(actual - expected) < 2e-5 * np.linalg.norm(expected)
