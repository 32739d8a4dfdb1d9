"""Matrices with singular values of about 1."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv.training.optimizers import orthogonalize


def polynomial_of_singular_values(matrix):
    """Five Newton-Schulz steps in closed form: the polynomial, five times, on the singular values."""
    u, values, v = np.linalg.svd(matrix, full_matrices=False)
    values = values / sqrt((values**2).sum())
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return u @ np.diag(values) @ v


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    stack=st.sampled_from([(), (1,), (3,)]),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    scale=st.sampled_from([1e-5, 1.0, 1e6]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_orthogonalize_against_singular_values(stack, rows, columns, scale, dtype):
    k = min(rows, columns)
    x = (scale * np.random.default_rng(0).standard_normal((*stack, rows, columns))).astype(dtype)
    expected = [polynomial_of_singular_values(m.astype(np.float64)) for m in x.reshape(-1, rows, columns)]
    orthogonalize(x, np.empty_like(x), np.empty((2, *stack, k, k), dtype))
    tolerance = 3e-5 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(x, np.reshape(expected, x.shape), rtol=0, atol=tolerance)


@pytest.mark.parametrize("shape", [(16, 150), (150, 16)])
def test_singular_values_end_near_one(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    orthogonalize(x, np.empty(shape), np.empty((2, 16, 16)))
    values = np.linalg.svd(x, compute_uv=False)
    assert values.min() > 0.68
    assert values.max() < 1.14
