"""Convolution: weights shared by all positions."""

from __future__ import annotations

from itertools import product
from math import gcd, prod
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from .._input.checks import check_groups, check_window_fits
from .._input.constraints import BORDERS, at_least, border_widths, finite_numbers, one_of, sizes
from .._kernels.choose import choose_convolution
from .._kernels.geometry import Axis, Window, make_window, pair
from ._base import Layer, Parameter
from ._frame import Plan, Storage
from .bias import Bias
from .initializers import INITIALIZER, initialize
from .pad import Pad

__all__ = ["Convolution"]


def bias_kind(bias):
    """A convolution's ``bias`` as "shared", "position" or None."""
    if isinstance(bias, (bool, np.bool_)):
        return "shared" if bias else None
    return bias


PART_BYTES = 4096  # of the objects that bind a part of a data gradient, or of a dilated image, to its arrays


class Windowed(Layer):
    """Windows over the image, ``filters`` numbers each: geometry, border and bias of a convolution."""

    _parameter_constraints: dict = {
        "filters": [at_least(1)],
        "kernel_size": [sizes()],
        "stride": [sizes()],
        "dilation": [sizes()],
        "padding": [one_of("same", "valid"), border_widths()],
        "bias": ["boolean", one_of("shared", "position"), None],
        "initializer": INITIALIZER,
    }
    takes = "image"
    summary_shows = "kernel_size"
    sees_all = False  # whether each output has a weight for the whole image, not for its window alone
    groups = 1
    padding_mode = "constant"
    padding_values = 0

    def lower(self, shape):
        per, border = bias_kind(self.bias), self.border(shape)
        steps = [self]
        if border is not None:
            steps = [border, self._without_border(shape)]
        if per is not None:
            steps[-1:] = [clone(steps[-1]).set_params(bias=None), Bias("channel" if per == "shared" else per)]
        return steps

    def border(self, shape) -> Pad | None:
        """The layer that makes the border; None where there is none, or one of zeros, which takes no layer."""
        axes = self.window(shape).rows, self.window(shape).columns
        pad = Pad(tuple((axis.before, axis.after) for axis in axes), self.padding_mode, self.padding_values)
        pad.check_values(shape[2], "padding_values")
        empty = pad.output_shape(shape) == tuple(shape)
        zeros = self.padding_mode == "constant" and not np.any(self.padding_values)
        return None if empty or zeros else pad

    def _without_border(self, shape):
        """The same windows over an image with its border; its height says no more whether it was a series."""
        rows, columns = self.window(shape).rows, self.window(shape).columns
        return clone(self).set_params(
            kernel_size=(rows.kernel, columns.kernel),
            stride=(rows.stride, columns.stride),
            dilation=(rows.dilation, columns.dilation),
            padding="valid",
            padding_mode="constant",
            padding_values=0,
        )

    def window(self, shape) -> Window:
        """Geometry of the windows over an input of this shape."""
        window = make_window(
            shape[0],
            shape[1],
            self.kernel_size,
            stride=self.stride,
            dilation=self.dilation,
            padding=self.padding,
        )
        check_window_fits("kernel_size", self.kernel_size, window)
        return window

    def output_shape(self, shape):
        self.border(shape)
        return (*self.window(shape).output, self.filters)

    def weight_shape(self, shape) -> tuple[int, ...]:
        """Shape of the weight for an input of this shape: a filter's is its last three axes."""
        raise NotImplementedError

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        """The borders of the input, and what binds the parts of dilations and strides."""
        axes = self.window(shape).rows, self.window(shape).columns
        borders = prod(axis.padded for axis in axes) - prod(axis.size for axis in axes)
        parts = self.groups * prod(min(axis.dilation, axis.output) for axis in axes)
        if input_gradient:
            parts += adjoint_parts(axes)
        return borders * shape[2] * width * dtype.itemsize + PART_BYTES * parts

    def parameters(self, shape):
        weight, per = self.weight_shape(shape), bias_kind(self.bias)
        # Muon takes kernels that all positions share.
        parameters = {"weight": Parameter(weight, decays=True, unit_axes=len(weight) - 3, matrix=len(weight) == 4)}
        if per is not None:
            parameters["bias"] = Parameter((self.filters,) if per == "shared" else self.output_shape(shape))
        return parameters

    def multiply_adds(self, shape):
        return prod(self.weight_shape(shape))

    def connections(self, shape):
        window = self.window(shape)
        positions, taps = prod(window.output), window.rows.kernel * window.columns.kernel
        shared = self.filters * taps * (shape[2] // self.groups)
        return positions * self.filters * prod(shape), positions * shared, shared

    # For those whose plan's kernel is a correlation and what its data gradient takes.

    def bind(self, frame):
        kernel, views = frame.plan.kernel[0], SimpleNamespace()
        if frame.y is not None:
            views.forward = kernel.bind(frame.x_storage, frame.scratch.forward, frame.y)
        if frame.dy is not None:
            views.gradient = kernel.bind_gradient(frame.x_storage, frame.dy, frame.scratch.gradient)
        if frame.dx is not None:
            views.adjoint = self.bind_adjoint(frame)
        return views

    def bind_adjoint(self, frame):
        """What the data gradient does on the frame's arrays."""
        return bind_parts(frame.plan.kernel[1], frame.dy_storage, frame.scratch, frame.dx)

    def forward(self, frame, training):
        frame.plan.kernel[0].run(frame.bound.forward, frame.shared.weight)

    def weight_gradient(self, frame):
        """Fill the gradient of the weight."""
        frame.plan.kernel[0].run_gradient(frame.bound.gradient, frame.scratch.gradient, frame.gradients.weight)


class _Part(NamedTuple):
    """Part of a data gradient: inputs a stride apart."""

    name: str  # of its weight and its scratch
    kernel: Any  # the correlation; None where all is set to zero first, since no tap reaches some inputs
    taps: tuple[slice, ...]  # of the weight, before they are flipped
    source: tuple[slice, ...]  # rows and columns of the output's gradient within its borders
    into: tuple[slice, slice]  # rows and columns of the input's gradient


class Convolution(Windowed):
    """Cross-correlation with a bank of kernels, as every network calls convolution.

    Parameters
    ----------
    filters : int
        Kernels, which are the channels of the output.
    kernel_size : int or (int, int), default=3
        Taps down and across.  On a series (height 1) one number is the window along time.
    stride : int or (int, int), default=1
        Samples between windows.
    dilation : int or (int, int), default=1
        Samples between taps.
    groups : int, default=1
        Into how many groups channels and filters are divided; a filter sees the channels of its own group alone.  Must
        divide the number of channels and ``filters``.  As many groups as channels make a depthwise convolution: each
        channel has filters of its own, as many as ``filters`` is a multiple of the channels.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int)), default="same"
        Border down and across, or ``((top, bottom), (left, right))``.  "same" gives ``ceil(size / stride)`` outputs,
        those of stride 1 sub-sampled from the top left.
    padding_mode : {"constant", "edge", "reflect", "symmetric", "wrap", "pattern", "noise", "donor"}, default="constant"
        What the border holds, see `Pad`.
    padding_values : float or array-like, default=0
        Of the modes "constant" and "pattern", as the ``values`` of `Pad`.  A border of zeros takes no memory and no
        time of its own.
    bias : {"shared", "position", None}, default="shared"
        What is added: a number per filter, a number per filter at each position, nothing.  True is "shared", False is
        None.
    initializer : {"fan_in_uniform", "he_normal", "glorot_uniform"} or callable, default="fan_in_uniform"
        First values of the weights: a name, or a function ``(weight, rng)`` that fills an array in place.

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
        **Windowed._parameter_constraints,
        "groups": [at_least(1)],
        "padding_mode": [BORDERS],
        "padding_values": [finite_numbers()],
    }
    by_rows = True
    starts_band = True
    single_sample = "product"

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
        padding_values=0,
        bias="shared",
        initializer="fan_in_uniform",
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.groups = groups
        self.padding = padding
        self.padding_mode = padding_mode
        self.padding_values = padding_values
        self.bias = bias
        self.initializer = initializer

    def strided(self, step, shape) -> Convolution:
        """The same convolution at every ``step``-th position, from the top left, of its output for this input."""
        down, across = pair(step, self.output_shape(shape)[0])
        rows, columns = pair(self.stride, shape[0])
        return clone(self).set_params(stride=(rows * down, columns * across))

    def tile(self, shape):
        """A 1 x 1 convolution goes on with a row; bands have no borders."""
        rows, columns = self.window(shape).rows, self.window(shape).columns
        one_by_one = (rows.kernel, rows.stride, rows.padded) == (1, 1, rows.size)
        one_by_one = one_by_one and (columns.kernel, columns.padded) == (1, columns.size)
        return int(one_by_one and len(self.lower(shape)) == 1)

    def strip(self, shape, start, stop):
        rows, columns = self.window(shape).rows, self.window(shape).columns
        first, end, borders = rows.strip(start, stop)
        layer = self.copy().set_params(
            kernel_size=(rows.kernel, columns.kernel),
            stride=(rows.stride, columns.stride),
            dilation=(rows.dilation, columns.dilation),
            padding=(borders, (columns.before, columns.after)),
        )
        return (layer, first, end) if first < end else None

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

    def plan(self, shape, width, dtype, *, training, input_gradient):
        window, channels = self.window(shape), shape[2]
        rows, columns = window.rows, window.columns
        stored = Window(
            Axis(rows.padded, rows.kernel, rows.stride, rows.dilation),
            Axis(columns.padded, columns.kernel, columns.stride, columns.dilation),
        )
        kernel = choose_convolution(stored, channels, self.filters, self.groups, width, dtype, alike=not training)
        plan = Plan(
            kernel=(kernel, []),
            scratch={"forward": kernel.scratch},
            shared={"weight": kernel.weight_shape},
            x=Storage(kernel.stored_rows, kernel.stored_columns, rows.before, columns.before),
            temporary=kernel.temporary,
        )
        if training:
            plan.scratch["gradient"] = kernel.gradient_scratch
        if training and input_gradient:
            self.plan_adjoint(plan, shape, width, dtype)
            plan.aside = True
        return plan

    def plan_adjoint(self, plan, shape, width, dtype, alike=False):
        """The data gradient: the same algorithms on the output's gradient with its borders, for each step of a stride.

        It adds to the plan's parts, ``shared`` and ``scratch``, and sets ``dy``; with ``alike`` every column is
        computed alike.  There is no multiplication with the zeros that stand between the outputs of a stride: 3 x 3,
        stride 2, 32 to 64 channels: 0.75 times the time of all passes.
        """
        window, channels = self.window(shape), shape[2]
        (rows, top, height), (columns, left, across) = window.rows.adjoint(), window.columns.adjoint()
        if len(rows) * len(columns) < prod(min(axis.stride, axis.size) for axis in (window.rows, window.columns)):
            plan.kernel[1].append(_Part("unreached", None, (), (), (slice(None), slice(None))))
        for row, column in product(rows, columns):
            name = f"adjoint{row.start}.{column.start}"
            into = (slice(row.start, None, window.rows.stride), slice(column.start, None, window.columns.stride))
            source = (slice(row.skip, None), slice(column.skip, None))
            axes = Window(row.axis, column.axis)
            gaps = window.columns.stride > 1
            kernel = choose_convolution(axes, self.filters, channels, self.groups, width, dtype, alike, gaps)
            height = max(height, row.skip + kernel.stored_rows)
            across = max(across, column.skip + kernel.stored_columns)
            plan.shared[name], plan.scratch[name] = kernel.weight_shape, kernel.scratch
            plan.temporary = max(plan.temporary, kernel.temporary)
            plan.kernel[1].append(_Part(name, kernel, (row.taps, column.taps), source, into))
        plan.dy = Storage(height, across, top, left)

    def prepare(self, parameters, state, plan, shared):
        kernel, parts = plan.kernel
        kernel.prepare(parameters.weight, shared.weight)
        prepare_parts(parts, parameters.weight, self.groups, shared)

    def backward(self, frame):
        frame.aside(self.weight_gradient, frame)
        if frame.dx is not None:
            run_parts(frame.plan.kernel[1], frame.bound.adjoint, frame.shared, frame.dx)


def adjoint_parts(axes) -> int:
    """How many parts a data gradient has."""
    return prod(min(axis.stride // gcd(axis.stride, axis.dilation), axis.kernel, axis.size) for axis in axes)


def prepare_parts(parts, weight, groups, shared):
    """Weights of the parts of a data gradient."""
    by_group = weight.reshape(groups, -1, *weight.shape[1:])
    for part in parts:
        if part.kernel is not None:
            flipped = by_group[:, :, *part.taps][:, :, ::-1, ::-1].transpose(0, 4, 2, 3, 1)
            part.kernel.prepare(flipped if groups > 1 else flipped[0], shared[part.name])


def bind_parts(parts, dy, scratch, dx):
    """What the parts do on the output's gradient within its borders and the input's, for `run_parts`."""
    return [part.kernel and part.kernel.bind(dy[part.source], scratch[part.name], dx[part.into]) for part in parts]


def run_parts(parts, bound, shared, dx):
    """Fill the input's gradient."""
    for part, operations in zip(parts, bound, strict=True):
        if part.kernel is None:
            dx[part.into] = 0
        else:
            part.kernel.run(operations, shared[part.name])
