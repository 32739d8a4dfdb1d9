"""What a transformer's network does behind its filters; fixed numbers, nothing to train, no way back.

Not in `skconv.layers`: these layers serve `skconv.ConvFeatures` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from .._input.overflow import average_in_range, named_overflow
from .._kernels.sums import RUN, add_rows
from ..layers import Frame, Operation, Plan

__all__ = ["SUMMARIES", "RowSummary", "Summary", "Triangle", "Whitening"]


_CHUNK_BYTES = 1 << 18  # a few positions of all channels, half of a level-two cache


class Whitening(Operation):
    """Contrast normalisation and whitening of patches, given as coefficients of an orthonormal basis.

    ``x`` holds the coefficients of a patch without its mean.  ``w = scale * x / sqrt(|x|**2 / taps + epsilon) - shift``
    and, as one more channel, ``|w|**2``.

    Parameters
    ----------
    taps : int
        Numbers in a patch.
    epsilon : float
        Added to the variance of a patch.
    """

    pointwise = True

    def __init__(self, taps, epsilon):
        self.taps = taps
        self.epsilon = epsilon

    def output_shape(self, shape):
        return (*shape[:2], shape[2] + 1)

    def state_shapes(self, shape):
        return {"scale": (shape[2],), "shift": (shape[2],)}

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return Plan(scratch={"work": {"squares": (*shape, width), "norm": (*shape[:2], width)}})

    def forward(self, frame, training):
        work, state = frame.scratch.work, frame.state
        w, total = frame.y[:, :, :-1], frame.y[:, :, -1]
        with named_overflow("filters='kmeans'", work.norm.dtype):
            np.multiply(frame.x, frame.x, out=work.squares)
            np.add.reduce(work.squares, axis=2, out=work.norm)
            np.multiply(work.norm, 1 / self.taps, out=work.norm)
            np.add(work.norm, self.epsilon, out=work.norm)
        np.sqrt(work.norm, out=work.norm)
        np.divide(frame.x, work.norm[:, :, None], out=w)
        np.multiply(w, state.scale[:, None], out=w)
        np.subtract(w, state.shift[:, None], out=w)
        np.multiply(w, w, out=work.squares)
        np.add.reduce(work.squares, axis=2, out=total)


@dataclass(kw_only=True)
class _TrianglePlan(Plan):
    """With how many positions are done at a time."""

    positions: int


class Triangle(Operation):
    """``max(0, mean of all distances - distance)`` to each centre, from squared distances.

    A. Coates and A. Y. Ng, Learning feature representations with k-means (2012): about half of the features are zero.

    Parameters
    ----------
    encode : bool, default=True
        Whether to go beyond the distances.
    """

    pointwise = True
    in_place = True

    def __init__(self, encode=True):
        self.encode = encode

    def plan(self, shape, width, dtype, *, training, input_gradient):
        positions = max(1, _CHUNK_BYTES // (shape[2] * width * dtype.itemsize))
        return _TrianglePlan(positions=positions, scratch={"work": {"mean": (min(positions, shape[1]), width)}})

    def bind(self, frame: Frame[_TrianglePlan]):
        """A few positions at a time."""
        step = frame.plan.positions
        places = [(p, slice(q, q + step)) for p in range(len(frame.y)) for q in range(0, frame.y.shape[1], step)]
        return [(frame.x[place], frame.y[place]) for place in places]

    def forward(self, frame, training):
        for x, y in frame.bound:
            mean = frame.scratch.work.mean[: len(y)]
            np.abs(x, out=y)  # rounding may leave a little less than zero
            np.sqrt(y, out=y)
            if self.encode:
                np.add.reduce(y, axis=1, out=mean)
                np.multiply(mean, 1 / y.shape[1], out=mean)
                np.subtract(mean[:, None], y, out=y)
                np.maximum(y, 0, out=y)


SUMMARIES = ("ppv", "max", "mean", "last")


class Summary(Operation):
    """Numbers that sum up each channel over the whole image: those of each row, then those of the rows.

    So the bits are the same where rows are computed strip by strip.

    Parameters
    ----------
    kinds : tuple of {"ppv", "max", "mean", "last"}
        Proportion of positive values, maximum, mean, value at the last position.  The output has all channels of the
        first kind, then those of the next.
    """

    def __init__(self, kinds):
        self.kinds = kinds

    def named_steps(self, name, shape):
        return [(name, RowSummary(self.kinds)), (name, SummaryOfRows(self.kinds, shape[1]))]

    def output_shape(self, shape):
        return (shape[2] * len(self.kinds),)


class RowSummary(Operation):
    """Numbers that sum up each row, for `SummaryOfRows`: of positive values how many there are."""

    by_rows = True
    ends_band = True

    def __init__(self, kinds):
        self.kinds = kinds

    def output_shape(self, shape):
        return (shape[0], 1, shape[2] * len(self.kinds))

    def tile(self, shape):
        return 1

    def plan(self, shape, width, dtype, *, training, input_gradient):
        height, across, channels = shape
        work = {"parts": (height, ceil(across / RUN), channels, width)} if {"ppv", "mean"} & {*self.kinds} else {}
        return Plan(scratch={"work": work | ({"positive": (*shape, width)} if "ppv" in self.kinds else {})})

    def forward(self, frame, training):
        for kind, out in zip(self.kinds, _by_kind(frame.y[:, 0], 1, self.kinds), strict=True):
            self._sum_up(kind, frame.x, frame.scratch.work, out)

    def _sum_up(self, kind, x, work, out):
        """One kind of each row, ``(H, C, N)``."""
        if kind == "ppv":
            np.greater(x, 0, out=work.positive)
            add_rows(work.positive, work.parts, out)
        elif kind == "mean":
            _average(lambda x: add_rows(x, work.parts, out), x, out, x.shape[1])
        elif kind == "max":
            np.maximum.reduce(x, axis=1, out=out)
        else:
            np.copyto(out, x[:, -1])


class SummaryOfRows(Operation):
    """Numbers that sum up the image, from those of its rows, which had ``columns`` numbers each."""

    def __init__(self, kinds, columns):
        self.kinds = kinds
        self.columns = columns

    def output_shape(self, shape):
        return (shape[2],)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return Plan(scratch={"work": {"parts": (1, ceil(shape[0] / RUN), shape[2] // len(self.kinds), width)}})

    def forward(self, frame, training):
        x, y = (_by_kind(array, axis, self.kinds) for array, axis in ((frame.x, 2), (frame.y, 0)))
        for kind, rows, out in zip(self.kinds, x, y, strict=True):
            self._sum_up(kind, rows[:, 0], frame.scratch.work.parts, out)

    def _sum_up(self, kind, x, parts, out):
        """One kind, ``(C, N)``, of rows ``(H, C, N)``."""

        def add(x):
            add_rows(x[None], parts, out[None])

        if kind == "ppv":
            add(x)
            np.multiply(out, 1 / (len(x) * self.columns), out=out)
        elif kind == "mean":
            _average(add, x, out, len(x))
        elif kind == "max":
            np.maximum.reduce(x, axis=0, out=out)
        else:
            np.copyto(out, x[-1])


def _by_kind(array, axis, kinds):
    """The channels, on that axis, of each kind."""
    return np.split(array, len(kinds), axis=axis)


def _average(add, x, out, count):
    """Fill ``out`` with the sums that ``add(x)`` leaves there over their number."""

    def average(x):
        add(x)
        np.multiply(out, 1 / count, out=out)

    average_in_range(average, x, out, count)
