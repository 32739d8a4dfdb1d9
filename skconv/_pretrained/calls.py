"""A node of an ONNX file as its operator's function sees it, and the table of these functions."""

from __future__ import annotations

import numpy as np

from .._input.constraints import shown
from .nodes import Nodes, Unsupported
from .views import View

__all__ = ["OPERATORS", "Call", "operator"]

OPERATORS: dict = {}  # by name: function (call) -> View, array, or list of them, one for each output


def operator(*names):
    """Decorator of the function of operators with these names."""

    def register(function):
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


class Call:
    """A node with its inputs.

    Attributes
    ----------
    op : str
        Name of the operator.
    version : int
        Version of ONNX's operators.
    inputs : list of View, ndarray or None
        None is an input that is left out.
    attributes : dict
        Numbers, strings, lists of them, and arrays, by name.
    n_outputs : int
    nodes : Nodes
    """

    def __init__(self, op, version, inputs, attributes, n_outputs, nodes: Nodes):
        self.op, self.version, self.inputs, self.attributes = op, version, inputs, attributes
        self.n_outputs, self.nodes = n_outputs, nodes

    def given(self, i) -> bool:
        """Whether there is an input of this number."""
        return i < len(self.inputs) and self.inputs[i] is not None

    def view(self, i=0) -> View:
        """An input that depends on the sample."""
        if not self.given(i) or not isinstance(self.inputs[i], View):
            raise Unsupported(f"input {i} that does not depend on the samples")
        return self.inputs[i]

    def constant(self, i, default=None):
        """An input that is a constant, or the default where it is left out."""
        if not self.given(i):
            if default is None:
                raise Unsupported(f"input {i} left out")
            return default
        if isinstance(self.inputs[i], View):
            raise Unsupported(f"input {i} that is no constant")
        return self.inputs[i]

    def number(self, i, name, default):
        """A number that is an input in newer versions and an attribute in older ones."""
        if self.given(i):
            array = self.constant(i)
            if array.size != 1:
                raise Unsupported(f"{name} of shape {array.shape}; one number is supported")
            return float(array.reshape(()))
        return self.real(name, default)

    def real(self, name, default):
        """A number that is an attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, (int, float)):
            raise Unsupported(f"{name}={shown(value)}")
        return value

    def integers(self, i, name, default=None):
        """A tuple of integers that is an input in newer versions and an attribute in older ones."""
        if i is not None and self.given(i):
            array = self.constant(i)
            if array.dtype.kind not in "iu" or array.size > 64:
                raise Unsupported(f"{name} of shape {array.shape} and dtype {array.dtype}")
            return tuple(array.reshape(-1).tolist())
        value = self.attributes.get(name, default)
        value = value if value is None or isinstance(value, (list, tuple)) else [value]
        if value is not None and not all(isinstance(each, int) for each in value):
            raise Unsupported(f"{name}={shown(value)}")
        return None if value is None else tuple(value)

    def integer(self, name, default) -> int:
        """An integer that is an attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise Unsupported(f"{name}={shown(value)}")
        return value

    def text(self, name, default) -> str:
        """A string that is an attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, str):
            raise Unsupported(f"{name}={shown(value)}")
        return value

    def axes(self, i, name="axes", default=None, *, rank):
        """Numbers of axes, from 0 to ``rank - 1``; None where they are left out."""
        axes = self.integers(i, name, default)
        return None if axes is None else tuple(self.axis(axis, rank) for axis in axes)

    @staticmethod
    def axis(axis, rank) -> int:
        """The number of an axis, counted from the first."""
        if not -rank <= axis < rank:
            raise Unsupported(f"axis {axis} of a tensor with {rank} axes")
        return axis % rank

    def numbers(self, i) -> np.ndarray:
        """A constant of numbers."""
        array = self.constant(i)
        if array.dtype.kind not in "fiu":
            raise Unsupported(f"input {i} of dtype {array.dtype}")
        return array
