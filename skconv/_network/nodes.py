"""Nodes of a planar session: what makes one image from others, in parts, as lists of calls."""

from __future__ import annotations

import numpy as np

from .._kernels.memory import Arrays, Shapes, aligned, allocate, carve, scratch_bytes
from .._kernels.planes import DepthwisePlanes, GatheredPlanes, bands_of
from .._kernels.products import COLUMNS
from ..layers import Frame
from .arena import Planes

__all__ = ["Convolving", "Elements", "InBlock", "Joining", "Merging", "Node", "OnWindows", "Placed"]

_POSITIONS = 1024  # most positions of several rows that are taken together
_PART_BYTES = 1 << 21  # most bytes of what a part reads and writes, for nodes without products


class Placed:
    """An operation with the arrays of its parameters and its state.

    Parameters
    ----------
    operation : Operation
    shape : tuple of int
        Shape of its input.
    parameters, state : Arrays
    """

    def __init__(self, operation, shape, parameters, state):
        self.operation, self.shape, self.parameters, self.state = operation, shape, parameters, state
        self._shared: dict[tuple, Arrays] = {}

    def plan(self, shape, width, dtype):
        """`Plan` for a block of ``width`` samples of ``shape``."""
        return self.operation.plan(shape, width, dtype, training=False, input_gradient=False)

    def frame(self, plan, width, dtype, channels=None, **arrays):
        """`Frame` of these arrays, for some channels where ``channels`` is a slice.

        What is prepared from the parameters is made once for each width and slice.
        """
        parameters, state = self.parameters, self.state
        if channels is not None:
            parameters, state = (self._of_channels(each, channels) for each in (parameters, state))
        key = width, channels and (channels.start, channels.stop)
        if key not in self._shared:
            self._shared[key] = allocate(plan.shared, dtype)
            self.operation.prepare(parameters, state, plan, self._shared[key])
        own = {"parameters": parameters, "state": state, "shared": self._shared[key], "matmul": np.matmul}
        return Frame(operation=self.operation, plan=plan, buffers=allocate(plan.buffers, dtype), **own, **arrays)

    def _of_channels(self, arrays, channels):
        """Arrays with a number for each channel, cut to some channels, and the others."""
        per_channel = self.shape[-1]
        return Arrays({name: a[channels] if a.shape[:1] == (per_channel,) else a for name, a in arrays.items()})


class Node:
    """Base class of nodes.

    Parameters
    ----------
    y : Planes
        The image that the node makes.

    Attributes
    ----------
    elements : list of Placed
        Operations that follow element by element, in place, on each part.
    parts : list of (slice, slice)
        Channels and rows of ``y`` that can be computed apart from each other.
    work : int
        Multiply-adds.
    """

    banded = True
    work = 0

    def __init__(self, y: Planes):
        self.y = y
        self.elements: list[Placed] = []
        self.parts = [(slice(0, y.shape[2]), slice(0, y.shape[0]))]

    def follow(self, placed):
        """Let an operation follow element by element."""
        self.elements.append(placed)

    def scratch(self, part) -> Shapes:
        """Shapes of the scratch arrays of a part; ``out`` has its outputs, of each row maybe some more."""
        return {"out": (_size(part[0]), _size(part[1]), self.y.shape[1])}

    def bind(self, part, scratch):
        """Calls that compute a part, in ``scratch.out``."""
        raise NotImplementedError

    def _plans(self, part, dtype):
        """``(operation, its plan)`` of ``elements``, with the positions of some rows as samples."""
        channels, height, width = self.scratch(part)["out"]
        rows = _rows_together(height, width)
        return [(each, each.plan((1, height // rows, channels), rows * width, dtype)) for each in self.elements]

    def nbytes(self, dtype) -> int:
        """Bytes of the scratch of a part."""
        sizes = [0]
        for part in self.parts[:1] + self.parts[-1:]:
            own, plans = scratch_bytes({"own": self.scratch(part)}, dtype), self._plans(part, dtype)
            sizes.append(own + max([0, *(scratch_bytes(plan.scratch, dtype) for _, plan in plans)]))
        return max(sizes)

    def calls(self, part, arena, dtype):
        """Calls that compute a part and what follows it element by element, with scratch from ``arena``.

        They run in memory without gaps, since NumPy takes two to four times as long for rows apart from each other.
        """
        shapes = self.scratch(part)
        scratch = carve(arena, {"own": shapes}, dtype).own
        target = self.y.cube[part]
        if shapes["out"] == target.shape and (not self.elements or target.flags.c_contiguous):
            scratch["out"] = target
        calls = list(self.bind(part, scratch))
        calls += self._element_calls(part, scratch.out, arena[scratch_bytes({"own": shapes}, dtype) :], dtype)
        if scratch.out is not target:
            calls.append((np.copyto, (target, scratch.out[..., : target.shape[2]])))
        return calls

    def _element_calls(self, part, out, arena, dtype):
        channels, height, width = out.shape
        rows = _rows_together(height, width)
        x = out.reshape(channels, height // rows, rows * width, copy=False).swapaxes(0, 1)[None]
        calls = []
        for each, plan in self._plans(part, dtype):
            arrays = {"x": x, "y": x, "scratch": carve(arena, plan.scratch, dtype)}
            frame = each.frame(plan, rows * width, dtype, part[0], **arrays)
            calls.append((each.operation.forward, (frame, False)))
        return calls


def _rows_together(height, width) -> int:
    """Rows of a part whose positions are the samples of operations element by element.

    What such an operation repeats for each sample is small then, and its loops are long.
    """
    return max(n for n in range(1, height + 1) if height % n == 0 and (n == 1 or n * width <= _POSITIONS))


def _size(part: slice) -> int:
    return part.stop - part.start


def _chunks(y, arrays, dtype):
    """Parts of an image for operations on ``arrays`` images without products: some channels, or some rows of one."""
    height, width, channels = y.shape
    row = arrays * width * dtype.itemsize
    bands = bands_of(height, row, _PART_BYTES)
    some = bands_of(channels, row * _size(bands[0]), _PART_BYTES)
    return [(chunk, band) for chunk in some for band in bands]


class Convolving(Node):
    """A convolution with borders of zeros."""

    def __init__(self, x, y, placed, dtype):
        super().__init__(y)
        self.x, self.weight, self.bias = x, placed.parameters.weight, None
        operation, window, channels = placed.operation, placed.operation.window(x.shape), x.shape[2]
        if operation.groups == channels == y.shape[2] > 1:
            self.kernel = DepthwisePlanes(window, channels, dtype)
            self.bias = np.zeros(channels, dtype)
        else:
            self.kernel = GatheredPlanes(window, channels, y.shape[2], operation.groups, dtype)
        self.parts = self.kernel.parts
        self.work = operation.multiply_adds(x.shape)

    def follow(self, placed):
        added = placed.operation.added(placed.parameters)
        if self.bias is None or added is None or self.elements:
            super().follow(placed)
        else:
            self.bias += added

    def scratch(self, part):
        return self.kernel.scratch(part)

    def bind(self, part, scratch):
        weight = self.weight if self.bias is None else self.kernel.prepared(self.weight, self.bias)
        return self.kernel.bind(part, self.x.cube, weight, scratch)


class Elements(Node):
    """Operations element by element alone, in place or on a copy."""

    def __init__(self, x, y, dtype):
        super().__init__(y)
        self.x = x
        self.parts = _chunks(y, 2, dtype)

    def bind(self, part, scratch):
        source = self.x.cube[part]
        return [] if self.x is self.y and _is_same(scratch.out, source) else [(np.copyto, (scratch.out, source))]


def _is_same(a, b):
    """Whether two arrays of one shape are the same view of the same memory."""
    return a.ctypes.data == b.ctypes.data and a.strides == b.strides


class Merging(Node):
    """Sum or product of images; in a product an axis of length 1 is repeated."""

    def __init__(self, sources, y, function, dtype):
        super().__init__(y)
        self.sources, self.function = sources, function
        self.parts = _chunks(y, 1 + len(sources), dtype)

    def bind(self, part, scratch):
        sources, calls = [self._of_part(source, part) for source in self.sources], []
        first, *others = sources
        if not others:
            return [(np.copyto, (scratch.out, first))]
        for other in others:
            calls.append((self.function, (first, other, scratch.out)))
            first = scratch.out
        return calls

    def _of_part(self, source, part):
        """View of a source that a part needs, with axes of length 1 where it is repeated."""
        places = tuple(each if size > 1 else slice(0, 1) for each, size in zip(part, source.shape[::-2], strict=True))
        return source.cube[places]


class Joining(Node):
    """Concatenation of images, those that are not there already."""

    def __init__(self, copied, y):
        super().__init__(y)
        self.copied = copied  # (first channel, image) of each image that is copied
        self.banded = False  # what follows would need a copy of the whole

    def nbytes(self, dtype):
        return 0

    def calls(self, part, arena, dtype):
        return [(np.copyto, (self.y.array[start : start + len(each.array)], each.array)) for start, each in self.copied]


class OnWindows(Node):
    """An operation that takes images of any layout in memory, as a block of one sample."""

    banded = False

    def __init__(self, x, y, placed, dtype):
        super().__init__(y)
        self.x, self.placed = x, placed
        self.own = placed.plan(x.shape, 1, dtype)

    def nbytes(self, dtype):
        return scratch_bytes(self.own.scratch, dtype)

    def calls(self, part, arena, dtype):
        arrays = {group: _as_planes(arena, shapes, dtype) for group, shapes in self.own.scratch.items()}
        frame = self.placed.frame(self.own, 1, dtype, x=self.x.block, y=self.y.block, scratch=Arrays(arrays))
        return [(self.placed.operation.forward, (frame, False))]


def _as_planes(arena, shapes, dtype):
    """Scratch arrays in which the image of each channel is contiguous, where they are images (H, W, C, 1)."""
    views = carve(arena, {"own": shapes}, dtype).own
    for name, view in views.items():
        if view.ndim == 4:
            height, width, channels, _ = view.shape
            views[name] = view.reshape(channels, height, width, 1).transpose(1, 2, 0, 3)
    return views


class InBlock(Node):
    """Any other operation, on a block of which the image is the first sample."""

    banded = False

    def __init__(self, x, y, placed, dtype):
        super().__init__(y)
        self.x, self.placed = x, placed
        self.own = placed.plan(x.shape, COLUMNS, dtype)
        self.stored, self.inside = (*x.shape, COLUMNS), (slice(None), slice(None))
        if (storage := self.own.x) is not None:
            self.stored = (storage.rows, storage.columns, x.shape[2], COLUMNS)
            first = storage.row, storage.column
            self.inside = tuple(slice(a, a + n) for a, n in zip(first, x.shape[:2], strict=True))
        self.out = (*placed.operation.output_shape(x.shape), COLUMNS)

    def nbytes(self, dtype):
        block = {"x": self.stored, "y": self.out}  # not in the scratch, since zeros stay in the borders
        return scratch_bytes(self.own.scratch, dtype) + scratch_bytes({"block": block}, dtype)

    def calls(self, part, arena, dtype):
        x, operation = aligned(self.stored, dtype), self.placed.operation
        inner = x[self.inside]
        y = inner if operation.in_place else aligned(self.out, dtype)
        arrays = {"x": inner, "x_storage": x, "y": y, "scratch": carve(arena, self.own.scratch, dtype)}
        frame = self.placed.frame(self.own, COLUMNS, dtype, **arrays)
        return [
            (np.copyto, (inner[..., :1], self.x.block)),
            (operation.forward, (frame, False)),
            (np.copyto, (self.y.block, y[..., :1])),
        ]
