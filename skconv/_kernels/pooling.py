"""Maximum over 2 x 2 tiles, the common case, and over any windows; p-norm and median of windows.

Of equal maxima, common on a constant background, the first in row-major order has the gradient, as in PyTorch.
"""

from __future__ import annotations

from itertools import islice

import numpy as np

from .sums import RUN

__all__ = [
    "MANY_TAPS",
    "add_taps",
    "bind_marks",
    "bind_unpool",
    "lost_digits",
    "lp_pool",
    "lp_pool_gradient",
    "max_pool",
    "max_pool_gradient",
    "max_tiles",
    "max_tiles_gradient",
    "median_pool",
    "run_calls",
    "taps",
]

MANY_TAPS = 64  # most taps of a window that are summed one after the other


def _halves(a, axis):
    """Views of the first and the second of each pair along an axis; an odd last element is left out."""
    size = a.shape[axis] // 2 * 2
    lead = (slice(None),) * axis
    return a[(*lead, slice(0, size, 2))], a[(*lead, slice(1, size, 2))]


def max_tiles(x, across, out):
    """Write the maximum of 2 x 2 tiles of ``x`` into ``out``, of pairs of columns into ``across`` (H, Q, C, N)."""
    left, right = _halves(x, 1)
    np.maximum(left, right, out=across)
    top, bottom = _halves(across, 0)
    np.maximum(top, bottom, out=out)


def max_tiles_gradient(x, across, dy, work, dx):
    """Write ``dy`` into ``dx`` at the maxima, zero elsewhere; ``work.rows`` has the shape of ``across``."""
    _route(*_halves(across, 0), dy, work.mask, *_halves(work.rows, 0))
    height = dy.shape[0] * 2
    left, right = _halves(dx[:height], 1)
    _route(*_halves(x[:height], 1), work.rows[:height], work.mask2, left, right)
    dx[height:] = 0
    dx[:, dy.shape[1] * 2 :] = 0


def _route(first, second, gradient, mask, to_first, to_second):
    """Write the gradient of ``maximum(first, second)`` to the larger of the two, to the first if they are equal."""
    mask = mask[: first.shape[0]]
    np.greater_equal(first, second, out=mask)
    np.multiply(gradient, mask, out=to_first)
    np.subtract(gradient, to_first, out=to_second)


# Calls are bound as ``(ufunc, a, b, out)``, for `run_calls`: making the views takes longer than a small call.


def bind_marks(x, across, out, left, top):
    """Calls of `max_tiles` that also mark where the first of a pair is the maximum.

    ``left`` (H, Q, C, N) has the marks of pairs of columns, ``top`` (P, Q, C, N) those of pairs of rows.
    """
    rows, pairs = _halves(x, 1), _halves(across, 0)
    return [
        (np.maximum, *rows, across),
        (np.greater_equal, *rows, left),
        (np.maximum, *pairs, out),
        (np.greater_equal, *pairs, top),
    ]


def bind_unpool(dy, left, top, rows, dx):
    """Calls that write ``dy`` into ``dx`` at the maxima of `bind_marks`; ``rows`` is scratch (H, Q, C, N)."""
    upper, lower = _halves(rows, 0)
    first, second = _halves(dx[: len(rows)], 1)
    calls = [
        (np.multiply, dy, top, upper),
        (np.subtract, dy, upper, lower),
        (np.multiply, rows, left, first),
        (np.subtract, rows, first, second),
    ]
    beyond = (dx[len(rows) :], dx[:, left.shape[1] * 2 :])
    return calls + [(np.multiply, 0.0, 0.0, rest) for rest in beyond if rest.size]


def run_calls(calls):
    """Run calls ``(ufunc, a, b, out)``."""
    for function, a, b, out in calls:
        function(a, b, out=out)


def taps(a, window):
    """Per tap of the windows, in row-major order, the view ``(P, Q, ...)`` of the padded array ``a`` that it reads."""
    rows, columns = window.rows, window.columns
    for r in range(rows.kernel):
        for s in range(columns.kernel):
            yield a[
                r : r + (rows.output - 1) * rows.stride + 1 : rows.stride,
                s : s + (columns.output - 1) * columns.stride + 1 : columns.stride,
            ]


def lost_digits(window, shape) -> dict:
    """Shapes of the scratch of `add_taps`; empty for windows of `MANY_TAPS` taps or fewer."""
    taps = window.rows.kernel * window.columns.kernel
    return dict.fromkeys(("lost", "term", "total"), shape) if taps > MANY_TAPS else {}


def add_taps(views, work, out):
    """Sum of the iterator ``views`` into ``out``; with scratch of `lost_digits`, Kahan's sum of runs of arrays.

    The error of Kahan's sum does not grow with the number of taps.
    """
    if "lost" not in work:
        _add(views, out)
        return
    lost, term, total = work["lost"], work["term"], work["total"]
    out.fill(0)
    lost.fill(0)
    while _add(islice(views, RUN), term):
        np.subtract(term, lost, out=term)
        np.add(out, term, out=total)
        np.subtract(total, out, out=lost)
        np.subtract(lost, term, out=lost)
        np.copyto(out, total)


def _add(views, out) -> bool:
    """Sum of the iterator ``views`` into ``out``, one after the other; return False if it is empty."""
    first = next(views, None)
    if first is None:
        return False
    np.copyto(out, first)
    for view in views:
        np.add(out, view, out=out)
    return True


def max_pool(x, window, out):
    """Maximum over any windows of a padded ``x`` into ``out`` (P, Q, C, N)."""
    views = taps(x, window)
    np.copyto(out, next(views))
    for view in views:
        np.maximum(out, view, out=out)


def max_pool_gradient(x, window, y, dy, work, dx):
    """Write into ``dx``, padded as ``x``, the sum of ``dy`` over the windows whose first maximum is that sample."""
    dx.fill(0)
    work.left.fill(True)
    for view, gradient in zip(taps(x, window), taps(dx, window), strict=True):
        np.equal(view, y, out=work.mask)
        np.logical_and(work.mask, work.left, out=work.mask)
        np.greater(work.left, work.mask, out=work.left)
        np.multiply(dy, work.mask, out=work.part)
        np.add(gradient, work.part, out=gradient)


def lp_pool(x, window, p, work, out):
    """``(sum |x|^p)^(1 / p)`` over any windows of a padded ``x`` into ``out`` (P, Q, C, N).

    Each window is divided by its largest absolute value first, so that no power overflows.  ``work.part`` and
    ``work.largest`` have the shape of ``out``.
    """
    part, largest = work.part, work.largest
    largest.fill(_tiny(out))
    for view in taps(x, window):
        np.absolute(view, out=part)
        np.maximum(largest, part, out=largest)

    def powers():
        for view in taps(x, window):
            np.divide(view, largest, out=part)
            np.absolute(part, out=part)
            _to_power(part, p)
            yield part

    add_taps(powers(), work, out)
    _to_power(out, 1 / p)
    np.multiply(out, largest, out=out)


def lp_pool_gradient(x, window, p, y, dy, work, dx):
    """Sum ``dy * sign(x) * (|x| / y)^(p - 1)`` over windows into ``dx``, padded as ``x``; overwrites ``y``."""
    part, ratio = work.part, work.largest
    np.maximum(y, _tiny(y), out=y)
    dx.fill(0)
    for view, gradient in zip(taps(x, window), taps(dx, window), strict=True):
        np.divide(view, y, out=ratio)
        np.absolute(ratio, out=part)
        _to_power(part, p - 1)
        np.sign(ratio, out=ratio)
        np.multiply(part, ratio, out=part)
        np.multiply(part, dy, out=part)
        np.add(gradient, part, out=gradient)


def _tiny(a):
    """Least divisor for the dtype of ``a``, so that zero divided by zero is zero."""
    return np.finfo(a.dtype).tiny


def _to_power(a, exponent):
    """``a ** exponent`` in place; exponents 2 and 0.5 without logarithms."""
    if exponent == 2:
        np.multiply(a, a, out=a)
    elif exponent == 0.5:
        np.sqrt(a, out=a)
    elif exponent != 1:
        np.power(a, exponent, out=a)


def median_pool(x, window, counts, stack, out):
    """Median of the ``counts`` (P, Q) samples of each window that lie in the image into ``out`` (P, Q, C, N).

    The border of ``x`` is infinite, so that it comes last in the sorted ``stack`` (taps, P, Q, C, N).
    """
    for tap, view in zip(stack, taps(x, window), strict=True):
        np.copyto(tap, view)
    stack.sort(axis=0)
    for count in np.unique(counts):
        where = counts == count
        out[where] = stack[(count - 1) // 2][where] / 2 + stack[count // 2][where] / 2
