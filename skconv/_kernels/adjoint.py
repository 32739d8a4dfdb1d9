"""The data gradient of a convolution: the same algorithms, on the output's gradient."""

from __future__ import annotations

from itertools import product
from math import gcd, prod
from typing import NamedTuple

from .algorithm import Correlation
from .choose import choose_convolution
from .geometry import Axis, Window
from .memory import Shapes, Storage

__all__ = ["PART_BYTES", "Adjoint", "count_parts"]

PART_BYTES = 4096  # of the objects that bind a part of a data gradient, or of a dilated image, to its arrays


def count_parts(axes: tuple[Axis, Axis]) -> int:
    """How many parts a data gradient has."""
    return prod(min(axis.stride // gcd(axis.stride, axis.dilation), axis.kernel, axis.size) for axis in axes)


class _Part(NamedTuple):
    """Inputs a stride apart, whose gradient is one correlation."""

    name: str  # of its weight and its scratch
    algorithm: Correlation
    taps: tuple[slice, slice]  # of the weight, before they are flipped
    source: tuple[slice, slice]  # rows and columns of the output's gradient within its borders
    into: tuple[slice, slice]  # rows and columns of the input's gradient


class Adjoint:
    """The data gradient of a convolution: a correlation with the flipped weight for each step of a stride.

    There is no multiplication with the zeros that stand between the outputs of a stride: 3 x 3, stride 2, 32 to 64
    channels: 0.75 times the time of all passes.

    Parameters
    ----------
    window : Window
        The convolution's, with its borders.
    channels, filters, groups, width : int
        The convolution's, and the columns of a block.
    dtype : dtype
    alike : bool, default=False
        Whether every column must be computed alike.

    Attributes
    ----------
    storage : Storage
        Where the output's gradient lies, zeros around it.
    shared : dict of shapes
        Prepared weights by part.
    scratch : dict of dicts of shapes
        A group for each part.
    temporary : int
        Bytes that a call allocates and gives back.
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False):
        self.groups, self.temporary = groups, 0
        self.parts: list[_Part] = []
        self.shared: Shapes = {}
        self.scratch: dict[str, Shapes] = {}
        (rows, top, height), (columns, left, across) = window.rows.adjoint(), window.columns.adjoint()
        strides = window.rows.stride, window.columns.stride
        reached = prod(min(axis.stride, axis.size) for axis in (window.rows, window.columns))
        self.reaches_all = len(rows) * len(columns) == reached  # whether each input has a gradient
        sizes = (filters, channels, groups, width, dtype, alike, strides[1] > 1)
        for row, column in product(rows, columns):
            name = f"adjoint{row.start}.{column.start}"
            algorithm = choose_convolution(Window(row.axis, column.axis), *sizes)
            source = slice(row.skip, None), slice(column.skip, None)
            into = slice(row.start, None, strides[0]), slice(column.start, None, strides[1])
            self.parts.append(_Part(name, algorithm, (row.taps, column.taps), source, into))
            self.shared[name], self.scratch[name] = algorithm.weight_shape, algorithm.scratch
            self.temporary = max(self.temporary, algorithm.temporary)
            height = max(height, row.skip + algorithm.stored_rows)
            across = max(across, column.skip + algorithm.stored_columns)
        self.storage = Storage(height, across, top, left)

    def prepare(self, weight, shared):
        """Fill the prepared weights from the convolution's."""
        by_group = weight.reshape(self.groups, -1, *weight.shape[1:])
        for part in self.parts:
            flipped = by_group[:, :, *part.taps][:, :, ::-1, ::-1].transpose(0, 4, 2, 3, 1)
            part.algorithm.prepare(flipped if self.groups > 1 else flipped[0], shared[part.name])

    def bind(self, dy, scratch, dx):
        """What `run` takes for the output's gradient within its borders and the input's."""
        return [part.algorithm.bind(dy[part.source], scratch[part.name], dx[part.into]) for part in self.parts]

    def run(self, bound, shared, dx):
        """Fill the input's gradient."""
        if not self.reaches_all:
            dx.fill(0)
        for part, bands in zip(self.parts, bound, strict=True):
            part.algorithm.run(bands, shared[part.name])
