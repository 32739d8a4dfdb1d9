"""Maximum over 2 x 2 windows that tile the image, the common case, and over any windows.

Ties go to the first maximum in row-major order, as in PyTorch; they are common on a constant background.
"""

from __future__ import annotations

import numpy as np

__all__ = ["max_pool", "max_pool_gradient", "max_tiles", "max_tiles_gradient", "taps"]


def _halves(a, axis):
    """First and second of each pair along an axis; an odd last one is left out."""
    size = a.shape[axis] // 2 * 2
    lead = (slice(None),) * axis
    return a[(*lead, slice(0, size, 2))], a[(*lead, slice(1, size, 2))]


def max_tiles(x, across, out):
    """Maximum of 2 x 2 tiles of ``x`` into ``out``; ``across`` (H, Q, C, N) keeps the maxima of pairs across."""
    left, right = _halves(x, 1)
    np.maximum(left, right, out=across)
    top, bottom = _halves(across, 0)
    np.maximum(top, bottom, out=out)


def max_tiles_gradient(x, across, dy, work, dx):
    """Route ``dy`` to the maxima: ``work`` holds ``rows`` (like ``across``) and masks for both steps."""
    _route(*_halves(across, 0), dy, work.mask, *_halves(work.rows, 0))
    height = dy.shape[0] * 2
    left, right = _halves(dx[:height], 1)
    _route(*_halves(x[:height], 1), work.rows[:height], work.mask2, left, right)
    dx[height:] = 0
    dx[:, dy.shape[1] * 2 :] = 0


def _route(first, second, gradient, mask, to_first, to_second):
    """The gradient of ``maximum(first, second)``; a tie goes to the first."""
    mask = mask[: first.shape[0]]
    np.greater_equal(first, second, out=mask)
    np.multiply(gradient, mask, out=to_first)
    np.subtract(gradient, to_first, out=to_second)


def taps(a, window):
    """The views ``(P, Q, ...)`` of a padded array that each tap of the windows reads, in row-major order."""
    rows, columns = window.rows, window.columns
    for r in range(rows.kernel):
        for s in range(columns.kernel):
            yield a[
                r : r + (rows.output - 1) * rows.stride + 1 : rows.stride,
                s : s + (columns.output - 1) * columns.stride + 1 : columns.stride,
            ]


def max_pool(x, window, out):
    """Maximum over any windows of a padded ``x``."""
    views = taps(x, window)
    np.copyto(out, next(views))
    for view in views:
        np.maximum(out, view, out=out)


def max_pool_gradient(x, window, y, dy, work, dx):
    """Add ``dy`` to the first tap that equals the maximum; ``dx`` has the borders of ``x``."""
    dx.fill(0)
    work.left.fill(True)
    for view, gradient in zip(taps(x, window), taps(dx, window), strict=True):
        np.equal(view, y, out=work.mask)
        np.logical_and(work.mask, work.left, out=work.mask)
        np.greater(work.left, work.mask, out=work.left)
        np.multiply(dy, work.mask, out=work.part)
        np.add(gradient, work.part, out=gradient)
