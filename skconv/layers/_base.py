"""The contract of a layer."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from .._input.versions import Versioned
from ._frame import Frame, Plan

__all__ = ["Layer", "Parameter"]


class Parameter(NamedTuple):
    """What a layer says of an array that it trains; by default it is a bias, a scale or the like.

    Attributes
    ----------
    shape : tuple of int
    decays : bool, default=False
        Whether it is a weight, which the penalties of ``alpha`` draw to zero.
    unit_axes : int, default=0
        How many of the first axes number the units or filters; the others are the weights into one of them, whose norm
        ``max_norm`` limits.  0 is an array without units.
    matrix : bool, default=False
        Whether Muon takes it as a matrix with a row for each unit.

    Examples
    --------
    >>> from skconv.layers import Dense
    >>> Dense(64).parameters((128,))["weight"]
    Parameter(shape=(64, 128), decays=True, unit_axes=1, matrix=False)
    """

    shape: tuple[int, ...]
    decays: bool = False
    unit_axes: int = 0
    matrix: bool = False


class Layer(Versioned, BaseEstimator):
    """A layer: hyper-parameters only, so it is cheap to clone and safe to share between threads and networks.

    A network copies the layers that it is given: one that stands twice in a list is two layers, each with weights of
    its own.  What their parameters may be, ``_parameter_constraints``, is checked then.

    Shapes are those of one sample: ``(height, width, channels)``, or ``(units,)`` after a layer that flattens.  Arrays
    have the samples as a last axis.  A new layer is a subclass that overrides what differs, its export in
    `skconv.layers` and one row in ``tests/layers/cases.py``.

    Attributes
    ----------
    takes : {"image", "vector", None}
        What the input must be; None takes both.
    in_place : bool
        ``y`` is ``x`` and ``dx`` is ``dy``; the backward pass must not need ``x``.
    reads_output : bool
        The backward pass reads ``y``, so the next layer must not overwrite it.
    synchronous : bool
        The layer needs statistics of the whole batch; see `measure`.
    late : bool
        The layer takes a vector, and its parameters' gradient from the whole batch, by `late_gradient`.
    pointwise : bool
        In prediction, each position of the output needs that position of the input alone.
    by_rows : bool
        In prediction, some rows of the output need some rows of the input alone, see `strip`.
    by_position : bool
        The first axis of the parameters and of the state is that of the image's rows.
    random : bool
        Training draws random numbers, anew in each pass, so that L-BFGS has no use for the layer.
    asked_by : str
        The estimators' parameter that asks for the layer where it is in none of the lists of layers.
    summary_shows : str or None
        The hyper-parameter by which `summary` tells layers of the class apart.
    reshapes : bool
        The output is the input in another shape.
    starts_band, ends_band : bool
        Prediction does what comes after the layer with it, band by band of rows, see `tile`; or nothing after it.
    single_sample : {"product", "windows", "elements", None}
        How prediction takes a sample without a block: as a convolution does, by windows over the image, or element by
        element, as if positions were samples; None where it needs a block.
    joint : {"fork", "switch", "merge", None}
        Where branches start, where the next of them does, where they come together.
    """

    _within_model = True
    _parameter_constraints: dict = {}  # what `own_layers` holds the parameters against
    takes: str | None = None
    in_place = False
    reads_output = False
    synchronous = False
    late = False
    pointwise = False
    by_position = False
    random = False
    asked_by = "layers"
    summary_shows: str | None = None
    reshapes = False
    starts_band = ends_band = False
    single_sample: str | None = None
    joint: str | None = None

    @property
    def by_rows(self):
        """Whether some rows of the output need some rows of the input alone."""
        return self.pointwise

    def copy(self) -> Layer:
        """A layer of its own, with Python's numbers in place of NumPy's, whose small integers overflow in sizes."""
        return type(self)(**{name: _plain(value) for name, value in self.get_params(deep=False).items()})

    def lower(self, shape: tuple[int, ...]) -> list[Layer]:
        """The steps that compute this layer for an input of this shape."""
        return [self]

    def named_steps(self, name: str, shape: tuple[int, ...]) -> list[tuple[str, Layer]]:
        """The steps with their names; those of two steps must differ where both have parameters of one name."""
        return [(name, step) for step in self.lower(shape)]

    def frozen(self) -> Layer:
        """What takes the layer's place in training where its parameters are kept; it has the same parameters."""
        return self

    def commutes(self, before: Layer) -> bool:
        """Whether the layer before this one can just as well come after it."""
        return False

    def joined(self, before: Layer, shape: tuple[int, ...]) -> Layer | None:
        """One layer that does what the one before, on an input of this shape, and this one do; None where two must."""
        return None

    def tile(self, shape: tuple[int, ...]) -> int:
        """Rows of the input that a row of the output needs in prediction, where no other row needs them; else 0."""
        return int(self.pointwise)

    def strip(self, shape: tuple[int, ...], start: int, stop: int) -> tuple[Layer, int, int] | None:
        """The layer for rows ``start`` to ``stop - 1`` of the output, and the first and the end of the rows it needs.

        None where they see nothing but border.
        """
        return self, start, stop

    def placed_parts(self, shape, *arrays):
        """``(layer, shape of its input, *arrays)`` of each layer that the step does, with its own named arrays."""
        return [(self, shape, *arrays)]

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of a sample's output; raises ValueError where the input does not fit."""
        return shape

    def parameters(self, shape: tuple[int, ...]) -> dict[str, Parameter]:
        """The arrays that are trained, by name."""
        return {}

    def parameter_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays that are trained, by name."""
        return {name: parameter.shape for name, parameter in self.parameters(shape).items()}

    def state_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of what is kept with the model but not trained."""
        return {}

    def initialize(self, parameters, state, shape, rng) -> None:
        """Set the first values; both come zeroed."""

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Multiplications of the direct method for one sample."""
        return 0

    def connections(self, shape: tuple[int, ...]) -> tuple[int, int, int] | None:
        """Weights of a layer with windows: fully connected, with weights of each position's own, shared; else None."""
        return None

    def listed(self, shape: tuple[int, ...]):
        """``(name, layer, shape of its input)`` of the layers within that `summary` lists below this one."""
        return ()

    def least_samples(self, shape: tuple[int, ...]) -> int:
        """Samples that a training step needs for the layer to learn anything."""
        return 1

    def plan(self, shape, width, dtype, *, training: bool, input_gradient: bool) -> Plan:
        """What the layer needs for blocks of ``width`` samples."""
        return Plan()

    def least_bytes(self, shape, width, dtype, *, training: bool, input_gradient: bool) -> int:
        """Bytes at least for such a block, beside its output, that are known before `plan`, which may make tables."""
        return 0

    def prepare(self, parameters, state, plan, shared) -> None:
        """Make ``shared`` from the parameters and the state, once a step."""

    def bind(self, frame: Frame) -> Any:
        """What the layer wants to find in ``frame.bound``, such as views of the arrays of the frame, made once."""
        return None

    def forward(self, frame: Frame, training: bool) -> None:
        """Fill ``frame.y``."""
        raise NotImplementedError

    def backward(self, frame: Frame) -> None:
        """Fill ``frame.gradients``, unless the layer is late, and ``frame.dx``, unless it is None."""
        raise NotImplementedError

    def late_gradient(self, frame: Frame) -> None:
        """Fill ``frame.gradients`` from ``frame.x`` and ``frame.dy`` of the whole batch, for a late layer."""

    # A synchronous layer first measures each block, then agrees on the batch, before it goes on.

    def measure(self, frame: Frame) -> None:
        """Statistics of one block of inputs."""

    def agree(self, frames: list[Frame]) -> None:
        """Statistics of the batch from those of its blocks, in their order."""

    def measure_gradient(self, frame: Frame) -> None:
        """Statistics of one block of output gradients."""

    def agree_gradient(self, frames: list[Frame]) -> None:
        """Statistics of the batch from those of its blocks, in their order."""


def _plain(value):
    """A copy with Python's numbers and strings."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (tuple, list)):
        return (list if isinstance(value, list) else tuple)(map(_plain, value))
    return deepcopy(value)
