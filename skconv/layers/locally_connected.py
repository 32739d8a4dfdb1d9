"""Locally connected layer: windows as in a convolution, separate weights at every position."""

from __future__ import annotations

from .._kernels.local import LocalAdjoint, LocalGathered
from ._windowed import Correlating
from .initializers import initialize

__all__ = ["LocallyConnected"]


class LocallyConnected(Correlating):
    """Windows over the image with separate weights at each position: a convolution without shared weights.

    Between `FullyConnected` and `Convolution`: weights outside of a neuron's window are zero, weights inside are not
    shared.  `skconv.inspection.weight_matrix` shows the three layers as matrices.

    Parameters
    ----------
    filters : int
        Number of neurons at each position, the channels of the output.
    kernel_size : int or (int, int), default=3
        Size of the windows, down and across.  On a series (height 1) one number is the size along time.
    stride : int or (int, int), default=1
        Step from one window to the next.
    dilation : int or (int, int), default=1
        Step from one tap of a window to the next.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int)), default="same"
        Border down and across, or ``((top, bottom), (left, right))``.  "same" gives ``ceil(size / stride)`` outputs.
    padding_mode : str or PaddingMode, default="constant"
        Values of the border, see `Pad`: "constant" is zeros.
    bias : {True, "position", False}, default=True
        Bias: a number per filter for all positions, a number per filter and position (per neuron), or none.
    initializer : {"fan_in_uniform", "he_normal", "glorot_uniform"} or callable, default="fan_in_uniform"
        Initial values of the weights: a name, or a function ``(weight, rng)`` that fills an array in place, called for
        each position.

    Notes
    -----
    The weight has shape ``(P, Q, filters, rows, columns, channels)`` for an output of P by Q: that of a convolution at
    each position.  Taps in the border have weights too.

    LeCun (1989), "Generalization and network design strategies", compares full, local and shared connections on digits.

    Examples
    --------
    >>> from skconv.layers import LocallyConnected
    >>> layer = LocallyConnected(16, kernel_size=(5, 3), stride=2)
    >>> layer.output_shape((28, 28, 1))
    (14, 14, 16)
    >>> layer.parameter_shapes((28, 28, 1))["weight"]
    (14, 14, 16, 5, 3, 1)
    """

    def __init__(
        self,
        filters,
        kernel_size=3,
        *,
        stride=1,
        dilation=1,
        padding="same",
        padding_mode="constant",
        bias=True,
        initializer="fan_in_uniform",
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.padding = padding
        self.padding_mode = padding_mode
        self.bias = bias
        self.initializer = initializer

    def weight_shape(self, shape):
        window = self.window(shape)
        return (*window.output, self.filters, window.rows.kernel, window.columns.kernel, shape[2])

    def initialize(self, parameters, state, shape, rng):
        weight = parameters["weight"]
        for kernels in weight.reshape(-1, *weight.shape[2:]):
            initialize(self.initializer, kernels, rng)

    def _algorithm(self, window, channels, width, dtype, *, alike):
        return LocalGathered(window, channels, self.filters, width, dtype, alike)

    def _adjoint(self, algorithm, window, channels, width, dtype):
        return LocalAdjoint(algorithm, window)
