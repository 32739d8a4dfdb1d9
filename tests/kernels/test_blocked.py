"""Correlation of series in tiles and blocks of taps, against loops."""

import pytest
from correlations import DTYPES, check, check_alike

from skconv._kernels import blocked
from skconv._kernels.blocked import Blocked, blocked_cost
from skconv._kernels.geometry import Axis, Window

SERIES = {
    "one block": (12, 3, 8, 8),
    "whole blocks": (30, 9, 8, 16),
    "part of a block": (26, 10, 9, 8),
    "few outputs": (17, 16, 8, 8),
    "one output": (9, 9, 8, 8),
    "long": (90, 64, 8, 8),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", blocked._SIZES)
@pytest.mark.parametrize("group", [1, 1 << 14, 1 << 19])
@pytest.mark.parametrize("case", SERIES)
def test_blocked_equals_loops(case, group, size, dtype, monkeypatch):
    monkeypatch.setattr(blocked, "_SIZES", (size,))
    monkeypatch.setattr(blocked, "_GROUP_BYTES", group)
    columns, taps, channels, filters = SERIES[case]
    window = Window(Axis(1, 1), Axis(columns, taps))
    kernel = Blocked(window, channels, filters, 16, dtype)
    assert kernel.m == size
    assert kernel.fit_bands(5, 2) == 1
    check(kernel, window, channels, filters, 1, 16, dtype)


def test_blocked_cost():
    def cost(columns, channels=16, filters=32, rows=None):
        return blocked_cost(Window(rows or Axis(1, 1), columns), channels, filters)

    assert 9 / 25 < cost(Axis(128, 64)) < cost(Axis(128, 16)) < cost(Axis(128, 9)) < 0.8 < cost(Axis(128, 5)) < 1
    assert cost(Axis(128, 5), 64, 64) < 0.6
    for other in (Axis(128, 64, 2), Axis(128, 16, 1, 2), Axis(128, 2)):
        assert cost(other) == 1
    assert cost(Axis(128, 64), 7) == cost(Axis(128, 64), 16, 7) == cost(Axis(128, 64), rows=Axis(2, 1)) == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_are_alike(dtype, machine):
    window = Window(Axis(1, 1), Axis(40, 9))
    check_alike(Blocked(window, 8, 16, 32, dtype, True), (window, 8, 16, 1), dtype)
