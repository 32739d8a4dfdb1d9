"""Approximate orthogonalisation of matrices."""

from __future__ import annotations

import numpy as np

__all__ = ["orthogonalize"]


def orthogonalize(x, work, grams, steps=5):
    """Set the singular values of matrices to about 1, in place; return their Frobenius norms before, (..., 1, 1).

    Newton-Schulz steps ``x = a x + b (x x') x + c (x x')**2 x`` with Jordan's coefficients, from a matrix of Frobenius
    norm 1.  Each step maps a singular value s to ``a s + b s**3 + c s**5``: after five steps, singular values that
    began above 0.01 are between 0.68 and 1.14.

    Parameters
    ----------
    x : ndarray of shape (..., rows, columns)
        Matrices; overwritten.
    work : ndarray of shape (..., rows, columns)
        Scratch.
    grams : ndarray of shape (2, ..., k, k)
        Scratch, with ``k = min(rows, columns)``.
    steps : int, default=5
        Number of steps.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.optimizers import orthogonalize
    >>> x = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    >>> _ = orthogonalize(x, np.empty_like(x), np.empty((2, 2, 2)))
    >>> np.linalg.svd(x)[1].round(1)
    array([1.1, 0.7])
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    transposed, (gram, square) = np.swapaxes(x, -1, -2), grams
    wide = x.shape[-2] <= x.shape[-1]
    norm = np.sqrt(np.einsum("...ij,...ij->...", x, x))[..., None, None]
    np.divide(x, np.maximum(norm, 1e-7), out=x)
    for _ in range(steps):
        np.matmul(*((x, transposed) if wide else (transposed, x)), out=gram)
        np.matmul(gram, gram, out=square)
        np.multiply(gram, b, out=gram)
        np.multiply(square, c, out=square)
        np.add(gram, square, out=gram)
        np.matmul(*((gram, x) if wide else (x, gram)), out=work)
        np.multiply(x, a, out=x)
        np.add(x, work, out=x)
    return norm
