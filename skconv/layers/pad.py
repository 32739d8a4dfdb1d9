"""A border around the image that holds something."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from types import SimpleNamespace

import numpy as np

from .._input.checks import check_channel_values, check_pattern
from .._input.constraints import BORDERS, at_least, border_widths, finite_numbers
from .._kernels.geometry import BORDER_MAPS, Window, border_pieces, make_window
from .._kernels.padding import (
    add_borders,
    border_maps,
    border_shapes,
    fill_from,
    fill_noise,
    inside,
    moments,
    repeat,
    strips,
    tiled,
)
from .._kernels.sums import add_positions, partial_sums
from ._base import Layer
from ._frame import Frame, Plan

__all__ = ["Pad"]

_PIECE_BYTES = 400  # of the objects that say which samples a stretch of a border repeats
_EPSILON = 1e-12  # added to an image's variance, so that a constant image has a slope


class Pad(Layer):
    """Put a border around the image.

    A convolution needs none of zeros: it has its own.  `Convolution` and `LocallyConnected` put this layer before them
    where their ``padding_mode`` says so.

    Parameters
    ----------
    padding : int, (int, int) or ((int, int), (int, int)), default=1
        Border down and across, or ``((top, bottom), (left, right))``.  On a series (height 1) one number pads time.
    padding_mode : str, default="constant"
        What the border holds:

        - "constant": ``padding_values``;
        - "edge", "reflect", "symmetric", "wrap": samples of the image, as in `numpy.pad`, at any width;
        - "pattern": the array ``padding_values``, repeated from the padded image's top left corner;
        - "noise": in each channel, the image's mean plus its standard deviation times standard normal noise.  Training
          draws the noise anew for each image and pass; prediction uses one field of noise for all images;
        - "donor": another image goes on as if it were repeated in all directions: sample ``(i, j)`` of the padded image
          is ``donor[(i - top) % height, (j - left) % width]``.  The donor is the first image of the batch, and in
          prediction that of the last batch.
    padding_values : float, array-like of shape (channels,), (h, w) or (h, w, channels), default=0
        For "constant" a number, or one per channel; for "pattern" the array.
    random_state : int, default=0
        Of the noise in prediction: `numpy.random.default_rng` draws a field of the padded image's shape.

    Notes
    -----
    All modes have exact gradients: a border's reaches the samples, means and deviations it comes from.  The donor gets
    those of the borders of the whole batch.

    Examples
    --------
    >>> from skconv.layers import Pad
    >>> Pad(((0, 0), (4, 2)), "wrap").output_shape((8, 8, 3))
    (8, 14, 3)
    """

    _parameter_constraints: dict = {
        "padding": [border_widths()],
        "padding_mode": [BORDERS],
        "padding_values": [finite_numbers()],
        "random_state": [at_least(0)],
    }
    takes = "image"
    asked_by = "padding_mode"

    def __init__(self, padding=1, padding_mode="constant", padding_values=0, random_state=0):
        self.padding = padding
        self.padding_mode = padding_mode
        self.padding_values = padding_values
        self.random_state = random_state

    @property
    def synchronous(self):
        """Whether the layer needs the whole batch: "donor" takes an image of it."""
        return self.padding_mode == "donor"

    @property
    def random(self):
        """Whether the border is noise."""
        return self.padding_mode == "noise"

    def window(self, shape) -> Window:
        """Geometry of the border: windows of one sample."""
        return make_window(shape[0], shape[1], 1, padding=self.padding)

    def output_shape(self, shape):
        self.check_values(shape[2])
        return (*self.window(shape).output, shape[2])

    def check_values(self, channels):
        """Hold the values against the image's channels."""
        if self.padding_mode == "constant":
            check_channel_values("padding_values", self.padding_values, channels)
        elif self.padding_mode == "pattern":
            check_pattern("padding_values", self.padding_values, channels)

    def state_shapes(self, shape):
        return {"donor": tuple(shape)} if self.padding_mode == "donor" else {}

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        """Tables: pieces of the maps, or a field of noise or of a pattern."""
        window, mode = self.window(shape), "wrap" if self.padding_mode == "donor" else self.padding_mode
        if mode in BORDER_MAPS:
            return _PIECE_BYTES * sum(border_pieces(axis, mode) for axis in (window.rows, window.columns))
        return prod(self.output_shape(shape)) * np.dtype(np.float64).itemsize * (mode in ("noise", "pattern"))

    def plan(self, shape, width, dtype, *, training, input_gradient):
        fill = _FILLS[self.padding_mode](self, shape, dtype)
        return fill.plan(width, training)

    def prepare(self, parameters, state, plan: _PadPlan, shared):
        plan.fill.prepare(state, shared)

    def bind(self, frame: Frame[_PadPlan]):
        return frame.plan.fill.bind(frame)

    def forward(self, frame: Frame[_PadPlan], training):
        frame.plan.fill.forward(frame, training)

    def backward(self, frame: Frame[_PadPlan]):
        if frame.dx is not None:
            frame.plan.fill.backward(frame)

    def agree(self, frames):
        frames[0].plan.fill.agree(frames)

    def measure_gradient(self, frame):
        frame.plan.fill.measure_gradient(frame)

    def agree_gradient(self, frames):
        frames[0].plan.fill.agree_gradient(frames)


class _Fill:
    """What one mode does on images of one shape; by itself it fills no border."""

    def __init__(self, layer, shape, dtype):
        self.shape, self.window = tuple(shape), layer.window(shape)
        self.padded = (*self.window.output, shape[2])

    def plan(self, width, training):
        return _PadPlan(fill=self)

    def prepare(self, state, shared):
        pass

    def bind(self, frame):
        return None

    def forward(self, frame, training):
        np.copyto(inside(frame.y, self.window), frame.x)

    def backward(self, frame):
        np.copyto(frame.dx, inside(frame.dy, self.window))


@dataclass(kw_only=True)
class _PadPlan(Plan):
    """With what fills the border."""

    fill: _Fill


class _Repeated(_Fill):
    """The border repeats samples of the image."""

    def __init__(self, layer, shape, dtype):
        super().__init__(layer, shape, dtype)
        self.maps = border_maps(self.window, layer.padding_mode)

    def forward(self, frame, training):
        repeat(frame.x, self.maps, frame.y)

    def backward(self, frame):
        add_borders(frame.dy, self.maps, frame.dx)


class _Fixed(_Fill):
    """The border is the same for all images."""

    def __init__(self, layer, shape, dtype):
        super().__init__(layer, shape, dtype)
        if layer.padding_mode == "pattern":
            pattern = check_pattern("padding_values", layer.padding_values, shape[2])
            field = tiled(pattern.astype(dtype), *self.window.output)
        else:
            values = check_channel_values("padding_values", layer.padding_values, shape[2])
            field = np.broadcast_to(values.astype(dtype), self.padded)
        self.field = field[..., None]

    def forward(self, frame, training):
        super().forward(frame, training)
        fill_from(self.field, self.window, frame.y)


class _Noise(_Fill):
    """The border is noise with the mean and the deviation of the image."""

    def __init__(self, layer, shape, dtype):
        super().__init__(layer, shape, dtype)
        field = np.random.default_rng(layer.random_state).standard_normal(self.padded)
        self.noise = strips(field.astype(dtype)[..., None], self.window)

    def plan(self, width, training):
        vector = (self.shape[2], width)
        buffers = {"mean": vector, "spread": vector}
        scratch = {"forward": partial_sums((*self.shape, width))}
        if training:
            noise = border_shapes(self.window, *vector)
            buffers |= noise
            scratch["backward"] = {"sum": vector, "part": vector}
            for name, shape in noise.items():
                scratch["backward"] |= partial_sums(shape, name)
        return _PadPlan(fill=self, buffers=buffers, scratch=scratch)

    def _drawn(self, frame):
        """The strips of noise of a block in training."""
        return [frame.buffers[name] for name in border_shapes(self.window)]

    def forward(self, frame, training):
        mean, spread = frame.buffers.mean, frame.buffers.spread
        parts = frame.scratch.forward.get("parts")
        moments(frame.x, _EPSILON, inside(frame.y, self.window), mean, spread, parts)
        super().forward(frame, training)
        noise = self._drawn(frame) if training else self.noise
        if training:
            for strip in noise:
                frame.rng.standard_normal(out=strip, dtype=strip.dtype)
        fill_noise(noise, mean, spread, self.window, frame.y)

    def backward(self, frame):
        """``dx = dy + sum(dy) / HW + (x - mean) / spread * sum(dy * noise) / HW``, sums over the border."""
        buffers, scratch = frame.buffers, frame.scratch.backward
        border, noise = strips(frame.dy, self.window), self._drawn(frame)
        positions = prod(self.shape[:2])
        np.subtract(frame.x, buffers.mean, out=frame.dx)
        np.divide(frame.dx, buffers.spread, out=frame.dx)
        for strip, gradient in zip(noise, border, strict=True):
            np.multiply(strip, gradient, out=strip)
        np.multiply(frame.dx, self._mean(noise, positions, scratch), out=frame.dx)
        np.add(frame.dx, self._mean(border, positions, scratch), out=frame.dx)
        np.add(frame.dx, inside(frame.dy, self.window), out=frame.dx)

    def _mean(self, parts, positions, scratch):
        """Sum of the strips over their positions, divided."""
        scratch.sum.fill(0)
        for name, strip in zip(border_shapes(self.window), parts, strict=True):
            add_positions(strip, scratch.get(name), scratch.part)
            np.add(scratch.sum, scratch.part, out=scratch.sum)
        return np.divide(scratch.sum, positions, out=scratch.sum)


class _Donor(_Fill):
    """The border is of another image, which is repeated in all directions."""

    def __init__(self, layer, shape, dtype):
        super().__init__(layer, shape, dtype)
        self.maps = border_maps(self.window, "wrap")

    def plan(self, width, training):
        plan = _PadPlan(fill=self, shared={"field": (*self.padded, 1)})
        if training:
            plan.shared |= {"ones": (width, 1), "gradient": (*self.shape, 1)}
            plan.buffers["gradient"] = (*self.shape, 1)
            plan.scratch["backward"] = {"sums": (*self.padded, 1)}
        return plan

    def prepare(self, state, shared):
        repeat(state.donor[..., None], self.maps, shared.field)
        if "ones" in shared:
            shared.ones.fill(1)

    def bind(self, frame):
        """The donor's column, where the block has it."""
        return SimpleNamespace(column=None)

    def agree(self, frames):
        """The donor: the first column of the batch that counts."""
        first = next((frame for frame in frames if frame.weight.any()), frames[0])
        for frame in frames:
            frame.bound.column = None
        column = first.bound.column = int(np.argmax(first.weight > 0))
        np.copyto(first.state.donor, first.x[..., column])
        self.prepare(first.state, first.shared)

    def forward(self, frame, training):
        super().forward(frame, training)
        fill_from(frame.shared.field, self.window, frame.y)

    def measure_gradient(self, frame):
        """The donor's gradient by the borders of one block."""
        sums = frame.scratch.backward.sums
        inside(sums, self.window).fill(0)
        # A product with ones is ten times faster than a sum over the last axis.
        for strip, total in zip(strips(frame.dy, self.window), strips(sums, self.window), strict=True):
            np.matmul(strip, frame.shared.ones, out=total)
        add_borders(sums, self.maps, frame.buffers.gradient)

    def agree_gradient(self, frames):
        """The donor's gradient by the batch."""
        gradient = frames[0].shared.gradient
        gradient.fill(0)
        for frame in frames:
            np.add(gradient, frame.buffers.gradient, out=gradient)

    def backward(self, frame):
        super().backward(frame)
        column = frame.bound.column  # None where it is frozen
        if column is not None:
            donor = frame.dx[..., column : column + 1]
            np.add(donor, frame.shared.gradient, out=donor)


_FILLS = {
    **dict.fromkeys(BORDER_MAPS, _Repeated),
    "constant": _Fixed,
    "pattern": _Fixed,
    "noise": _Noise,
    "donor": _Donor,
}
