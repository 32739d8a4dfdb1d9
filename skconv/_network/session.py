"""Sessions: the arrays that run a network on blocks of samples, and how wide the blocks are."""

from __future__ import annotations

from math import ceil, prod

import numpy as np

from .._kernels.memory import aligned, allocate, carve, scratch_bytes, split
from .._kernels.products import COLUMNS
from ..layers import Layer
from ..layers._branching import Joint
from ..layers._frame import Frame
from .layout import Layout

__all__ = ["Session", "fitting_width", "training_width"]

MIN_BLOCK_WORK = 1 << 24  # multiply-adds below which a block is not worth a thread
_MAX_BLOCK_BYTES = 1 << 26  # activations of a block


def fitting_width(width, network):
    """The width, halved until a block's activations are of bounded size."""
    while width > COLUMNS and width * network.activation_bytes > _MAX_BLOCK_BYTES:
        width //= 2
    return width


def training_width(network, batch: int) -> int:
    """Samples a block in training: a measured rule of the sizes alone, never of the threads.

    A batch gives two blocks at least, unless that leaves a block with too little work for a thread; more blocks where
    they would be wider than 64 columns, at which products are efficient, or too large for the caches.
    """
    blocks = max(2, ceil(batch / fitting_width(64, network)))
    blocks = max(1, min(blocks, batch * network.multiply_adds // MIN_BLOCK_WORK, ceil(batch / COLUMNS)))
    return ceil(ceil(batch / blocks) / COLUMNS) * COLUMNS


def _link(frames):
    """Tell the frames of each group of branches about each other."""
    open_: list[list[Joint]] = []
    for frame in frames:
        if frame.layer.joint == "fork":
            open_.append([])
        if frame.layer.joint is not None:
            open_[-1].append(Joint(frame.layer, frame.x, frame.dy))
            frame.group = open_[-1]
        if frame.layer.joint == "merge":
            open_.pop()


class Session(Layout):
    """The arrays that run a network on ``blocks`` blocks of ``width`` samples.

    A task takes one block through all layers, forward, loss and backward, so that a step hands work to the threads
    once.  Vectors of all blocks lie side by side, ``(units, columns)``: a late layer takes its gradient from the whole
    batch afterwards.  A synchronous layer ends a phase: every block measures, the batch agrees, every block goes on.
    Where there is one block, a second thread takes the gradients of weights while the backward pass goes on.

    Parameters
    ----------
    network : Network
    width, blocks : int
    training : bool
        Whether gradients are wanted.
    team : Team, default=None
        The threads; None runs in the calling thread.
    seed : int, default=0
        Of the blocks' random streams.
    copies, beside : int
        What else there will be, see `Layout`.
    """

    def __init__(self, network, width, blocks, *, training, team=None, seed=0, copies=1, beside=0):
        threads = 1 if team is None else team.threads
        super().__init__(network, width, blocks, training=training, threads=threads, copies=copies, beside=beside)
        self.team, steps = team, self.steps
        self.parameters, self.state = network.views(steps=steps)
        self.shared = [allocate(plan.shared, network.dtype) for plan in self.plans]
        self.weight = aligned((width * blocks,), network.dtype)
        # Samples as rows, at a distance that is no multiple of a page: a transposition of rows a page apart takes twice
        # as long, since they fall on the same few lines of the cache.
        features = prod(network.input_shape)
        self.rows = aligned((blocks, width, features + 16), network.dtype)[..., :features]
        self._allocate_vectors()
        self._allocate_gradients(network)
        size = max(scratch_bytes(plan.scratch, network.dtype) for plan in self.plans)
        arenas = [aligned((size,), np.uint8) for _ in range(self.threads)]
        size = max(scratch_bytes(groups, network.dtype) for groups in self.aside_scratch)
        self.aside_arena = aligned((size,), np.uint8)
        self.frames = [self._frames(k, arenas[k % len(arenas)], seed) for k in range(blocks)]
        self.late = {i: self._late_frame(i) for i, step in enumerate(steps) if self.trained[i] and step.layer.late}
        self.preparations = [
            (step.layer.prepare, arrays)
            for step, *arrays in zip(steps, self.parameters, self.state, self.plans, self.shared, strict=True)
            if type(step.layer).prepare is not Layer.prepare
        ]
        self.forward_program = self._forward_program()
        self.backward_program = self._backward_program() if training else []
        self.prepare()

    # Arrays

    def _allocate_vectors(self):
        """Outputs of the steps from the first vector on, and their gradients, of all blocks side by side."""
        self.vectors: dict[int, np.ndarray] = {}
        self.vector_gradients: dict[int, np.ndarray] = {}
        dtype, last = self.dtype, len(self.steps) - 1
        for i in range(self.n_body - 1, last + 1):
            shape = (*self.steps[i].out, self.width * self.blocks)
            self.vectors[i] = aligned(shape, dtype) if self.own_output(i) else self.vectors[i - 1]
            if self.own_gradient(i):
                self.vector_gradients[i] = aligned(shape, dtype)
            elif self.wanted[i + 1]:
                self.vector_gradients[i] = self.vector_gradients[i - 1]
        self.output, self.output_gradient = self.vectors[last], self.vector_gradients.get(last)

    def _allocate_gradients(self, network):
        """The batch's gradient, and each block's share of the part that is not a late layer's."""
        self.gradient = aligned((self.n_parameters if self.training else 0,), self.dtype)
        self.whole = network.views(self.gradient, self.steps)[0] if self.training else []
        self.early = []  # where the blocks' shares go: (slice of the gradient, slice of a share)
        start = total = 0
        for step, trained in zip(self.steps, self.trained, strict=True):
            n = step.n_parameters
            if trained and not step.layer.late:
                self.early.append((slice(start, start + n), slice(total, total + n)))
                total += n
            start += n
        self.block_gradients = aligned((self.blocks if self.blocks > 1 else 0, self.n_early()), self.dtype)

    def _gradients(self, k):
        """Per step, where block k puts its gradient."""
        if not self.training:
            return [None] * len(self.steps)
        views, start = [], 0
        for i, step in enumerate(self.steps):
            if not self.trained[i]:  # frozen: what its backward pass writes is nobody's
                shapes = step.parameter_shapes if self.has_frozen_gradients(i) else {}
                views.append(allocate(shapes, self.dtype))
            elif self.blocks == 1:
                views.append(self.whole[i])
            else:
                n = 0 if step.layer.late else step.n_parameters
                views.append(split(self.block_gradients[k, start : start + n], step.parameter_shapes if n else {}))
                start += n
        return views

    def _store(self, i, consumer=None, producer=None):
        """An array for the values at the input of step i (or their gradient), within the borders somebody wants."""
        shape, inside = self.storage(i, consumer, producer)
        whole = aligned(shape, self.dtype)
        return whole if inside is None else whole[inside], whole

    def _ends(self, i, columns, x, dx):
        """Output of step i with its storage, and its gradient with that one's; ``x`` and ``dx`` are the input's."""
        if i >= self.n_body - 1:
            y, dy = self.vectors[i][:, columns], self.vector_gradients.get(i)
            dy = None if dy is None else dy[:, columns]
            return (y, y), (dy, dy)
        y = self._store(i + 1, consumer=i + 1) if self.own_output(i) else x
        if self.own_gradient(i):
            return y, self._store(i + 1, producer=i)
        return y, (dx, dx) if self.wanted[i + 1] else (None, None)

    def _frames(self, k, arena, seed):
        """The frames of block k, one a step."""
        columns = slice(k * self.width, (k + 1) * self.width)
        seeds = np.random.SeedSequence(seed, spawn_key=(k,))
        gradients, frames = self._gradients(k), []
        x, dx = self._store(0, consumer=0), None
        for i, (step, plan) in enumerate(zip(self.steps, self.plans, strict=True)):
            y, dy = self._ends(i, columns, x, dx)
            scratch = carve(arena, plan.scratch, self.dtype)
            scratch |= carve(self.aside_arena, self.aside_scratch[i], self.dtype)
            frames.append(
                Frame(
                    layer=step.layer,
                    plan=plan,
                    x=x[0],
                    x_storage=x[1],
                    y=y[0],
                    dx=dx if self.wanted[i] else None,
                    dy=dy[0],
                    dy_storage=dy[1],
                    parameters=self.parameters[i],
                    gradients=gradients[i],
                    state=self.state[i],
                    buffers=allocate(plan.buffers, self.dtype),
                    scratch=scratch,
                    shared=self.shared[i],
                    weight=self.weight[columns],
                    rng=np.random.Generator(np.random.SFC64(seeds.spawn(1)[0])) if self.training else None,
                    matmul=self._matmul() if self.blocks == 1 else np.matmul,
                    aside=self.team.aside if self.aside_scratch[i] else None,
                )
            )
            x, dx = y, dy[0]
        _link(frames)
        return frames

    def _late_frame(self, i):
        """What a late layer needs for its gradient: all columns."""
        arrays = {"x": self.vectors[i - 1], "dy": self.vector_gradients[i], "gradients": self.whole[i]}
        return Frame(layer=self.steps[i].layer, **arrays, matmul=np.matmul if self.aside[i] else self._matmul())

    def _matmul(self):
        return np.matmul if self.team is None else self.team.matmul

    # Programs: a list of phases, each the calls of every block or one call for the batch.  A call is (step, method);
    # without a step it is one of the caller's: "load" or "loss".

    def _forward_program(self):
        program, calls = [], [(None, "load")]
        for i, step in enumerate(self.steps):
            if self.training and step.layer.synchronous:
                program += [[*calls, (i, "measure")], (i, "agree")]
                calls = []
            calls = [*calls, (i, "forward")]
        return [*program, calls]

    def _backward_program(self):
        program, calls = [], [(None, "loss")]
        for i in range(len(self.steps) - 1, -1, -1):
            if not (self.wanted[i] or self.trained[i]):
                continue
            if self.steps[i].layer.synchronous:
                program += [[*calls, (i, "measure_gradient")], (i, "agree_gradient")]
                calls = []
            calls = [*calls, (i, "backward")]
            if self.aside[i] and i in self.late:
                calls.append((i, "late_gradient"))
        return [*program, calls]

    def _run(self, program, load=None, loss=None):
        callers = {"load": load, "loss": loss}
        for phase in program:
            if isinstance(phase, list):
                self._each_block(phase, callers)
            else:
                i, name = phase
                getattr(self.steps[i].layer, name)([frames[i] for frames in self.frames])

    def _each_block(self, calls, callers):
        def task(k):
            frames = self.frames[k]
            for i, name in calls:
                if i is None:
                    if callers[name] is not None:
                        callers[name](k)
                elif name == "forward":
                    frames[i].layer.forward(frames[i], self.training)
                elif name == "late_gradient":
                    self.team.aside(frames[i].layer.late_gradient, self.late[i])
                else:
                    getattr(frames[i].layer, name)(frames[i])

        if self.blocks == 1 or self.team is None:
            for k in range(self.blocks):
                task(k)
        else:
            self.team.run(task, self.blocks)

    # Random streams: a row of six integers for each step of each block.

    def _generators(self):
        return [frame.rng.bit_generator for frames in self.frames for frame in frames]

    def random_state(self) -> np.ndarray:
        """Where the random streams are, ``(blocks * steps, 6)``."""
        states = [generator.state for generator in self._generators()]
        return np.array([[*s["state"]["state"], s["has_uint32"], s["uinteger"]] for s in states], np.uint64)

    def set_random_state(self, rows):
        """Go on from there."""
        for generator, row in zip(self._generators(), rows, strict=True):
            state = {"bit_generator": "SFC64", "state": {"state": row[:4].copy()}}
            generator.state = {**state, "has_uint32": int(row[4]), "uinteger": int(row[5])}

    # What the trainer and the predictor call

    def prepare(self):
        """Transform the parameters, once a step."""
        for prepare, arrays in self.preparations:
            prepare(*arrays)

    def load(self, k, samples):
        """Copy samples ``(n, features)``, at most ``width``, into the columns of block k; zeros fill the rest."""
        x, rows = self.frames[k][0].x, self.rows[k]
        n = len(samples)
        np.copyto(rows[:n], samples, casting="unsafe")
        np.copyto(x[..., :n], rows[:n].reshape(n, *self.input_shape, copy=False).transpose(1, 2, 3, 0))
        if n < self.width:
            x[..., n:] = 0

    def forward(self, load=None):
        """Fill ``output`` (units, columns); ``load(k)`` is called first, by the thread of block k."""
        self._run(self.forward_program, load)
        return self.output

    def backward(self):
        """Fill ``gradient`` from ``output_gradient``, reduced in the order of the blocks."""
        self._run(self.backward_program)
        return self._reduce()

    def forward_backward(self, load, loss):
        """Both at once: ``loss(k)`` fills the columns of ``output_gradient`` of block k from those of ``output``."""
        (*before, last), (first, *after) = self.forward_program, self.backward_program
        self._run([*before, last + first, *after], load, loss)
        return self._reduce()

    def _reduce(self):
        if self.blocks > 1:
            for of_batch, of_block in self.early:
                np.add.reduce(self.block_gradients[:, of_block], axis=0, out=self.gradient[of_batch])
        for i, frame in self.late.items():
            if not self.aside[i]:
                frame.layer.late_gradient(frame)
        if any(self.aside):
            self.team.finish()
        return self.gradient
