"""The contract of an operation: what a network asks of its steps."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._frame import Frame, Plan

__all__ = ["Operation", "Parameter"]


class Parameter(NamedTuple):
    """What an operation says of an array that it trains; by default it is a bias, a scale or the like.

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


class Operation:
    """What a step of a network does, forward and backward, on arrays that it is given, and what it says of itself.

    It has sizes and settings but no arrays, so threads and networks share it.  Users build with a `Layer`, which is an
    operation with hyper-parameters, or becomes several.  The package's own are no layers: the ends of branches, or a
    convolution and what follows it in one.

    Shapes are those of one sample: ``(height, width, channels)``, or ``(units,)`` after a layer that flattens.  Arrays
    have the samples as a last axis.

    Attributes
    ----------
    takes : {"image", "vector", None}
        What the input must be; None takes both.
    in_place : bool
        ``y`` is ``x`` and ``dx`` is ``dy``; the backward pass must not need ``x``.
    reads_output : bool
        The backward pass reads ``y``, so the next operation must not overwrite it.
    synchronous : bool
        Training needs numbers of the whole batch, see `measure`; where the operation is frozen, it does what prediction
        does.
    late : bool
        The operation takes a vector, and its parameters' gradient from the whole batch, by `late_gradient`.
    pointwise : bool
        In prediction, each position of the output needs that position of the input alone.
    by_rows : bool
        In prediction, some rows of the output need some rows of the input alone, see `strip`.
    by_position : bool
        The first axis of the parameters and of the state is that of the image's rows.
    random : bool
        Training draws random numbers, anew in each pass, so that L-BFGS has no use for the operation.
    asked_by : str
        The estimators' parameter that asks for it where it is in none of the lists of layers.
    reshapes : bool
        The output is the input in another shape.
    starts_band, ends_band : bool
        Prediction does what comes after the operation with it, band by band of rows, see `tile`; or nothing after it.
    single_sample : {"product", "windows", "elements", None}
        How prediction takes a sample without a block: as a convolution does, by windows over the image, or element by
        element, as if positions were samples; None where it needs a block.
    joint : {"fork", "switch", "merge", None}
        Where branches start, where the next of them does, where they come together.
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
    joint: str | None = None

    @property
    def by_rows(self):
        """Whether some rows of the output need some rows of the input alone."""
        return self.pointwise

    # Its place in a network

    def copy(self) -> Operation:
        """What a network keeps of it: itself, since nobody changes it."""
        return self

    def named_steps(self, name: str, shape: tuple[int, ...]) -> list[tuple[str, Operation]]:
        """The steps that compute it, with their names; they differ where two steps have parameters of one name."""
        return [(name, self)]

    def commutes(self, before: Operation) -> bool:
        """Whether the operation before this one can just as well come after it."""
        return False

    def joined(self, before: Operation, shape: tuple[int, ...]) -> Operation | None:
        """One that does what the one before, on an input of this shape, and this one do; None where two must."""
        return None

    def tile(self, shape: tuple[int, ...]) -> int:
        """Rows of the input that a row of the output needs in prediction, where no other row needs them; else 0."""
        return int(self.pointwise)

    def strip(self, shape: tuple[int, ...], start: int, stop: int) -> tuple[Operation, int, int] | None:
        """The operation for rows ``start`` to ``stop - 1`` of the output, and the first and the end of those it needs.

        None where they see nothing but border.
        """
        return self, start, stop

    def placed_parts(self, shape, *arrays):
        """``(operation, shape of its input, *arrays)`` of each that the step does, with its own named arrays."""
        return [(self, shape, *arrays)]

    # Its sizes

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of a sample's output; raises ValueError where the input does not fit."""
        return shape

    def parameters(self, shape: tuple[int, ...]) -> dict[str, Parameter]:
        """The arrays that are trained, by name."""
        return {}

    def state_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of what is kept with the model but not trained."""
        return {}

    def initialize(self, parameters, state, shape, rng) -> None:
        """Set the first values; both come zeroed."""

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Multiplications of the direct method for one sample."""
        return 0

    def least_samples(self, shape: tuple[int, ...]) -> int:
        """Samples that a training step needs for anything to be learned."""
        return 1

    def plan(self, shape, width, dtype, *, training: bool, input_gradient: bool) -> Plan:
        """What is needed for blocks of ``width`` samples."""
        return Plan()

    def least_bytes(self, shape, width, dtype, *, training: bool, input_gradient: bool) -> int:
        """Bytes at least for such a block, beside its output, that are known before `plan`, which may make tables."""
        return 0

    # Its passes

    def prepare(self, parameters, state, plan, shared) -> None:
        """Make ``shared`` from the parameters and the state, once a step."""

    def bind(self, frame: Frame) -> Any:
        """What is to be found in ``frame.bound``, such as views of the arrays of the frame, made once."""
        return None

    def forward(self, frame: Frame, training: bool) -> None:
        """Fill ``frame.y``."""
        raise NotImplementedError

    def backward(self, frame: Frame) -> None:
        """Fill ``frame.gradients``, unless it is late, and ``frame.dx``, unless it is None."""
        raise NotImplementedError

    def late_gradient(self, frame: Frame) -> None:
        """Fill ``frame.gradients`` from ``frame.x`` and ``frame.dy`` of the whole batch, if it is late."""

    # A synchronous operation first measures each block, then agrees on the batch, before it goes on.

    def measure(self, frame: Frame) -> None:
        """Statistics of one block of inputs."""

    def agree(self, frames: list[Frame]) -> None:
        """Statistics of the batch from those of its blocks, in their order."""

    def measure_gradient(self, frame: Frame) -> None:
        """Statistics of one block of output gradients."""

    def agree_gradient(self, frames: list[Frame]) -> None:
        """Statistics of the batch from those of its blocks, in their order."""
