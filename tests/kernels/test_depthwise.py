"""Correlation of each channel on its own, against loops."""

import numpy as np
import pytest
from correlations import DEPTHWISE, DTYPES, TAPS, check, check_alike, check_bands
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skconv._kernels.algorithm import Correlation
from skconv._kernels.depthwise import Depthwise, TapSums
from skconv._kernels.geometry import Axis, Window

KERNELS = [
    *[(Depthwise, name, case) for name, case in DEPTHWISE.items()],
    *[(TapSums, name, case) for name, case in TAPS.items()],
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


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    kind=st.sampled_from([Depthwise, TapSums]),
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    dilation=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=st.integers(1, 3),
)
def test_equals_loops_at_any_geometry(kind, sizes, kernel, stride, dilation, channels):
    window = Window(*[Axis(*axis) for axis in zip(sizes, kernel, stride, dilation, strict=True)])
    assume(window.fits)
    assume(not (kind is Depthwise and window.rows.dilation > 1 and window.rows.kernel > 1))
    case = (window, channels, channels, channels)
    check(kind(*case, 3, np.float64), *case, 3, np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kind", "window", "channels", "filters", "groups"),
    [
        (Depthwise, Window(Axis(7, 3), Axis(6, 3)), 16, 16, 16),
        (TapSums, Window(Axis(7, 3), Axis(6, 3)), 16, 16, 16),
    ],
)
def test_columns_are_alike(kind, window, channels, filters, groups, dtype, machine):
    case = (window, channels, filters, groups)
    check_alike(kind(*case, 32, dtype, True), case, dtype)
