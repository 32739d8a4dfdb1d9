"""Operations after the filters of `skconv.ConvFeatures`, without training and without a backward pass."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from numbers import Real

import numpy as np

from .._input.constraints import at_least, fitting
from .._input.overflow import average_in_range, named_overflow
from .._kernels.sums import RUN, add_rows
from .._saving.classes import stored
from ..layers import Frame, Operation, Plan

__all__ = ["SUMMARIES", "RowSummary", "Summary", "Triangle", "Whitening"]


_CHUNK_BYTES = 1 << 18  # bytes of the positions that `Triangle` takes at a time: half of a level-two cache


@stored
class Whitening(Operation):
    """Contrast normalisation and whitening of patches, given as coefficients of an orthonormal basis.

    From coefficients ``x`` (H, W, C, N) of patches without their means the output is
    ``w = scale * x / sqrt(|x|**2 / taps + epsilon) - shift`` and, as one more channel, ``|w|**2``.

    Parameters
    ----------
    taps : int
        Number of values in a patch.
    epsilon : float
        Added to the variance of a patch.
    """

    _parameter_constraints: dict = {"taps": [at_least(1)], "epsilon": [at_least(0, Real)]}
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
    """Plan with the number of positions that are computed at a time."""

    positions: int


@stored
class Triangle(Operation):
    """``max(0, mean of all distances - distance)`` to each centre, from squared distances.

    A. Coates and A. Y. Ng, Learning feature representations with k-means (2012): about half of the features are zero.

    Parameters
    ----------
    encode : bool, default=True
        Whether to compute the features; otherwise the output is the distances.
    """

    _parameter_constraints: dict = {"encode": ["boolean"]}
    pointwise = True
    in_place = True

    def __init__(self, encode=True):
        self.encode = encode

    def plan(self, shape, width, dtype, *, training, input_gradient):
        positions = max(1, _CHUNK_BYTES // (shape[2] * width * dtype.itemsize))
        return _TrianglePlan(positions=positions, scratch={"work": {"mean": (min(positions, shape[1]), width)}})

    def bind(self, frame: Frame[_TrianglePlan]):
        """List of views ``(x, y)`` of a few positions each."""
        step = frame.plan.positions
        places = [(p, slice(q, q + step)) for p in range(len(frame.y)) for q in range(0, frame.y.shape[1], step)]
        return [(frame.x[place], frame.y[place]) for place in places]

    def forward(self, frame, training):
        for x, y in frame.bound:
            mean = frame.scratch.work.mean[: len(y)]
            np.abs(x, out=y)  # rounding may make squared distances slightly negative
            np.sqrt(y, out=y)
            if self.encode:
                np.add.reduce(y, axis=1, out=mean)
                np.multiply(mean, 1 / y.shape[1], out=mean)
                np.subtract(mean[:, None], y, out=y)
                np.maximum(y, 0, out=y)


SUMMARIES = ("ppv", "max", "mean", "last")


def _are_summaries(value):
    return isinstance(value, tuple) and len(value) > 0 and all(kind in SUMMARIES for kind in value)


@stored
class Summary(Operation):
    """Summaries of each channel over the image: of each row, then of the rows.

    Bits are the same where rows are computed strip by strip.

    Parameters
    ----------
    kinds : tuple of {"ppv", "max", "mean", "last"}
        Proportion of positive values, maximum, mean, value at the last position.  The output has all channels of the
        first kind, then those of the next.
    """

    _parameter_constraints: dict = {"kinds": [fitting(_are_summaries, "a tuple of names of summaries")]}

    def __init__(self, kinds):
        self.kinds = kinds

    def named_steps(self, name, shape):
        return [(name, RowSummary(self.kinds)), (name, SummaryOfRows(self.kinds, shape[1]))]

    def output_shape(self, shape):
        return (shape[2] * len(self.kinds),)


class RowSummary(Operation):
    """Summaries of each row, for `SummaryOfRows`; for "ppv" the number of positive values."""

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
        """Write the summary ``kind`` of each row of ``x`` (H, W, C, N) into ``out`` (H, C, N)."""
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
    """Summaries of the image from those of its rows, which have ``columns`` positions each."""

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
        """Write the summary ``kind`` of rows ``x`` (H, C, N) into ``out`` (C, N)."""

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
    """Views of the channels of each kind, which are on ``axis``."""
    return np.split(array, len(kinds), axis=axis)


def _average(add, x, out, count):
    """Fill ``out`` with means: the sums of ``count`` numbers that ``add(x)`` writes into ``out``, over ``count``."""

    def average(x):
        add(x)
        np.multiply(out, 1 / count, out=out)

    average_in_range(average, x, out, count)
