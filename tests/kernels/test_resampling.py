"""Phases of larger images, and linear interpolation of any range of outputs."""

import numpy as np
import pytest

from skconv._kernels.resampling import add_interpolation_gradient, interpolate, phases, reach


def matrix(size, factor):
    """What each output is of the inputs, (size * factor, size)."""
    weights = np.zeros((size * factor, size))
    for i, row in enumerate(weights):
        centre = (i + 0.5) / factor - 0.5
        below = int(np.floor(centre))
        row[max(below, 0)] += below + 1 - centre
        row[min(below + 1, size - 1)] += centre - below
    return weights


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_range_of_outputs(factor, size):
    x = np.random.default_rng(0).standard_normal((size, 2, 3))
    expected = np.tensordot(matrix(size, factor), x, 1)
    for start in range(size * factor):
        for stop in range(start + 1, size * factor + 1):
            first, end = reach(factor, start, stop, size)
            assert 0 <= first < end <= size
            out = np.full((stop - start, 2, 3), np.nan)
            interpolate(x[first:end], factor, start - first * factor, out)
            np.testing.assert_allclose(out, expected[start:stop], rtol=0, atol=1e-14)
            seen = [i for _, outputs, _ in phases(factor, start, stop - start) for i in range(stop - start)[outputs]]
            assert sorted(seen) == list(range(stop - start))


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_gradient_goes_the_way_back(factor, size):
    dy = np.random.default_rng(0).standard_normal((size * factor, 3))
    for start in range(size * factor):
        first, end = reach(factor, start, size * factor, size)
        dx = np.ones((end - first, 3))
        add_interpolation_gradient(dy[start:], factor, start - first * factor, dx, np.empty_like(dx))
        expected = matrix(size, factor)[start:, first:end].T @ dy[start:]
        np.testing.assert_allclose(dx, 1 + expected, rtol=0, atol=1e-14)
