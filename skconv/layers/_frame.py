"""The arrays that an operation needs (`Plan`), and its arrays for one block of samples (`Frame`).

An operation has no arrays.  For each block of ``width`` samples it gets a frame: its input ``x``, its output ``y``, the
gradients ``dx`` and ``dy``, and views of parameters, gradients and buffers, all allocated once.  Samples are columns:
an array of shape ``(H, W, C)`` per sample is stored as ``(H, W, C, N)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._kernels.memory import Shapes, Storage

if TYPE_CHECKING:
    from ._operation import Operation

__all__ = ["Frame", "Plan"]


@dataclass(kw_only=True)
class Plan:
    """The arrays that an operation needs for one input shape, block width and dtype.

    What an operation computes once from the sizes is a field of a dataclass derived from this one.

    Attributes
    ----------
    buffers : dict of shapes
        Arrays kept from the forward to the backward pass, one set per block; zero at the start.
    scratch : dict of dicts of shapes
        Arrays that are not read after a call, in groups by pass; all groups of all operations of a thread share memory.
    shared : dict of shapes
        Arrays made from the parameters by `Operation.prepare`, once per training step; shared by all blocks.
    x, dy : Storage or None
        Borders of zeros around the input, around the output's gradient.
    aside : bool
        Whether the backward pass puts the weight gradient aside, whose scratch is the group "gradient".
    temporary : int
        Bytes that a call, also of `prepare`, allocates and frees.

    An array is given by its shape or, with a dtype other than the network's, by ``(shape, dtype)``.
    """

    buffers: Shapes = field(default_factory=dict)
    scratch: dict[str, Shapes] = field(default_factory=dict)
    shared: Shapes = field(default_factory=dict)
    x: Storage | None = None
    dy: Storage | None = None
    aside: bool = False
    temporary: int = 0


Own = TypeVar("Own", bound=Plan)  # class of an operation's plan


def at_once(function, frame):
    """Call ``function(frame)``: the `Frame.aside` without a second thread."""
    function(frame)


@dataclass(kw_only=True, eq=False, repr=False, slots=True)
class Frame(Generic[Own]):
    """The arrays of one operation for one block of samples.

    Attributes
    ----------
    x, y, dx, dy : ndarray of shape (..., N)
        Input, output and their gradients; ``dx`` is None where no gradient of the input is wanted.
    x_storage, dy_storage : ndarray
        ``x`` and ``dy`` with the borders of the plan.
    parameters, gradients, state, buffers, scratch, shared : Arrays
        Views by name; `gradients` is None outside training.
    weight : ndarray of shape (N,)
        Share of each column in the batch: sample weights over their sum, zero for unused columns.
    rng : numpy.random.Generator or None
        Random stream of the block.
    group : list of Joint or None
        Joints of a fork, its switches and its merge.
    bound : object
        Result of `Operation.bind`, such as views that the passes need.
    matmul : callable
        ``matmul(a, b, out=...)``; on several threads where the frame holds the whole batch.
    aside : callable
        ``aside(function, frame)`` calls ``function(frame)`` before the gradients are read: at once, or on another
        thread while the backward pass goes on.
    """

    operation: Operation
    plan: Own = None  # type: ignore[assignment]
    x: Any = None
    y: Any = None
    dx: Any = None
    dy: Any = None
    x_storage: Any = None
    dy_storage: Any = None
    parameters: Any = None
    gradients: Any = None
    state: Any = None
    buffers: Any = None
    scratch: Any = None
    shared: Any = None
    weight: Any = None
    rng: Any = None
    group: list | None = None
    matmul: Any = None
    aside: Callable = at_once
    bound: Any = None

    def __post_init__(self):
        self.bound = self.operation.bind(self)
