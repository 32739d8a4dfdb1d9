"""Which algorithm a convolution takes."""

from __future__ import annotations

from .._geometry import Window
from .blocked import Blocked, blocked_cost
from .correlation import Winograd, choose_correlation
from .depthwise import Depthwise, TapSums
from .grouped import Grouped, Split
from .spectral import Spectral, spectral_cost

__all__ = ["choose_convolution"]

_FEW_TAPS, _FEW_STRIDED = 6, 12  # where sums of products take less time than products of matrices
_SURE = 0.8  # of the direct method's work: where another must be below


def choose_convolution(
    window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False, gaps=False
):
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
