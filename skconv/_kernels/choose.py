"""Which algorithm a convolution takes."""

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

_FEW_TAPS, _FEW_STRIDED = 6, 12  # where sums of products take less time than products of matrices
_SURE = 0.8  # of the direct method's work: where another must be below


def choose_convolution(
    window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False, gaps=False
) -> Correlation:
    """The fastest algorithm for these sizes; with ``gaps`` where columns of the output may lie apart.

    The rules are measured, two threads on AVX2, all passes, 16 x 16 images or 128 steps, blocks of 64; for one group
    without dilation see `choose_correlation` and `blocked_cost`.
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
    """`choose_correlation`, or what is faster on a series."""
    kernel = choose_correlation(window, channels, filters, width, dtype, alike)
    cost, direct = blocked_cost(window, channels, filters), window.columns.output * window.columns.kernel
    if cost > _SURE:
        return kernel
    if isinstance(kernel, Spectral) and spectral_cost(window, channels, filters) < cost * direct * channels * filters:
        return kernel
    return Blocked(window, channels, filters, width, dtype, alike)


def choose_correlation(window: Window, channels: int, filters: int, width: int, dtype, alike=False):
    """The fastest algorithm for these sizes.

    `Winograd` for kernels 3 to 7 high, stride 1 and some channels: with fewer than 8 the transforms cost more than the
    products they save.  Measured, GFLOP/s of the direct method, Winograd against gathered: 104 and 76 at 32 channels of
    14 x 14, 130 and 79 at 64 of 16 x 16.

    `Winograd2D` for 3 x 3 and many channels: 0.8 times the time at 64 channels, 128 filters and 16 x 16, 0.92 at 64, 64
    and 14 x 14; with 32 channels there is nothing to gain.

    `Spectral`, in prediction, for long kernels: 0.9 times the time at 256 taps on a series of 1000, 0.3 at 128 taps and
    8 channels, 0.5 at 21 x 21 on an image of 64 x 64.
    """
    rows, columns = window.rows, window.columns
    plain = rows.stride == rows.dilation == columns.stride == columns.dilation == 1
    ratio = 1.0
    if plain and 3 <= rows.kernel <= 7 and channels >= 8 and filters >= 8:
        _, ratio = best_tile(rows.output, rows.kernel)
    direct = rows.output * columns.output * rows.kernel * columns.kernel * channels * filters
    may_save = rows.size * columns.size < direct  # else no transform is worth it, and SciPy has none of any size
    if alike and may_save and spectral_cost(window, channels, filters) < _SURE * ratio * direct:
        return Spectral(window, channels, filters, width, dtype, alike)
    kind = Winograd if ratio < 0.8 else Gathered
    if kind is Winograd and columns.kernel == 3 and columns.output >= 4 and min(channels, filters) >= 64:
        kind = Winograd2D
    return kind(window, channels, filters, width, dtype, alike)
