"""Minimal filtering matrices against direct correlation."""

import numpy as np
import pytest

from skconv._kernels.winograd import best_tile, winograd_matrices

TILES = [(m, r) for m in range(1, 7) for r in range(1, 7) if m + r - 1 <= 8]


@pytest.mark.parametrize(("m", "r"), TILES)
def test_matrices_correlate(m, r):
    BT, G, AT = winograd_matrices(m, r, np.float64)
    assert (BT.shape, G.shape, AT.shape) == ((m + r - 1,) * 2, (m + r - 1, r), (m, m + r - 1))
    rng = np.random.default_rng(0)
    for d in (rng.standard_normal(m + r - 1), np.arange(m + r - 1.0) ** 3):
        g = rng.standard_normal(r)
        expected = np.correlate(d, g, "valid")
        np.testing.assert_allclose(AT @ ((G @ g) * (BT @ d)), expected, rtol=0, atol=1e-11 * max(1, abs(d).max()))


@pytest.mark.parametrize(("m", "r"), [(2, 3), (4, 3), (2, 5)])
def test_matrices_are_exact_on_units(m, r):
    BT, G, AT = winograd_matrices(m, r, np.float64)
    for tap in range(r):
        for i in range(m + r - 1):
            expected = np.array([float(i == p + tap) for p in range(m)])
            np.testing.assert_allclose(AT @ (G[:, tap] * BT[:, i]), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("m", "r", "bound"), [(2, 3, 1e-5), (4, 3, 1e-5), (7, 3, 5e-5), (8, 3, 5e-5), (4, 5, 5e-5), (6, 5, 1e-4)]
)
def test_single_precision_error_is_bounded(m, r, bound):
    BT, G, AT = winograd_matrices(m, r, np.float32)
    assert BT.dtype == G.dtype == AT.dtype == np.float32
    rng = np.random.default_rng(0)
    d, g = rng.standard_normal((m + r - 1, 500)).astype("f"), rng.standard_normal((r, 500)).astype("f")
    exact = np.array([[(d[p : p + r, j].astype(float) * g[:, j]).sum() for j in range(500)] for p in range(m)])
    error = np.linalg.norm(AT @ ((G @ g) * (BT @ d)) - exact) / np.linalg.norm(exact)
    assert error < bound


def test_matrices_are_shared_and_read_only():
    assert winograd_matrices(4, 3, np.float32) is winograd_matrices(4, 3, np.float32)
    for matrix in winograd_matrices(4, 3, np.float32):
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 0] = 1


def test_too_many_points_are_an_error():
    with pytest.raises(ValueError, match=r"F\(8, 4\) needs 10 interpolation points; there are sets of up to 9"):
        winograd_matrices(8, 4, np.float64)


@pytest.mark.parametrize("r", [3, 5])
@pytest.mark.parametrize("outputs", range(1, 20))
def test_best_tile_has_the_fewest_multiplications(outputs, r):
    m, ratio = best_tile(outputs, r)
    costs = {}
    for tile in range(2, 12 - r):
        tiles = 0
        while tiles * tile < outputs:
            tiles += 1
        costs[tile] = tiles * (tile + r - 1)
    assert costs[m] == min(costs.values())
    assert ratio == pytest.approx(costs[m] / (outputs * r))
