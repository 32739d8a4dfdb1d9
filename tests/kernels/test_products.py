"""Products in which every column is computed alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv._kernels import products
from skconv._kernels.products import columns_alike, product

DTYPES = [np.float32, np.float64]
NARROW = [(rows, terms) for rows in (1, 7, 8, 10, 12, 13, 16, 24, 64) for terms in (1, 9, 63, 64, 147, 512)]
WIDE = [(rows, terms) for rows in (1, 4, 6, 7, 8, 12) for terms in (4, 6, 8)]


@pytest.fixture(params=["this machine", "columns differ"])
def machine(request, monkeypatch):
    """The machine as it is, and one whose products must be split."""
    if request.param == "columns differ":
        monkeypatch.setattr(products, "columns_alike", lambda dtype: False)
    return request.param


def multiply(a, b, wide=False):
    out = np.full((*b.shape[:-2], a.shape[-2], b.shape[-1]), np.nan, b.dtype)
    product(a.shape[-2], a.shape[-1], b.dtype, alike=True, wide=wide)(a, b, out=out)
    return out


def loop(a, b):
    out = np.zeros((a.shape[-2], b.shape[-1]))
    for i in range(out.shape[0]):
        for j in range(a.shape[-1]):
            out[i] += float(a[i, j]) * b[j].astype(float)
    return out


def close(actual, expected, terms):
    eps = np.finfo(actual.dtype).eps
    np.testing.assert_allclose(actual, expected, rtol=0, atol=20 * eps * terms**0.5 * max(1, abs(expected).max()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [16, 48, 64])
def test_equal_columns_give_equal_bits(width, dtype, machine):
    rng = np.random.default_rng(0)
    for rows, terms in NARROW:
        a = rng.standard_normal((rows, terms)).astype(dtype)
        b = np.repeat(rng.standard_normal((terms, 1)).astype(dtype), width, axis=1)
        out = multiply(a, b)
        assert (out == out[:, :1]).all(), (rows, terms)
        close(out, loop(a, b), terms)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [16, 320, 2048, 2064])
def test_equal_columns_of_wide_products_give_equal_bits(width, dtype, machine):
    rng = np.random.default_rng(0)
    for rows, terms in WIDE:
        a = rng.standard_normal((rows, terms)).astype(dtype)
        b = np.repeat(rng.standard_normal((terms, 1)).astype(dtype), width, axis=1)
        out = multiply(a, b, wide=True)
        assert (out == out[:, :1]).all(), (rows, terms)
        close(out, loop(a, b), terms)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    rows=st.integers(1, 40),
    terms=st.integers(1, 100),
    groups=st.integers(1, 4),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 9),
)
def test_split_product_equals_a_loop(rows, terms, groups, dtype, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((rows, terms)).astype(dtype), rng.standard_normal((terms, 16 * groups)).astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "columns_alike", lambda dtype: False)
        close(multiply(a, b), loop(a, b), terms)


@pytest.mark.parametrize(("rows", "terms"), [(16, 9), (16, 64), (13, 9), (12, 70), (5, 5)])
def test_stacks_and_outputs_with_gaps(rows, terms, machine):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((3, 1, rows, terms)), rng.standard_normal((2, 3, 4, terms, 32))
    whole = np.full((2, 3, 4, 2 * rows, 48), np.nan)
    out = whole[..., ::2, 16:]
    product(rows, terms, np.float64, alike=True)(a, b, out=out)
    for i, j, k in np.ndindex(2, 3, 4):
        close(out[i, j, k], loop(a[j, 0], b[i, j, k]), terms)
    assert np.isnan(whole[..., 1::2, :]).all()
    assert np.isnan(whole[..., :16]).all()


@pytest.mark.parametrize(
    ("rows", "terms", "wide", "plain"),
    [(11, 9, False, True), (12, 9, False, False), (16, 9, False, False), (7, 6, True, True), (8, 8, True, False)],
)
def test_products_are_split_only_where_columns_differ(rows, terms, wide, plain, monkeypatch):
    assert product(rows, terms, np.float32, alike=False, wide=wide) is np.matmul
    monkeypatch.setattr(products, "columns_alike", lambda dtype: True)
    assert product(rows, terms, np.float32, alike=True, wide=wide) is np.matmul
    monkeypatch.setattr(products, "columns_alike", lambda dtype: False)
    assert (product(rows, terms, np.float32, alike=True, wide=wide) is np.matmul) == plain


class Uneven(np.ndarray):
    """A matrix whose product differs in its last column."""

    def __matmul__(self, other):
        out = np.array(np.asarray(self) @ np.asarray(other))
        out[:, -1] += 1e-3
        return out


def test_columns_alike_finds_a_difference(monkeypatch):
    assert columns_alike.__wrapped__(np.dtype(np.float64)) in (True, False)
    generator = np.random.default_rng

    class Generator:
        def __init__(self, seed):
            self.rng = generator(seed)

        def standard_normal(self, shape):
            return self.rng.standard_normal(shape).view(Uneven)

    monkeypatch.setattr(np.random, "default_rng", Generator)
    assert columns_alike.__wrapped__(np.dtype(np.float64)) is False
