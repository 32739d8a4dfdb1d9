"""Memory of a planar session: which part each image takes, and for how long."""

from __future__ import annotations

from math import prod

import numpy as np

from .._kernels.memory import aligned
from .._kernels.planes import cube

__all__ = ["Planes", "Vector", "arena_bytes", "place"]

_LINE, _PAGE = 16, 1024  # numbers of a cache line and of a page: rows a page apart share few lines of the cache


class Planes:
    """An image ``(H, W, C)`` in memory as planes ``(C, H * W)``: on its own, or some planes of a concatenation.

    Attributes
    ----------
    shape : (int, int, int)
    whole : Planes or None
        The concatenation that has the image's memory.
    offset : int
        First plane of the image in ``whole``.
    first, last : int
        Numbers of the first and the last node that uses the memory.
    array : ndarray of shape (C, H * W)
        The planes, once memory was allocated.
    """

    def __init__(self, shape, node):
        self.shape, self.whole, self.offset = shape, None, 0
        self.first = self.last = node
        self.array = np.empty((0, 0))

    @property
    def root(self) -> Planes:
        """The image that has the memory."""
        return self if self.whole is None else self.whole.root

    def used(self, node):
        """Note that a node uses the image."""
        root = self.root
        root.first, root.last = min(root.first, node), max(root.last, node)

    def join(self, whole, offset):
        """Make the image a part of a concatenation."""
        root = self.root
        root.whole, root.offset = whole, offset
        whole.first, whole.last = min(whole.first, root.first), max(whole.last, root.last)

    @property
    def stride(self) -> int:
        """Numbers from a plane to the next."""
        positions = prod(self.shape[:2])
        return positions if positions % _PAGE else positions + _LINE

    def nbytes(self, dtype) -> int:
        """Bytes of the image's own memory."""
        return self.shape[2] * self.stride * dtype.itemsize

    def allocated(self):
        """Set ``array`` of an image that is part of another."""
        if self.whole is not None:
            self.whole.allocated()
            self.array = self.whole.array[self.offset : self.offset + self.shape[2]]

    @property
    def cube(self):
        """View ``(C, H, W)``."""
        return cube(self.array, self.shape)

    @property
    def block(self):
        """View ``(H, W, C, 1)``: a block of one sample."""
        return self.cube.transpose(1, 2, 0)[..., None]


class Vector(Planes):
    """A vector ``(C,)``, as planes of one position."""

    def __init__(self, shape, node):
        super().__init__((1, 1, *shape), node)

    @property
    def block(self):
        """View ``(C, 1)``."""
        return self.array


def _offsets(images, dtype):
    """Offset in bytes of each image that has memory, so that images in use at the same time do not overlap; and all."""
    placed: list[tuple[int, int, Planes]] = []
    total = 0
    for image in sorted((each for each in images if each.whole is None), key=lambda each: (each.first, -each.last)):
        start, size = 0, -(-image.nbytes(dtype) // 64) * 64
        for begin, end, other in sorted(placed, key=lambda entry: entry[0]):
            if other.last < image.first or image.last < other.first:
                continue
            if start + size <= begin:
                break
            start = max(start, end)
        placed.append((start, start + size, image))
        total = max(total, start + size)
    return placed, total


def arena_bytes(images, dtype) -> int:
    """Bytes of the memory of all images."""
    return _offsets(images, dtype)[1]


def place(images, dtype):
    """Allocate the memory of images."""
    placed, total = _offsets(images, dtype)
    arena = aligned((total,), np.uint8)
    for start, _, image in placed:
        planes = arena[start : start + image.nbytes(dtype)].view(dtype).reshape(image.shape[2], image.stride)
        image.array = planes[:, : prod(image.shape[:2])]
    for image in images:
        image.allocated()
