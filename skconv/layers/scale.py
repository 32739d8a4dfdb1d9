"""Scale: trained factors."""

from __future__ import annotations

import numpy as np

from .._input.constraints import between
from .._kernels.sums import fold
from ._base import Layer
from ._frame import Plan
from ._operation import Parameter

__all__ = ["Scale"]


class Scale(Layer):
    """Multiply each channel by a trained factor, as ConvNeXt does at the end of each block (Liu et al., 2022).

    Parameters
    ----------
    scale : float, default=1.0
        First value of the factors.

    Notes
    -----
    Penalties do not act on the factors.  `Bias` adds a trained number to each channel.

    Examples
    --------
    >>> from skconv.layers import Scale
    >>> Scale(1e-6).parameter_shapes((8, 8, 16))
    {'scale': (16,)}
    """

    _parameter_constraints: dict = {"scale": [between(-1e30, 1e30, closed="both")]}
    pointwise = True
    single_sample = "elements"

    def __init__(self, scale=1.0):
        self.scale = scale

    def parameters(self, shape):
        return {"scale": Parameter((shape[-1],))}

    def initialize(self, parameters, state, shape, rng):
        parameters["scale"].fill(self.scale)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        plan = Plan(shared={"repeated": (shape[-1], width)})
        if training:
            plan.shared["ones"] = (width, 1)
            plan.scratch["backward"] = {"product": (*shape, width), "sums": (*shape, 1)}
        return plan

    def prepare(self, parameters, state, plan, shared):
        np.copyto(shared.repeated, parameters.scale[:, None])
        if "ones" in shared:
            shared.ones.fill(1)

    def forward(self, frame, training):
        np.multiply(frame.x, frame.shared.repeated, out=frame.y)

    def backward(self, frame):
        work = frame.scratch.backward
        np.multiply(frame.dy, frame.x, out=work.product)
        np.matmul(work.product, frame.shared.ones, out=work.sums)
        fold(work.sums.reshape(-1, work.sums.shape[-2]), frame.gradients.scale)
        if frame.dx is not None:
            np.multiply(frame.dy, frame.shared.repeated, out=frame.dx)
