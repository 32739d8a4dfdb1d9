"""Which algorithm is taken when, and that the choice changes no bit with the width of a block."""

import numpy as np
import pytest
from correlations import DTYPES, forward, inputs

from skconv._kernels.blocked import Blocked
from skconv._kernels.choose import choose_convolution, choose_correlation
from skconv._kernels.correlation import Gathered
from skconv._kernels.depthwise import Depthwise, TapSums
from skconv._kernels.geometry import Axis, Window, make_window
from skconv._kernels.grouped import Grouped, Split
from skconv._kernels.spectral import Spectral
from skconv._kernels.winograd import Winograd
from skconv._kernels.winograd2d import Winograd2D
from skconv._threads.team import Team


@pytest.mark.parametrize(
    ("kind", "rows", "columns", "channels", "filters"),
    [
        (Winograd, Axis(10, 3), Axis(10, 3), 8, 8),
        (Winograd, Axis(12, 5), Axis(12, 1), 8, 8),
        (Winograd, Axis(4, 3), Axis(10, 3), 8, 8),
        (Gathered, Axis(3, 3), Axis(10, 3), 8, 8),  # one output row
        (Winograd, Axis(10, 4), Axis(10, 4), 8, 8),
        (Gathered, Axis(10, 1), Axis(10, 3), 8, 8),
        (Winograd, Axis(10, 7), Axis(10, 7), 8, 8),
        (Gathered, Axis(10, 8), Axis(10, 3), 8, 8),
        (Gathered, Axis(10, 2), Axis(10, 3), 8, 8),
        (Gathered, Axis(10, 3), Axis(10, 3), 7, 8),
        (Gathered, Axis(10, 3), Axis(10, 3), 8, 7),
        (Gathered, Axis(10, 3, 2), Axis(10, 3), 8, 8),
        (Gathered, Axis(10, 3), Axis(10, 3, 2), 8, 8),
        (Gathered, Axis(10, 3, 1, 2), Axis(10, 3), 8, 8),
        (Gathered, Axis(10, 3), Axis(10, 3, 1, 2), 8, 8),
        (Winograd2D, Axis(10, 3), Axis(6, 3), 64, 64),
        (Winograd2D, Axis(10, 5), Axis(10, 3), 64, 64),
        (Winograd, Axis(10, 3), Axis(5, 3), 64, 64),  # three outputs across
        (Winograd, Axis(10, 3), Axis(10, 3), 63, 64),
        (Winograd, Axis(10, 3), Axis(10, 3), 64, 63),
        (Winograd, Axis(10, 3), Axis(10, 5), 64, 64),
        (Gathered, Axis(10, 3), Axis(10, 3, 2), 64, 64),
        (Gathered, Axis(3, 3), Axis(10, 3), 64, 64),  # one output row
    ],
)
def test_choose_correlation(kind, rows, columns, channels, filters):
    assert type(choose_correlation(Window(rows, columns), channels, filters, 16, np.float32)) is kind


@pytest.mark.parametrize(
    ("shape", "kernel", "channels", "filters", "algorithm"),
    [
        ((1, 1000), (1, 512), 1, 32, Spectral),
        ((1, 1000), (1, 64), 1, 32, Gathered),
        ((1, 1000), (1, 128), 8, 32, Spectral),
        ((64, 64), (21, 21), 1, 16, Spectral),
        ((28, 28), (5, 5), 1, 64, Gathered),
        ((28, 28), (11, 11), 16, 32, Spectral),
        ((28, 28), (3, 3), 64, 32, Winograd),
        ((28, 28), (3, 3), 64, 64, Winograd2D),
    ],
)
def test_chosen_for_long_kernels_in_prediction(shape, kernel, channels, filters, algorithm):
    window = make_window(*shape, kernel)
    assert type(choose_correlation(window, channels, filters, 64, np.float32, alike=True)) is algorithm
    assert type(choose_correlation(window, channels, filters, 64, np.float32)) is not Spectral


ONE, SERIES_ROW = Axis(10, 3), Axis(1, 1)


@pytest.mark.parametrize(
    ("kind", "rows", "columns", "channels", "filters", "groups", "options"),
    [
        (Gathered, ONE, ONE, 4, 4, 1, {}),
        (Winograd, ONE, ONE, 8, 8, 1, {}),
        (Split, ONE, ONE, 8, 8, 1, {"gaps": True}),
        (Gathered, ONE, ONE, 4, 4, 1, {"gaps": True}),
        (Split, Axis(16, 3, 1, 2), Axis(10, 3, 1, 2), 8, 8, 1, {}),
        (Gathered, Axis(10, 3, 1, 4), ONE, 8, 8, 1, {}),  # one output a part
        (Gathered, ONE, Axis(10, 3, 1, 2), 4, 4, 1, {}),
        (Split, ONE, ONE, 16, 16, 2, {}),
        (Grouped, ONE, ONE, 16, 16, 4, {}),
        (Grouped, Axis(10, 3, 2), ONE, 16, 16, 2, {}),
        (Depthwise, ONE, ONE, 16, 16, 16, {}),
        (Depthwise, Axis(10, 3, 2), Axis(10, 3, 1, 2), 16, 16, 16, {}),
        (TapSums, Axis(10, 3, 1, 2), ONE, 16, 16, 16, {}),
        (TapSums, Axis(10, 2), ONE, 16, 16, 16, {}),
        (TapSums, ONE, Axis(10, 3, 2), 16, 16, 16, {}),
        (Depthwise, Axis(10, 5), Axis(10, 3, 2), 16, 16, 16, {}),
        (Grouped, ONE, ONE, 16, 32, 16, {}),
        (Grouped, SERIES_ROW, Axis(60, 9), 16, 16, 16, {}),
        (Blocked, SERIES_ROW, Axis(60, 9), 16, 32, 1, {}),
        (Blocked, SERIES_ROW, Axis(60, 9), 16, 32, 1, {"gaps": True}),
        (Split, SERIES_ROW, Axis(60, 9, 1, 3), 16, 32, 1, {}),
        (Split, SERIES_ROW, Axis(60, 9), 32, 64, 2, {}),
        (Gathered, SERIES_ROW, Axis(60, 9, 2), 16, 32, 1, {}),
        (Gathered, SERIES_ROW, Axis(60, 9), 1, 32, 1, {}),
        (Blocked, SERIES_ROW, Axis(60, 9), 16, 32, 1, {"alike": True}),
        (Spectral, SERIES_ROW, Axis(1000, 512), 8, 8, 1, {"alike": True}),
    ],
)
def test_choose_convolution(kind, rows, columns, channels, filters, groups, options):
    window = Window(rows, columns)
    assert type(choose_convolution(window, channels, filters, groups, 16, np.float32, **options)) is kind


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("rows", "columns", "channels", "filters", "groups"),
    [
        (Axis(18, 3), Axis(18, 3), 32, 32, 32),
        (Axis(20, 5), Axis(12, 5), 32, 32, 32),
        (Axis(9, 2), Axis(9, 3), 8, 8, 8),
        (Axis(1, 1), Axis(60, 9), 16, 16, 16),
        (Axis(18, 3), Axis(9, 3), 32, 64, 4),
        (Axis(9, 3), Axis(9, 3), 16, 64, 16),
        (Axis(1, 1), Axis(60, 9), 16, 32, 1),
        (Axis(20, 3, 1, 2), Axis(9, 3, 1, 2), 16, 16, 1),
    ],
)
def test_no_bit_depends_on_the_width_of_a_block(rows, columns, channels, filters, groups, dtype):
    window = Window(rows, columns)
    x, weight, dy = inputs(window, channels, filters, groups, 16, dtype)
    outputs = []
    with Team(1):
        for copies in (1, 3, 8):
            kernel = choose_convolution(window, channels, filters, groups, 16 * copies, dtype, alike=True)
            wide = np.concatenate([x] * copies, axis=3)
            outputs += np.split(forward(kernel, wide, weight, (*dy.shape[:3], 16 * copies)), copies, axis=3)
    for other in outputs[1:]:
        np.testing.assert_array_equal(other, outputs[0])
