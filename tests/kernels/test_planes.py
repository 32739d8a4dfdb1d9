"""Convolution of one image, channel by channel in memory, against loops over the taps."""

from itertools import product

import numpy as np
import pytest

from skconv._kernels import planes
from skconv._kernels.geometry import make_window
from skconv._kernels.memory import allocate
from skconv._kernels.planes import DepthwisePlanes, GatheredPlanes, bands_of

GEOMETRIES = [
    (shape, kernel, options)
    for shape in ((5, 7), (12, 9))
    for kernel, stride, dilation, padding in product(
        ((1, 1), (3, 3), (2, 5)), (1, 2, 3), (1, 2), ("same", "valid", ((1, 2), (0, 1)), 6)
    )
    for options in ({"stride": stride, "dilation": dilation, "padding": padding},)
    if min(make_window(*shape, kernel, **options).output) > 0
]


def by_loops(x, weight, window, groups):
    """Correlation of ``x`` (C, H, W) with a weight (F, R, S, C / G), tap by tap."""
    rows, columns = window.rows, window.columns
    filters, R, S, channels = weight.shape
    bordered = np.zeros((len(x), rows.padded, columns.padded))
    bordered[:, rows.before :, columns.before :][:, : x.shape[1], : x.shape[2]] = x
    (P, Q), y = window.output, np.zeros((filters, *window.output))
    for f, r, s, c in np.ndindex(filters, R, S, channels):
        down = np.arange(P) * rows.stride + r * rows.dilation
        across = np.arange(Q) * columns.stride + s * columns.dilation
        y[f] += weight[f, r, s, c] * bordered[f // (filters // groups) * channels + c][np.ix_(down, across)]
    return y


def parts(kernel, x, weight, y, dtype):
    """Fill ``y`` (F, P, Q) part by part, in scratch memory that holds other numbers."""
    for part in kernel.parts:
        scratch = allocate(kernel.scratch(part), dtype)
        for array in scratch.values():
            array.fill(7)
        for function, arguments in kernel.bind(part, x, weight, scratch):
            function(*arguments)
        y[part] = scratch.out[..., : y.shape[2]]
    return y


@pytest.mark.parametrize("size", [400, 1 << 20], ids=["small parts", "one part"])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_parts_equal_loops(groups, size, monkeypatch):
    for name in ("_GATHERED_BYTES", "_DIRECT_BYTES", "_WINDOWS_BYTES"):
        monkeypatch.setattr(planes, name, size)
    rng, dtype = np.random.default_rng(0), np.dtype(np.float64)
    for shape, taps, options in GEOMETRIES:
        window = make_window(*shape, taps, **options)
        filters = 4 if groups == 4 else 6
        x = rng.standard_normal((4, *shape))
        weight = rng.standard_normal((filters, window.rows.kernel, window.columns.kernel, 4 // groups))
        expected, y = by_loops(x, weight, window, groups), np.full((filters, *window.output), np.nan)
        kernel = GatheredPlanes(window, 4, filters, groups, dtype)
        np.testing.assert_allclose(parts(kernel, x, weight, y, dtype), expected, atol=1e-12, err_msg=str(options))
        if groups == 4:
            kernel, bias = DepthwisePlanes(window, 4, dtype), rng.standard_normal(4)
            y.fill(np.nan)
            parts(kernel, x, kernel.prepared(weight, bias), y, dtype)
            np.testing.assert_allclose(y, expected + bias[:, None, None], atol=1e-12, err_msg=str(options))


@pytest.mark.parametrize(("rows", "each", "most"), [(1, 10, 5), (7, 10, 30), (112, 3, 64), (5, 1, 100)])
def test_bands_cover_all_rows_once(rows, each, most):
    bands = bands_of(rows, each, most)
    assert [row for band in bands for row in range(rows)[band]] == list(range(rows))
    assert all((band.stop - band.start) * each <= max(most, each) for band in bands)
