"""Borders around images, as a layer."""

from __future__ import annotations

from .._input.constraints import border_widths
from .._kernels.geometry import Window, make_window
from ._base import Layer
from .padding_modes import PADDING_MODE, mode_of

__all__ = ["Pad"]


class Pad(Layer):
    """Put a border around the image.

    `Convolution`, `LocallyConnected` and `SeparableConvolution` have a border of zeros of their own, and add this layer
    for other values of ``padding_mode``.

    Parameters
    ----------
    padding : int, (int, int) or ((int, int), (int, int)), default=1
        Border down and across, or ``((top, bottom), (left, right))``.  On a series (height 1) one number pads time.
    padding_mode : str or PaddingMode, default="constant"
        Values of the border: a name, or an object with parameters of its own.

        - "constant": zeros; `ConstantPadding` has other values;
        - "edge", "reflect", "symmetric", "wrap": samples of the image, as in `numpy.pad`, at any width;
        - "noise": random numbers with the mean and the deviation of each channel of the image, see `NoisePadding`;
        - "donor": another image of the batch, see `DonorPadding`;
        - a `PatternPadding`, which repeats an array, or a `PaddingMode` of your own.

    Notes
    -----
    All modes have exact gradients: the gradient of a border goes to the samples, means and deviations that the border
    is made of; to the donor those of all borders of the batch.

    Examples
    --------
    >>> from skconv.layers import Pad
    >>> Pad(((0, 0), (4, 2)), "wrap").output_shape((8, 8, 3))
    (8, 14, 3)
    """

    _parameter_constraints: dict = {"padding": [border_widths()], "padding_mode": PADDING_MODE}
    takes = "image"

    def __init__(self, padding=1, padding_mode="constant"):
        self.padding = padding
        self.padding_mode = padding_mode

    def _window(self, shape) -> Window:
        """The geometry of the border, as windows of one tap over images of ``shape``."""
        return make_window(shape[0], shape[1], 1, padding=self.padding)

    def _border(self, shape):
        return mode_of(self.padding_mode, shape)._border(self._window(shape))

    def lower(self, shape):
        return [self._border(shape)]

    def output_shape(self, shape):
        return self._border(shape).output_shape(shape)

    def state_shapes(self, shape):
        return self._border(shape).state_shapes(shape)
