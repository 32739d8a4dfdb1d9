"""What a transformer's network does behind its filters; fixed numbers, nothing to train, no way back.

Not in `skconv.layers`: these layers serve `skconv.ConvFeatures` alone.
"""

from __future__ import annotations

from math import prod

import numpy as np

from .._frame import Plan
from .._overflow import average_in_range, named_overflow
from .._sums import add_positions, partial_sums
from ._base import Layer

__all__ = ["SUMMARIES", "Summary", "Triangle", "Whitening"]


_CHUNK_BYTES = 1 << 18  # a few positions of all channels, half of a level-two cache


class Whitening(Layer):
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


class Triangle(Layer):
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
        return Plan(kernel=positions, scratch={"work": {"mean": (min(positions, shape[1]), width)}})

    def forward(self, frame, training):
        if "pieces" not in frame.bound:
            step = frame.plan.kernel
            places = [(p, slice(q, q + step)) for p in range(len(frame.y)) for q in range(0, frame.y.shape[1], step)]
            frame.bound["pieces"] = [(frame.x[place], frame.y[place]) for place in places]
        for x, y in frame.bound["pieces"]:
            mean = frame.scratch.work.mean[: len(y)]
            np.abs(x, out=y)  # rounding may leave a little less than zero
            np.sqrt(y, out=y)
            if self.encode:
                np.add.reduce(y, axis=1, out=mean)
                np.multiply(mean, 1 / y.shape[1], out=mean)
                np.subtract(mean[:, None], y, out=y)
                np.maximum(y, 0, out=y)


def _positive(x, out, work):
    """Share of values above zero."""
    np.greater(x, 0, out=work.positive)
    add_positions(work.positive, work.get("parts"), out)
    np.multiply(out, 1 / prod(x.shape[:2]), out=out)


def _largest(x, out, work):
    np.maximum.reduce(x, axis=(0, 1), out=out)


def _average(x, out, work):
    def average(x):
        add_positions(x, work.get("parts"), out)
        np.multiply(out, 1 / prod(x.shape[:2]), out=out)

    average_in_range(average, x, out, prod(x.shape[:2]))


def _last(x, out, work):
    np.copyto(out, x[-1, -1])


SUMMARIES = {"ppv": _positive, "max": _largest, "mean": _average, "last": _last}


class Summary(Layer):
    """Numbers that sum up each channel over the whole image.

    Parameters
    ----------
    kinds : tuple of {"ppv", "max", "mean", "last"}
        Proportion of positive values, maximum, mean, value at the last position.  The output has all channels of the
        first kind, then those of the next.
    """

    def __init__(self, kinds):
        self.kinds = kinds

    def output_shape(self, shape):
        return (shape[2] * len(self.kinds),)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        whole = (*shape, width)
        return Plan(scratch={"work": {"positive": whole, **partial_sums(whole)}})

    def forward(self, frame, training):
        y = frame.y.reshape(len(self.kinds), -1, frame.y.shape[-1], copy=False)
        for kind, out in zip(self.kinds, y, strict=True):
            SUMMARIES[kind](frame.x, out, frame.scratch.work)
