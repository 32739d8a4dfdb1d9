"""Correlation in groups of channels and of dilated images, against loops."""

import numpy as np
import pytest
from correlations import DTYPES, TAPS, check, check_alike, check_bands, forward, inputs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

from skconv._kernels.algorithm import Correlation
from skconv._kernels.blocked import Blocked
from skconv._kernels.choose import choose_convolution, choose_correlation
from skconv._kernels.geometry import Axis, Window
from skconv._kernels.grouped import Grouped, Split
from skconv._kernels.spectral import Spectral
from skconv._kernels.winograd import Winograd

# Windows, channels, filters, groups.
ANY = {
    "square": (Window(Axis(6, 3), Axis(7, 3)), 4, 6, 2),
    "tall": (Window(Axis(7, 5), Axis(4, 2)), 6, 3, 3),
    "one row": (Window(Axis(1, 1), Axis(9, 4)), 6, 3, 3),
    "one row, one channel": (Window(Axis(2, 1), Axis(9, 4, 2, 2)), 3, 6, 3),
    "one tap": (Window(Axis(4, 1, 3), Axis(5, 1, 2)), 4, 6, 2),
    "stride": (Window(Axis(8, 3, 2), Axis(9, 2, 3)), 4, 2, 2),
    "dilation": (Window(Axis(8, 3, 1, 2), Axis(10, 2, 1, 4)), 4, 2, 2),
    "stride and dilation": (Window(Axis(9, 2, 2, 3), Axis(11, 3, 3, 2)), 4, 2, 2),
    "stride and dilation with a common factor": (Window(Axis(13, 2, 4, 6), Axis(14, 3, 2, 4)), 4, 2, 2),
    "one output": (Window(Axis(3, 3), Axis(4, 4)), 2, 4, 2),
    "one group": (Window(Axis(6, 3), Axis(7, 3, 1, 2)), 3, 2, 1),
    "many filters": (Window(Axis(4, 3), Axis(5, 3)), 4, 26, 2),
}


class AnySplit(Split):
    """With the algorithms of `choose_correlation` alone."""

    def __init__(self, *sizes):
        super().__init__(*sizes, choose=choose_correlation)


KERNELS = [
    *[(Grouped, name, case) for name, case in (ANY | TAPS).items()],
    *[(AnySplit, name, case) for name, case in (ANY | TAPS).items()],
]
every_kernel = pytest.mark.parametrize(
    ("kind", "case"), [(k, c) for k, _, c in KERNELS], ids=[f"{k.__name__}-{n}" for k, n, _ in KERNELS]
)


@every_kernel
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alike", [False, True])
def test_equals_loops(kind, case, alike, dtype):
    check(kind(*case, 16, dtype, alike), *case, 16, dtype)


@every_kernel
@pytest.mark.parametrize("limit", [1, 1 << 13])
def test_small_bands(kind, case, limit, monkeypatch):
    monkeypatch.setattr(Correlation, "band_bytes", limit)
    check(kind(*case, 16, np.float64), *case, 16, np.float64)


@every_kernel
@pytest.mark.parametrize("rows", [1, 3, 100])
@pytest.mark.parametrize("multiple", [1, 2])
def test_bands_of_a_height(kind, case, rows, multiple):
    check_bands(kind(*case, 16, np.float64), case, rows, multiple)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    kind=st.sampled_from([Grouped, AnySplit]),
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    dilation=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    each=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    groups=st.integers(1, 3),
)
def test_equals_loops_at_any_geometry(kind, sizes, kernel, stride, dilation, each, groups):
    window = Window(*[Axis(*axis) for axis in zip(sizes, kernel, stride, dilation, strict=True)])
    assume(window.fits)
    case = (window, each[0] * groups, each[1] * groups, groups)
    check(kind(*case, 3, np.float64), *case, 3, np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kind", "window", "channels", "filters", "groups"),
    [
        (Grouped, Window(Axis(5, 3), Axis(6, 3)), 4, 32, 2),
        (Grouped, Window(Axis(5, 3), Axis(6, 3)), 16, 26, 2),
        (AnySplit, Window(Axis(7, 3), Axis(6, 3)), 16, 32, 2),
        (AnySplit, Window(Axis(9, 3, 1, 2), Axis(6, 3)), 8, 16, 1),
    ],
)
def test_columns_are_alike(kind, window, channels, filters, groups, dtype, machine):
    case = (window, channels, filters, groups)
    check_alike(kind(*case, 32, dtype, True), case, dtype)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    "window",
    [
        Window(Axis(12, 3), Axis(6, 3)),
        Window(Axis(13, 5, 1, 2), Axis(9, 2, 1, 3)),
        Window(Axis(18, 3, 1, 4), Axis(5, 5)),
    ],
)
def test_split_takes_winograd(window, groups):
    kernel = AnySplit(window, 8 * groups, 8 * groups, groups, 16, np.float64)
    assert isinstance(kernel.kernel, Winograd)
    check(kernel, window, 8 * groups, 8 * groups, groups, 16, np.float64)


def test_split_takes_blocks():
    window = Window(Axis(1, 1), Axis(70, 16, 1, 3))
    kernel = Split(window, 16, 16, 1, 16, np.float64, choose=lambda *sizes: Blocked(*sizes))
    check(kernel, window, 16, 16, 1, 16, np.float64)


def test_split_takes_the_fourier_transform():
    window = Window(Axis(1, 1), Axis(600, 300))
    kernel = choose_convolution(window, 8, 8, 2, 16, np.float64, alike=True)
    assert (type(kernel), type(kernel.kernel)) == (Split, Spectral)
    x, weight, dy = inputs(window, 8, 8, 2, 16, np.float64)
    out = forward(kernel, x, weight, dy.shape)
    for f, n in np.ndindex(8, 16):
        channels = x[0, :, f // 4 * 4 : f // 4 * 4 + 4, n].T
        expected = sum(correlate(a, w, "valid", "direct") for a, w in zip(channels, weight[f, 0].T, strict=True))
        np.testing.assert_allclose(out[0, :, f, n], expected, rtol=0, atol=1e-10)


def test_not_a_number_stays_in_its_image():
    """What lies beyond a smaller part is zero, and no rest of an earlier one."""
    window = Window(Axis(11, 3, 1, 2), Axis(9, 3, 1, 2))
    kernel = AnySplit(window, 8, 8, 1, 16, np.float64)
    x, weight, dy = inputs(window, 8, 8, 1, 16, np.float64)
    x[::2, ::2] = np.nan
    out = forward(kernel, x, weight, dy.shape)
    assert np.isnan(out[::2, ::2]).all()
    for rows, columns in ((0, 1), (1, 0), (1, 1)):
        assert np.isfinite(out[rows::2, columns::2]).all()
