"""Base class of operations, the steps of a network."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._frame import Frame, Plan

__all__ = ["Operation", "Parameter"]


class Parameter(NamedTuple):
    """Properties of an array that an operation trains; the defaults are for biases, scales and the like.

    Attributes
    ----------
    shape : tuple of int
    decays : bool, default=False
        Whether the array is a weight, on which the penalties of ``alpha`` act.
    unit_axes : int, default=0
        Number of leading axes over units or filters; the other axes are the weights of a unit, whose norm ``max_norm``
        limits.  0 is for arrays without units.
    matrix : bool, default=False
        Whether Muon updates the array as a matrix with a row for each unit.

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


class Operation:
    """Base class of operations: the forward and backward pass of a step of a network, and properties of the step.

    An operation has sizes and settings but no arrays, so threads and networks can share it.  Users build networks of
    layers (`Layer`), each of which is an operation or lowers to several.  Operations that are no layers are made by the
    package: the ends of branches, or a convolution and the operations after it as one.

    Shapes are those of one sample: ``(height, width, channels)``, or ``(units,)`` after a layer that flattens.  Arrays
    have the samples as a last axis.

    Attributes
    ----------
    takes : {"image", "vector", None}
        Kind of the input; None takes both.
    in_place : bool
        Whether ``y`` is ``x`` and ``dx`` is ``dy``; the backward pass must not need ``x``.
    reads_output : bool
        Whether the backward pass reads ``y``, so that the next operation must not overwrite ``y``.
    synchronous : bool
        Whether training needs statistics of the whole batch, see `measure`; a frozen operation runs as in prediction.
    late : bool
        Whether the gradient of the parameters comes from the whole batch, by `late_gradient`; the input is a vector.
    pointwise : bool
        Whether, in prediction, each position of the output depends on the same position of the input alone.
    by_rows : bool
        Whether, in prediction, some rows of the output depend on some rows of the input alone, see `strip`.
    by_position : bool
        Whether the first axis of the parameters and of the state is over the image's rows.
    random : bool
        Whether training draws random numbers in each pass, with which L-BFGS cannot work.
    asked_by : str
        Name of the estimators' parameter that adds the operation, for messages.
    reshapes : bool
        Whether the output is the input in another shape.
    starts_band, ends_band : bool
        Whether prediction can run the next operations with this one, band by band of rows, see `tile`; whether this is
        the last of such operations.
    single_sample : {"product", "windows", "elements", None}
        How a single sample can be predicted without a block: by products as a convolution, by windows over the image,
        or element by element, with positions as samples; None if a block is needed.
    any_layout : bool
        Whether prediction takes images in any order in memory; so do operations by windows and element by element.
    pooled_as : {"convolution", "maximum", None}
        Role in a `PooledConvolution`, which trains a convolution and the maximum of its tiles as one operation.
    joint : {"fork", "switch", "merge", None}
        Start of branches, start of the next branch, or end of branches.
    """

    takes: str | None = None
    in_place = False
    reads_output = False
    synchronous = False
    late = False
    pointwise = False
    by_position = False
    random = False
    asked_by = "layers"
    reshapes = False
    starts_band = ends_band = False
    single_sample: str | None = None
    any_layout = False
    pooled_as: str | None = None
    joint: str | None = None

    @property
    def by_rows(self):
        """Whether some rows of the output depend on some rows of the input alone."""
        return self.pointwise

    # Place in a network

    def copy(self) -> Operation:
        """The operation itself, which does not change, for a network to keep."""
        return self

    def named_steps(self, name: str, shape: tuple[int, ...]) -> list[tuple[str, Operation]]:
        """``(name, operation)`` of the steps that compute this one; names differ where parameters' names would not."""
        return [(name, self)]

    def commutes(self, before: Operation) -> bool:
        """Whether this operation and the operation before can change places, with the same result."""
        return False

    def joined(self, before: Operation, shape: tuple[int, ...]) -> Operation | None:
        """One operation in place of ``before``, whose input has ``shape``, and this one; None if there is none."""
        return None

    def tile(self, shape: tuple[int, ...]) -> int:
        """Number of input rows per output row in prediction, if no two output rows share an input row; else 0."""
        return int(self.pointwise)

    def strip(self, shape: tuple[int, ...], start: int, stop: int) -> tuple[Operation, int, int] | None:
        """``(operation, first, end)``: rows ``start`` to ``stop - 1`` of the output from rows ``first`` to ``end - 1``.

        None where these rows of the output depend on a border alone.
        """
        return self, start, stop

    def placed_parts(self, shape, *arrays):
        """``(operation, input shape, *arrays)`` of each operation of the step, with its part of the named arrays."""
        return [(self, shape, *arrays)]

    # Sizes

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the output of a sample; raises ValueError where the input does not fit."""
        return shape

    def parameters(self, shape: tuple[int, ...]) -> dict[str, Parameter]:
        """Properties of the trained arrays, by name."""
        return {}

    def state_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Shapes of arrays that are kept with the model but not trained, by name."""
        return {}

    def initialize(self, parameters, state, shape, rng) -> None:
        """Set initial values of ``parameters`` and ``state``, which are zero before."""

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Multiplications of the direct method for one sample."""
        return 0

    def least_samples(self, shape: tuple[int, ...]) -> int:
        """Least number of samples of a training step from which anything is learned."""
        return 1

    def plan(self, shape, width, dtype, *, training: bool, input_gradient: bool) -> Plan:
        """`Plan` for blocks of ``width`` samples."""
        return Plan()

    def least_bytes(self, shape, width, dtype, *, training: bool, input_gradient: bool) -> int:
        """Lower limit of a block's bytes without its output, known before `plan`, which may make large tables."""
        return 0

    # Passes

    def prepare(self, parameters, state, plan, shared) -> None:
        """Fill ``shared`` from the parameters and the state, once per training step."""

    def bind(self, frame: Frame) -> Any:
        """Value of ``frame.bound``, such as views of the frame's arrays, made once."""
        return None

    def forward(self, frame: Frame, training: bool) -> None:
        """Fill ``frame.y``."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(frame, training), or lower(shape)")

    def backward(self, frame: Frame) -> None:
        """Fill ``frame.gradients``, unless the operation is late, and ``frame.dx``, unless that is None."""
        raise NotImplementedError(f"{type(self).__name__} needs a method backward(frame)")

    def late_gradient(self, frame: Frame) -> None:
        """Fill ``frame.gradients`` of a late operation from ``frame.x`` and ``frame.dy`` of the whole batch."""

    def added(self, parameters):
        """Numbers (C,) if prediction adds a number to each channel and does nothing else, else None."""
        return None

    # Before each pass a synchronous operation measures every block, then agrees on the statistics of the batch.

    def measure(self, frame: Frame) -> None:
        """Compute statistics of one block of inputs."""

    def agree(self, frames: list[Frame]) -> None:
        """Compute statistics of the batch from those of its blocks, in their order."""

    def measure_gradient(self, frame: Frame) -> None:
        """Compute statistics of one block of output gradients."""

    def agree_gradient(self, frames: list[Frame]) -> None:
        """Compute statistics of the batch's output gradients from those of its blocks, in their order."""
