"""Convolution: weights shared by all positions."""

from __future__ import annotations

from math import prod

import numpy as np
from sklearn.base import clone

from .._input.checks import check_groups
from .._input.constraints import at_least
from .._kernels.adjoint import Adjoint
from .._kernels.choose import choose_convolution
from .._kernels.geometry import pair
from ._windowed import Correlating
from .initializers import initialize

__all__ = ["Convolution"]


class Convolution(Correlating):
    """Cross-correlation with a bank of kernels, called convolution in neural networks.

    Parameters
    ----------
    filters : int
        Number of kernels, the channels of the output.
    kernel_size : int or (int, int), default=3
        Size of the kernels, down and across.  On a series (height 1) one number is the size along time.
    stride : int or (int, int), default=1
        Step from one window to the next.
    dilation : int or (int, int), default=1
        Step from one tap of a kernel to the next.
    groups : int, default=1
        Number of groups of channels and filters, a divisor of both numbers; a filter reads the channels of its own
        group alone.  With as many groups as channels the convolution is depthwise: each channel has
        ``filters // channels`` filters of its own.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int)), default="same"
        Border down and across, or ``((top, bottom), (left, right))``.  "same" gives ``ceil(size / stride)`` outputs,
        those of stride 1 sub-sampled from the top left.
    padding_mode : str or PaddingMode, default="constant"
        Values of the border, see `Pad`: "constant" is zeros, which take neither memory nor time of their own.
    bias : {True, "position", False}, default=True
        Bias: a number per filter for all positions, a number per filter and position, or none.
    initializer : {"fan_in_uniform", "he_normal", "glorot_uniform"} or callable, default="fan_in_uniform"
        Initial values of the weights: a name, or a function ``(weight, rng)`` that fills an array in place.

    Notes
    -----
    The weight has shape ``(filters, rows, columns, channels // groups)``.  The order of the groups is PyTorch's: filter
    ``f`` belongs to group ``f // (filters // groups)``, channel ``c`` to group ``c // (channels // groups)``.  See
    `docs/design.md` for the algorithms.

    Examples
    --------
    >>> from skconv.layers import Convolution
    >>> Convolution(16, kernel_size=(5, 3), stride=2).output_shape((28, 28, 1))
    (14, 14, 16)
    >>> Convolution(16, groups=4).parameter_shapes((28, 28, 8))["weight"]
    (16, 3, 3, 2)
    """

    _parameter_constraints: dict = {
        **Correlating._parameter_constraints,
        "groups": [at_least(1)],
    }
    by_rows = True
    starts_band = True
    single_sample = "product"
    pooled_as = "convolution"

    def __init__(
        self,
        filters,
        kernel_size=3,
        *,
        stride=1,
        dilation=1,
        groups=1,
        padding="same",
        padding_mode="constant",
        bias=True,
        initializer="fan_in_uniform",
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.groups = groups
        self.padding = padding
        self.padding_mode = padding_mode
        self.bias = bias
        self.initializer = initializer

    def strided(self, step, shape) -> Convolution:
        """A copy that computes every ``step``-th position of the output, from the top left, for inputs of ``shape``."""
        down, across = pair(step, self.output_shape(shape)[0])
        rows, columns = pair(self.stride, shape[0])
        return clone(self).set_params(stride=(rows * down, columns * across))

    def tile(self, shape):
        """1 for a 1 x 1 convolution without borders, else 0."""
        rows, columns = self.window(shape).rows, self.window(shape).columns
        one_by_one = (rows.kernel, rows.stride, rows.padded) == (1, 1, rows.size)
        one_by_one = one_by_one and (columns.kernel, columns.padded) == (1, columns.size)
        return int(one_by_one and len(self.lower(shape)) == 1)

    def strip(self, shape, start, stop):
        window = self.window(shape)
        first, end, borders = window.rows.strip(start, stop)
        strip = self._over(window, padding=(borders, (window.columns.before, window.columns.after)))
        return (strip, first, end) if first < end else None

    def output_shape(self, shape):
        check_groups(self.groups, shape[2], self.filters)
        return super().output_shape(shape)

    def weight_shape(self, shape):
        window = self.window(shape)
        return (self.filters, window.rows.kernel, window.columns.kernel, shape[2] // self.groups)

    def initialize(self, parameters, state, shape, rng):
        for weight in np.split(parameters["weight"], self.groups):
            initialize(self.initializer, weight, rng)

    def multiply_adds(self, shape):
        return prod(self.window(shape).output) * super().multiply_adds(shape)

    def _algorithm(self, window, channels, width, dtype, *, alike):
        return choose_convolution(window, channels, self.filters, self.groups, width, dtype, alike)

    def _adjoint(self, algorithm, window, channels, width, dtype):
        return Adjoint(window, channels, self.filters, self.groups, width, dtype)
