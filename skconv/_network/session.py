"""Sessions: the arrays that run a network on blocks of samples."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np

from .._input.own import not_in_place
from .._kernels.memory import aligned, allocate, carve, scratch_bytes, split
from ..layers import Operation
from ..layers._branching import link
from ..layers._frame import Frame, at_once
from .layout import Layout

__all__ = ["Session"]


class Session(Layout):
    """The arrays that run a network on ``blocks`` blocks of ``width`` samples.

    A task takes one block through all layers, forward, loss and backward, so that a step hands work to the threads
    once.  Vectors of all blocks lie side by side, ``(units, columns)``: the gradient of a late layer comes from the
    whole batch afterwards.  A synchronous layer ends a phase: every block measures, one call agrees on the batch's
    statistics, every block goes on.  With one block, a second thread computes weight gradients during the backward
    pass.

    Parameters
    ----------
    network : Network
    width, blocks : int
        Samples of a block, number of blocks.
    training : bool
        Whether gradients are wanted.
    team : Team, default=None
        Threads; None runs in the calling thread.
    seed : int, default=0
        Seed of the blocks' random streams.
    copies, beside : int
        As in `Layout`.
    """

    def __init__(self, network, width, blocks, *, training, team=None, seed=0, copies=1, beside=0):
        threads = 1 if team is None else team.threads
        super().__init__(network, width, blocks, training=training, threads=threads, copies=copies, beside=beside)
        self.team, self.read = team, network.read
        self.weight = aligned((width * blocks,), network.dtype)
        # Rows of samples are no multiple of a page apart: a transposition of rows a page apart takes twice as long,
        # since such rows share a few lines of the cache.
        features = prod(network.input_shape)
        self.rows = aligned((blocks, width, features + 16), network.dtype)[..., :features]
        self._share(network)
        self._allocate_vectors()
        self._allocate_gradients(network)
        size = max(scratch_bytes(placed.plan.scratch, network.dtype) for placed in self.placed)
        arenas = [aligned((size,), np.uint8) for _ in range(self.threads)]
        size = max(scratch_bytes(placed.aside_scratch, network.dtype) for placed in self.placed)
        aside_arena = aligned((size,), np.uint8)
        for k in range(blocks):
            self._make_frames(k, arenas[k % len(arenas)], aside_arena, seed)
        for before, placed in pairwise(self.placed):
            if placed.trained and placed.step.operation.late:
                placed.late = self._late_frame(before, placed)
        self.late = [placed.late for placed in self.placed if placed.late is not None and not placed.aside]
        self.puts_aside = any(placed.aside for placed in self.placed)
        self.forward_program = self._forward_program()
        if training:
            self.backward_program = self._backward_program()
            (*before, last), (first, *after) = self.forward_program, self.backward_program
            self.program = [*before, [a + b for a, b in zip(last, first, strict=True)], *after]
        self.prepare()

    def _share(self, network):
        """Set the arrays that all blocks share: parameters, state and arrays prepared from the parameters."""
        for placed, parameters, state in zip(self.placed, *network.views(steps=self.steps), strict=True):
            placed.parameters, placed.state = parameters, state
            placed.shared = allocate(placed.plan.shared, self.dtype)
        self.preparations = [
            (placed.step.operation.prepare, (placed.parameters, placed.state, placed.plan, placed.shared))
            for placed in self.placed
            if type(placed.step.operation).prepare is not Operation.prepare
        ]

    def _allocate_vectors(self):
        """Allocate outputs of the steps from the first vector on, and their gradients, of all blocks side by side."""
        before = None
        for placed in self.placed[self.n_body - 1 :]:
            shape = (*placed.step.out, self.width * self.blocks)
            placed.y = aligned(shape, self.dtype) if placed.own_output else before.y
            if placed.own_gradient:
                placed.dy = aligned(shape, self.dtype)
            elif placed.wanted_after:
                placed.dy = before.dy
            before = placed
        self.output, self.output_gradient = before.y, before.dy

    def _allocate_gradients(self, network):
        """Allocate the batch's gradient, and each block's share of the gradient of layers that are not late."""
        self.gradient = aligned((self.n_parameters if self.training else 0,), self.dtype)
        views = network.views(self.gradient, self.steps)[0] if self.training else [None] * len(self.placed)
        self.early = []  # per step with shares: (slice of the batch's gradient, slice of a share)
        start = total = 0
        for placed, gradients in zip(self.placed, views, strict=True):
            placed.gradients, n = gradients, placed.step.n_parameters
            if placed.early:
                self.early.append((slice(start, start + n), slice(total, total + n)))
                total += n
            start += n
        self.block_gradients = aligned((self.blocks if self.blocks > 1 else 0, self.n_early()), self.dtype)

    def _gradients(self, k):
        """Per step, the arrays that block k writes its gradient into."""
        if not self.training:
            return [None] * len(self.placed)
        views, start = [], 0
        for placed in self.placed:
            shapes, n = placed.step.parameter_shapes, placed.step.n_parameters
            if not placed.trained:  # frozen: the gradient that its backward pass may write is not used
                views.append(allocate(shapes if placed.gradient_is_nobodys else {}, self.dtype))
            elif self.blocks == 1:
                views.append(placed.gradients)
            else:
                n = n if placed.early else 0
                views.append(split(self.block_gradients[k, start : start + n], shapes if n else {}))
                start += n
        return views

    def _store(self, shape, inside):
        """An array of images, and the array with borders of which it is a view."""
        whole = aligned(shape, self.dtype)
        return whole if inside is None else whole[inside], whole

    def _ends(self, i, columns, x, dx):
        """``(output, storage), (gradient, storage)`` of step i; ``x`` and ``dx`` are those of its input."""
        placed = self.placed[i]
        if i >= self.n_body - 1:
            y, dy = placed.y[:, columns], None if placed.dy is None else placed.dy[:, columns]
            return (y, y), (dy, dy)
        y = self._store(*self.input_storage(i + 1)) if placed.own_output else x
        if placed.own_gradient:
            return y, self._store(*self.gradient_storage(i))
        return y, (dx, dx) if placed.wanted_after else (None, None)

    def _make_frames(self, k, arena, aside_arena, seed):
        """Make the frames of block k, one per step."""
        columns = slice(k * self.width, (k + 1) * self.width)
        seeds = np.random.SeedSequence(seed, spawn_key=(k,))
        x, dx = self._store(*self.input_storage(0)), None
        for i, (placed, gradients) in enumerate(zip(self.placed, self._gradients(k), strict=True)):
            y, dy = self._ends(i, columns, x, dx)
            scratch = carve(arena, placed.plan.scratch, self.dtype)
            scratch |= carve(aside_arena, placed.aside_scratch, self.dtype)
            frame = Frame(
                operation=placed.step.operation, plan=placed.plan, x=x[0], x_storage=x[1], y=y[0],
                dx=dx if placed.wanted else None, dy=dy[0], dy_storage=dy[1],
                parameters=placed.parameters, gradients=gradients, state=placed.state, shared=placed.shared,
                buffers=allocate(placed.plan.buffers, self.dtype), scratch=scratch, weight=self.weight[columns],
                rng=np.random.Generator(np.random.SFC64(seeds.spawn(1)[0])) if self.training else None,
                matmul=self._matmul() if self.blocks == 1 else np.matmul,
                aside=self.team.aside if placed.aside_scratch else at_once,
            )  # fmt: skip
            placed.frames.append(frame)
            x, dx = y, dy[0]
        link([placed.frames[k] for placed in self.placed])

    def _late_frame(self, before, placed):
        """Frame of all columns, for the gradient of a late step."""
        arrays = {"x": before.y, "dy": placed.dy, "gradients": placed.gradients}
        return Frame(operation=placed.step.operation, **arrays, matmul=np.matmul if placed.aside else self._matmul())

    def _matmul(self):
        return np.matmul if self.team is None else self.team.matmul

    # A program is a list of phases.  A phase is a list, by block, of lists of calls, or one call for all blocks.  A
    # call is (function, arguments), or (None, "load") or (None, "loss"): a function of the caller, which gets the
    # block.

    def _add_calls(self, calls, placed, function, *arguments):
        """Add a call for each block."""
        for own, frame in zip(calls, placed.frames, strict=True):
            own.append((function, (frame, *arguments)))

    def _forward_program(self):
        program, calls = [], [[(None, "load")] for _ in range(self.blocks)]
        for placed in self.placed:
            operation = placed.step.operation
            if placed.training and operation.synchronous:
                self._add_calls(calls, placed, operation.measure)
                program += [calls, (operation.agree, (placed.frames,))]
                calls = [[] for _ in range(self.blocks)]
            self._add_calls(calls, placed, operation.forward, placed.training)
        return [*program, calls]

    def _backward_program(self):
        program, calls = [], [[(None, "loss")] for _ in range(self.blocks)]
        for placed in reversed(self.placed):
            operation = placed.step.operation
            if not (placed.wanted or placed.trained):
                continue
            if placed.training and operation.synchronous:
                self._add_calls(calls, placed, operation.measure_gradient)
                program += [calls, (operation.agree_gradient, (placed.frames,))]
                calls = [[] for _ in range(self.blocks)]
            self._add_calls(calls, placed, operation.backward)
            if placed.aside and placed.late is not None:
                calls[0].append((self.team.aside, (operation.late_gradient, placed.late)))
        return [*program, calls]

    def _run(self, program, load=None, loss=None):
        callers = {"load": load, "loss": loss}
        for phase in program:
            if isinstance(phase, list):
                self._each_block(phase, callers)
            else:
                function, arguments = phase
                function(*arguments)

    def _each_block(self, calls, callers):
        def task(k):
            for function, arguments in calls[k]:
                if function is not None:
                    if (result := function(*arguments)) is not None:
                        raise not_in_place(function.__self__, function.__name__, result)
                elif callers[arguments] is not None:
                    callers[arguments](k)

        if self.blocks == 1 or self.team is None:
            for k in range(self.blocks):
                task(k)
        else:
            self.team.run(task, self.blocks)

    def _generators(self):
        return [placed.frames[k].rng.bit_generator for k in range(self.blocks) for placed in self.placed]

    def random_state(self) -> np.ndarray:
        """States of the random streams, six integers for each step of each block, ``(blocks * steps, 6)``."""
        states = [generator.state for generator in self._generators()]
        return np.array([[*s["state"]["state"], s["has_uint32"], s["uinteger"]] for s in states], np.uint64)

    def set_random_state(self, rows):
        """Set the states of the random streams to those of `random_state`."""
        for generator, row in zip(self._generators(), rows, strict=True):
            state = {"bit_generator": "SFC64", "state": {"state": row[:4].copy()}}
            generator.state = {**state, "has_uint32": int(row[4]), "uinteger": int(row[5])}

    def prepare(self):
        """Compute the arrays that are prepared from the parameters; once per training step."""
        for prepare, arrays in self.preparations:
            prepare(*arrays)

    def load(self, k, samples, scaled=False):
        """Write samples ``(n, features)``, at most ``width``, into the columns of block k, zeros into the rest.

        ``scaled`` tells that the samples are scaled already.
        """
        x, rows = self.placed[0].frames[k].x, self.rows[k]
        n = len(samples)
        if scaled:
            np.copyto(rows[:n], samples)
        else:
            self.read(samples, rows[:n])
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
        """Forward and backward pass; ``loss(k)`` fills block k's columns of ``output_gradient`` from ``output``."""
        self._run(self.program, load, loss)
        return self._reduce()

    def _reduce(self):
        if self.blocks > 1:
            for of_batch, of_block in self.early:
                np.add.reduce(self.block_gradients[:, of_block], axis=0, out=self.gradient[of_batch])
        for frame in self.late:
            frame.operation.late_gradient(frame)
        if self.puts_aside:
            self.team.finish()
        return self.gradient
