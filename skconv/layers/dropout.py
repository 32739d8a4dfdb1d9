"""Dropout."""

from __future__ import annotations

import numpy as np

from .._input.constraints import between
from ._base import Layer
from ._frame import Plan

__all__ = ["Dropout", "SpatialDropout"]


class Dropout(Layer):
    """In training, set a share of the elements to zero and scale the rest up (Srivastava et al., 2014).

    Parameters
    ----------
    dropout : float, default=0.5
        Probability of setting an element to zero, in [0, 1).

    Examples
    --------
    >>> from skconv.layers import Dropout
    >>> Dropout(0.25).output_shape((64,))
    (64,)
    """

    _parameter_constraints: dict = {"dropout": [between(0, 1)]}
    in_place = True
    any_layout = True
    asked_by = "dropout"
    summary_shows = "dropout"

    def __init__(self, dropout=0.5):
        self.dropout = dropout

    @property
    def random(self):
        """Whether training draws random numbers."""
        return self.dropout > 0

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return Plan(buffers={"mask": (*shape, width)} if training else {})

    def forward(self, frame, training):
        if not training:
            if frame.y is not frame.x:
                np.copyto(frame.y, frame.x)
            return
        mask = frame.buffers.mask
        frame.rng.random(out=mask, dtype=mask.dtype)
        np.greater_equal(mask, self.dropout, out=mask)
        np.divide(mask, 1 - self.dropout, out=mask)
        np.multiply(frame.x, mask, out=frame.y)

    def backward(self, frame):
        if frame.dx is not None:
            np.multiply(frame.dy, frame.buffers.mask, out=frame.dx)


class SpatialDropout(Dropout):
    """In training, set whole channels of a sample to zero and scale the rest up (Tompson et al., arXiv 1411.4280).

    Neighbouring pixels are alike, so that zeros at single pixels hide little.  On vectors the layer is `Dropout`.

    Parameters
    ----------
    dropout : float, default=0.5
        Probability of setting a channel to zero, in [0, 1).

    Examples
    --------
    >>> from skconv.layers import SpatialDropout
    >>> SpatialDropout(0.25).output_shape((8, 8, 16))
    (8, 8, 16)
    """

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return Plan(buffers={"mask": (shape[-1], width)} if training else {})
