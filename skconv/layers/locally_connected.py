"""Neurons that act locally: windows as in a convolution, weights of their own at every position."""

from __future__ import annotations

from .._kernels.local import LocalAdjoint, LocalGathered
from ._windowed import Correlating
from .initializers import initialize

__all__ = ["LocallyConnected"]


class LocallyConnected(Correlating):
    """Windows over the image, each with weights of its own: a convolution that shares nothing.

    It is the step between `FullyConnected` and `Convolution`: the weights outside of a neuron's window are zero, and
    those inside are its own.  `skconv.inspection.weight_matrix` shows the three as matrices.

    Parameters
    ----------
    filters : int
        Neurons at each position, which are the channels of the output.
    kernel_size : int or (int, int), default=3
        Taps down and across.  On a series (height 1) one number is the window along time.
    stride : int or (int, int), default=1
        Samples between windows.
    dilation : int or (int, int), default=1
        Samples between taps.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int)), default="same"
        Border down and across, or ``((top, bottom), (left, right))``.  "same" gives ``ceil(size / stride)`` outputs.
    padding_mode : str or PaddingMode, default="constant"
        What the border holds, see `Pad`: "constant" is zeros.
    bias : {True, "position", False}, default=True
        What is added: a number per filter, which all positions share, a number per filter at each position (the
        neuron's own), nothing.
    initializer : {"fan_in_uniform", "he_normal", "glorot_uniform"} or callable, default="fan_in_uniform"
        First values of the weights: a name, or a function ``(weight, rng)`` that fills an array in place.  Those of
        each position are drawn like a convolution's.

    Notes
    -----
    The weight has shape ``(P, Q, filters, rows, columns, channels)`` for an output of P by Q: a convolution's at each
    position.  Taps in the border have weights too.

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
