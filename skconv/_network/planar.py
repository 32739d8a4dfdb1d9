"""Prediction of large images one by one: the channels of an image lie one after the other.

A block has 16 samples at least, whose images would not fit in any cache where they are large.  Here the columns of
products are positions of one image.  Steps become *nodes*, each of which makes an image from others, part by part;
what follows a convolution element by element is done on each part.  Branches that are concatenated are written
right into the concatenation, and images that are no longer needed give their memory to others.

Threads take whole images, or the parts of one image where there are fewer images than threads.  No bit depends on this,
since parts follow from sizes alone and each image is computed by the same calls.
"""

from __future__ import annotations

import numpy as np

from .._input.memory import check_available
from .._kernels.memory import aligned
from .._threads.team import SPLIT
from ..layers import Flatten
from .arena import Planes, Vector, arena_bytes, place
from .layout import n_body
from .nodes import Convolving, Elements, InBlock, Joining, Merging, Node, OnWindows, Placed

__all__ = ["Planar", "image_bytes", "is_planar", "tail"]

_LARGE = 1 << 20  # least numbers of a sample's activations for which images are predicted one by one


def is_planar(network) -> bool:
    """Whether images are predicted one by one: images, no series, with convolutions and large activations."""
    large = network.activation_bytes >= _LARGE * network.dtype.itemsize
    if not large or min(network.input_shape[:2]) == 1:
        return False
    return any(step.operation.single_sample == "product" for step in network.steps)


def image_bytes(network) -> int:
    """Bytes of the arrays of a `Planar` on one thread."""
    builder = _Builder(network)
    return arena_bytes(builder.images, network.dtype) + builder.scratch_bytes()


def _n_planar(network) -> int:
    """Number of steps that a `Planar` runs: those with images as outputs, and a summary of the last image."""
    n = n_body(network.steps)
    return n - network.steps[n - 1].operation.reshapes


def tail(network):
    """Network of the steps after those of a `Planar`, with the same memory; None if these only flatten.

    It is made once, so that its sessions are used again.
    """
    if network.pool.tail is None:
        network.pool.tail = (_tail(network),)
    return network.pool.tail[0]


def _tail(network):
    n = _n_planar(network)
    steps, shape = network.steps[n:], network.steps[n - 1].out
    if len(steps) <= int(len(shape) == 3):
        return None
    first = [] if len(shape) == 3 else [Flatten()]
    shape = shape if len(shape) == 3 else (1, 1, *shape)
    parameters, state = (sum(getattr(step, name) for step in network.steps[:n]) for name in ("n_parameters", "n_state"))
    rest = object.__new__(type(network))
    rest._set_layers([*first, *(step.operation for step in steps)], shape, network.dtype)
    rest.parameters, rest.state = network.parameters[parameters:], network.state[state:]
    return rest


class _Builder:
    """Nodes and images from the steps of a network.

    Attributes
    ----------
    nodes : list of Node
    images : list of Planes
    x, y : Planes
        The input, and the output of the last node.
    """

    def __init__(self, network):
        self.dtype, self.nodes, self.images = network.dtype, [], []
        self.forks: list[tuple[Planes, list[Planes]]] = []  # per open fork: its image, ends of its branches
        self.x = self.y = self._image(network.input_shape)
        n = _n_planar(network)
        for step, parameters, state in zip(network.steps[:n], *(each[:n] for each in network.views()), strict=True):
            placed = Placed(step.operation, step.shape, parameters, state)
            other = "windows" if step.operation.any_layout else "block"
            way = step.operation.joint or step.operation.single_sample or other
            getattr(self, f"_add_{way}")(placed, step.out)
        self.y.used(len(self.nodes))

    def scratch_bytes(self) -> int:
        """Bytes of the scratch of a thread."""
        return max(node.nbytes(self.dtype) for node in self.nodes)

    def _image(self, shape):
        kind = Planes if len(shape) == 3 else Vector
        image = kind(shape, len(self.nodes))
        self.images.append(image)
        return image

    def _add(self, node: Node, reads):
        for image in (*reads, node.y):
            image.used(len(self.nodes))
        self.nodes.append(node)
        self.y = node.y

    @property
    def _shared(self) -> bool:
        """Whether the present image is read again, by another branch."""
        return self.y is self.x or any(image.root is self.y.root for image, _ in self.forks)

    def _add_product(self, placed, shape):
        x, y = self.y, self._image(shape)
        self._add(Convolving(x, y, placed, self.dtype), [x])

    def _add_elements(self, placed, shape):
        last = self.nodes[-1] if self.nodes else None
        if self._shared or last is None or last.y is not self.y or not last.banded:
            x = self.y
            y = self._image(shape) if self._shared else x
            self._add(Elements(x, y, self.dtype), [x])
        self.nodes[-1].follow(placed)

    def _add_windows(self, placed, shape):
        x, y = self.y, self._image(shape)
        self._add(OnWindows(x, y, placed, self.dtype), [x])

    def _add_block(self, placed, shape):
        x, y = self.y, self._image(shape)
        self._add(InBlock(x, y, placed, self.dtype), [x])

    def _add_fork(self, placed, shape):
        self.forks.append((self.y, []))

    def _add_switch(self, placed, shape):
        image, ends = self.forks[-1]
        ends.append(self.y)
        self.y = image

    def _add_merge(self, placed, shape):
        image, ends = self.forks.pop()
        branches = iter([*ends, self.y])
        sources = [next(branches) if layered else image for layered in placed.operation.layered]
        y = self._image(shape)
        if placed.operation.merge == "concatenate":
            self._join(sources, y)
        else:
            function = {"add": np.add, "multiply": np.multiply}[placed.operation.merge]
            self._add(Merging(sources, y, function, self.dtype), sources)

    def _join(self, sources, y):
        parts, start = [], 0
        for source in sources:
            if source.whole is None and source is not self.x:
                source.join(y, start)
            else:
                parts.append((start, source))
            start += source.shape[2]
        self._add(Joining(parts, y), sources)


class Planar:
    """The arrays that run the first steps of a network on one image at a time, on ``threads`` threads.

    Parameters
    ----------
    network : Network
    threads : int, default=1
    copies : int, default=1
        Number of such sessions at the same time, for the check of memory.

    Attributes
    ----------
    width : int
        Key of the session in a `Pool`: minus ``threads``.
    """

    def __init__(self, network, threads=1, copies=1):
        self.width = -threads
        self.read, dtype, builder = network.read, network.dtype, _Builder(network)
        scratch = builder.scratch_bytes()
        what = f"the network's arrays for an image {' x '.join(map(str, network.input_shape))}"
        check_available(what, copies * (arena_bytes(builder.images, dtype) + threads * scratch))
        place(builder.images, dtype)
        arenas = [aligned((scratch,), np.uint8) for _ in range(threads)]
        self.phases = _phases(builder.nodes, arenas, dtype)
        self.row = aligned((1, builder.x.array.size), dtype)
        self.image, self.source = builder.x.cube, self.row.reshape(network.input_shape).transpose(2, 0, 1)
        self.output = builder.y.cube.transpose(1, 2, 0)

    def predict(self, sample, out, team, scaled=False):
        """Write the output for one sample ``(1, features)`` into ``out`` (numbers,)."""
        if scaled:
            np.copyto(self.row, sample)
        else:
            self.read(sample, self.row)
        np.copyto(self.image, self.source)
        for phase in self.phases:
            if len(phase) == 1:
                _run(phase[0])
            else:
                team.run(lambda k, phase=phase: _run(phase[k]), len(phase))
        np.copyto(out.reshape(self.output.shape), self.output)


def _run(calls):
    for function, arguments in calls:
        function(*arguments)


def _phases(nodes, arenas, dtype):
    """List of phases; a phase has a list of calls for each thread that works in it."""
    phases: list[list[list]] = [[[]]]
    for node in nodes:
        several = min(len(arenas), len(node.parts))
        if several == 1 or node.work < SPLIT:
            if len(phases[-1]) > 1:
                phases.append([[]])
            for part in node.parts:
                phases[-1][0] += node.calls(part, arenas[0], dtype)
        else:
            parts = np.array_split(np.arange(len(node.parts)), several)
            phases.append(
                [
                    [call for i in part for call in node.calls(node.parts[i], arena, dtype)]
                    for part, arena in zip(parts, arenas, strict=False)
                ]
            )
    return phases
