"""Steps of branches that start from one image and come together again.

A network stays a chain of steps.  A composite lowers to ``Fork``, the steps of its first branch, ``Switch``, those of
the next, and so on, and ``Merge``; a branch without layers has no steps.  The frames of these three know the
arrays of each other (`Frame.group`): a switch starts a branch from a copy of what the fork got, the merge takes the
ends of the branches, which are the inputs of the switches and its own.  Backward, the merge and the switches hand out
the merge's gradient, and the fork adds up those of the branches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._operation import Operation

__all__ = ["Fork", "Joint", "Merge", "Switch", "link"]


class Joint(NamedTuple):
    """What the others of a group may ask of a frame; a frame that knew itself would wait for the garbage collector."""

    operation: Operation
    x: np.ndarray
    dy: np.ndarray | None


def link(frames):
    """Tell the frames of each group of branches about each other."""
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
    """Where branches start: the first goes on with the image itself, so its first step must not overwrite it."""

    in_place = True
    reads_output = True
    joint = "fork"

    def forward(self, frame, training):
        pass

    def backward(self, frame):
        """Add to the first branch's gradient those of the others; a branch without steps has the merge's."""
        if frame.dx is None:
            return
        _, *switches, merge = frame.group
        for other in switches:
            np.add(frame.dx, other.dy, out=frame.dx)
        for number, layered in enumerate(merge.operation.layered):
            if not layered:
                np.add(frame.dx, merge.operation.part(merge.dy, number), out=frame.dx)


class Switch(Operation):
    """Between two branches: the result of one is kept, the next starts.

    Parameters
    ----------
    number : int
        The branch that ends here.
    shape : tuple of int
        Of the fork's image.
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
    """Where branches end.

    Parameters
    ----------
    merge : {"add", "concatenate"}
    channels : tuple of int
        Of each branch.
    layered : tuple of bool
        Of each branch, whether it has steps.
    """

    joint = "merge"

    def __init__(self, merge, channels, layered):
        self.merge = merge
        self.channels = channels
        self.layered = layered

    def output_shape(self, shape):
        return shape if self.merge == "add" else (*shape[:2], sum(self.channels))

    def part(self, array, number):
        """What belongs to one branch."""
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
