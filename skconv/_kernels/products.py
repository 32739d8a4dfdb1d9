"""Matrix products in which the bits of a column depend on nothing but that column.

A prediction must not depend on which column of a block a sample lands in, nor on how many columns there are.  BLAS
promises neither.  OpenBLAS's sgemm for AVX2 sums the first and the last 8 columns of a product in another order than
those between, wherever it has 12 rows or more, and from 8 rows on it changes at every 320th column; for AVX-512 it has
another kernel for small products, which does not cut sums of more than 448 terms in pieces as that for others does.
None of that is documented, and it may change with any version.  So `product` multiplies in groups of rows and columns,
and takes for each size the largest groups that were seen to agree with groups of 16 columns: `_alike` tries the very
sizes, once per process, in 1 to 2 ms each.  Where not even 16 columns agree, each is multiplied on its own.

The price of the groups, measured on two AVX2 cores, is a quarter of the rate of these products (53-60 instead of 76
GFLOP/s at 64 x 96 x 64); on AVX-512 there is none to be seen.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from .._threads.team import Team
from .memory import aligned

__all__ = ["COLUMNS", "product"]

COLUMNS = 16  # a block's width is a multiple of this
_WIDEST, _WIDE = 2048, 256  # columns at once: no more, so that few sizes are tried; where more are not alike
_ROWS = 8  # at once, where the columns of more rows are not alike
_FEW_TERMS = 64  # with fewer, splitting the rows costs less than splitting the columns
_USUAL = 64  # columns: that many decide whether rows are split, so that it does not depend on a block's width
_TRIES, _LEAST_TRIES, _TRIED = 16, 4, 1 << 23  # operands for each size: so many, fewer beyond so many multiply-adds
_RANDOM = 8191  # different numbers of the operands


def product(a, b, out):
    """``numpy.matmul`` of these arguments, with bits of each column that depend on ``a`` and on that column alone.

    To be called within a `Team`: what was tried is about one BLAS thread.

    Parameters
    ----------
    a : ndarray of shape (..., rows, terms)
    b : ndarray of shape (..., terms, N)
        N is contiguous and a multiple of `COLUMNS`.
    out : ndarray of shape (..., rows, N)
    """
    return _way(a.shape[-2], a.shape[-1], b.shape[-1], b.dtype)(a, b, out=out)


@cache
def _way(rows, terms, columns, dtype):
    """The function that multiplies operands of these sizes."""
    at_once = _rows_at_once(rows, terms, dtype)
    multiply = np.matmul if at_once == rows else _by_rows
    for width in (min(columns, _WIDEST), _WIDE, COLUMNS):
        sizes = {(r, w) for r in (at_once, rows % at_once) for w in (width, columns % width) if r and w}
        if width <= columns and all(_alike(r, terms, w, dtype) for r, w in sizes):
            break
    else:
        width = 1
    return multiply if width == columns else partial(_by_columns, width=width, multiply=multiply)


@cache
def _rows_at_once(rows, terms, dtype) -> int:
    """Rows of a product: all, unless their columns are not alike and fewer cost less than groups of columns."""
    if rows <= _ROWS or terms >= _FEW_TERMS or _alike(rows, terms, _USUAL, dtype):
        return rows
    return _ROWS if _alike(_ROWS, terms, _USUAL, dtype) else rows


@cache
def _alike(rows, terms, columns, dtype) -> bool:
    """Whether products of so many columns, and of 16, give equal columns equal bits wherever they stand.

    Tried with 16 random columns that stand in random places, again and again.  Another order of summation shows in a
    quarter of the outputs at least, so it is missed by less than one in a thousand where it is that of 8 columns and a
    single row, and never by luck where it is that of more.
    """
    rng = np.random.default_rng(0)
    numbers = _numbers(rng, dtype)
    tries = min(_TRIES, max(_LEAST_TRIES, _TRIED // (rows * terms * columns)))
    with Team(1):
        for i in range(tries):
            a, b = (_cut(numbers, rng.integers(_RANDOM), shape) for shape in ((rows, terms), (terms, COLUMNS)))
            if i % 4 == 3:  # other magnitudes, and zeros
                b *= 10.0 ** rng.integers(-9, 9, b.shape)
                b[:, 0] = 0
            expected = _bits(np.matmul(a, b))
            for width in {columns, COLUMNS}:
                places = rng.permutation(np.arange(width) % COLUMNS)
                shuffled = np.take(b, places, axis=1, out=aligned((terms, width), dtype))
                if (_bits(np.matmul(a, shuffled)) != expected[:, places]).any():
                    return False
    return True


def _numbers(rng, dtype):
    """Random numbers for all tries of a size: to draw them takes longest."""
    values = rng.standard_normal(_RANDOM)
    return (values + 1j * rng.standard_normal(_RANDOM) if dtype.kind == "c" else values).astype(dtype)


def _cut(numbers, start, shape):
    """A matrix of the numbers from ``start`` on, again and again."""
    matrix = aligned(shape, numbers.dtype)
    matrix[...] = np.resize(np.roll(numbers, start), shape)
    return matrix


def _bits(a):
    """As integers, a complex number as two: zeros of different sign are different."""
    real = a.real.dtype
    return a.view(real).view(f"u{real.itemsize}").reshape(*a.shape, -1)


def _by_rows(a, b, out):
    whole = a.shape[-2] // _ROWS * _ROWS
    if whole < a.shape[-2]:
        np.matmul(a[..., whole:, :], b, out=out[..., whole:, :])
    a, out = (_in_groups(each[..., :whole, :], -2, _ROWS) for each in (a, out))
    return np.matmul(a, b[..., None, :, :], out=out)


def _by_columns(a, b, out, width, multiply):
    whole = b.shape[-1] // width * width
    if whole < b.shape[-1]:
        multiply(a, b[..., whole:], out=out[..., whole:])
    b, out = (_in_groups(each[..., :whole], -1, width).swapaxes(-3, -2) for each in (b, out))
    return multiply(a[..., None, :, :], b, out=out)


def _in_groups(a, axis, size):
    """A view with ``axis``, one of the last two, as two: groups and what is in them."""
    shape = a.shape
    rest = () if axis == -1 else shape[axis + 1 :]
    return a.reshape(*shape[:axis], shape[axis] // size, size, *rest, copy=False)
