"""What an operation asks for (`Plan`) and what it is given for one block of samples (`Frame`).

An operation has no arrays.  For each block of ``width`` samples, the network hands it a frame: its input
``x``, its output ``y``, the gradients ``dx`` and ``dy``, and views of parameters, gradients and buffers, all allocated
once.  Samples are columns: an array of shape ``(H, W, C)`` per sample is stored as ``(H, W, C, N)``.
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
    """What an operation needs for one input shape, block width and dtype.

    What it computes once from the sizes stands in a plan of its own, a dataclass derived from this one.

    Attributes
    ----------
    buffers : dict of shapes
        Arrays kept from the forward to the backward pass, one set a block; zero at the start.
    scratch : dict of dicts of shapes
        Arrays that nobody reads after the call, a group for each thing done; all groups of all operations of one thread
        lie in the same memory.
    shared : dict of shapes
        Arrays made from the parameters once a step by `Operation.prepare`; shared by all blocks.
    x, dy : Storage or None
        Borders of zeros around the input, around the output's gradient.
    aside : bool
        Whether the backward pass puts the weight's gradient aside; its scratch is then the group "gradient".
    temporary : int
        Bytes that a call, of `prepare` too, allocates and gives back.

    A shape may be followed by a dtype, ``(shape, dtype)``; otherwise it is the network's.
    """

    buffers: Shapes = field(default_factory=dict)
    scratch: dict[str, Shapes] = field(default_factory=dict)
    shared: Shapes = field(default_factory=dict)
    x: Storage | None = None
    dy: Storage | None = None
    aside: bool = False
    temporary: int = 0


Own = TypeVar("Own", bound=Plan)  # the plan of an operation's kind


def at_once(function, frame):
    """Call it: a frame's ``aside`` where no other thread has time."""
    function(frame)


@dataclass(kw_only=True, eq=False, repr=False, slots=True)
class Frame(Generic[Own]):
    """The arrays of one operation for one block of samples.

    Attributes
    ----------
    x, y, dx, dy : ndarray of shape (..., N)
        Input, output and their gradients; ``dx`` is None where no gradient of the input is wanted.
    x_storage, dy_storage : ndarray
        ``x`` and ``dy`` with the borders the plan asked for.
    parameters, gradients, state, buffers, scratch, shared : Arrays
        Views by name; `gradients` is None outside training.
    weight : ndarray of shape (N,)
        Share of each column in the batch: sample weights over their sum, zero for padding.
    rng : numpy.random.Generator or None
        The block's own random stream.
    group : list of Joint or None
        Of the steps of branches that belong together, from the fork to the merge.
    bound : object
        What `Operation.bind` made of these arrays: all views that the passes need.
    matmul : callable
        ``matmul(a, b, out=...)``; spread over the threads where the frame holds the whole batch.
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
