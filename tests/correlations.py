"""Correlations by loops over the taps in double precision, and what runs a kernel on arrays that hold no number."""

import numpy as np

from skconv._kernels.geometry import Axis, Window
from skconv._kernels.memory import allocate

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
DTYPES = [np.float32, np.float64]

# Windows, channels, filters and groups where each channel is on its own: copied out by rows, and as sums of taps.
DEPTHWISE = {
    "square": (Window(Axis(6, 3), Axis(7, 3)), 4, 4, 4),
    "tall": (Window(Axis(7, 5), Axis(4, 2)), 3, 3, 3),
    "stride": (Window(Axis(9, 3, 2), Axis(9, 2, 3)), 3, 3, 3),
    "dilation across": (Window(Axis(6, 3), Axis(12, 3, 1, 3)), 3, 3, 3),
    "stride and dilation across": (Window(Axis(9, 4, 3), Axis(14, 3, 2, 4)), 3, 3, 3),
    "one row": (Window(Axis(1, 1), Axis(9, 4)), 3, 3, 3),
}
TAPS = {
    **DEPTHWISE,
    "dilation": (Window(Axis(9, 3, 1, 3), Axis(9, 3, 1, 2)), 3, 3, 3),
    "stride and dilation": (Window(Axis(9, 2, 2, 3), Axis(11, 3, 3, 2)), 3, 3, 3),
}


def inputs(window, channels, filters, groups, width, dtype):
    """Random ``x`` (H, W, C, N), weight (F, R, S, C // groups) and gradient of the output (P, Q, F, N)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((window.rows.size, window.columns.size, channels, width)).astype(dtype)
    taps = (window.rows.kernel, window.columns.kernel)
    weight = rng.standard_normal((filters, *taps, channels // groups)).astype(dtype)
    return x, weight, rng.standard_normal((*window.output, filters, width)).astype(dtype)


def taps_of(x, window, groups):
    """The place of each tap in a weight, the channels and the filters of each group, and what the tap sees of them."""
    rows, columns = window.rows, window.columns
    for r, s in np.ndindex(rows.kernel, columns.kernel):
        down = np.arange(rows.output) * rows.stride + r * rows.dilation
        across = np.arange(columns.output) * columns.stride + s * columns.dilation
        for g, pixels in enumerate(np.split(x[np.ix_(down, across)].astype(float), groups, axis=2)):
            yield g, r, s, pixels


def correlated(x, weight, window, groups=1):
    """Correlation of ``x`` (H, W, C, N) with ``weight`` (F, R, S, C // groups)."""
    out = np.zeros((*window.output, len(weight), x.shape[3]))
    by_group, outputs = np.split(weight.astype(float), groups), np.split(out, groups, axis=2)
    for g, r, s, pixels in taps_of(x, window, groups):
        outputs[g] += np.einsum("fc,pqcn->pqfn", by_group[g][:, r, s], pixels)
    return out


def weight_gradient(x, dy, window, groups=1):
    """Gradient (F, R, S, C // groups) of that weight, from the gradient of the output (P, Q, F, N)."""
    taps = (window.rows.kernel, window.columns.kernel)
    gradient = np.zeros((dy.shape[2], *taps, x.shape[2] // groups))
    by_group, outputs = np.split(gradient, groups), np.split(dy.astype(float), groups, axis=2)
    for g, r, s, pixels in taps_of(x, window, groups):
        by_group[g][:, r, s] = np.einsum("pqfn,pqcn->fc", outputs[g], pixels)
    return gradient


def empty(shapes, dtype):
    """Scratch that holds no number."""
    arrays = allocate(shapes, dtype)
    for array in arrays.values():
        array.fill(np.nan)
    return arrays


def stored(kernel, x):
    """The input in the storage that a kernel wants."""
    columns = max(kernel.stored_columns, x.shape[1])
    storage = np.zeros((max(kernel.stored_rows, len(x)), columns, *x.shape[2:]), x.dtype)
    storage[: len(x), : x.shape[1]] = x
    return storage


def forward(kernel, x, weight, shape):
    """Output into every other row and column of an array, as the data gradient of a stride wants it."""
    prepared = empty({"weight": kernel.weight_shape}, x.dtype)["weight"]
    kernel.prepare(weight, prepared)
    out = np.full((2 * shape[0], 2 * shape[1], *shape[2:]), np.nan, x.dtype)
    kernel.run(kernel.bind(stored(kernel, x), empty(kernel.scratch, x.dtype), out[::2, ::2]), prepared)
    assert np.isnan(out[1::2]).all()
    assert np.isnan(out[:, 1::2]).all()
    return out[::2, ::2]


def close(actual, expected, dtype):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[dtype] * abs(expected).max())


def check(kernel, window, channels, filters, groups, width, dtype):
    """Output and gradient of the weight are those of the loops."""
    x, weight, dy = inputs(window, channels, filters, groups, width, dtype)
    close(forward(kernel, x, weight, dy.shape), correlated(x, weight, window, groups), dtype)
    gradient = np.full(weight.shape, np.nan, dtype)
    scratch = empty(kernel.gradient_scratch, dtype)
    kernel.run_gradient(kernel.bind_gradient(stored(kernel, x), dy, scratch), scratch, gradient)
    close(gradient, weight_gradient(x, dy, window, groups), dtype)


def check_bands(kernel, case, rows, multiple):
    """Bands of a height that is asked for: no higher, a multiple, as many as are needed, and the results of loops."""
    P, height = kernel.P, kernel.fit_bands(rows, multiple)
    assert height == kernel.rows_per_band
    assert height % multiple == 0 or height >= P
    assert height <= max(rows, multiple) or height == P
    check(kernel, *case, 16, np.float64)
    x, _, dy = inputs(*case, 16, np.float64)
    bands = kernel.bind(stored(kernel, x), empty(kernel.scratch, np.float64), np.empty_like(dy))
    assert len(bands) == -(-P // height)


def check_alike(kernel, case, dtype):
    """Equal columns of the input have the same bits in the output."""
    x, weight, dy = inputs(*case, 32, dtype)
    x[...] = x[..., :1]
    out = forward(kernel, x, weight, dy.shape)
    close(out, correlated(x, weight, case[0], case[3]), dtype)
    np.testing.assert_array_equal(out, np.broadcast_to(out[..., :1], out.shape))
