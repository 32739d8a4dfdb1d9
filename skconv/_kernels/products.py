"""Matrix products in which every column is computed alike.

A prediction must not depend on which column of a block a sample lands in.  Most BLAS kernels treat all columns alike,
but OpenBLAS's sgemm for AVX2 sums the first and the last 8 columns of a product in another order than those between,
wherever it has 12 rows or more, and from 8 rows on it changes at every 320th column.  `columns_alike` tries it once;
where it finds a difference, `product` splits the product so that it cannot arise: into groups of 8 rows (7 in a wide
product), or of 16 columns.  Then no bit depends on the block's width either.  The price, measured on two AVX2 cores, is
a quarter of the rate of these products (53-60 instead of 76 GFLOP/s at 64 x 96 x 64).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import as_strided

__all__ = ["columns_alike", "product"]

COLUMNS = 16  # a block's width is a multiple of this
ROWS = 8
_FEW_TERMS = 64  # with fewer, splitting the rows costs less than splitting the columns


@cache
def columns_alike(dtype) -> bool:
    """Whether equal columns give equal bits wherever they stand, tried on a few sizes.

    To be asked within a `Team`: the answer is about one BLAS thread.
    """
    rng = np.random.default_rng(0)
    narrow = ((16, 9, 64), (32, 27, 64), (32, 48, 32), (64, 96, 64), (10, 512, 64), (13, 147, 48), (128, 1024, 64))
    wide = ((6, 6, 2048), (8, 8, 2048), (9, 9, 4096), (10, 10, 4096), (8, 10, 4096))
    for rows, terms, columns in narrow + wide:
        left = rng.standard_normal((rows, terms)).astype(dtype)
        column = rng.standard_normal((terms, 1)).astype(dtype)
        out = left @ np.ascontiguousarray(np.broadcast_to(column, (terms, columns)))
        if (out != out[:, :1]).any():
            return False
    return True


def product(rows: int, terms: int, dtype, alike: bool, wide: bool = False):
    """A function ``(a, b, out)`` like `numpy.matmul` for ``a`` with these last sizes.

    Parameters
    ----------
    rows, terms : int
        ``a`` is ``(..., rows, terms)``, ``b`` ``(..., terms, N)`` and ``out`` ``(..., rows, N)``, with N contiguous.
    dtype : dtype
    alike : bool
        Whether every column must be computed alike.
    wide : bool, default=False
        Whether there may be more columns than one block's samples.
    """
    if not alike or rows <= (7 if wide else 11) or columns_alike(np.dtype(dtype)):
        return np.matmul
    if wide:
        return _by_few_rows
    return _by_rows if terms < _FEW_TERMS else _by_columns


def _by_few_rows(a, b, out):
    for start in range(0, a.shape[0], 7):
        np.matmul(a[start : start + 7], b, out=out[..., start : start + 7, :])


def _by_rows(a, b, out):
    whole = a.shape[-2] // ROWS * ROWS
    if whole < a.shape[-2]:
        np.matmul(a[..., whole:, :], b, out=out[..., whole:, :])
    a, out = a[..., :whole, :], out[..., :whole, :]
    a = a.reshape(*a.shape[:-2], -1, ROWS, a.shape[-1])
    shape, strides = out.shape, out.strides
    groups = as_strided(
        out, (*shape[:-2], whole // ROWS, ROWS, shape[-1]), (*strides[:-2], strides[-2] * ROWS, *strides[-2:])
    )
    return np.matmul(a, b[..., None, :, :], out=groups)


def _by_columns(a, b, out):
    return np.matmul(a[..., None, :, :], _grouped(b), out=_grouped(out))


def _grouped(a):
    """``(..., k, N)`` as ``(..., N // 16, k, 16)``."""
    shape, strides = a.shape, a.strides
    return as_strided(
        a,
        (*shape[:-2], shape[-1] // COLUMNS, shape[-2], COLUMNS),
        (*strides[:-2], strides[-1] * COLUMNS, strides[-2], strides[-1]),
    )
