"""One sample without a block: the convolutions of a network with positions for columns, the rest as in a block."""

from __future__ import annotations

import numpy as np

from .._kernels.memory import Arrays, aligned, allocate
from .._kernels.single_sample import alone, as_image, columns_of
from ..layers._frame import Frame
from .session import Session

__all__ = ["Alone"]


class Alone:
    """The arrays that run a network on one sample; like a `Session` of width 1, with the bits of one of any width.

    For the products that is what `product` promises; the rest is done number by number.

    The steps from a first convolution on, as long as they are of kinds that can, run on the sample alone; those after
    them, the dense layers at least, run on a block whose other columns are not used.

    Parameters
    ----------
    network : Network
    width : int
        Of the block.
    """

    width = 1

    def __init__(self, network, width):
        self.block = Session(network, width, 1, training=False)
        self.frames = [placed.frames[0] for placed in self.block.placed]
        self.read = network.read
        self.image = aligned(network.input_shape, network.dtype)  # (H, W, C) of the last step so far
        self.first = self.image.reshape(1, -1)
        self.columns = None  # (A, B, C, N), where its numbers are computed; the image may be a copy of them
        self.back, self.settled = None, True  # that copy, and whether it is done
        self.calls: list = []
        self.ends: list = []  # of each step: the calls up to there and its image
        for placed in self.block.placed[: self.block.n_body]:
            if not self._add(placed):
                break
            self._settle()
            self.ends.append((len(self.calls), self.image))
        self._bind_rest(self.ends[-1][1] if self.ends else self.image, len(self.ends))

    # Binding

    def _add(self, placed):
        """Add the calls of a step; False where one of its parts has no way to run alone."""
        calls, step, arrays = len(self.calls), placed.step, (placed.parameters, placed.state, placed.shared)
        for part in step.operation.placed_parts(step.shape, *arrays):
            if not self._add_part(*part):
                del self.calls[calls:]
                return False
        return True

    def _add_part(self, operation, *arguments):
        way = operation.single_sample
        if way is None or (self.columns is None and way != "product"):
            return False
        add = {"product": self._add_convolution, "windows": self._add_pool, "elements": self._add_by_element}[way]
        return add(operation, *arguments)

    def _add_convolution(self, operation, shape, parameters, state, shared):
        self._settle()
        plan = operation.plan(shape, self.block.width, self.block.dtype, training=False, input_gradient=False)
        convolution = alone(plan.algorithm, operation.window(shape), self.image)
        if convolution is None:
            return False
        self.calls.append((convolution.run, (shared.weight,)))
        self.columns, self.image = convolution.columns, convolution.image
        self.back, self.settled = convolution.back, convolution.back is None
        return True

    def _settle(self):
        """Copy the columns to the image, where these are not the same."""
        if not self.settled:
            self.calls.append((np.copyto, self.back))
            self.settled = True

    def _add_pool(self, operation, shape, *arrays):
        """Windows over the image, as if it were a block of one."""
        self._settle()
        dtype, (P, Q, C) = self.block.dtype, operation.output_shape(shape)
        self.columns = aligned((1, 1, C, columns_of(P * Q)), dtype)
        x, self.image, self.back = self.image, as_image(self.columns, P, Q), None
        plan = operation.plan(shape, 1, dtype, training=False, input_gradient=False)
        scratch = Arrays({group: _planes(shapes, dtype) for group, shapes in plan.scratch.items()})
        frame = Frame(operation=operation, plan=plan, x=x[..., None], y=self.image[..., None], scratch=scratch)
        self.calls.append((operation.forward, (frame, False)))
        return True

    def _add_by_element(self, operation, shape, parameters, state, shared):
        """In place on all columns, as if positions were samples."""
        *shape, width = self.columns.shape  # of what lies there, not of the image
        dtype = self.block.dtype
        plan = operation.plan(tuple(shape), width, dtype, training=False, input_gradient=False)
        shared = allocate(plan.shared, dtype)
        operation.prepare(parameters, state, plan, shared)
        scratch = Arrays({group: allocate(shapes, dtype) for group, shapes in plan.scratch.items()})
        arrays = {"parameters": parameters, "state": state, "shared": shared, "scratch": scratch}
        frame = Frame(operation=operation, plan=plan, x=self.columns, y=self.columns, **arrays)
        self.calls.append((operation.forward, (frame, False)))
        self.settled = self.back is None
        return True

    def _bind_rest(self, image, done):
        """Put the image of the steps done into the first column of the block before the others."""
        frame, self.last = self.frames[done], image
        self.entry, self.rest = frame.x, self.frames[done:]
        if frame.operation.reshapes:
            self.entry, self.rest = frame.y.reshape(frame.x.shape, copy=False), self.frames[done + 1 :]

    # What the predictor calls

    def load(self, k, samples, scaled=False):
        """Take the sample ``(1, features)``, as `Session.load` does."""
        if scaled:
            np.copyto(self.first, samples)
        else:
            self.read(samples, self.first)

    def forward(self):
        """Outputs ``(units, 1)``."""
        for function, arguments in self.calls:
            function(*arguments)
        self.entry.fill(0)  # a step in place may have changed the other columns
        np.copyto(self.entry[..., 0], self.last)
        for frame in self.rest:
            frame.operation.forward(frame, False)
        return self.block.output[:, :1]


def _planes(shapes, dtype):
    """Arrays ``(H, W, C, 1)`` in which each channel's image lies in one piece, as in those they work with."""
    sizes = {name: (c, h, w) for name, (h, w, c, _) in shapes.items()}
    return Arrays({name: aligned(size, dtype).transpose(1, 2, 0)[..., None] for name, size in sizes.items()})
