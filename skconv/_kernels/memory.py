"""Arrays by name, carved out of memory that is allocated once."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

__all__ = ["Arrays", "Shapes", "Storage", "aligned", "allocate", "carve", "scratch_bytes", "shapes_bytes", "split"]

Shapes = dict[str, tuple[int, ...] | tuple[tuple[int, ...], np.dtype]]  # by name: shape, or (shape, dtype)


@dataclass(frozen=True)
class Storage:
    """Size ``rows`` by ``columns`` of an array with its borders; the array itself starts at ``(row, column)``."""

    rows: int
    columns: int
    row: int
    column: int


class MissingArray(AttributeError, KeyError):
    """No array has this name, asked for as a key or as an attribute."""


class Arrays(dict):
    """A dictionary of arrays, whose keys are attributes too."""

    __getattr__ = dict.__getitem__  # not a Python function, which would slow down loops over small arrays

    def __missing__(self, name):
        raise MissingArray(f"there is no array of the name {name}")


def aligned(shape, dtype, zero=True) -> np.ndarray:
    """An array that starts on a cache line, so that its alignment is the same in every run and block."""
    dtype = np.dtype(dtype)
    raw = (np.zeros if zero else np.empty)(prod(shape) * dtype.itemsize + 64, np.uint8)
    offset = -raw.ctypes.data % 64
    return raw[offset : offset + prod(shape) * dtype.itemsize].view(dtype).reshape(shape)


def split(flat: np.ndarray, shapes: dict[str, tuple[int, ...]]) -> Arrays:
    """Views of consecutive pieces of a flat vector, by name."""
    views, start = Arrays(), 0
    for name, shape in shapes.items():
        views[name] = flat[start : start + prod(shape)].reshape(shape)
        start += prod(shape)
    return views


def _with_dtype(shape, dtype):
    """``(shape, dtype)`` of a value of `Shapes`; ``dtype`` where the value has none."""
    return shape if len(shape) == 2 and isinstance(shape[0], tuple) else (shape, dtype)


def scratch_bytes(groups: dict[str, Shapes], dtype) -> int:
    """Bytes of the largest of a plan's scratch groups, with each array on a cache line."""
    sizes = [0]
    for shapes in groups.values():
        entries = [_with_dtype(entry, dtype) for entry in shapes.values()]
        sizes.append(sum(-(-prod(shape) * np.dtype(kind).itemsize // 64) * 64 for shape, kind in entries))
    return max(sizes)


def shapes_bytes(shapes: Shapes, dtype) -> int:
    """Bytes of arrays of these shapes."""
    entries = [_with_dtype(entry, dtype) for entry in shapes.values()]
    return sum(prod(shape) * np.dtype(kind).itemsize for shape, kind in entries)


def allocate(shapes: Shapes, dtype) -> Arrays:
    """Arrays of zeros of these shapes."""
    return Arrays({name: aligned(*_with_dtype(entry, dtype)) for name, entry in shapes.items()})


def carve(arena: np.ndarray, groups: dict[str, Shapes], dtype) -> Arrays:
    """Views of a plan's scratch groups in a thread's memory ``arena``; all groups start at its first byte."""
    views = Arrays()
    for group, shapes in groups.items():
        views[group], start = Arrays(), 0
        for name, entry in shapes.items():
            shape, kind = _with_dtype(entry, dtype)
            size = prod(shape) * np.dtype(kind).itemsize
            views[group][name] = arena[start : start + size].view(kind).reshape(shape)
            start += -(-size // 64) * 64
    return views
