"""Separable convolution: within each channel, then between the channels."""

from __future__ import annotations

from .._input.constraints import at_least
from ._nested import Nested
from ._windowed import Windowed
from .convolution import Convolution
from .padding_modes import PADDING_MODE

__all__ = ["SeparableConvolution"]


class SeparableConvolution(Nested):
    """A depthwise convolution, then a 1 x 1 convolution, with far fewer weights and products than one convolution.

    Chollet, arXiv 1610.02357.  3 x 3 with 64 channels and filters has 4,672 weights in place of 36,864.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size, stride, dilation, padding, padding_mode
        Parameters of the depthwise convolution, as in `Convolution`.
    multiplier : int, default=1
        Number of filters of the depthwise convolution for each channel.
    bias : {True, "position", False}, default=True
        Bias of the 1 x 1 convolution, as in `Convolution`; the depthwise convolution has none.
    initializer : {"fan_in_uniform", "he_normal", "glorot_uniform"} or callable, default="fan_in_uniform"
        Initial values of the weights: a name, or a function ``(weight, rng)`` that fills an array in place.

    Examples
    --------
    >>> from skconv.layers import SeparableConvolution
    >>> layer = SeparableConvolution(64)
    >>> layer.output_shape((28, 28, 32))
    (28, 28, 64)
    >>> layer.parameter_shapes((28, 28, 32))["depthwise.weight"]
    (32, 3, 3, 1)
    """

    _parameter_constraints: dict = {
        **Windowed._parameter_constraints,
        "padding_mode": PADDING_MODE,
        "multiplier": [at_least(1)],
    }
    takes = "image"
    summary_shows = "kernel_size"

    def __init__(
        self,
        filters,
        kernel_size=3,
        *,
        stride=1,
        dilation=1,
        padding="same",
        padding_mode="constant",
        multiplier=1,
        bias=True,
        initializer="fan_in_uniform",
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.padding = padding
        self.padding_mode = padding_mode
        self.multiplier = multiplier
        self.bias = bias
        self.initializer = initializer

    def inner(self, shape):
        """``(name, convolution, input shape)`` of both convolutions."""
        depthwise = Convolution(
            shape[2] * self.multiplier,
            self.kernel_size,
            stride=self.stride,
            dilation=self.dilation,
            groups=shape[2],
            padding=self.padding,
            padding_mode=self.padding_mode,
            bias=False,
            initializer=self.initializer,
        )
        pointwise = Convolution(self.filters, (1, 1), bias=self.bias, initializer=self.initializer)
        return [("depthwise", depthwise, shape), ("pointwise", pointwise, depthwise.output_shape(shape))]

    def output_shape(self, shape):
        _, (_, pointwise, now) = self.inner(shape)
        return pointwise.output_shape(now)
