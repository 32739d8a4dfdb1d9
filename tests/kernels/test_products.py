"""Products in which the bits of a column depend on that column alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv._kernels import products
from skconv._kernels.memory import aligned
from skconv._kernels.products import product
from skconv._threads.team import Team

DTYPES = [np.float32, np.float64, np.complex64]


@pytest.fixture(autouse=True)
def _one_blas_thread():
    with Team(1):
        yield


def draw(rng, shape, dtype):
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def multiply(a, b):
    out = np.full((*b.shape[:-2], a.shape[-2], b.shape[-1]), np.nan, b.dtype)
    product(a, b, out=out)
    return out


def loop(a, b):
    out = np.zeros((a.shape[-2], b.shape[-1]), np.result_type(b, np.float64))
    for j in range(a.shape[-1]):
        out += np.multiply.outer(a[:, j].astype(out.dtype), b[j].astype(out.dtype))
    return out


def close(actual, expected, terms):
    eps = np.finfo(actual.dtype).eps
    np.testing.assert_allclose(actual, expected, rtol=0, atol=20 * eps * terms**0.5 * max(1, abs(expected).max()))


def check(rows, terms, widths, dtype, seed=0):
    """Twelve columns in random places among any number of columns: equal ones have equal bits everywhere."""
    rng = np.random.default_rng(seed)
    a, columns = draw(rng, (rows, terms), dtype), draw(rng, (terms, 12), dtype)
    expected = None
    for width in widths:
        places = rng.permutation(np.arange(width) % 12)
        out = multiply(a, np.take(columns, places, axis=1, out=aligned((terms, width), dtype)))
        if expected is None:
            first = [np.flatnonzero(places == i)[0] for i in range(12)]
            expected = out[:, first]
            close(expected, loop(a, columns), terms)
        assert out.tobytes() == expected[:, places].tobytes(), width


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [1, 7, 8, 10, 12, 13, 33])
def test_equal_columns_have_equal_bits_at_any_width(rows, dtype, machine):
    for terms in (1, 4, 9, 63, 64, 147):
        check(rows, terms, (16, 48, 128), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rows", "terms"), [(1, 4), (4, 4), (6, 8), (7, 8), (8, 8), (8, 10), (10, 10), (12, 12)])
def test_equal_columns_of_wide_products_have_equal_bits(rows, terms, dtype, machine):
    check(rows, terms, (16, 256, 320, 336, 2048, 2064), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [10, 11, 12])
def test_small_and_large_products_have_equal_bits(rows, dtype, machine):
    """Below a million multiply-adds OpenBLAS for AVX-512 sums 449 terms and more in another order."""
    check(rows, 825, (16, 64, 112, 128, 144, 160), dtype)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    rows=st.integers(1, 80),
    terms=st.integers(1, 900),
    widths=st.lists(st.integers(1, 30).map(lambda n: 16 * n), min_size=2, max_size=3),
    dtype=st.sampled_from([*DTYPES, np.complex128]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_product_has_the_bits_of_its_columns(rows, terms, widths, dtype, seed):
    check(rows, terms, widths, dtype, seed)


@pytest.mark.parametrize(("rows", "terms"), [(16, 9), (16, 64), (13, 9), (12, 70), (5, 5)])
def test_stacks_and_outputs_with_gaps(rows, terms, machine):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((3, 1, rows, terms)), rng.standard_normal((2, 3, 4, terms, 32))
    whole = np.full((2, 3, 4, 2 * rows, 48), np.nan)
    out = whole[..., ::2, 16:]
    product(a, b, out=out)
    for i, j, k in np.ndindex(2, 3, 4):
        close(out[i, j, k], loop(a[j, 0], b[i, j, k]), terms)
    assert np.isnan(whole[..., 1::2, :]).all()
    assert np.isnan(whole[..., :16]).all()


def described(way):
    if way is products.np.matmul:
        return "whole"
    if way is products._by_rows:
        return "rows"
    rows = " of rows" if way.keywords["multiply"] is products._by_rows else ""
    return f"{way.keywords['width']} columns{rows}"


SPLIT = {
    "different inside": {
        (7, 9, 2048): "whole",
        (7, 9, 4096): "2048 columns",
        (8, 9, 256): "whole",
        (8, 9, 4096): "256 columns",
        (12, 9, 16): "rows",
        (12, 9, 64): "rows",
        (12, 9, 4096): "256 columns of rows",
        (12, 64, 16): "whole",
        (12, 64, 64): "16 columns",
    },
    "different by size": {
        (8, 8, 256): "whole",
        (8, 8, 512): "256 columns",
        (12, 64, 16): "whole",
        (12, 64, 64): "16 columns",
    },
    "different everywhere": {(1, 8, 16): "1 columns", (64, 64, 4096): "1 columns"},
}


def test_products_are_split_only_where_columns_differ(machine):
    if machine in SPLIT:
        expected = SPLIT[machine]
        assert {size: described(products._way(*size, np.dtype(np.float32))) for size in expected} == expected


@pytest.mark.parametrize("terms", [2, 3, 9])
@pytest.mark.parametrize("where", [(-1, -1), (0, slice(-8, None)), (slice(None), 0)])
def test_a_difference_in_few_outputs_is_seen(terms, where, monkeypatch):
    """In one number of a product, also where half of the operands do not show it."""

    class Machine:
        def __getattr__(self, name):
            return getattr(np, name)

        @staticmethod
        def matmul(a, b):
            out = np.matmul(a, b)
            if b.shape[-1] > 16:
                mask = (out[where].view(np.uint64) & 1).astype(bool)
                out[where] = np.where(mask, np.nextafter(out[where], np.inf), out[where])
            return out

    monkeypatch.setattr(products, "np", Machine())
    assert not products._alike.__wrapped__(5, terms, 64, np.dtype(np.float64))
    assert products._alike.__wrapped__(5, terms, 16, np.dtype(np.float64))
