"""Prediction of one sample: convolutions with positions as columns of products, later steps as in a block."""

from __future__ import annotations

import numpy as np

from .._kernels.memory import Arrays, aligned, allocate
from .._kernels.single_sample import alone, as_image, columns_of
from ..layers._frame import Frame
from .session import Session

__all__ = ["Alone"]


class Alone:
    """The arrays that run a network on one sample: a `Session` of width 1, with the bits of one of any width.

    Products have the same bits by `product`; all else is elementwise.  The steps up to the first that has no way to run
    on one sample run on the sample alone; the others, at least the dense layers, run on a block with unused columns.

    Parameters
    ----------
    network : Network
    width : int
        Samples of the block.
    """

    width = 1

    def __init__(self, network, width):
        self.block = Session(network, width, 1, training=False)
        self.frames = [placed.frames[0] for placed in self.block.placed]
        self.read = network.read
        self.image = aligned(network.input_shape, network.dtype)  # output (H, W, C) of the last step that was added
        self.first = self.image.reshape(1, -1)
        self.columns = None  # (A, B, C, N), the numbers of that step; ``image`` is a view or a copy of them
        self.back, self.settled = None, True  # arguments of the copy, and whether its call was added
        self.calls: list = []
        self.ends: list = []  # per step: number of calls up to its end, its image
        for placed in self.block.placed[: self.block.n_body]:
            if not self._add(placed):
                break
            self._settle()
            self.ends.append((len(self.calls), self.image))
        self._bind_rest(self.ends[-1][1] if self.ends else self.image, len(self.ends))

    def _add(self, placed):
        """Add the calls of a step; return False where a part of the step has no way to run on one sample."""
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
        """Add the call that copies the columns to the image, where the image is no view of them."""
        if not self.settled:
            self.calls.append((np.copyto, self.back))
            self.settled = True

    def _add_pool(self, operation, shape, *arrays):
        """Add an operation on windows, with the image as a block of one sample."""
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
        """Add an elementwise operation, in place on all columns, with positions as samples."""
        *shape, width = self.columns.shape  # shape of the columns, not of the image
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
        """Set the frames after the first ``done`` steps, and the block's array whose first column takes their image."""
        frame, self.last = self.frames[done], image
        self.entry, self.rest = frame.x, self.frames[done:]
        if frame.operation.reshapes:
            self.entry, self.rest = frame.y.reshape(frame.x.shape, copy=False), self.frames[done + 1 :]

    def load(self, k, samples, scaled=False):
        """Load one sample ``(1, features)``, as `Session.load`."""
        if scaled:
            np.copyto(self.first, samples)
        else:
            self.read(samples, self.first)

    def forward(self):
        """Return the outputs ``(units, 1)``."""
        for function, arguments in self.calls:
            function(*arguments)
        self.entry.fill(0)  # a step in place may have changed the other columns
        np.copyto(self.entry[..., 0], self.last)
        for frame in self.rest:
            frame.operation.forward(frame, False)
        return self.block.output[:, :1]


def _planes(shapes, dtype):
    """Arrays ``(H, W, C, 1)`` in which the image of each channel is contiguous, as in `as_image`."""
    sizes = {name: (c, h, w) for name, (h, w, c, _) in shapes.items()}
    return Arrays({name: aligned(size, dtype).transpose(1, 2, 0)[..., None] for name, size in sizes.items()})
