"""Borders against numpy.pad, and their gradients against adding one by one."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv._kernels.geometry import BORDER_MAPS, Axis, border_map, border_pieces, border_source, make_window
from skconv._kernels.padding import (
    add_borders,
    border_maps,
    border_shapes,
    fill_from,
    fill_noise,
    inside,
    moments,
    repeat,
    strips,
    tiled,
)

SETTINGS = settings(deadline=None, max_examples=80, derandomize=True)
modes = st.sampled_from(BORDER_MAPS)


@st.composite
def axes(draw, largest=8):
    size = draw(st.integers(1, largest))
    borders = st.integers(0, 4 * size)
    return Axis(size, 1, before=draw(borders), after=draw(borders))


@st.composite
def bordered(draw):
    """A window of one tap over images with borders up to four times as wide."""
    rows, columns = draw(axes(5)), draw(axes(5))
    sides = ((rows.before, rows.after), (columns.before, columns.after))
    return make_window(rows.size, columns.size, 1, padding=sides), (*sides, (0, 0), (0, 0))


def random(shape, layout, dtype=np.float64, seed=0):
    """Random numbers: as the network lays them out, as transposed samples, or within a larger array."""
    H, W, C, N = shape
    values = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    out = {
        "network": lambda: np.empty(shape, dtype),
        "samples": lambda: np.empty((N, H, W, C), dtype).transpose(1, 2, 3, 0),
        "within": lambda: np.zeros((H + 3, W + 2, C, N), dtype)[1 : H + 1, 2 : W + 2],
        "reversed": lambda: np.empty(shape, dtype)[::-1, ::-1],
    }[layout]()
    out[...] = values
    return out


def sources(axis, mode):
    return [border_source(axis, mode, i) for i in range(-axis.before, axis.size + axis.after)]


layouts = st.sampled_from(["network", "samples", "within", "reversed"])


@SETTINGS
@given(axis=axes(), mode=modes)
def test_sources_are_those_of_numpy(axis, mode):
    expected = np.pad(np.arange(axis.size), (axis.before, axis.after), mode)
    assert sources(axis, mode) == expected.tolist()


@pytest.mark.parametrize("mode", BORDER_MAPS)
def test_sources_at_every_small_size(mode):
    for size in range(1, 6):
        for before in range(4 * size):
            for after in range(4 * size):
                expected = np.pad(np.arange(size), (before, after), mode)
                assert sources(Axis(size, 1, before=before, after=after), mode) == expected.tolist()


@SETTINGS
@given(axis=axes(), mode=modes)
def test_pieces_are_the_sources(axis, mode):
    """Each position once, the axis itself first, and no more pieces than turns."""
    result, samples = [None] * axis.padded, list(range(axis.size))
    pieces = border_map(axis, mode)
    for positions, of in pieces:
        values = samples[of]
        assert len(values) in (1, positions.stop - positions.start)
        for i, position in enumerate(range(positions.start, positions.stop)):
            assert result[position] is None
            result[position] = values[i % len(values)]
    assert result == sources(axis, mode)
    assert pieces[0] == (slice(axis.before, axis.before + axis.size), slice(0, axis.size))
    period = max(1, axis.size - 1)
    assert len(pieces) <= 5 + (0 if mode == "edge" else (axis.before + axis.after) // period)
    assert len(pieces) <= border_pieces(axis, mode)


@SETTINGS
@given(
    case=bordered(),
    mode=modes,
    rest=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    layout=layouts,
    out_layout=layouts,
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_repeat_equals_numpy_pad(case, mode, rest, layout, out_layout, dtype):
    window, sides = case
    x = random((window.rows.size, window.columns.size, *rest), layout, dtype)
    out = random((*window.output, *rest), out_layout, dtype, seed=1)
    repeat(x, border_maps(window, mode), out)
    np.testing.assert_array_equal(out, np.pad(x, sides, mode))


@SETTINGS
@given(case=bordered(), mode=modes, layout=layouts, out_layout=layouts)
def test_gradients_are_added_to_their_samples(case, mode, layout, out_layout):
    window, sides = case
    H, W = window.rows.size, window.columns.size
    dy = random((*window.output, 2, 3), layout)
    expected = np.zeros((H * W, 2, 3))
    np.add.at(expected, np.pad(np.arange(H * W).reshape(H, W), sides[:2], mode), dy)
    dx = random((H, W, 2, 3), out_layout, seed=1)
    add_borders(dy, border_maps(window, mode), dx)
    np.testing.assert_allclose(dx, expected.reshape(H, W, 2, 3), rtol=0, atol=1e-12)


@SETTINGS
@given(case=bordered(), layout=layouts)
def test_strips_and_the_inside_are_the_whole_once(case, layout):
    window, sides = case
    padded = random((*window.output, 1, 2), layout)
    padded[...] = 0
    for strip, shape in zip(strips(padded, window), border_shapes(window, 1, 2).values(), strict=True):
        assert strip.shape == shape
        strip += 1
    np.testing.assert_array_equal(
        padded, np.pad(np.zeros((window.rows.size, window.columns.size, 1, 2)), sides, constant_values=1)
    )
    inside(padded, window)[...] += 1
    assert (padded == 1).all()


@SETTINGS
@given(case=bordered(), layout=layouts)
def test_a_field_fills_the_border_alone(case, layout):
    window, _ = case
    out, field = random((*window.output, 2, 3), layout), random((*window.output, 2, 1), "network", seed=1)
    image = inside(out, window).copy()
    expected = np.broadcast_to(field, out.shape).copy()
    inside(expected, window)[...] = image
    fill_from(field, window, out)
    np.testing.assert_array_equal(out, expected)


@SETTINGS
@given(case=bordered(), layout=layouts)
def test_noise_fills_the_border_alone(case, layout):
    window, _ = case
    out, noise = random((*window.output, 2, 3), layout), random((*window.output, 2, 3), "network", seed=1)
    mean, spread = np.random.default_rng(2).standard_normal((2, 2, 3))
    expected = mean + spread * noise
    inside(expected, window)[...] = inside(out, window)
    fill_noise(strips(noise, window), mean, spread, window, out)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("epsilon", [0, 0.3])
def test_moments(epsilon):
    x = 5 + random((4, 5, 2, 3), "within")
    mean, spread = np.empty((2, 2, 3))
    moments(x, epsilon, np.empty_like(x), mean, spread)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1)), rtol=1e-14)
    np.testing.assert_allclose(spread, np.sqrt(x.var(axis=(0, 1)) + epsilon), rtol=1e-13)


def test_a_pattern_is_repeated_from_the_top_left():
    pattern = np.arange(12.0).reshape(2, 3, 2)
    field = tiled(pattern, 5, 4)
    for i in range(5):
        for j in range(4):
            np.testing.assert_array_equal(field[i, j], pattern[i % 2, j % 3])
    np.testing.assert_array_equal(tiled(pattern, 1, 2), pattern[:1, :2])


@pytest.mark.parametrize("mode", BORDER_MAPS)
def test_no_call_takes_a_copy(mode):
    window = make_window(30, 40, 1, padding=((7, 40), (50, 3)))
    x, dy = random((30, 40, 3, 32), "network"), random((*window.output, 3, 32), "within")
    maps = border_maps(window, mode)
    repeat(x, maps, dy)  # warm-up
    buffer = np.setbufsize(1024)  # NumPy's own buffers have a fixed size
    tracemalloc.start()
    try:
        repeat(x, maps, dy)
        add_borders(dy, maps, x)
        assert tracemalloc.get_traced_memory()[1] < 1 << 15
    finally:
        tracemalloc.stop()
        np.setbufsize(buffer)
