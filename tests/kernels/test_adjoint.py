"""The data gradient of a convolution against loops over the taps."""

import numpy as np
import pytest
from correlations import close, empty

from skconv._kernels.adjoint import Adjoint, count_parts
from skconv._kernels.geometry import Axis, Window
from skconv._kernels.memory import Storage

GEOMETRIES = {  # windows, channels, filters, groups, parts
    "one row": (Window(Axis(1, 1), Axis(7, 3, 1, 1, 1, 1)), 2, 3, 1, 1),
    "borders": (Window(Axis(6, 3, 1, 1, 1, 1), Axis(5, 4, 1, 1, 1, 2)), 2, 3, 1, 1),
    "stride": (Window(Axis(7, 3, 2, 1, 1, 1), Axis(8, 3, 2, 1, 1, 0)), 2, 3, 1, 4),
    "stride beyond the kernel": (Window(Axis(7, 2, 3), Axis(8, 1, 2)), 2, 3, 1, 2),
    "stride and dilation": (Window(Axis(9, 3, 2, 2), Axis(9, 2, 2, 3, 1, 1)), 2, 3, 1, 2),
    "groups": (Window(Axis(6, 3, 1, 1, 1, 1), Axis(7, 3, 2, 1, 1, 1)), 4, 6, 2, 2),
    "each channel on its own": (Window(Axis(6, 3, 1, 1, 1, 1), Axis(7, 3, 1, 1, 1, 1)), 3, 3, 3, 1),
    "Winograd": (Window(Axis(9, 3, 1, 1, 1, 1), Axis(9, 3, 1, 1, 1, 1)), 8, 8, 1, 1),
}


def by_loops(window, weight, dy, channels, groups):
    """Gradient (H, W, C, N) of the input from that of the output (P, Q, F, N): each tap added where it was read."""
    rows, columns = window.rows, window.columns
    dx = np.zeros((rows.padded, columns.padded, channels, dy.shape[3]))
    filters, inputs = len(weight) // groups, channels // groups
    for p, q, r, s in np.ndindex(*window.output, rows.kernel, columns.kernel):
        at = dx[p * rows.stride + r * rows.dilation, q * columns.stride + s * columns.dilation]
        for g in range(groups):
            kernels = weight[g * filters : (g + 1) * filters, r, s]
            at[g * inputs : (g + 1) * inputs] += kernels.T @ dy[p, q, g * filters : (g + 1) * filters]
    return dx[rows.before : rows.before + rows.size, columns.before : columns.before + columns.size]


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_equals_loops(name, dtype, alike):
    window, channels, filters, groups, parts = GEOMETRIES[name]
    rng = np.random.default_rng(0)
    taps = window.rows.kernel, window.columns.kernel
    weight = rng.standard_normal((filters, *taps, channels // groups)).astype(dtype)
    dy = rng.standard_normal((*window.output, filters, 16)).astype(dtype)
    adjoint = Adjoint(window, channels, filters, groups, 16, np.dtype(dtype), alike)
    assert len(adjoint.parts) == count_parts((window.rows, window.columns)) == parts
    storage, (P, Q) = adjoint.storage, window.output
    whole = np.zeros((storage.rows, storage.columns, filters, 16), dtype)
    whole[storage.row : storage.row + P, storage.column : storage.column + Q] = dy
    shared = empty(adjoint.shared, dtype)
    scratch = {group: empty(shapes, dtype) for group, shapes in adjoint.scratch.items()}
    dx = np.full((window.rows.size, window.columns.size, channels, 16), np.nan, dtype)
    adjoint.prepare(weight, shared)
    adjoint.run(adjoint.bind(whole, scratch, dx), shared, dx)
    close(dx, by_loops(window, weight.astype(float), dy.astype(float), channels, groups), dtype)


def test_inputs_that_no_tap_reaches_have_no_gradient():
    sizes = (1, 1, 1, 16, np.dtype(float))
    assert not Adjoint(Window(Axis(7, 2, 3), Axis(8, 1, 2)), *sizes).reaches_all
    assert Adjoint(Window(Axis(7, 3, 2), Axis(8, 2, 2)), *sizes).reaches_all


def test_the_gradient_lies_within_zeros():
    adjoint = Adjoint(Window(Axis(1, 1), Axis(7, 3, 1, 1, 1, 1)), 2, 3, 1, 16, np.dtype(float))
    assert adjoint.storage == Storage(1, 9, 0, 1)
