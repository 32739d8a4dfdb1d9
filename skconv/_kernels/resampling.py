"""Larger images: each row or column of the input gives as many of the output as the factor says.

Output position ``i`` has the phase ``i % factor`` and lies in the input position ``i // factor``.  All positions of one
phase are computed at once.
"""

from __future__ import annotations

import numpy as np

__all__ = ["add_interpolation_gradient", "interpolate", "phases", "reach"]


def phases(factor: int, first: int, count: int):
    """Yield ``(phase, outputs, inputs)``, slices, of output positions ``first`` to ``first + count - 1``.

    The slice ``outputs`` counts from ``first``.
    """
    for phase in range(factor):
        start = (phase - first) % factor
        if start < count:
            source = (first + start) // factor
            yield phase, slice(start, count, factor), slice(source, source + -(-(count - start) // factor))


def _offset(phase, factor):
    """Place of an output between the centres of inputs: -1/2 to 1/2 from that in which it lies."""
    return (2 * phase + 1 - factor) / (2 * factor)


def reach(factor: int, start: int, stop: int, size: int) -> tuple[int, int]:
    """Range of the input positions, of ``size``, between which outputs ``start`` to ``stop - 1`` are interpolated."""
    before = _offset(start % factor, factor) < 0
    after = _offset((stop - 1) % factor, factor) > 0
    return max(0, start // factor - before), min(size, (stop - 1) // factor + 1 + after)


def _neighbours(inputs, step, size):
    """``(outputs, inputs)``, pairs of slices: the neighbours of ``inputs``, at the ends of the image these themselves.

    The slice ``outputs`` counts from the start of ``inputs``.
    """
    n = inputs.stop - inputs.start
    if step < 0 and inputs.start == 0:
        return [(slice(0, 1), slice(0, 1)), (slice(1, n), slice(0, n - 1))]
    if step > 0 and inputs.stop == size:
        return [(slice(0, n - 1), slice(inputs.start + 1, size)), (slice(n - 1, n), slice(size - 1, size))]
    return [(slice(0, n), slice(inputs.start + step, inputs.stop + step))]


def _shares(factor, first, count, size):
    """Yield, per phase, ``(outputs, inputs, share of the inputs, neighbours)``; no neighbours where they have none."""
    for phase, outputs, inputs in phases(factor, first, count):
        offset = _offset(phase, factor)
        step = 1 if offset > 0 else -1
        yield outputs, inputs, 1 - abs(offset), _neighbours(inputs, step, size) if offset else []


def interpolate(x, factor, first, out):
    """Linear interpolation along the first axis, between the centres of positions, into ``out``.

    Beyond the first and the last centre the image goes on with the same values.

    Parameters
    ----------
    x : ndarray of shape (n, ...)
    factor, first : int
        Outputs per input; the first output that is wanted, as many as ``out`` has.
    out : ndarray of shape (count, ...)
    """
    for outputs, inputs, share, neighbours in _shares(factor, first, len(out), len(x)):
        y, own = out[outputs], x[inputs]
        if not neighbours:
            np.copyto(y, own)
            continue
        for rows, others in neighbours:
            np.subtract(x[others], own[rows], out=y[rows])
        np.multiply(y, 1 - share, out=y)
        np.add(y, own, out=y)


def add_interpolation_gradient(dy, factor, first, dx, part):
    """Add the gradient of `interpolate` to ``dx``; ``part`` is scratch of the shape of ``dx``."""
    for outputs, inputs, share, neighbours in _shares(factor, first, len(dy), len(dx)):
        gradient = dy[outputs]
        more = np.multiply(gradient, share, out=part[: len(gradient)])
        np.add(dx[inputs], more, out=dx[inputs])
        for rows, others in neighbours:
            more = np.multiply(gradient[rows], 1 - share, out=part[: others.stop - others.start])
            np.add(dx[others], more, out=dx[others])
