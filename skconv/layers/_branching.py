"""Steps of branches that start from one image and come together again.

A network stays a chain of steps.  A composite lowers to ``Fork``, the steps of its first branch, ``Switch``, those of
the next, and so on, and ``Merge``; a branch without layers has no steps.  The frames of these operations read each
other's arrays (`Frame.group`): a switch starts a branch with a copy of the fork's input, and the merge reads the ends
of the branches, which are the inputs of the switches and of the merge.  In the backward pass the merge and the switches
take the gradients of their branches from the gradient of the merge's output, and the fork adds up what comes out at the
starts of the branches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._kernels.sums import add_positions, partial_sums
from ._frame import Plan
from ._operation import Operation

__all__ = ["Fork", "Joint", "Merge", "Product", "Switch", "link"]


class Joint(NamedTuple):
    """Arrays of a frame for the other frames of its group; a reference to the frame itself would be a cycle."""

    operation: Operation
    x: np.ndarray
    dy: np.ndarray | None


def link(frames):
    """Set ``group`` of the frames of each fork with its switches and its merge."""
    open_: list[list[Joint]] = []
    for frame in frames:
        if frame.operation.joint == "fork":
            open_.append([])
        if frame.operation.joint is not None:
            open_[-1].append(Joint(frame.operation, frame.x, frame.dy))
            frame.group = open_[-1]
        if frame.operation.joint == "merge":
            open_.pop()


class Fork(Operation):
    """Start of branches; the first branch reads the image itself, so its first step must not overwrite the image.

    Parameters
    ----------
    merge : Merge
        Where the branches end.
    """

    in_place = True
    reads_output = True
    joint = "fork"

    def __init__(self, merge):
        self.merge = merge

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return self.merge.backward_plan(width, training, shape)

    def forward(self, frame, training):
        pass

    def backward(self, frame):
        """Add the gradients of the other branches to the first's; a branch without steps has the merge's gradient."""
        if frame.dx is None:
            return
        for other in frame.group[1:-1]:
            np.add(frame.dx, other.dy, out=frame.dx)
        for number, layered in enumerate(self.merge.layered):
            if not layered:
                self.merge.add_gradient(frame, number)


class Switch(Operation):
    """End of one branch, whose output is kept, and start of the next.

    Parameters
    ----------
    number : int
        Index of the branch that ends.
    shape : tuple of int
        Shape of the fork's image.
    merge : Merge
        Where the branches end.
    """

    joint = "switch"

    def __init__(self, number, shape, merge):
        self.number = number
        self.shape = shape
        self.merge = merge

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return self.merge.backward_plan(width, training)

    def output_shape(self, shape):
        return self.shape

    def forward(self, frame, training):
        np.copyto(frame.y, frame.group[0].x)

    def backward(self, frame):
        if frame.dx is not None:
            self.merge.write_gradient(frame, self.number)


class Merge(Operation):
    """End of branches, whose outputs are added or concatenated.

    Parameters
    ----------
    merge : {"add", "concatenate"}
    channels : tuple of int
        Channels of each branch.
    layered : tuple of bool
        Whether each branch has steps.
    """

    joint = "merge"

    def __init__(self, merge, channels, layered):
        self.merge = merge
        self.channels = channels
        self.layered = layered

    def output_shape(self, shape):
        return shape if self.merge == "add" else (*shape[:2], sum(self.channels))

    def backward_plan(self, width, training, image=None) -> Plan:
        """`Plan` of an operation of the group: the scratch of the gradients, at a fork also of an ``image`` to add."""
        return Plan()

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return self.backward_plan(width, training)

    def part(self, array, number):
        """View of the channels of ``array`` that belong to branch ``number``."""
        if self.merge == "add":
            return array
        start = sum(self.channels[:number])
        return array[:, :, start : start + self.channels[number]]

    def sources(self, group):
        """The end of each branch; of a branch without layers the fork's image."""
        fork, *ends = group
        ends = iter(ends)
        return [next(ends).x if layered else fork.x for layered in self.layered]

    def forward(self, frame, training):
        sources = self.sources(frame.group)
        if self.merge == "concatenate":
            for number, source in enumerate(sources):
                np.copyto(self.part(frame.y, number), source)
        elif len(sources) == 1:
            np.copyto(frame.y, sources[0])
        else:
            np.add(*sources[:2], out=frame.y)
            for source in sources[2:]:
                np.add(frame.y, source, out=frame.y)

    def write_gradient(self, frame, number):
        """Write the gradient of the end of branch ``number`` into ``frame.dx``."""
        np.copyto(frame.dx, self.part(frame.group[-1].dy, number))

    def add_gradient(self, frame, number):
        """Add the gradient of the end of branch ``number`` to ``frame.dx``."""
        np.add(frame.dx, self.part(frame.group[-1].dy, number), out=frame.dx)

    def backward(self, frame):
        if frame.dx is not None:
            self.write_gradient(frame, max(number for number, layered in enumerate(self.layered) if layered))


class Product(Merge):
    """End of branches, whose outputs are multiplied; an axis of length 1 is repeated.

    Parameters
    ----------
    shape : tuple of int
        Shape of the product.
    layered : tuple of bool
        Whether each branch has steps.
    """

    merge = "multiply"

    def __init__(self, shape, layered):
        self.shape = shape
        self.layered = layered

    def output_shape(self, shape):
        return self.shape

    def backward_plan(self, width, training, image=None):
        whole = (*self.shape, width)
        work = {"product": whole, **partial_sums(whole)}
        if image is not None:
            work["image"] = (*image, width)
        return Plan(scratch={"backward": work} if training else {})

    def forward(self, frame, training):
        first, *others = self.sources(frame.group)
        if not others:
            np.copyto(frame.y, first)
        for other in others:
            first = np.multiply(first, other, out=frame.y)

    def _gradient(self, frame, number, out):
        """The gradient of the output times the other branches, added up over the axes along which ``out`` is repeated.

        The ends of the branches are still in memory, since no step but a fork's first writes over its input.
        """
        work, (*_, merge) = frame.scratch.backward, frame.group
        repeated = tuple(axis for axis in range(3) if out.shape[axis] != merge.dy.shape[axis])
        product = work.product if repeated else out
        source = merge.dy
        for other, factor in enumerate(self.sources(frame.group)):
            if other != number:
                source = np.multiply(source, factor, out=product)
        if repeated == (0, 1):
            add_positions(source, work.get("parts"), out[0, 0])
        elif repeated:
            np.add.reduce(source, axis=repeated, keepdims=True, out=out)
        elif source is merge.dy:
            np.copyto(out, source)

    def write_gradient(self, frame, number):
        self._gradient(frame, number, frame.dx)

    def add_gradient(self, frame, number):
        image = frame.scratch.backward.image
        self._gradient(frame, number, image)
        np.add(frame.dx, image, out=frame.dx)
