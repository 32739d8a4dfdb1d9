"""Integer arithmetic of windows that slide along an axis; no arrays here.

A window of ``kernel`` taps, ``dilation`` apart, starts ``before`` samples left of the axis and moves ``stride`` at a
time.  Everything else in the package asks an `Axis` for its numbers, so the rules are written down once:

- ``span = (kernel - 1) * dilation + 1`` samples from the first tap to the last;
- ``output = (size + before + after - span) // stride + 1`` windows fit;
- ``"same"`` puts ``(span - 1) // 2`` samples before the axis, so that a strided "same" correlation is the sub-sampling
  from the top left, ``[::stride]``, of the one with stride 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

__all__ = ["Axis", "Window", "make_window", "pair"]


@dataclass(frozen=True)
class Axis:
    """One axis of ``size`` samples and the windows that slide along it."""

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def span(self) -> int:
        """Samples from a window's first tap to its last."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def padded(self) -> int:
        """Size of the axis with its borders."""
        return self.size + self.before + self.after

    @property
    def output(self) -> int:
        """Number of windows; zero or less where none fits."""
        return (self.padded - self.span) // self.stride + 1

    def inside(self, tap: int) -> tuple[int, int, int]:
        """Where a tap lies on the axis and not in a border.

        Returns
        -------
        first, stop, sample : int
            Windows ``first`` to ``stop - 1`` have the tap on the axis (none where ``stop <= first``), the first of them
            on ``sample``, each next one ``stride`` further.
        """
        offset = tap * self.dilation - self.before
        first = max(0, -(offset // self.stride))
        stop = min(self.output, (self.size - 1 - offset) // self.stride + 1)
        return first, stop, first * self.stride + offset

    def adjoint(self) -> tuple[Axis, int, tuple[int, int]]:
        """Geometry of the data gradient.

        The gradient of ``size`` inputs is a stride-1 correlation, with the flipped kernel, of an axis in which the
        output's gradient stands every ``stride`` samples.

        Returns
        -------
        axis : Axis
            The stride-1 windows over that stuffed axis; ``axis.output == self.size``.
        first : int
            Where output 0 stands in the storage; may lie outside the part the windows read.
        storage : tuple of int
            ``(length, skip)``: the storage to allocate and how much of its start the windows do not read.
        """
        first = self.span - 1 - self.before  # index of output 0 in what the windows read; negative: before it
        read = self.size + self.span - 1
        skip = max(0, -first)
        length = max(skip + read, skip + first + (self.output - 1) * self.stride + 1)
        return Axis(read, self.kernel, 1, self.dilation), skip + first, (length, skip)


@dataclass(frozen=True)
class Window:
    """Windows over the rows and the columns of an image."""

    rows: Axis
    columns: Axis

    @property
    def output(self) -> tuple[int, int]:
        """``(P, Q)``, the windows down and across."""
        return self.rows.output, self.columns.output

    @property
    def fits(self) -> bool:
        """Whether at least one window fits each way."""
        return self.rows.output > 0 and self.columns.output > 0


def pair(value, height: int) -> tuple[int, int]:
    """``(down, across)`` from one number or two; one number on a series (height 1) speaks of time alone."""
    if isinstance(value, Integral):
        return (1 if height == 1 else int(value)), int(value)
    down, across = value
    return int(down), int(across)


def _borders(padding, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """``((top, bottom), (left, right))`` from one number, two, or two pairs."""
    if isinstance(padding, Integral):
        down = 0 if height == 1 else int(padding)
        return (down, down), (int(padding), int(padding))
    down, across = padding
    return pair(down, 0), pair(across, 0)


def make_window(height, width, kernel_size, *, stride=1, dilation=1, padding="valid") -> Window:
    """Windows of an image of ``height`` by ``width``; the caller has validated the values.

    Parameters
    ----------
    height, width : int
        Size of the image; a height of 1 is a series.
    kernel_size : int or (int, int)
        Taps down and across; one number on a series means ``(1, kernel_size)``.
    stride, dilation : int or (int, int)
        Likewise.
    padding : {"valid", "same"}, int, (int, int) or ((int, int), (int, int))
        Border down and across, or ``((top, bottom), (left, right))``.
    """
    kernels = pair(kernel_size, height)
    strides = pair(stride, height)
    dilations = pair(dilation, height)
    sides = ((0, 0), (0, 0)) if isinstance(padding, str) else _borders(padding, height)
    axes = []
    for size, k, s, d, (before, after) in zip((height, width), kernels, strides, dilations, sides, strict=True):
        if padding == "same":
            span = (k - 1) * d + 1
            before = (span - 1) // 2
            after = max(0, (-(-size // s) - 1) * s + span - before - size)
        axes.append(Axis(size, k, s, d, before, after))
    return Window(*axes)
