"""Sessions: the arrays that run a network on blocks of samples, and how wide the blocks are."""

from __future__ import annotations

from math import ceil, prod

import numpy as np

from ._frame import Frame, aligned, allocate, carve, scratch_bytes, split
from ._kernels.products import COLUMNS
from ._network import n_body

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


class Session:
    """The arrays that run a network on ``blocks`` blocks of ``width`` samples.

    The layers up to the first vector, the body, run block by block over the threads; the rest, the head, runs on all
    columns at once.  A synchronous layer ends a phase: every block measures, the batch agrees, every block goes on.

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
    """

    def __init__(self, network, width, blocks, *, training, team=None, seed=0):
        self.network, self.width, self.blocks, self.training, self.team = network, width, blocks, training, team
        steps = self.steps = network.steps if training else network.fused_steps()
        self.n_body = n_body(steps)
        self.in_place = [
            step.layer.in_place and (i == 0 or not steps[i - 1].layer.reads_output) for i, step in enumerate(steps)
        ]
        self.first = next((i for i, step in enumerate(steps) if step.n_parameters), len(steps))
        columns = width * blocks
        self.plans = [
            step.layer.plan(
                step.shape,
                width if i < self.n_body else columns,
                network.dtype,
                training=training,
                input_gradient=training and i > self.first,
            )
            for i, step in enumerate(steps)
        ]
        self.parameters, self.state = network.views(steps=steps)
        self.shared = [allocate(plan.shared, network.dtype) for plan in self.plans]
        self.gradient = aligned(network.parameters.shape if training else (0,), network.dtype)
        self.n_shared_gradient = sum(step.n_parameters for step in steps[: self.n_body])
        rows = blocks if training and blocks > 1 else 0
        self.block_gradients = aligned((rows, self.n_shared_gradient), network.dtype)
        self.weight = aligned((columns,), network.dtype)
        # Samples as rows, at a distance that is no multiple of a page: a transposition of rows a page apart takes twice
        # as long, since they fall on the same few lines of the cache.
        features = prod(network.input_shape)
        self.rows = aligned((blocks, width, features + 16), network.dtype)[..., :features]
        size = max(scratch_bytes(plan.scratch, network.dtype) for plan in self.plans)
        threads = 1 if team is None else team.threads
        arenas = [aligned((size,), np.uint8) for _ in range(min(threads, blocks))]
        self._build(arenas, seed)
        self.forward_program = self._forward_program()
        self.backward_program = self._backward_program() if training else []
        self.prepare()

    # Arrays

    def _build(self, arenas, seed):
        """Frames: ``body[k][i]`` of block k and step i, ``head[i]`` of the later steps."""
        network, n_body = self.network, self.n_body
        wide, steps = self.width * self.blocks, self.steps
        vector = aligned((*steps[n_body - 1].out, wide), network.dtype)
        gradient = np.zeros_like(vector) if self.training and self.first < n_body else None
        self.body = []
        for k in range(self.blocks):
            columns = slice(k * self.width, (k + 1) * self.width)
            ends = (vector[:, columns], None if gradient is None else gradient[:, columns])
            flat = None
            if self.training:
                flat = self.gradient if self.blocks == 1 else self.block_gradients[k]
            self.body.append(
                self._frames(
                    range(n_body),
                    self.width,
                    (*self._store(0, self.width, consumer=0), None),
                    ends,
                    flat,
                    arenas[k % len(arenas)],
                    self.weight[columns],
                    np.random.SeedSequence(seed, spawn_key=(k,)),
                )
            )
        last = aligned((*steps[-1].out, wide), network.dtype)
        ends = (last, np.zeros_like(last) if self.training else None)
        rest = range(n_body, len(steps))
        start = (vector, None, None) if not rest else (vector, vector, gradient)
        flat = self.gradient[self.n_shared_gradient :] if self.training else None
        seeds = np.random.SeedSequence(seed, spawn_key=(self.blocks,))
        self.head = self._frames(rest, wide, start, ends, flat, arenas[0], self.weight, seeds)
        self.output, self.output_gradient = vector, gradient
        if self.head:
            self.output, self.output_gradient = self.head[-1].y, self.head[-1].dy

    def _store(self, i, width, consumer=None, producer=None):
        """An array for the values at the input of step i (or their gradient), within the borders somebody wants."""
        steps, plans = self.steps, self.plans
        shape = steps[i].shape if i < len(steps) else steps[-1].out
        storage = None
        if consumer is not None:
            while consumer < self.n_body and self.in_place[consumer]:
                consumer += 1
            storage = plans[consumer].x if consumer < len(plans) else None
        elif producer is not None:
            storage = plans[producer].dy
        if storage is None:
            array = aligned((*shape, width), self.network.dtype)
            return array, array
        whole = aligned((storage.rows, storage.columns, shape[2], width), self.network.dtype)
        rows = slice(storage.row, storage.row + shape[0])
        columns = slice(storage.column, storage.column + shape[1])
        return whole[rows, columns], whole

    def _frames(self, indices, width, start, ends, flat, arena, weight, seeds):
        """Frames of consecutive steps; ``ends`` are the last output and its gradient."""
        network, frames = self.network, []
        x, x_storage, dx = start
        offset = 0
        for i in indices:
            step, plan, last = self.steps[i], self.plans[i], i == indices[-1]
            if self.in_place[i]:
                y, y_storage = x, x_storage
            elif last:
                y, y_storage = ends[0], ends[0]
            else:
                y, y_storage = self._store(i + 1, width, consumer=i + 1)
            dy, dy_storage = None, None
            if self.training and i >= self.first:
                if self.in_place[i] and dx is not None:
                    dy = dy_storage = dx
                elif last:
                    dy = dy_storage = ends[1]
                else:
                    dy, dy_storage = self._store(i + 1, width, producer=i)
            gradients = None
            if flat is not None:
                gradients = split(flat[offset : offset + step.n_parameters], step.parameter_shapes)
                offset += step.n_parameters
            frames.append(
                Frame(
                    layer=step.layer,
                    plan=plan,
                    x=x,
                    x_storage=x_storage,
                    y=y,
                    dx=dx if i > self.first else None,
                    dy=dy,
                    dy_storage=dy_storage,
                    parameters=self.parameters[i],
                    gradients=gradients,
                    state=self.state[i],
                    buffers=allocate(plan.buffers, network.dtype),
                    scratch=carve(arena, plan.scratch, network.dtype),
                    shared=self.shared[i],
                    weight=weight,
                    rng=np.random.Generator(np.random.SFC64(seeds.spawn(1)[0])) if self.training else None,
                    matmul=np.matmul if self.team is None else self.team.matmul,
                )
            )
            x, x_storage, dx = y, y_storage, dy
        return frames

    # Programs: a list of phases, (calls of every block) or one call for the batch

    def _forward_program(self):
        program, calls = [], []
        for i, step in enumerate(self.steps):
            if i == self.n_body:
                program, calls = [*program, ("body", calls)], []
            if self.training and step.layer.synchronous:
                where = "body" if i < self.n_body else "head"
                program += [(where, [*calls, (i, "measure")]), ("agree", (i, "agree"))]
                calls = []
            calls = [*calls, (i, "forward")]
        return [*program, ("head" if self.head else "body", calls)]

    def _backward_program(self):
        program, calls, n_body = [], [], self.n_body
        for i in range(len(self.steps) - 1, self.first - 1, -1):
            if i == n_body - 1:
                program, calls = [*program, ("head", calls)], []
            if self.steps[i].layer.synchronous:
                where = "body" if i < n_body else "head"
                program += [(where, [*calls, (i, "measure_gradient")]), ("agree", (i, "agree_gradient"))]
                calls = []
            calls = [*calls, (i, "backward")]
        where = "body" if self.first < n_body else "head"
        return [*program, (where, calls)]

    def _run(self, program, before=None):
        """Run the phases; ``before(k)`` comes first in the first phase of block k."""
        for number, (where, calls) in enumerate(program):
            if where == "body":
                first = before if number == 0 else None
                self._each_block(calls, first)
            elif where == "head":
                self._call(self.head, calls, self.n_body)
            else:
                i, name = calls
                n_body = self.n_body
                frames = [block[i] for block in self.body] if i < n_body else [self.head[i - n_body]]
                getattr(frames[0].layer, name)(frames)

    def _each_block(self, calls, before):
        def task(k):
            if before is not None:
                before(k)
            self._call(self.body[k], calls, 0)

        if self.blocks == 1 or self.team is None:
            for k in range(self.blocks):
                task(k)
        else:
            self.team.run(task, self.blocks)

    def _call(self, frames, calls, offset):
        for i, name in calls:
            frame = frames[i - offset]
            if name == "forward":
                frame.layer.forward(frame, self.training)
            else:
                getattr(frame.layer, name)(frame)

    # What the trainer and the predictor call

    def prepare(self):
        """Transform the parameters, once a step."""
        for step, *arrays in zip(self.steps, self.parameters, self.state, self.plans, self.shared, strict=True):
            step.layer.prepare(*arrays)

    def load(self, k, samples):
        """Copy samples ``(n, features)``, at most ``width``, into the columns of block k; zeros fill the rest."""
        x, rows = self.body[k][0].x, self.rows[k]
        n = len(samples)
        np.copyto(rows[:n], samples, casting="unsafe")
        np.copyto(x[..., :n], rows[:n].reshape(n, *self.network.input_shape, copy=False).transpose(1, 2, 3, 0))
        if n < self.width:
            x[..., n:] = 0

    def forward(self, load=None):
        """Fill ``output`` (units, columns); ``load(k)`` is called first, by the thread of block k."""
        self._run(self.forward_program, load)
        return self.output

    def backward(self):
        """Fill ``gradient`` from ``output_gradient``, reduced in the order of the blocks."""
        self._run(self.backward_program)
        if self.blocks > 1:
            np.add.reduce(self.block_gradients, axis=0, out=self.gradient[: self.n_shared_gradient])
        return self.gradient
