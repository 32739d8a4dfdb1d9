"""What arrays a session has, and how many bytes they take: known from integers, before any is allocated."""

from __future__ import annotations

from math import prod

from .._kernels.memory import scratch_bytes, shapes_bytes
from .._threads.team import SPLIT
from .network import check_arrays, gradients_wanted, n_body

__all__ = ["Layout"]

_ASIDE = 1 << 20  # multiply-adds below which a weight's gradient is not worth a hand-off of about 60 us


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
        How many sessions like this one there will be at once.
    beside : int, default=0
        Bytes that the caller will allocate beside them.

    Raises
    ------
    ValueError
        Where there is not as much memory; no layer has made its plan then, which may have tables.
    """

    def __init__(self, network, width, blocks, *, training, threads=1, copies=1, beside=0):
        # Not the network itself, which keeps sessions: in a circle they would wait for the garbage collector.
        self.dtype, self.input_shape, self.n_parameters = network.dtype, network.input_shape, len(network.parameters)
        self.width, self.blocks, self.training = width, blocks, training
        self.threads = min(threads, blocks)
        steps = self.steps = network.training_steps() if training else network.fused_steps()
        self.n_body = n_body(steps)
        self.in_place = [
            step.layer.in_place
            and (i == 0 or not steps[i - 1].layer.reads_output or step.layer.joint == "fork")  # which writes nothing
            for i, step in enumerate(steps)
        ]
        self.trained = [training and bool(step.n_parameters) and not network.is_frozen(step) for step in steps]
        self.wanted = gradients_wanted(steps, self.trained)  # of each step's input, and of the last output
        options = [{"training": training, "input_gradient": wanted} for wanted in self.wanted[:-1]]
        self._check(self._least(options), copies, beside)
        self.plans = [
            step.layer.plan(step.shape, width, network.dtype, **each) for step, each in zip(steps, options, strict=True)
        ]
        self._choose_aside(threads)
        self._check(self.step_bytes(), copies, beside + copies * self.common_bytes())

    def _choose_aside(self, threads):
        """Steps whose weight's gradient is put aside, and memory for what they do: it runs beside the others."""
        several = self.training and self.blocks == 1 and threads > 1
        self.aside = []
        for step, plan, trained in zip(self.steps, self.plans, self.trained, strict=True):
            work = self.width * step.layer.multiply_adds(step.shape)
            fits = plan.aside or (step.layer.late and work < SPLIT)  # a larger product is spread over all threads
            self.aside.append(several and trained and fits and work >= _ASIDE)
        self.aside_scratch = [
            {"gradient": plan.scratch["gradient"]} if aside and plan.aside else {}
            for plan, aside in zip(self.plans, self.aside, strict=True)
        ]

    # Shapes

    def storage(self, i, consumer=None, producer=None):
        """Shape of the array for the input of step i (or its gradient) within the borders somebody wants, and where
        the values lie in it; None where there are no borders.
        """
        shape, wanted = self.steps[i].shape, None
        if consumer is not None:
            consumer = self._consumer(consumer)
            wanted = self.plans[consumer].x if consumer < len(self.plans) else None
        elif producer is not None:
            wanted = self.plans[producer].dy
        if wanted is None:
            return (*shape, self.width), None
        rows = slice(wanted.row, wanted.row + shape[0])
        columns = slice(wanted.column, wanted.column + shape[1])
        return (wanted.rows, wanted.columns, shape[2], self.width), (rows, columns)

    def _consumer(self, i):
        """The step that reads what step i gets: the next one that is not in place."""
        while i < self.n_body and self.in_place[i]:
            i += 1
        return i

    def own_output(self, i) -> bool:
        """Whether step i has an array of its own for its output, or writes into its input's."""
        return not self.in_place[i] or i == self.n_body - 1

    def own_gradient(self, i) -> bool:
        """Whether step i has an array of its own for the gradient of its output."""
        wanted = self.wanted[i + 1] or (self.training and i == len(self.steps) - 1)
        return wanted and (self.own_output(i) or not self.wanted[i])

    def has_frozen_gradients(self, i) -> bool:
        """Whether the backward pass of step i writes a gradient of parameters that is nobody's."""
        return self.training and not self.trained[i] and self.wanted[i] and not self.steps[i].layer.late

    def n_early(self) -> int:
        """Parameters whose gradient each block has a share of."""
        pairs = zip(self.steps, self.trained, strict=True)
        return sum(step.n_parameters for step, trained in pairs if trained and not step.layer.late)

    # Bytes

    def _least(self, options):
        """Bytes at least of each step's arrays, from shapes alone: outputs, and what layers know before their plan."""
        dtype, columns = self.dtype, self.width * self.blocks
        return [
            dtype.itemsize * columns * (prod(step.out) if self.own_output(i) else 0)
            + step.layer.least_bytes(step.shape, columns, dtype, **options[i])
            for i, step in enumerate(self.steps)
        ]

    def step_bytes(self) -> list[int]:
        """Bytes of each step's arrays, those in the memory that the threads share at the step that needs most."""
        dtype, item, steps = self.dtype, self.dtype.itemsize, self.steps
        own = [0] * len(steps)

        def store(i, asker, shape, whole):
            own[i] += self.blocks * item * prod(shape)
            own[asker] += self.blocks * item * (prod(whole) - prod(shape))  # borders

        store(0, self._consumer(0), (*steps[0].shape, self.width), self.storage(0, consumer=0)[0])
        for i, step in enumerate(steps):
            shape = (*step.out, self.width)
            body = i < self.n_body - 1
            if self.own_output(i):
                whole = self.storage(i + 1, consumer=i + 1)[0] if body else shape
                store(i, self._consumer(i + 1) if body else i, shape, whole)
            if self.own_gradient(i):
                store(i, i, shape, self.storage(i + 1, producer=i)[0] if body else shape)
            plan = self.plans[i]
            own[i] += self.blocks * shapes_bytes(plan.buffers, dtype) + shapes_bytes(plan.shared, dtype)
            if self.has_frozen_gradients(i):
                own[i] += self.blocks * shapes_bytes(step.parameter_shapes, dtype)
        for work in ([scratch_bytes(plan.scratch, dtype) for plan in self.plans], [p.temporary for p in self.plans]):
            largest = max(range(len(work)), key=work.__getitem__)
            own[largest] += self.threads * work[largest]
        return own

    def common_bytes(self) -> int:
        """Bytes of the arrays that belong to no step."""
        item, columns = self.dtype.itemsize, self.width * self.blocks
        numbers = columns * (prod(self.input_shape) + 16) + columns
        if self.training:
            numbers += self.n_parameters + self.n_early() * (self.blocks if self.blocks > 1 else 0)
        return item * numbers + max(scratch_bytes(groups, self.dtype) for groups in self.aside_scratch)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays of a session."""
        return sum(self.step_bytes()) + self.common_bytes()

    def _check(self, sizes, copies, beside):
        sizes = [copies * size for size in sizes]
        check_arrays(self.steps, sizes, copies * self.blocks * self.width, beside)
