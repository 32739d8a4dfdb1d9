"""Steps of branches that start from one image and come together again.

A network stays a chain of steps.  A composite lowers to ``Fork``, the steps of its first branch, ``Switch``, those of
the next, and so on, and ``Merge``; a branch without layers has no steps.  The frames of these operations read each
other's arrays (`Frame.group`): a switch starts a branch with a copy of the fork's input, and the merge reads the ends
of the branches, which are the inputs of the switches and of the merge.  In the backward pass the merge and the switches
pass on the gradient of the merge's output, and the fork adds up the gradients of the branches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._operation import Operation

__all__ = ["Fork", "Joint", "Merge", "Switch", "link"]


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
    """Start of branches; the first branch reads the image itself, so its first step must not overwrite the image."""

    in_place = True
    reads_output = True
    joint = "fork"

    def forward(self, frame, training):
        pass

    def backward(self, frame):
        """Add the gradients of the other branches to the first's; a branch without steps has the merge's gradient."""
        if frame.dx is None:
            return
        _, *switches, merge = frame.group
        for other in switches:
            np.add(frame.dx, other.dy, out=frame.dx)
        for number, layered in enumerate(merge.operation.layered):
            if not layered:
                np.add(frame.dx, merge.operation.part(merge.dy, number), out=frame.dx)


class Switch(Operation):
    """End of one branch, whose output is kept, and start of the next.

    Parameters
    ----------
    number : int
        Index of the branch that ends.
    shape : tuple of int
        Shape of the fork's image.
    """

    joint = "switch"

    def __init__(self, number, shape):
        self.number = number
        self.shape = shape

    def output_shape(self, shape):
        return self.shape

    def forward(self, frame, training):
        np.copyto(frame.y, frame.group[0].x)

    def backward(self, frame):
        if frame.dx is not None:
            merge = frame.group[-1]
            np.copyto(frame.dx, merge.operation.part(merge.dy, self.number))


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

    def part(self, array, number):
        """View of the channels of ``array`` that belong to branch ``number``."""
        if self.merge == "add":
            return array
        start = sum(self.channels[:number])
        return array[:, :, start : start + self.channels[number]]

    def forward(self, frame, training):
        fork, *ends = frame.group
        ends = iter(ends)
        sources = [next(ends).x if layered else fork.x for layered in self.layered]
        if self.merge == "concatenate":
            for number, source in enumerate(sources):
                np.copyto(self.part(frame.y, number), source)
        elif len(sources) == 1:
            np.copyto(frame.y, sources[0])
        else:
            np.add(*sources[:2], out=frame.y)
            for source in sources[2:]:
                np.add(frame.y, source, out=frame.y)

    def backward(self, frame):
        if frame.dx is not None:
            last = max(number for number, layered in enumerate(self.layered) if layered)
            np.copyto(frame.dx, self.part(frame.dy, last))
