"""Window arithmetic against enumeration."""

from math import ceil

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skconv._kernels.geometry import Axis, Window, border_map, border_pieces, make_window, pair

SETTINGS = settings(deadline=None, max_examples=60, derandomize=True)
sizes, kernels, strides, dilations = st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3)
borders = st.integers(0, 9)


def enumerate_windows(size, kernel, stride, dilation, before, after):
    """Positions in the axis of every window's taps; negative or from ``size`` on lie in the border."""
    windows, start = [], -before
    while start + (kernel - 1) * dilation < size + after:
        windows.append([start + tap * dilation for tap in range(kernel)])
        start += stride
    return windows


@st.composite
def axes(draw):
    axis = Axis(draw(sizes), draw(kernels), draw(strides), draw(dilations), draw(borders), draw(borders))
    assume(enumerate_windows(axis.size, axis.kernel, axis.stride, axis.dilation, axis.before, axis.after))
    return axis


@SETTINGS
@given(axis=axes())
def test_axis_counts_the_windows_that_fit(axis):
    windows = enumerate_windows(axis.size, axis.kernel, axis.stride, axis.dilation, axis.before, axis.after)
    assert axis.output == len(windows)
    assert axis.span == windows[0][-1] - windows[0][0] + 1
    assert axis.padded == len(range(-axis.before, axis.size + axis.after))


@SETTINGS
@given(size=sizes, kernel=kernels, stride=strides, dilation=dilations)
def test_axis_without_a_fitting_window_has_no_output(size, kernel, stride, dilation):
    windows = enumerate_windows(size, kernel, stride, dilation, 0, 0)
    assert (Axis(size, kernel, stride, dilation).output > 0) == bool(windows)


@SETTINGS
@given(axis=axes())
def test_adjoint_is_the_transposed_correlation(axis):
    weight = np.random.default_rng(0).standard_normal(axis.kernel)
    windows = enumerate_windows(axis.size, axis.kernel, axis.stride, axis.dilation, axis.before, axis.after)
    dense = np.zeros((len(windows), axis.size))
    for p, taps in enumerate(windows):
        for value, i in zip(weight, taps, strict=True):
            if 0 <= i < axis.size:
                dense[p, i] += value
    gradient = np.random.default_rng(1).standard_normal(len(windows))

    phases, first, length = axis.adjoint()
    storage = np.zeros(length)
    storage[first : first + axis.output] = gradient
    result = np.zeros(axis.size)
    for phase in phases:
        inputs = result[phase.start :: axis.stride]
        taps, read = weight[phase.taps][::-1], storage[phase.skip : phase.skip + phase.axis.size]
        assert len(read) == phase.axis.size
        assert (phase.axis.stride, phase.axis.before, phase.axis.after) == (1, 0, 0)
        assert (phase.axis.kernel, phase.axis.output) == (len(taps), len(inputs))
        inputs[:] = [
            sum(tap * read[i + k * phase.axis.dilation] for k, tap in enumerate(taps)) for i in range(len(inputs))
        ]
    np.testing.assert_allclose(result, dense.T @ gradient, atol=1e-13)


@SETTINGS
@given(axes(), st.data())
def test_a_strip_has_the_windows_of_the_whole(axis, data):
    windows = enumerate_windows(axis.size, axis.kernel, axis.stride, axis.dilation, axis.before, axis.after)
    start = data.draw(st.integers(0, len(windows) - 1))
    stop = data.draw(st.integers(start + 1, len(windows)))
    first, end, borders = axis.strip(start, stop)
    taps = [tap for window in windows[start:stop] for tap in window]
    if end <= first:
        assert all(tap not in range(axis.size) for tap in taps)
        return
    assert {tap for tap in taps if tap in range(axis.size)} <= set(range(first, end))
    own = enumerate_windows(end - first, axis.kernel, axis.stride, axis.dilation, *borders)
    assert [[first + tap for tap in window] for window in own] == windows[start:stop]


def test_adjoint_of_a_border_wider_than_the_span_starts_outside_what_is_read():
    (phase,), first, length = Axis(4, 2, before=5, after=3).adjoint()
    assert (phase.skip, first, length) == (4, 0, 11)


def test_adjoint_of_a_stride():
    """Inputs that no tap reaches; every other input for a dilation that the stride shares."""
    phases, first, length = Axis(7, 1, stride=3).adjoint()
    assert [phase.start for phase in phases] == [0]
    assert (first, length) == (0, 3)
    phases, first, length = Axis(9, 3, stride=2, dilation=2).adjoint()
    assert [(phase.start, phase.taps) for phase in phases] == [(0, slice(0, None, 1))]
    assert (phases[0].axis, first, length) == (Axis(7, 3), 2, 7)


@SETTINGS
@given(size=sizes, kernel=kernels, stride=strides, dilation=dilations)
def test_same_sub_samples_the_windows_of_stride_one(size, kernel, stride, dilation):
    def windows(step):
        axis = make_window(size, size + 1, kernel, stride=step, dilation=dilation, padding="same").columns
        return enumerate_windows(axis.size, axis.kernel, axis.stride, axis.dilation, axis.before, axis.after), axis

    dense, one = windows(1)
    strided, axis = windows(stride)
    assert one.output == len(dense) == size + 1
    assert axis.output == len(strided) == ceil((size + 1) / stride)
    assert strided == dense[::stride]


@SETTINGS
@given(
    size=sizes, kernel=st.integers(1, 40), stride=strides, sides=st.tuples(borders, borders), ceil_mode=st.booleans()
)
def test_trimmed_windows_read_the_same_of_the_axis_and_have_no_useless_tap_at_either_end(
    size, kernel, stride, sides, ceil_mode
):
    axis = Axis(size, kernel, stride, 1, *(min(side, kernel // 2) for side in sides))
    axis = axis.rounded_up() if ceil_mode else axis
    assume(axis.output > 0)
    trimmed = axis.trimmed()
    assert (trimmed.size, trimmed.output, trimmed.stride) == (axis.size, axis.output, axis.stride)

    def read(axis):
        starts = [p * axis.stride - axis.before for p in range(axis.output)]
        return [[start + tap for tap in range(axis.kernel)] for start in starts]

    on_the_axis = [[i for i in window if 0 <= i < size] for window in read(axis)]
    assert [[i for i in window if 0 <= i < size] for window in read(trimmed)] == on_the_axis
    for tap in (0, -1):
        assert any(0 <= window[tap] < size for window in read(trimmed))
    assert all(-trimmed.before <= i < size + trimmed.after for window in read(trimmed) for i in window)
    assert trimmed.trimmed() == trimmed


@SETTINGS
@given(
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    kernel=st.tuples(kernels, kernels),
    stride=st.tuples(strides, strides),
    dilation=st.tuples(dilations, dilations),
    padding=st.one_of(
        st.just("valid"), borders, st.tuples(borders, borders), st.tuples(*[st.tuples(borders, borders)] * 2)
    ),
)
def test_make_window_reads_every_kind_of_padding(height, width, kernel, stride, dilation, padding):
    if padding == "valid":
        sides = ((0, 0), (0, 0))
    elif isinstance(padding, int):
        sides = ((padding, padding), (padding, padding))
    else:
        sides = tuple(side if isinstance(side, tuple) else (side, side) for side in padding)
    window = make_window(height, width, kernel, stride=stride, dilation=dilation, padding=padding)
    counts = [
        len(enumerate_windows(size, k, s, d, *side))
        for size, k, s, d, side in zip((height, width), kernel, stride, dilation, sides, strict=True)
    ]
    assert (window.rows.before, window.rows.after) == sides[0]
    assert (window.columns.before, window.columns.after) == sides[1]
    assert window.fits == (min(counts) > 0)
    if window.fits:
        assert window.output == tuple(counts)


def test_one_number_on_a_series_speaks_of_time():
    window = make_window(1, 20, 3, stride=2, dilation=4, padding=5)
    assert window.rows == Axis(1, 1)
    assert window.columns == Axis(20, 3, 2, 4, 5, 5)


@pytest.mark.parametrize(
    ("value", "height", "expected"), [(3, 1, (1, 3)), (3, 2, (3, 3)), ((2, 5), 1, (2, 5)), (np.int64(4), 7, (4, 4))]
)
def test_pair(value, height, expected):
    assert pair(value, height) == expected


def test_window_needs_to_fit_both_ways():
    assert Window(Axis(3, 3), Axis(3, 2)).fits
    assert not Window(Axis(3, 4), Axis(3, 2)).fits
    assert not Window(Axis(3, 3), Axis(3, 4)).fits


@pytest.mark.parametrize("padding", ["valid", "same", 2, ((0, 1), (2, 0))])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_no_step_is_too_large(padding, ceil_mode):
    """A stride beyond the axis gives one window, whatever it is; the dilation of a single tap does not matter."""
    options = {"padding": padding, "ceil_mode": ceil_mode}
    far = make_window(7, 9, (3, 1), stride=2**70, dilation=(1, 2**70), **options)
    assert far == make_window(7, 9, (3, 1), stride=1000, dilation=1, **options)
    assert far.output == (1, 1)
    assert max(far.rows.stride, far.columns.stride) < 20


def test_parts_of_a_data_gradient_are_no_more_than_taps():
    phases, _, _ = Axis(1 << 40, 3, stride=1 << 30, before=5).adjoint()
    assert [(phase.start, phase.axis.kernel) for phase in phases] == [((1 << 30) - 5 + i, 1) for i in range(3)]


@pytest.mark.parametrize("mode", ["edge", "wrap", "reflect", "symmetric"])
def test_a_border_of_any_width_is_mapped_by_its_pieces(mode):
    axis = Axis(1 << 40, 1, before=1 << 38, after=1 << 38)
    pieces = border_map(axis, mode)
    assert len(pieces) <= border_pieces(axis, mode) <= 6
    assert sum(positions.stop - positions.start for positions, _ in pieces) == axis.padded == 3 << 39
