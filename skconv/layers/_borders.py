"""Operations that put borders around images, other than zeros before a convolution."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from types import SimpleNamespace

import numpy as np

from .._input.own import in_place
from .._kernels.geometry import Window, border_pieces
from .._kernels.padding import (
    Strips,
    add_borders,
    border_maps,
    border_shapes,
    fill_from,
    fill_noise,
    inside,
    moments,
    repeat,
    strips,
)
from .._kernels.sums import add_positions, partial_sums
from ._frame import Frame, Plan
from ._operation import Operation

__all__ = ["Border", "DonorBorder", "FixedBorder", "NoiseBorder", "OwnBorder", "RepeatedBorder", "draw"]

_PIECE_BYTES = 400  # bytes of the Python objects per piece of `border_map`
EPSILON = 1e-12  # added to an image's variance, so that the deviation of a constant image has a gradient


class Border(Operation):
    """Base class of borders around images of one shape; copies the image and does not fill the border.

    Parameters
    ----------
    mode : PaddingMode
    window : Window
        Geometry of the border, as windows of one tap.
    """

    takes = "image"
    asked_by = "padding_mode"

    def __init__(self, mode, window: Window):
        self.mode, self.window = mode, window

    def output_shape(self, shape):
        return (*self.window.output, shape[2])

    def forward(self, frame, training):
        np.copyto(inside(frame.y, self.window), frame.x)

    def backward(self, frame):
        if frame.dx is not None:
            np.copyto(frame.dx, inside(frame.dy, self.window))


class OwnBorder(Border):
    """A border that is filled by a user's `PaddingMode`."""

    def forward(self, frame, training):
        super().forward(frame, training)
        in_place(self.mode, "fill", frame.x, strips(frame.y, self.window))

    def backward(self, frame):
        super().backward(frame)
        if frame.dx is not None and not self.mode.detached:
            in_place(self.mode, "add_gradient", frame.x, strips(frame.dy, self.window), frame.dx)


@dataclass(kw_only=True)
class _RepeatedPlan(Plan):
    """Plan with the maps of rows and columns, see `border_map`."""

    maps: tuple[list[tuple[slice, slice]], list[tuple[slice, slice]]]


class RepeatedBorder(Border):
    """The border repeats samples of the image."""

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        return _map_bytes(self.window, self.mode.source)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return _RepeatedPlan(maps=border_maps(self.window, self.mode.source))

    def forward(self, frame: Frame[_RepeatedPlan], training):
        repeat(frame.x, frame.plan.maps, frame.y)

    def backward(self, frame: Frame[_RepeatedPlan]):
        if frame.dx is not None:
            add_borders(frame.dy, frame.plan.maps, frame.dx)


def _map_bytes(window, source):
    """Upper limit of the bytes of `border_maps`."""
    return _PIECE_BYTES * sum(border_pieces(axis, source) for axis in (window.rows, window.columns))


@dataclass(kw_only=True)
class _FieldPlan(Plan):
    """Plan with the values of all borders, ``(H', W', C, 1)``."""

    field: np.ndarray


def _field_bytes(padded):
    """Bytes of a field in double precision."""
    return prod(padded) * np.dtype(np.float64).itemsize


class FixedBorder(Border):
    """The border is the same for all images."""

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        return _field_bytes(self.output_shape(shape)) * (np.ndim(self.mode.values) > 1)  # only a pattern is stored

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return _FieldPlan(field=self.mode.field(self.output_shape(shape), dtype)[..., None])

    def forward(self, frame: Frame[_FieldPlan], training):
        super().forward(frame, training)
        fill_from(frame.plan.field, self.window, frame.y)


@dataclass(kw_only=True)
class _NoisePlan(Plan):
    """Plan with the strips of noise for prediction, and given mean and deviation ``(C or 1, 1)`` or None."""

    noise: Strips
    given: list[np.ndarray | None]


class NoiseBorder(Border):
    """The border is noise with the mean and the deviation of the image, or with given mean and deviation."""

    random = True

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        return _field_bytes(self.output_shape(shape))

    def plan(self, shape, width, dtype, *, training, input_gradient):
        field = np.empty(self.output_shape(shape))
        draw(np.random.default_rng(self.mode.random_state), self.mode.distribution, field)
        given = self.mode.moments(shape[2], dtype)
        given = [None if value is None else value.astype(dtype)[:, None] for value in given]
        vector = (shape[2], width)
        plan = _NoisePlan(
            noise=strips(field.astype(dtype)[..., None], self.window),
            given=given,
            buffers={"mean": vector, "spread": vector},
            scratch={"forward": partial_sums((*shape, width))},
        )
        if training:
            noise = border_shapes(self.window, *vector)
            plan.buffers |= noise
            plan.scratch["backward"] = {"sum": vector, "part": vector}
            for name, strip in noise.items():
                plan.scratch["backward"] |= partial_sums(strip, name)
        return plan

    def bind(self, frame: Frame[_NoisePlan]):
        """Namespace with mean and deviation of the noise, given or of the image, and the strips of noise."""
        own = frame.buffers.mean, frame.buffers.spread
        used = [known if known is not None else found for known, found in zip(frame.plan.given, own, strict=True)]
        drawn = "top" in frame.buffers
        noise = Strips(**{k: frame.buffers[k] for k in Strips._fields}) if drawn else frame.plan.noise
        return SimpleNamespace(moments=used, noise=noise)

    def forward(self, frame: Frame[_NoisePlan], training):
        buffers, parts = frame.buffers, frame.scratch.forward.get("parts")
        moments(frame.x, EPSILON, inside(frame.y, self.window), buffers.mean, buffers.spread, parts)
        super().forward(frame, training)
        if training:
            for strip in frame.bound.noise:
                draw(frame.rng, self.mode.distribution, strip)
        mean, spread = frame.bound.moments
        fill_noise(frame.bound.noise, mean, spread, self.window, frame.y)

    def backward(self, frame: Frame[_NoisePlan]):
        """``dx = dy + sum(dy) / HW + (x - mean) / spread * sum(dy * noise) / HW``, sums over the border.

        There is no second term if the mean is given, no third term if the deviation is given.
        """
        if frame.dx is None:
            return
        buffers, scratch = frame.buffers, frame.scratch.backward
        border, noise = strips(frame.dy, self.window), frame.bound.noise
        mean, spread = frame.plan.given
        if spread is None:
            np.subtract(frame.x, buffers.mean, out=frame.dx)
            np.divide(frame.dx, buffers.spread, out=frame.dx)
            for strip, gradient in zip(noise, border, strict=True):
                np.multiply(strip, gradient, out=strip)
            np.multiply(frame.dx, self._mean(noise, frame, scratch), out=frame.dx)
        else:
            frame.dx.fill(0)
        if mean is None:
            np.add(frame.dx, self._mean(border, frame, scratch), out=frame.dx)
        np.add(frame.dx, inside(frame.dy, self.window), out=frame.dx)

    @staticmethod
    def _mean(parts, frame, scratch):
        """Sum of the strips over their positions, divided by the number of the image's positions, (C, N)."""
        scratch.sum.fill(0)
        for name, strip in parts._asdict().items():
            add_positions(strip, scratch.get(name), scratch.part)
            np.add(scratch.sum, scratch.part, out=scratch.sum)
        return np.divide(scratch.sum, prod(frame.x.shape[:2]), out=scratch.sum)


def draw(rng, distribution, out):
    """Fill an array with "normal" or "uniform" noise of mean 0 and deviation 1."""
    if distribution == "normal":
        rng.standard_normal(out=out, dtype=out.dtype)
        return
    rng.random(out=out, dtype=out.dtype)
    np.subtract(out, 0.5, out=out)
    np.multiply(out, 2 * sqrt(3), out=out)


class DonorBorder(Border):
    """The border is another image, the donor, which is repeated in all directions."""

    synchronous = True

    def state_shapes(self, shape):
        return {"donor": tuple(shape)}

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        return _map_bytes(self.window, "wrap")

    def plan(self, shape, width, dtype, *, training, input_gradient):
        plan = _RepeatedPlan(maps=border_maps(self.window, "wrap"), shared={"field": (*self.output_shape(shape), 1)})
        if training:
            plan.shared |= {"ones": (width, 1), "gradient": (*shape, 1)}
            plan.buffers["gradient"] = (*shape, 1)
            plan.scratch["backward"] = {"sums": (*self.output_shape(shape), 1)}
        return plan

    def prepare(self, parameters, state, plan: _RepeatedPlan, shared):
        repeat(state.donor[..., None], plan.maps, shared.field)
        if "ones" in shared:
            shared.ones.fill(1)

    def bind(self, frame):
        """Namespace with ``column``, the donor's column in the block, or None."""
        return SimpleNamespace(column=None)

    def agree(self, frames):
        """Set the donor: the first column of the batch with weight."""
        first = next((frame for frame in frames if frame.weight.any()), frames[0])
        for frame in frames:
            frame.bound.column = None
        column = first.bound.column = int(np.argmax(first.weight > 0))
        np.copyto(first.state.donor, first.x[..., column])
        self.prepare(None, first.state, first.plan, first.shared)

    def forward(self, frame, training):
        super().forward(frame, training)
        fill_from(frame.shared.field, self.window, frame.y)

    def measure_gradient(self, frame: Frame[_RepeatedPlan]):
        """Compute the donor's gradient from the borders of one block."""
        sums = frame.scratch.backward.sums
        inside(sums, self.window).fill(0)
        # A product with ones is ten times faster than a sum over the last axis.
        for strip, total in zip(strips(frame.dy, self.window), strips(sums, self.window), strict=True):
            np.matmul(strip, frame.shared.ones, out=total)
        add_borders(sums, frame.plan.maps, frame.buffers.gradient)

    def agree_gradient(self, frames):
        """Add up the donor's gradients of all blocks."""
        gradient = frames[0].shared.gradient
        gradient.fill(0)
        for frame in frames:
            np.add(gradient, frame.buffers.gradient, out=gradient)

    def backward(self, frame):
        super().backward(frame)
        column = frame.bound.column  # None in a frozen layer
        if frame.dx is not None and column is not None:
            donor = frame.dx[..., column : column + 1]
            np.add(donor, frame.shared.gradient, out=donor)
