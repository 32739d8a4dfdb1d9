"""Maximum over 2 x 2 windows that tile the image, the common case, and over any windows; norm and median of windows.

Ties go to the first maximum in row-major order, as in PyTorch; they are common on a constant background.
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

MANY_TAPS = 64  # of a window, from which on its sum is one of sums


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


# Calls ``(ufunc, a, b, out)`` with all views made, for `run_calls`: making the views takes longer than a small call.


def bind_marks(x, across, out, left, top):
    """As `max_tiles`; ``left`` (H, Q, C, N) and ``top`` (P, Q, C, N) tell where the first of a pair is the maximum."""
    rows, pairs = _halves(x, 1), _halves(across, 0)
    return [
        (np.maximum, *rows, across),
        (np.greater_equal, *rows, left),
        (np.maximum, *pairs, out),
        (np.greater_equal, *pairs, top),
    ]


def bind_unpool(dy, left, top, rows, dx):
    """Route ``dy`` to the maxima that `bind_marks` found; ``rows`` is like ``across``."""
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
    """Make the calls."""
    for function, a, b, out in calls:
        function(a, b, out=out)


def taps(a, window):
    """The views ``(P, Q, ...)`` of a padded array that each tap of the windows reads, in row-major order."""
    rows, columns = window.rows, window.columns
    for r in range(rows.kernel):
        for s in range(columns.kernel):
            yield a[
                r : r + (rows.output - 1) * rows.stride + 1 : rows.stride,
                s : s + (columns.output - 1) * columns.stride + 1 : columns.stride,
            ]


def lost_digits(window, shape) -> dict:
    """A plan's entry for what `add_taps` needs: nothing for windows of few taps."""
    taps = window.rows.kernel * window.columns.kernel
    return dict.fromkeys(("lost", "term", "total"), shape) if taps > MANY_TAPS else {}


def add_taps(views, work, out):
    """Sum of arrays into ``out``; of many, those of runs, and the digits that each of these loses go into the next.

    That is Kahan's sum: its error does not grow with the number of taps.
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
    """Sum of arrays, one after the other; False where there are none."""
    first = next(views, None)
    if first is None:
        return False
    np.copyto(out, first)
    for view in views:
        np.add(out, view, out=out)
    return True


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


def lp_pool(x, window, p, work, out):
    """``(sum |x|^p)^(1 / p)`` over any windows of a padded ``x``; ``work`` holds ``part``, ``largest`` like ``out``.

    Each window is divided by its largest absolute value first, so that no power overflows.
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
    """Add ``dy * sign(x) * (|x| / y)^(p - 1)`` to each tap; ``dx`` has the borders of ``x``, ``y`` is overwritten."""
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
    """What a divisor is at least, so that zero divided by it is zero."""
    return np.finfo(a.dtype).tiny


def _to_power(a, exponent):
    """``a ** exponent`` in place, the common ones without logarithms."""
    if exponent == 2:
        np.multiply(a, a, out=a)
    elif exponent == 0.5:
        np.sqrt(a, out=a)
    elif exponent != 1:
        np.power(a, exponent, out=a)


def median_pool(x, window, counts, stack, out):
    """Median of each window's samples in the image, ``counts`` (P, Q) of them; the mean where two are in the middle.

    The border of ``x`` is infinite, so that it comes last in ``stack`` (taps, P, Q, C, N) once that is sorted.
    """
    for tap, view in zip(stack, taps(x, window), strict=True):
        np.copyto(tap, view)
    stack.sort(axis=0)
    for count in np.unique(counts):
        where = counts == count
        out[where] = stack[(count - 1) // 2][where] / 2 + stack[count // 2][where] / 2
