"""Convolution of one image, position by position as a block has its samples, against loops."""

import numpy as np
import pytest
from correlations import correlated

from skconv._kernels.correlation import Gathered
from skconv._kernels.geometry import Axis, Window, make_window
from skconv._kernels.grouped import Grouped
from skconv._kernels.products import COLUMNS
from skconv._kernels.single_sample import alone, as_image, columns_of
from skconv._kernels.winograd import Winograd
from skconv._kernels.winograd2d import Winograd2D
from skconv._threads.team import Team


def inner(window):
    """The windows over the stored input, which has the borders."""
    rows, columns = window.rows, window.columns
    return Window(
        Axis(rows.padded, rows.kernel, rows.stride, rows.dilation),
        Axis(columns.padded, columns.kernel, columns.stride, columns.dilation),
    )


CASES = {
    "all windows": (Gathered, (7, 9), 3, {}),
    "strided and dilated": (Gathered, (11, 12), (3, 2), {"stride": (2, 3), "dilation": (1, 2)}),
    "series": (Gathered, (1, 30), 5, {"padding": "valid"}),
    "rows": (Winograd, (9, 8), 3, {}),
    "rows, uneven borders": (Winograd, (9, 8), (4, 3), {"padding": ((2, 0), (0, 1))}),
    "rows, a border wider than the image": (Winograd, (6, 2), 3, {"padding": ((1, 1), (4, 3))}),
    "tiles": (Winograd2D, (16, 12), 3, {}),
    "lower tiles": (Winograd2D, (17, 13), 3, {"padding": "valid"}),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_one_image_equals_loops(case, dtype):
    kind, size, kernel_size, options = CASES[case]
    window = make_window(*size, kernel_size, **options)
    stored, (channels, filters) = inner(window), (5, 6)
    rng = np.random.default_rng(0)
    image = rng.standard_normal((channels, *size)).astype(dtype).transpose(1, 2, 0)  # any view
    weight = rng.standard_normal((filters, window.rows.kernel, window.columns.kernel, channels)).astype(dtype)
    kernel = kind(stored, channels, filters, 16, dtype, alike=True)
    prepared = np.full(kernel.weight_shape, np.nan, dtype)
    kernel.prepare(weight, prepared)
    single = alone(kernel, window, image)
    rows, columns = window.rows, window.columns
    padded = np.pad(image, ((rows.before, rows.after), (columns.before, columns.after), (0, 0)))
    expected = correlated(padded[..., None], weight, stored)[..., 0]
    for factor in (3, 1):  # nothing is left of the first image
        np.multiply(single.x, factor, out=single.x)
        with Team(1):
            single.run(prepared)
        if single.back is not None:
            np.copyto(*single.back)
        assert single.image.shape == expected.shape
        bound = (1e-4 if dtype == np.float32 else 1e-12) * abs(expected).max() * factor
        np.testing.assert_allclose(single.image, factor * expected, rtol=0, atol=bound)
        assert np.isfinite(single.columns).all()
        np.divide(single.x, factor, out=single.x)


def test_columns_are_a_multiple_that_holds_all_positions():
    for positions in range(1, 100):
        columns = columns_of(positions)
        assert columns % COLUMNS == 0
        assert positions <= columns < positions + COLUMNS


def test_channels_side_by_side_are_an_image():
    columns = np.arange(3 * 16.0).reshape(1, 1, 3, 16)
    image = as_image(columns, 2, 5)
    for i, j, c in np.ndindex(2, 5, 3):
        assert image[i, j, c] == columns[0, 0, c, 5 * i + j]
    assert np.shares_memory(image, columns)


@pytest.mark.parametrize(("side", "runs"), [(32, True), (128, False)])
def test_large_images_are_not_gathered_at_once(side, runs):
    window = make_window(side, side, 7, padding=3)
    kernel = Gathered(window, 16, 8, 16, np.float32, alike=True)
    assert (alone(kernel, window, np.zeros((side, side, 16), np.float32)) is not None) == runs


def test_other_algorithms_take_the_block():
    window = Window(Axis(6, 3), Axis(6, 3))
    assert alone(Grouped(window, 4, 4, 2, 16, np.float32, True), window, np.zeros((6, 6, 4), np.float32)) is None
