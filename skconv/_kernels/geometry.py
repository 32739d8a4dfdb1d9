"""Integer arithmetic of windows that slide along an axis; no arrays.

A window of ``kernel`` taps, ``dilation`` apart, starts ``before`` samples left of the axis and moves ``stride`` samples
at a time:

- ``span = (kernel - 1) * dilation + 1`` samples from the first tap to the last;
- ``output = (size + before + after - span) // stride + 1`` windows fit;
- ``"same"`` puts ``(span - 1) // 2`` samples before the axis, so that a strided "same" correlation is the sub-sampling
  from the top left, ``[::stride]``, of the one with stride 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from numbers import Integral

__all__ = [
    "BORDER_MAPS",
    "Axis",
    "Window",
    "border_map",
    "border_pieces",
    "border_source",
    "border_strips",
    "make_window",
    "pair",
]

BORDER_MAPS = ("edge", "reflect", "symmetric", "wrap")  # modes of a border that repeats samples of its axis


@dataclass(frozen=True)
class Axis:
    """One axis of ``size`` samples and the windows that slide along it."""

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    overhang: int = 0  # samples of the last window beyond the border, see `rounded_up`

    @property
    def span(self) -> int:
        """Samples from a window's first tap to its last."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def padded(self) -> int:
        """Size of the axis with its borders and the overhang."""
        return self.size + self.before + self.after + self.overhang

    @property
    def output(self) -> int:
        """Number of windows; zero or less where none fits."""
        return (self.padded - self.span) // self.stride + 1

    def rounded_up(self) -> Axis:
        """The axis with a window more where samples are left over, if that window starts on the axis, as in PyTorch."""
        more = -(-(self.padded - self.span) // self.stride) * self.stride  # start of the last window in the storage
        if more < 0 or more >= self.before + self.size:
            return self
        return replace(self, overhang=more + self.span - self.padded)

    def trimmed(self) -> Axis:
        """The same windows without their first and last taps that never lie on the axis; for windows without dilation.

        At most two taps per sample of the axis remain, however wide the windows are.
        """
        moved = (self.output - 1) * self.stride
        first, last = max(0, self.before - moved), min(self.kernel, self.before + self.size) - 1
        before, kernel = self.before - first, last - first + 1
        return Axis(self.size, kernel, self.stride, 1, before, max(0, moved + kernel - self.size - before))

    def strip(self, start: int, stop: int) -> tuple[int, int, tuple[int, int]]:
        """Samples ``first`` to ``end - 1`` and widths of the borders under windows ``start`` to ``stop - 1``.

        ``end <= first`` where all of these windows lie in a border.
        """
        first = start * self.stride - self.before
        end = (stop - 1) * self.stride - self.before + self.span
        borders = max(0, -first), min(max(0, end - self.size), self.after)
        return max(first, 0), min(end, self.size), borders

    def inside(self, tap: int) -> tuple[int, int, int]:
        """The windows whose tap ``tap`` lies on the axis, not in a border.

        Returns
        -------
        first, stop, sample : int
            Windows ``first`` to ``stop - 1``, none if ``stop <= first``; the tap of window ``first`` lies on
            ``sample``, that of each next window ``stride`` samples further.
        """
        offset = tap * self.dilation - self.before
        first = max(0, -(offset // self.stride))
        stop = min(self.output, (self.size - 1 - offset) // self.stride + 1)
        return first, stop, first * self.stride + offset

    def counts(self, borders=False) -> list[int]:
        """Number of samples in each window, of the axis or of the axis and its borders; without dilation only."""
        first, stop = (0, self.padded - self.overhang) if borders else (self.before, self.before + self.size)
        starts = range(0, self.output * self.stride, self.stride)
        return [min(start + self.kernel, stop) - max(start, first) for start in starts]

    def adjoint(self) -> tuple[list[Phase], int, int]:
        """Geometry of the data gradient.

        The gradient of every ``stride``-th input is a stride-1 correlation of the output's gradient with the taps that
        reach these inputs, flipped.

        Returns
        -------
        phases : list of Phase
            One for each of the first ``stride`` inputs that a tap reaches; the others have no gradient.
        first : int
            Index of output 0 in the storage of the output's gradient and the zeros around it.
        length : int
            Size of that storage.
        """
        step = self.stride // gcd(self.stride, self.dilation)  # from a tap to the next that reaches the same inputs
        reached = {(tap * self.dilation - self.before) % self.stride: tap for tap in range(min(step, self.kernel))}
        phases = [self._phase(start, tap, step) for start, tap in sorted(reached.items()) if start < self.size]
        first = max([0, *(-phase.skip for phase in phases)])
        phases = [replace(phase, skip=first + phase.skip) for phase in phases]
        return phases, first, max([first + self.output, *(phase.skip + phase.axis.size for phase in phases)])

    def _phase(self, start, tap, step) -> Phase:
        """Phase of the inputs from ``start`` on, whose first tap is ``tap``; its ``skip`` counts from output 0."""
        dilation = self.dilation // gcd(self.stride, self.dilation)  # between outputs that reach the same input
        output = (start + self.before - tap * self.dilation) // self.stride
        taps, inputs = len(range(tap, self.kernel, step)), len(range(start, self.size, self.stride))
        back = (taps - 1) * dilation
        return Phase(start, slice(tap, None, step), Axis(inputs + back, taps, 1, dilation), output - back)


@dataclass(frozen=True)
class Phase:
    """Part of a data gradient: inputs from ``start`` on, a stride apart.

    Attributes
    ----------
    start : int
    taps : slice
        Taps of the kernel that reach these inputs, not yet flipped.
    axis : Axis
        Stride-1 windows over the storage of the output's gradient, one for each of the ``axis.output`` inputs.
    skip : int
        Index of the first window in the storage.
    """

    start: int
    taps: slice
    axis: Axis
    skip: int


@dataclass(frozen=True)
class Window:
    """Windows over the rows and the columns of an image."""

    rows: Axis
    columns: Axis

    @property
    def output(self) -> tuple[int, int]:
        """``(P, Q)``, the windows down and across."""
        return self.rows.output, self.columns.output

    def trimmed(self) -> Window:
        """The windows without taps that never lie on the image, see `Axis.trimmed`."""
        return Window(self.rows.trimmed(), self.columns.trimmed())

    @property
    def tiled(self) -> bool:
        """Whether the windows are 2 x 2 tiles."""
        return all((a.kernel, a.stride, a.padded) == (2, 2, a.size) for a in (self.rows, self.columns))

    @property
    def fits(self) -> bool:
        """Whether at least one window fits each way."""
        return self.rows.output > 0 and self.columns.output > 0


def pair(value, height: int) -> tuple[int, int]:
    """``(down, across)`` from one number or two; on a series (height 1) one number gives ``(1, number)``."""
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


def make_window(height, width, kernel_size, *, stride=1, dilation=1, padding="valid", ceil_mode=False) -> Window:
    """Windows of an image of ``height`` by ``width``; the caller has validated the values.

    Parameters
    ----------
    height, width : int
        Size of the image; a height of 1 is a series.
    kernel_size : int or (int, int)
        Taps down and across; one number on a series means ``(1, kernel_size)``.
    stride, dilation : int or (int, int)
        Steps of the windows and of their taps; one number on a series means ``(1, number)``.
    padding : {"valid", "same"}, int, (int, int) or ((int, int), (int, int))
        Border down and across, or ``((top, bottom), (left, right))``.
    ceil_mode : bool
        Whether the last windows may reach beyond the border, see `Axis.rounded_up`.
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
        # A stride beyond the axis and the dilation of a single tap have no effect: a limit keeps all numbers small.
        s, d = min(s, max(size + before + after, (k - 1) * d + 1)), d if k > 1 else 1
        axis = Axis(size, k, s, d, before, after)
        axes.append(axis.rounded_up() if ceil_mode else axis)
    return Window(*axes)


def border_source(axis: Axis, mode, position) -> int:
    """Index of the sample that a position repeats, in the borders as `numpy.pad` does.

    Parameters
    ----------
    axis : Axis
    mode : {"edge", "reflect", "symmetric", "wrap"}
        Repeat the last sample; mirror about the last sample, or about its outer edge; go on at the other end.  On an
        axis of one sample all modes are the same.
    position : int
        Index on the axis, in a border negative or at least ``axis.size``.
    """
    last = axis.size - 1
    if mode == "edge" or last == 0:
        return min(max(position, 0), last)
    if mode == "wrap":
        return position % axis.size
    period, way_back = (2 * last, 2 * last) if mode == "reflect" else (2 * axis.size, 2 * axis.size - 1)
    return min(position % period, way_back - position % period)


def border_map(axis: Axis, mode) -> list[tuple[slice, slice]]:
    """List of ``(positions, samples)``: slices of the padded axis, first the axis itself, and the samples they repeat.

    The samples of a slice rise or fall by one, or are a single sample for all its positions.
    """
    end = axis.size + axis.after
    pieces = [(slice(axis.before, axis.before + axis.size), slice(0, axis.size))]
    for start, stop in ((-axis.before, 0), (axis.size, end)):
        while start < stop:
            first, length, step = _run(axis, mode, start, stop)
            past = first + (length - 1) * step + (step or 1)
            at = slice(axis.before + start, axis.before + start + length)
            pieces.append((at, slice(first, past if past >= 0 else None, step or 1)))
            start += length
    return pieces


def border_pieces(axis: Axis, mode) -> int:
    """Upper limit of the length of `border_map`."""
    turns = 0 if mode == "edge" or axis.size == 1 else (axis.before + axis.after) // (axis.size - 1)
    return turns + 5


def _run(axis, mode, start, stop):
    """First sample, length and step of the longest run of samples that the positions from ``start`` on repeat."""
    first = border_source(axis, mode, start)
    step = border_source(axis, mode, start + 1) - first if start + 1 < stop else 2
    if step == 0:  # one sample for all positions; in mode "symmetric" for the two beside the mirror
        return first, stop - start if mode == "edge" or axis.size == 1 else 2, 0
    if abs(step) > 1:
        return first, 1, 0
    return first, min(stop - start, axis.size - first if step > 0 else first + 1), step


def border_strips(window: Window) -> dict[str, tuple[slice, slice]]:
    """``(rows, columns)`` of the four strips of a border, by name; top and bottom include the corners."""
    rows, columns = window.rows, window.columns
    middle = slice(rows.before, rows.before + rows.size)
    return {
        "top": (slice(0, rows.before), slice(0, columns.padded)),
        "bottom": (slice(middle.stop, rows.padded), slice(0, columns.padded)),
        "left": (middle, slice(0, columns.before)),
        "right": (middle, slice(columns.before + columns.size, columns.padded)),
    }
