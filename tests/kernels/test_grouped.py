"""Correlation in groups of channels, of dilated images and of series, against loops; and which is taken when."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

from skconv._kernels import blocked, depthwise, grouped
from skconv._kernels.algorithm import Groups
from skconv._kernels.blocked import Blocked, blocked_cost
from skconv._kernels.choose import choose_convolution, choose_correlation
from skconv._kernels.correlation import Gathered, Winograd
from skconv._kernels.depthwise import Depthwise, TapSums
from skconv._kernels.geometry import Axis, Window
from skconv._kernels.grouped import Grouped, Split
from skconv._kernels.memory import allocate
from skconv._kernels.spectral import Spectral
from skconv._threads.team import Team

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
DTYPES = [np.float32, np.float64]


def pixels(window, taps):
    """``(p, q, r, s, row, column)`` of every tap of every window."""
    rows, columns = window.rows, window.columns
    for p, q, r, s in np.ndindex(*window.output, *taps):
        yield p, q, r, s, p * rows.stride + r * rows.dilation, q * columns.stride + s * columns.dilation


def naive(x, weight, window, groups):
    """Correlation of ``x`` (H, W, C, N) with ``weight`` (F, R, S, C // groups), tap by tap and filter by filter."""
    out = np.zeros((*window.output, len(weight), x.shape[3]))
    channels, filters = weight.shape[3], len(weight) // groups
    for p, q, r, s, row, column in pixels(window, weight.shape[1:3]):
        for f in range(len(weight)):
            first = f // filters * channels
            out[p, q, f] += weight[f, r, s] @ x[row, column, first : first + channels]
    return out


def naive_gradient(x, dy, weight, window, groups):
    gradient = np.zeros(weight.shape)
    channels, filters = weight.shape[3], len(weight) // groups
    for p, q, r, s, row, column in pixels(window, weight.shape[1:3]):
        for f in range(len(weight)):
            first = f // filters * channels
            gradient[f, r, s] += x[row, column, first : first + channels] @ dy[p, q, f]
    return gradient


def inputs(window, channels, filters, groups, width, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((window.rows.size, window.columns.size, channels, width)).astype(dtype)
    taps = (window.rows.kernel, window.columns.kernel)
    weight = rng.standard_normal((filters, *taps, channels // groups)).astype(dtype)
    return x, weight, rng.standard_normal((*window.output, filters, width)).astype(dtype)


def empty(shapes, dtype):
    """Scratch that holds no number."""
    arrays = allocate(shapes, dtype)
    for array in arrays.values():
        array.fill(np.nan)
    return arrays


def stored(kernel, x):
    """The input in the storage that a kernel wants."""
    columns = max(getattr(kernel, "stored_columns", 0), x.shape[1])
    storage = np.zeros((max(kernel.stored_rows, len(x)), columns, *x.shape[2:]), x.dtype)
    storage[: len(x), : x.shape[1]] = x
    return storage


def forward(kernel, x, weight, shape):
    """Output into every other row and column of an array, as the data gradient of a stride wants it."""
    prepared = empty({"weight": kernel.weight_shape}, x.dtype)["weight"]
    kernel.prepare(weight, prepared)
    out = np.full((2 * shape[0], 2 * shape[1], *shape[2:]), np.nan, x.dtype)
    kernel.forward(stored(kernel, x), prepared, empty(kernel.scratch, x.dtype), out[::2, ::2])
    assert np.isnan(out[1::2]).all()
    assert np.isnan(out[:, 1::2]).all()
    return out[::2, ::2]


def close(actual, expected, dtype):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[dtype] * abs(expected).max())


def check(kernel, window, channels, filters, groups, width, dtype):
    x, weight, dy = inputs(window, channels, filters, groups, width, dtype)
    wide = [a.astype(float) for a in (x, weight, dy)]
    close(forward(kernel, x, weight, dy.shape), naive(wide[0], wide[1], window, groups), dtype)
    gradient = np.full(weight.shape, np.nan, dtype)
    kernel.weight_gradient(stored(kernel, x), dy, empty(kernel.gradient_scratch, dtype), gradient)
    close(gradient, naive_gradient(wide[0], wide[2], weight, window, groups), dtype)


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


class AnySplit(Split):
    """With the algorithms of `choose_correlation` alone."""

    def __init__(self, *sizes):
        super().__init__(*sizes, choose=choose_correlation)


KERNELS = [
    *[(Grouped, name, case) for name, case in (ANY | TAPS).items()],
    *[(AnySplit, name, case) for name, case in (ANY | TAPS).items()],
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
    for module in (grouped, depthwise):
        monkeypatch.setattr(module, "_BAND_BYTES", limit)
    check(kind(*case, 16, np.float64), *case, 16, np.float64)


@every_kernel
@pytest.mark.parametrize("rows", [1, 3, 100])
@pytest.mark.parametrize("multiple", [1, 2])
def test_bands_of_a_height(kind, case, rows, multiple):
    kernel = kind(*case, 16, np.float64)
    P, height = kernel.P, kernel.fit_bands(rows, multiple)
    assert height == kernel.rows_per_band
    assert height % multiple == 0 or height >= P
    assert height <= max(rows, multiple) or height == P
    check(kernel, *case, 16, np.float64)
    x, _, dy = inputs(*case, 16, np.float64)
    bands = kernel.bind(stored(kernel, x), empty(kernel.scratch, np.float64), np.empty_like(dy))
    assert len(bands) == -(-P // height)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    kind=st.sampled_from([Grouped, AnySplit, Depthwise, TapSums]),
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
    if kind in (Depthwise, TapSums):
        each = (1, 1)
    assume(not (kind is Depthwise and window.rows.dilation > 1 and window.rows.kernel > 1))
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
        (Depthwise, Window(Axis(7, 3), Axis(6, 3)), 16, 16, 16),
        (TapSums, Window(Axis(7, 3), Axis(6, 3)), 16, 16, 16),
        (Blocked, Window(Axis(1, 1), Axis(40, 9)), 8, 16, 1),
    ],
)
def test_columns_are_alike(kind, window, channels, filters, groups, dtype, machine):
    sizes = (window, channels, filters) if kind is Blocked else (window, channels, filters, groups)
    kernel = kind(*sizes, 32, dtype, True)
    x, weight, dy = inputs(window, channels, filters, groups, 32, dtype)
    x[...] = x[..., :1]
    out = forward(kernel, x, weight, dy.shape)
    close(out, naive(x.astype(float), weight.astype(float), window, groups), dtype)
    np.testing.assert_array_equal(out, np.broadcast_to(out[..., :1], out.shape))


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


def test_groups_are_for_subclasses():
    base = Groups(Window(Axis(3, 2), Axis(3, 2)), 2, 2, 2, 16, np.float32)
    for call in (
        lambda: base.bind(None, None, None),
        lambda: base.run(None, None),
        lambda: base.bind_gradient(None, None, None),
        lambda: base.run_gradient(None, None, None),
    ):
        with pytest.raises(NotImplementedError):
            call()
