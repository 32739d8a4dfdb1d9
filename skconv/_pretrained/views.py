"""How the axes of an ONNX tensor lie on an image (H, W, C).

Transposes, and reshapes that split or join axes, change this alone, and nothing is computed for them.  So the order of
axes in the file, channels first or last, does not matter, and weights are brought to our order once.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .nodes import Unsupported

__all__ = ["Atom", "View", "materialized", "to_image", "whole"]


class Atom(NamedTuple):
    """A part of an axis of the image: its index on the axis is the sum of ``index * step`` of its parts.

    Attributes
    ----------
    letter : {"N", "H", "W", "C"}
        Axis of the image; "N" is the axis of samples, of which a network has one.
    size, step : int
    """

    letter: str
    size: int
    step: int = 1


def whole(letter, size) -> tuple[Atom, ...]:
    """The whole axis of an image, without parts if its size is one."""
    return (Atom(letter, size),) if size > 1 else ()


class View(NamedTuple):
    """A tensor: the node that computes an image, and for each axis of the tensor the parts of the image's axes on it.

    The first part of an axis is the slowest.  Axes of size one have no parts, except the axis of samples.
    """

    node: Any
    axes: tuple[tuple[Atom, ...], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor, for one sample."""
        return tuple(prod(atom.size for atom in axis) for axis in self.axes)

    @property
    def batch(self) -> int | None:
        """Number of the axis of samples; None where it has been squeezed."""
        return next((i for i, axis in enumerate(self.axes) if any(atom.letter == "N" for atom in axis)), None)

    def on(self, node) -> View:
        """The same axes on another node, of an image of the same shape."""
        return View(node, self.axes)

    def transposed(self, order) -> View:
        """The axes in another order."""
        return View(self.node, tuple(self.axes[i] for i in order))

    def reshaped(self, shape) -> View:
        """The same numbers in the same order with other axes; raises `Unsupported` where axes would be cut."""
        atoms = [atom for axis in self.axes for atom in axis][::-1]
        axes: list[tuple[Atom, ...]] = []
        if any(atom.letter == "N" for atom in atoms) and atoms[-1].letter != "N":
            raise Unsupported("a reshape with samples that are not the first axis")
        if min(shape, default=1) < 1:
            raise Unsupported(f"a reshape from {self.shape} to {tuple(shape)}")
        for size in shape:
            axis, missing = [], size
            while atoms and (missing > 1 or (not axes and atoms[-1].letter == "N")):
                axis.append(_taken(atoms, missing, self.shape, shape))
                missing //= axis[-1].size
            if missing != 1:
                raise Unsupported(f"a reshape from {self.shape} to {tuple(shape)}")
            axes.append(_joined(axis))
        if atoms:
            raise Unsupported(f"a reshape from {self.shape} to {tuple(shape)}")
        return View(self.node, tuple(axes))


def _taken(atoms, most, before, after) -> Atom:
    """Take the part of the size ``most``, or a whole smaller one that divides it, off the end of the list ``atoms``."""
    letter, size, step = atoms.pop()
    if max(size, most) % min(size, most):
        raise Unsupported(f"a reshape from {tuple(before)} to {tuple(after)}, which cuts an axis of {size}")
    if size <= most:
        return Atom(letter, size, step)
    atoms.append(Atom(letter, size // most, step))
    return Atom(letter, most, step * (size // most))


def _joined(axis) -> tuple[Atom, ...]:
    """The parts of an axis, with neighbours that follow each other on an axis of the image as one."""
    joined: list[Atom] = []
    for atom in axis:
        if joined and joined[-1].letter == atom.letter != "N" and joined[-1].step == atom.size * atom.step:
            joined[-1] = Atom(atom.letter, joined[-1].size * atom.size, atom.step)
        else:
            joined.append(atom)
    return tuple(joined)


def to_image(array, axes) -> np.ndarray:
    """An array whose axes lie on an image like ``axes``, as an array ``(H or 1, W or 1, C or 1)``.

    An axis of size one is for all positions of the tensor's axis.  Raises `Unsupported` where it is for some parts of
    an axis of the image and not for others.
    """
    array = array.reshape((1,) * (len(axes) - array.ndim) + array.shape)
    sizes: list[int] = []
    atoms: list[Atom] = []
    for size, axis in zip(array.shape, axes, strict=True):
        parts = [atom for atom in axis if atom.letter != "N"]
        if size > 1 and size != prod(atom.size for atom in parts):
            raise Unsupported(f"a constant of shape {array.shape}, which does not fit the tensor it is combined with")
        sizes += [atom.size if size > 1 else 1 for atom in parts]
        atoms += parts
    order = sorted(range(len(atoms)), key=lambda i: ("HWC".index(atoms[i].letter), -atoms[i].step))
    parts = array.reshape(sizes).transpose(order)
    shape = []
    for letter in "HWC":
        own = [(atoms[i].size, sizes[i]) for i in order if atoms[i].letter == letter]
        spread = any(size > 1 for _, size in own)
        if spread and any(size != kept for size, kept in own):
            raise Unsupported("a constant with numbers for some parts of an axis")
        shape.append(prod(size for size, _ in own) if spread else 1)
    return parts.reshape(shape)


def _shuffled(axis, channels) -> int | None:
    """Number of groups of a shuffle of channels that gives this axis; None if the axis is no such shuffle.

    The channels as ``(groups, channels // groups)``, transposed: two parts of the axis, the second with the larger
    step.
    """
    if len(axis) != 2 or {atom.letter for atom in axis} != {"C"}:
        return None
    inner, outer = axis
    fits = inner.step == 1 and outer.step == inner.size and inner.size * outer.size == channels
    return outer.size if fits else None


def materialized(nodes, x: View) -> View:
    """The same tensor on an image with whole axes, where a layer moves its parts so."""
    channels = x.node.shape[2]
    for i, axis in enumerate(x.axes):
        groups = _shuffled(axis, channels)
        if groups is not None:
            return View(nodes.shuffled(x.node, groups), (*x.axes[:i], whole("C", channels), *x.axes[i + 1 :]))
    return x
