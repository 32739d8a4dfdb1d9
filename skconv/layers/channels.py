"""Channels in another order, and some of the channels."""

from __future__ import annotations

import numpy as np

from .._input.constraints import at_least, shown
from .._input.memory import counted
from ._base import Layer

__all__ = ["SelectChannels", "ShuffleChannels"]


class ShuffleChannels(Layer):
    """Take one channel of each group in turn, so that groups mix (ShuffleNet: Zhang et al., arXiv 1707.01083).

    Parameters
    ----------
    groups : int
        Number of groups, which divides the number of channels.

    Notes
    -----
    The channels 0, 1, 2, 3, 4, 5 in two groups become 0, 3, 1, 4, 2, 5.  The numbers of a vector are its channels.

    Examples
    --------
    >>> from skconv.layers import ShuffleChannels
    >>> ShuffleChannels(2).output_shape((8, 8, 6))
    (8, 8, 6)
    """

    _parameter_constraints: dict = {"groups": [at_least(1)]}
    pointwise = True
    single_sample = "windows"
    summary_shows = "groups"

    def __init__(self, groups):
        self.groups = groups

    def output_shape(self, shape):
        if shape[-1] % self.groups:
            raise ValueError(f"groups must divide the {counted(shape[-1], 'channel')} of the input, got {self.groups}")
        return shape

    def _copy(self, source, groups, out):
        """Copy ``source`` (..., C, N) in ``groups`` into ``out``, one channel of each group in turn."""
        *lead, channels, width = source.shape
        parts = source.reshape(*lead, groups, channels // groups, width, copy=False)
        np.copyto(out.reshape(*lead, channels // groups, groups, width, copy=False), parts.swapaxes(-3, -2))

    def forward(self, frame, training):
        self._copy(frame.x, self.groups, frame.y)

    def backward(self, frame):
        if frame.dx is not None:
            self._copy(frame.dy, frame.dy.shape[-2] // self.groups, frame.dx)


class SelectChannels(Layer):
    """Some channels of the input, as for a branch that takes half of them.

    Parameters
    ----------
    start : int, default=0
        First channel.
    stop : int, default=None
        End of the channels, which is the first that is left out; None takes all from ``start`` on.

    Examples
    --------
    >>> from skconv.layers import Convolution, Parallel, SelectChannels
    >>> halves = Parallel([[SelectChannels(0, 8)], [SelectChannels(8), Convolution(8)]])
    >>> halves.output_shape((28, 28, 16))
    (28, 28, 16)
    """

    _parameter_constraints: dict = {"start": [at_least(0)], "stop": [at_least(1), None]}
    takes = "image"
    pointwise = True
    single_sample = "windows"

    def __init__(self, start=0, stop=None):
        self.start = start
        self.stop = stop

    def _range(self, channels):
        """The channels as a slice."""
        return slice(self.start, channels if self.stop is None else self.stop)

    def output_shape(self, shape):
        chosen = self._range(shape[2])
        if not chosen.start < chosen.stop <= shape[2]:
            raise ValueError(
                f"start={shown(self.start)} and stop={shown(self.stop)} must be a range of the "
                f"{counted(shape[2], 'channel')} of the input"
            )
        return (*shape[:2], chosen.stop - chosen.start)

    def forward(self, frame, training):
        np.copyto(frame.y, frame.x[:, :, self._range(frame.x.shape[2])])

    def backward(self, frame):
        if frame.dx is not None:
            chosen = self._range(frame.dx.shape[2])
            frame.dx[:, :, : chosen.start] = 0
            np.copyto(frame.dx[:, :, chosen], frame.dy)
            frame.dx[:, :, chosen.stop :] = 0
