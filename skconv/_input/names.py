"""Feature names of pixels: from the shape of an image, and the shape from the names."""

from __future__ import annotations

import re

__all__ = ["NAME_BYTES", "channel_names", "pixel_names", "shape_of_names"]

NAME_BYTES = 160  # bytes of a name with its entries in a list and an array
_PLACE = re.compile(r"(?:^|_)(?:row(\d+)_column(\d+)|time(\d+))$")


def pixel_names(shape, channels, series=None) -> list[str]:
    """Feature names of an image, such as "red_row0_column1", or of a series, such as "time3".

    Parameters
    ----------
    shape : (int, int, int)
        Height, width and channels.
    channels : list of str
        One name, or "", per channel.
    series : bool, default=None
        Whether the names are those of a series; None where the height is 1.
    """
    height, width, _ = shape
    series = height == 1 if series is None else series
    places = [_place(series, row, column) for row in range(height) for column in range(width)]
    return [f"{channel}_{place}" if channel else place for place in places for channel in channels]


def channel_names(names, shape) -> list[str]:
    """Names of channels in feature names of `pixel_names`; else "channel0", "channel1", ..., or "" for a single one."""
    channels = shape[2]
    first = [] if names is None else [str(name) for name in names[:channels]]
    for place in (f"_{_place(series, 0, 0)}" for series in (False, True)):
        if first and all(name.endswith(place) for name in first):
            return [name.removesuffix(place) for name in first]
    return [f"channel{c}" for c in range(channels)] if channels > 1 else [""]


def shape_of_names(names):
    """``(height, width, channels)`` of the image that has these names by `pixel_names`, or None."""
    last = _PLACE.search(str(names[-1]))
    if last is None:
        return None
    row, column, time = last.groups()
    height, width = (1, int(time) + 1) if row is None else (int(row) + 1, int(column) + 1)
    shape = height, width, len(names) // (height * width)
    named = pixel_names(shape, channel_names(names, shape), series=row is None)
    return shape if named == [str(name) for name in names] else None


def _place(series, row, column):
    return f"time{column}" if series else f"row{row}_column{column}"
