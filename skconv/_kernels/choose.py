"""Choice of the algorithm of a convolution."""

from __future__ import annotations

from .algorithm import Correlation
from .blocked import Blocked, blocked_cost
from .correlation import Gathered
from .depthwise import Depthwise, TapSums
from .geometry import Window
from .grouped import Grouped, Split
from .spectral import Spectral, spectral_cost
from .winograd import Winograd, best_tile
from .winograd2d import Winograd2D

__all__ = ["choose_convolution", "choose_correlation"]

_FEW_TAPS, _FEW_STRIDED = 6, 12  # most taps, without and with a stride across, for which `TapSums` is the fastest
_SURE = 0.8  # most estimated work, relative to the direct method, for which another method is taken


def choose_convolution(
    window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False, gaps=False
) -> Correlation:
    """The fastest algorithm for these sizes; ``gaps`` tells that columns of the output may not be contiguous.

    The rules come from the times of all passes of two threads on AVX2, with 16 x 16 images or 128 steps and blocks of
    64; for one group without dilation see `choose_correlation` and `blocked_cost`.
    """
    sizes = (window, channels, filters, groups, width, dtype, alike)
    rows, columns = window.rows, window.columns
    if groups == channels == filters > 1:
        few = _FEW_TAPS if columns.stride == 1 else _FEW_STRIDED
        if rows.kernel * columns.kernel <= few or (rows.dilation > 1 and rows.kernel > 1):
            return TapSums(*sizes)
        if rows.kernel > 1:
            return Depthwise(*sizes)
    if groups > 1 or rows.dilation > 1 or columns.dilation > 1:
        split = Split(*sizes, choose=_choose)
        if isinstance(split.kernel, (Blocked, Spectral, Winograd)):
            return split
        if groups > 1:
            return Grouped(*sizes)
    kernel = _choose(window, channels, filters, width, dtype, alike)
    return Split(*sizes, choose=_choose) if gaps and isinstance(kernel, Winograd) else kernel


def _choose(window, channels, filters, width, dtype, alike=False):
    """`Blocked` for a series where it is the fastest, else the result of `choose_correlation`."""
    kernel = choose_correlation(window, channels, filters, width, dtype, alike)
    cost, direct = blocked_cost(window, channels, filters), window.columns.output * window.columns.kernel
    if cost > _SURE:
        return kernel
    if isinstance(kernel, Spectral) and spectral_cost(window, channels, filters) < cost * direct * channels * filters:
        return kernel
    return Blocked(window, channels, filters, width, dtype, alike)


def choose_correlation(window: Window, channels: int, filters: int, width: int, dtype, alike=False):
    """The fastest of `Gathered`, `Winograd`, `Winograd2D` and `Spectral` for these sizes, without groups.

    `Winograd` for kernels 3 to 7 high, stride 1 and 8 channels or more: with fewer the transforms cost more than the
    products that they save.  GFLOP/s, counted as the direct method's, of `Winograd` and `Gathered`: 104 and 76 with 32
    channels of 14 x 14, 130 and 79 with 64 of 16 x 16.

    `Winograd2D` for 3 x 3 and 64 channels or more: 0.8 times the time of `Winograd` with 64 channels, 128 filters and
    16 x 16, 0.92 with 64, 64 and 14 x 14; with 32 channels no gain.

    `Spectral`, in prediction, for long kernels: 0.9 times the time with 256 taps on a series of 1000, 0.3 with 128 taps
    and 8 channels, 0.5 with 21 x 21 on an image of 64 x 64.
    """
    rows, columns = window.rows, window.columns
    plain = rows.stride == rows.dilation == columns.stride == columns.dilation == 1
    ratio = 1.0
    if plain and 3 <= rows.kernel <= 7 and channels >= 8 and filters >= 8:
        _, ratio = best_tile(rows.output, rows.kernel)
    direct = rows.output * columns.output * rows.kernel * columns.kernel * channels * filters
    may_save = rows.size * columns.size < direct  # so that no transform is larger than SciPy can do
    if alike and may_save and spectral_cost(window, channels, filters) < _SURE * ratio * direct:
        return Spectral(window, channels, filters, width, dtype, alike)
    kind = Winograd if ratio < 0.8 else Gathered
    if kind is Winograd and columns.kernel == 3 and columns.output >= 4 and min(channels, filters) >= 64:
        kind = Winograd2D
    return kind(window, channels, filters, width, dtype, alike)
