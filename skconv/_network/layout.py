"""Shapes and bytes of a session's arrays, computed before any array is allocated."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from .._kernels.memory import Arrays, Shapes, scratch_bytes, shapes_bytes
from .._threads.team import SPLIT
from ..layers import Frame, Plan
from .steps import Step, check_arrays

__all__ = ["Layout", "PlacedStep"]

_ASIDE = 1 << 20  # least multiply-adds of a weight gradient that is worth a hand-off of about 60 us


def n_body(steps) -> int:
    """Number of steps up to the first whose output is a vector."""
    return 1 + next(i for i, step in enumerate(steps) if len(step.out) == 1)


def gradients_wanted(steps, trained) -> list[bool]:
    """Whether the gradient of each step's input, and of the last output, is wanted: whether a step before is trained.

    Parameters
    ----------
    steps : list of Step
    trained : list of bool
        Whether each step has parameters that are trained.
    """
    wanted, open_ = [False], []  # per open fork: whether wanted at its start, whether at the end of a branch so far
    for step, own in zip(steps, trained, strict=True):
        now = wanted[-1]
        if step.operation.joint == "fork":
            open_.append([now, now])
        elif step.operation.joint == "switch":
            open_[-1][1] |= now
            now = open_[-1][0]
        elif step.operation.joint == "merge":
            now |= open_.pop()[1]
        wanted.append(now or own)
    return wanted


@dataclass(eq=False)
class PlacedStep:
    """A step of a layout, with properties that depend on the other steps and, in a session, its arrays.

    Attributes
    ----------
    step : Step
    plan : Plan
    training : bool
        Whether the step runs as in training; otherwise as in prediction.
    in_place : bool
        Whether the output is written over the input.
    trained : bool
        Whether the step's parameters are trained.
    wanted, wanted_after : bool
        Whether the gradients of the input and of the output are wanted.
    own_output, own_gradient : bool
        Whether the output, and the gradient of the output, have arrays of their own; otherwise those of the input.
    aside : bool
        Whether the weight gradient is put aside.
    aside_scratch : dict of dicts of shapes
        Scratch of a gradient that is put aside, and so runs at the same time as other steps.
    parameters, state, shared, gradients : Arrays
        Arrays of all blocks; ``gradients`` is None outside training.
    y, dy : ndarray of shape (units, columns) or None
        Output and its gradient, for vectors: all blocks side by side.  Of images each block has arrays of its own.
    frames : list of Frame
        Frames of the blocks.
    late : Frame or None
        Frame of all columns, for the gradient of a late step.
    """

    step: Step
    training: bool
    in_place: bool
    trained: bool
    wanted: bool
    wanted_after: bool
    own_output: bool
    own_gradient: bool
    plan: Plan = field(init=False)
    aside: bool = False
    aside_scratch: dict[str, Shapes] = field(default_factory=dict)
    parameters: Arrays = field(init=False)
    state: Arrays = field(init=False)
    shared: Arrays = field(init=False)
    gradients: Arrays | None = None
    y: np.ndarray | None = None
    dy: np.ndarray | None = None
    frames: list[Frame] = field(default_factory=list)
    late: Frame | None = None

    @property
    def options(self) -> dict[str, bool]:
        """Keyword arguments of `Operation.plan` and `Operation.least_bytes`."""
        return {"training": self.training, "input_gradient": self.wanted}

    @property
    def early(self) -> bool:
        """Whether each block computes a share of the gradient of the parameters."""
        return self.trained and not self.step.operation.late

    @property
    def gradient_is_nobodys(self) -> bool:
        """Whether the backward pass writes a gradient of frozen parameters, which is not used."""
        return self.wanted and not self.trained and not self.step.operation.late


def _within(shape, width, wanted):
    """Shape of an array of images with the borders of a `Storage`, and slices of the images in it; None without."""
    if wanted is None:
        return (*shape, width), None
    rows = slice(wanted.row, wanted.row + shape[0])
    columns = slice(wanted.column, wanted.column + shape[1])
    return (wanted.rows, wanted.columns, shape[2], width), (rows, columns)


class Layout:
    """Shapes of the arrays that run a network on ``blocks`` blocks of ``width`` samples.

    Parameters
    ----------
    network : Network
    width, blocks : int
    training : bool
        Whether gradients are wanted.
    threads : int, default=1
    copies : int, default=1
        Number of such sessions at the same time.
    beside : int, default=0
        Bytes that the caller will allocate, counted in checks of memory.

    Raises
    ------
    ValueError
        If there is not enough memory; where shapes alone show it, before any plan, which may have large tables.
    """

    def __init__(self, network, width, blocks, *, training, threads=1, copies=1, beside=0):
        # No reference to the network, which keeps sessions: a cycle would wait for the garbage collector.
        self.dtype, self.input_shape, self.n_parameters = network.dtype, network.input_shape, len(network.parameters)
        self.width, self.blocks, self.training = width, blocks, training
        self.threads = min(threads, blocks)
        self.placed = self._place(network)
        self._check(self._least(), copies, beside)
        for placed in self.placed:
            step = placed.step
            placed.plan = step.operation.plan(step.shape, width, self.dtype, **placed.options)
        self._choose_aside(threads)
        self._check(self.step_bytes(), copies, beside + copies * self.common_bytes())

    @property
    def steps(self):
        """The `Step` of each placed step."""
        return [placed.step for placed in self.placed]

    def _place(self, network) -> list[PlacedStep]:
        """All steps of the network as `PlacedStep`."""
        steps = network.training_steps() if self.training else network.fused_steps()
        self.n_body = n_body(steps)
        frozen = [network.is_frozen(step) for step in steps]
        trained = [self.training and step.n_parameters > 0 and not own for step, own in zip(steps, frozen, strict=True)]
        wanted = gradients_wanted(steps, trained)
        return [self._placed(steps, i, frozen[i], trained[i], wanted) for i in range(len(steps))]

    def _placed(self, steps, i, frozen, trained, wanted) -> PlacedStep:
        step, after = steps[i], wanted[i + 1]
        # A fork does not write over the output of the operation before, which that operation may read backward.
        read_later = i > 0 and steps[i - 1].operation.reads_output and step.operation.joint != "fork"
        in_place = step.operation.in_place and not read_later
        own_output = not in_place or i == self.n_body - 1
        asked = after or (self.training and i == len(steps) - 1)
        own_gradient = asked and (own_output or not wanted[i])
        training = self.training and not (frozen and step.operation.synchronous)
        return PlacedStep(step, training, in_place, trained, wanted[i], after, own_output, own_gradient)

    def _choose_aside(self, threads):
        """Set which steps put their weight gradients aside."""
        several = self.training and self.blocks == 1 and threads > 1
        for placed in self.placed:
            step, plan = placed.step, placed.plan
            work = self.width * step.operation.multiply_adds(step.shape)
            fits = plan.aside or (step.operation.late and work < SPLIT)  # a larger product is spread over all threads
            placed.aside = several and placed.trained and fits and work >= _ASIDE
            if placed.aside and plan.aside:
                placed.aside_scratch = {"gradient": plan.scratch["gradient"]}

    def _consumer(self, i):
        """Index of the first step from i on that is not in place."""
        while i < self.n_body and self.placed[i].in_place:
            i += 1
        return i

    def input_storage(self, i):
        """Shape of the array for the input of step i with the borders of its `_consumer`, and the input's slices."""
        consumer = self._consumer(i)
        wanted = self.placed[consumer].plan.x if consumer < len(self.placed) else None
        return _within(self.placed[i].step.shape, self.width, wanted)

    def gradient_storage(self, i):
        """Shape of the array for the gradient of step i's output with its borders, and the gradient's slices."""
        placed = self.placed[i]
        return _within(placed.step.out, self.width, placed.plan.dy)

    def n_early(self) -> int:
        """Number of parameters of whose gradient each block computes a share."""
        return sum(placed.step.n_parameters for placed in self.placed if placed.early)

    def _least(self):
        """Lower limits of the bytes of each step's arrays, without plans: outputs and `Operation.least_bytes`."""
        dtype, columns = self.dtype, self.width * self.blocks
        sizes = []
        for placed in self.placed:
            step = placed.step
            known = step.operation.least_bytes(step.shape, columns, dtype, **placed.options)
            sizes.append(dtype.itemsize * columns * prod(step.out) * placed.own_output + known)
        return sizes

    def step_bytes(self) -> list[int]:
        """Bytes of each step's arrays; scratch, which all steps share, counts for the step that needs most."""
        dtype, item, all_placed = self.dtype, self.dtype.itemsize, self.placed
        own = [0] * len(all_placed)

        def store(i, reader, shape, whole):
            own[i] += self.blocks * item * prod(shape)
            own[reader] += self.blocks * item * (prod(whole) - prod(shape))  # borders

        store(0, self._consumer(0), (*self.input_shape, self.width), self.input_storage(0)[0])
        for i, placed in enumerate(all_placed):
            shape = (*placed.step.out, self.width)
            body = i < self.n_body - 1
            if placed.own_output:
                whole = self.input_storage(i + 1)[0] if body else shape
                store(i, self._consumer(i + 1) if body else i, shape, whole)
            if placed.own_gradient:
                store(i, i, shape, self.gradient_storage(i)[0] if body else shape)
            own[i] += self.blocks * shapes_bytes(placed.plan.buffers, dtype) + shapes_bytes(placed.plan.shared, dtype)
            if placed.gradient_is_nobodys:
                own[i] += self.blocks * shapes_bytes(placed.step.parameter_shapes, dtype)
        plans = [placed.plan for placed in all_placed]
        for work in ([scratch_bytes(plan.scratch, dtype) for plan in plans], [plan.temporary for plan in plans]):
            largest = max(range(len(work)), key=work.__getitem__)
            own[largest] += self.threads * work[largest]
        return own

    def common_bytes(self) -> int:
        """Bytes of the arrays that belong to no step."""
        item, columns = self.dtype.itemsize, self.width * self.blocks
        numbers = columns * (prod(self.input_shape) + 16) + columns
        if self.training:
            numbers += self.n_parameters + self.n_early() * (self.blocks if self.blocks > 1 else 0)
        return item * numbers + max(scratch_bytes(placed.aside_scratch, self.dtype) for placed in self.placed)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays of a session."""
        return sum(self.step_bytes()) + self.common_bytes()

    def _check(self, sizes, copies, beside):
        sizes = [copies * size for size in sizes]
        check_arrays(self.steps, sizes, copies * self.blocks * self.width, beside)
