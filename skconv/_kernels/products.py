"""Matrix products in which the bits of a column depend on the left matrix and on that column alone.

A prediction must depend neither on a sample's column in a block nor on the number of columns.  BLAS promises neither.
OpenBLAS's sgemm for AVX2 sums the first and the last 8 columns of a product in another order than the others where the
product has 12 rows or more, and with 8 rows or more the order changes at every 320th column.  For AVX-512 small
products have a kernel of their own, which does not cut sums of more than 448 terms into pieces as the other kernel
does.  None of this is documented, and it may change with any version.  So `product` multiplies in groups of rows and
columns, for each size the largest groups that agree with groups of 16 columns: `_alike` tries the sizes in use, once
per process, in 1 to 2 ms each.  Where not even groups of 16 columns agree with each other, each column is multiplied on
its own.

On two AVX2 cores the groups take a quarter of the rate of these products (53-60 instead of 76 GFLOP/s at
64 x 96 x 64); on AVX-512 no loss was measured.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from .._threads.team import Team
from .memory import aligned

__all__ = ["COLUMNS", "product"]

COLUMNS = 16  # a block's width is a multiple of this
_WIDEST, _WIDE = 2048, 256  # columns of a group: the most, so that few sizes are tried, and the next size to try
_ROWS = 8  # rows of a group, where the columns of a product of all rows are not alike
_FEW_TERMS = 64  # with fewer terms, splitting the rows costs less than splitting the columns
_USUAL = 64  # columns of the trial by which rows are split, so that the split does not depend on a block's width
_TRIES, _LEAST_TRIES, _TRIED = 16, 4, 1 << 23  # trials per size: most, least, and multiply-adds of all together
_RANDOM = 8191  # different numbers in the operands of the trials


def product(a, b, out):
    """``numpy.matmul`` of these arguments, with bits of each column that depend on ``a`` and on that column alone.

    Must be called within a `Team`: the trials of `_alike` hold for one BLAS thread.

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
    """Rows of a group: all rows, or `_ROWS` where these make columns alike and cost less than groups of columns."""
    if rows <= _ROWS or terms >= _FEW_TERMS or _alike(rows, terms, _USUAL, dtype):
        return rows
    return _ROWS if _alike(_ROWS, terms, _USUAL, dtype) else rows


@cache
def _alike(rows, terms, columns, dtype) -> bool:
    """Whether equal columns have equal bits at any place, in products of ``columns`` columns and of 16.

    Each trial puts 16 random columns in random places.  Another order of summation changes a quarter of the outputs at
    least, so the trials miss one that concerns 8 columns and a single row with probability below 0.001, and one that
    concerns more outputs with next to none.
    """
    rng = np.random.default_rng(0)
    numbers = _numbers(rng, dtype)
    tries = min(_TRIES, max(_LEAST_TRIES, _TRIED // (rows * terms * columns)))
    with Team(1):
        for i in range(tries):
            a, b = (_cut(numbers, rng.integers(_RANDOM), shape) for shape in ((rows, terms), (terms, COLUMNS)))
            if i % 4 == 3:  # other magnitudes, and a column of zeros
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
    """Random numbers for all trials of a size, drawn once: drawing takes longer than multiplying."""
    values = rng.standard_normal(_RANDOM)
    return (values + 1j * rng.standard_normal(_RANDOM) if dtype.kind == "c" else values).astype(dtype)


def _cut(numbers, start, shape):
    """A matrix filled with ``numbers`` from index ``start`` on, cyclically."""
    matrix = aligned(shape, numbers.dtype)
    matrix[...] = np.resize(np.roll(numbers, start), shape)
    return matrix


def _bits(a):
    """Bits as integers, two for a complex number, by which 0.0 and -0.0 differ."""
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
    """View with ``axis`` (-1 or -2) split into two axes: number of groups, ``size``."""
    shape = a.shape
    rest = () if axis == -1 else shape[axis + 1 :]
    return a.reshape(*shape[:axis], shape[axis] // size, size, *rest, copy=False)
