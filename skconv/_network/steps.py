"""The steps of a network, operations in their places: how layers lower to them, and memory for their arrays."""

from __future__ import annotations

from math import prod

from .._input.memory import check_available, counted, mebibytes
from ..layers import Operation
from ..layers.composite import named

__all__ = ["Step", "check_arrays", "lower", "taken_by"]


class Step:
    """An operation in its place in a network, with the shapes of its input, output, parameters and state."""

    def __init__(self, name: str, operation: Operation, shape):
        self.name, self.operation, self.shape = name, operation, shape
        self.out = operation.output_shape(shape)
        self.parameters = operation.parameters(shape)
        self.parameter_shapes = {name: parameter.shape for name, parameter in self.parameters.items()}
        self.state_shapes = operation.state_shapes(shape)

    @property
    def n_parameters(self):
        """Number of parameters."""
        return sum(map(prod, self.parameter_shapes.values()))

    @property
    def n_state(self):
        """Number of values that are kept but not trained."""
        return sum(map(prod, self.state_shapes.values()))


def lower(layers, input_shape):
    """``(name, operation)`` of the steps of ``layers``; cheap operations move after pooling, which shrinks them."""
    steps, shape = [], input_shape
    for name, layer in named(layers):
        steps += layer.named_steps(name, shape)
        shape = layer.output_shape(shape)
    moved = True
    while moved:
        moved, shape = False, input_shape
        for i in range(len(steps) - 1):
            (first, a), (second, b) = steps[i : i + 2]
            if b.commutes(a):
                steps[i : i + 2] = [(second, b), (first, a)]
                moved = True
            elif (both := b.joined(a, shape)) is not None:
                steps[i : i + 2] = [(first, both)]
                moved = True
                break
            shape = steps[i][1].output_shape(shape)
    return steps


def taken_by(step, n) -> str:
    """Text for messages: ``n`` bytes of a sum are those of ``step``."""
    before, after = (" x ".join(map(counted, shape)) for shape in (step.shape, step.out))
    return f"{mebibytes(n)} MiB of them for {step.name}, from {before} to {after}"


def check_arrays(steps, sizes, n_samples, beside=0):
    """Raise where there is no memory for ``sizes``, bytes by step, and ``beside``; the message names the largest."""
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    what = f"the network's arrays for {counted(n_samples, 'sample')} ({taken_by(steps[largest], sizes[largest])})"
    check_available(what, sum(sizes) + beside)
