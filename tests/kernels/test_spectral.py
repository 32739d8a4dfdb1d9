"""Correlation by the Fourier transform against scipy.signal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

from skconv._kernels import spectral
from skconv._kernels.geometry import make_window
from skconv._kernels.memory import allocate
from skconv._kernels.spectral import Spectral
from skconv._threads.team import Team

TOLERANCE = {np.float32: 3e-6, np.float64: 1e-13}


def run(kernel, x, weight):
    prepared = allocate({"w": kernel.weight_shape}, x.dtype)["w"]
    kernel.prepare(weight, prepared)
    scratch = allocate(kernel.scratch, x.dtype)
    out = np.full((kernel.P, kernel.Q, kernel.F, x.shape[3]), np.nan, x.dtype)
    bound = kernel.bind(x, scratch, out)
    kernel.run(bound, prepared)
    kernel.run(bound, prepared)
    return out


def expected(x, weight, window):
    rows, columns = window.rows, window.columns
    spread = np.zeros((len(weight), rows.span, columns.span, weight.shape[3]))
    spread[:, :: rows.dilation, :: columns.dilation] = weight
    whole = [
        [sum(correlate(x[:, :, c, n], f[:, :, c], "valid") for c in range(x.shape[2])) for f in spread]
        for n in range(x.shape[3])
    ]
    return np.array(whole).transpose(2, 3, 1, 0)[:: rows.stride, :: columns.stride]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_equals_scipy_for_any_geometry(data):
    height, width = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 40))
    channels, filters = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    kernel = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    dilation = [
        data.draw(st.integers(1, max(1, (n - 1) // max(1, k - 1))))
        for n, k in ((height, kernel[0]), (width, kernel[1]))
    ]
    stride = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    window = make_window(height, width, kernel, stride=stride, dilation=tuple(dilation))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((height, width, channels, 16)).astype(dtype)
    weight = rng.standard_normal((filters, *kernel, channels)).astype(dtype)
    out = run(Spectral(window, channels, filters, 16, dtype, True), x, weight)
    reference = expected(x.astype(float), weight.astype(float), window)
    assert out.dtype == dtype
    np.testing.assert_allclose(out, reference, rtol=0, atol=TOLERANCE[dtype] * max(1, abs(reference).max()))


@pytest.mark.parametrize("limit", [1, 1 << 14, 1 << 30])
@pytest.mark.parametrize("channels", [1, 3])
def test_groups_of_filters_of_every_size(monkeypatch, limit, channels):
    monkeypatch.setattr(spectral, "_GROUP_BYTES", limit)
    window = make_window(6, 50, (3, 20))
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((6, 50, channels, 16)), rng.standard_normal((7, 3, 20, channels))
    kernel = Spectral(window, channels, 7, 16, np.float64, True)
    np.testing.assert_allclose(run(kernel, x, weight), expected(x, weight, window), atol=1e-11)


@pytest.mark.parametrize("channels", [1, 5])
def test_columns_are_alike(channels):
    window = make_window(1, 300, (1, 150))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 300, channels, 64)).astype(np.float32)
    weight = rng.standard_normal((20, 1, 150, channels)).astype(np.float32)
    kernel = Spectral(window, channels, 20, 64, np.float32, True)
    whole, order = run(kernel, x, weight), rng.permutation(64)
    np.testing.assert_array_equal(run(kernel, np.ascontiguousarray(x[..., order]), weight), whole[..., order])


def test_bits_do_not_depend_on_the_width_of_the_block():
    window, rng = make_window(1, 200, (1, 64)), np.random.default_rng(0)
    x = rng.standard_normal((1, 200, 32, 128)).astype(np.float32)
    weight = rng.standard_normal((32, 1, 64, 32)).astype(np.float32)
    with Team(1):
        wide, narrow = (
            run(Spectral(window, 32, 32, n, np.float32, True), np.ascontiguousarray(x[..., :n]), weight)
            for n in (128, 16)
        )
    np.testing.assert_array_equal(wide[..., :16], narrow)
