"""The data gradient of a convolution: correlations of the output's gradient."""

from __future__ import annotations

from itertools import product
from math import gcd, prod
from typing import NamedTuple

from .algorithm import Correlation
from .choose import choose_convolution
from .geometry import Axis, Window
from .memory import Shapes, Storage

__all__ = ["PART_BYTES", "Adjoint", "count_parts"]

PART_BYTES = 4096  # bytes of the Python objects that `bind` makes per part of a data gradient or of a dilated image


def count_parts(axes: tuple[Axis, Axis]) -> int:
    """Number of correlations that the data gradient of a convolution along these axes takes."""
    return prod(min(axis.stride // gcd(axis.stride, axis.dilation), axis.kernel, axis.size) for axis in axes)


class _Part(NamedTuple):
    """One correlation, which gives the gradient of inputs that lie one stride apart."""

    name: str  # key of the part's arrays in ``shared`` and ``scratch``
    algorithm: Correlation
    taps: tuple[slice, slice]  # of the weight, not yet flipped
    source: tuple[slice, slice]  # rows and columns of the padded gradient of the output
    into: tuple[slice, slice]  # rows and columns of the input's gradient


class Adjoint:
    """The data gradient of a convolution: for each offset within a stride a correlation with flipped taps.

    The zeros that a stride leaves between outputs are never multiplied: with 3 x 3 taps, stride 2 and 32 to 64 channels
    all passes together take 0.75 times the time.

    Parameters
    ----------
    window : Window
        Windows of the convolution over the image and its borders.
    channels, filters, groups, width : int
        Channels, filters and groups of the convolution; samples of a block.
    dtype : dtype
    alike : bool, default=False
        Whether every column must be computed alike.

    Attributes
    ----------
    storage : Storage
        Size of the output's gradient with the zeros around it, and its place among them.
    shared : dict of shapes
        Prepared weight of each part.
    scratch : dict of dicts of shapes
        Scratch of each part.
    temporary : int
        Bytes that a call allocates and frees.
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
        """Fill ``shared``, the prepared weights of all parts, from the weight ``(F, R, S, C // G)``."""
        by_group = weight.reshape(self.groups, -1, *weight.shape[1:])
        for part in self.parts:
            flipped = by_group[:, :, *part.taps][:, :, ::-1, ::-1].transpose(0, 4, 2, 3, 1)
            part.algorithm.prepare(flipped if self.groups > 1 else flipped[0], shared[part.name])

    def bind(self, dy, scratch, dx):
        """List for `run`, by part: views of the padded gradient of the output and of the input's gradient ``dx``."""
        return [part.algorithm.bind(dy[part.source], scratch[part.name], dx[part.into]) for part in self.parts]

    def run(self, bound, shared, dx):
        """Fill the input's gradient ``dx`` (H, W, C, N)."""
        if not self.reaches_all:
            dx.fill(0)
        for part, bands in zip(self.parts, bound, strict=True):
            part.algorithm.run(bands, shared[part.name])
