"""What pretrained networks expect of images: a mean and a scale of each channel, of bytes or of numbers up to 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._input.checks import check_channel_values
from .._input.constraints import at_place, fitting, one_of, shown
from .._input.warnings import warn
from ..layers.composite import named
from .network import Network
from .pretrained import PretrainedNetwork

__all__ = ["CONVENTIONS", "PREPROCESSING", "preprocess", "warn_of_range"]

_LOOKED_AT = 64  # samples whose range is compared with what a network expects
_BYTES, _UNIT = 40.0, 2.0  # level plus spread is above the first for bytes, and below the second for numbers up to 1


class Convention(NamedTuple):
    """Mean and scale of the channels red, green, blue of bytes from 0 to 255, and whether blue comes first."""

    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]
    blue_first: bool = False


CONVENTIONS = {
    "imagenet": Convention((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "tensorflow": Convention(127.5, 127.5),
    "efficientnet_lite": Convention(127.0, 128.0),
    "unit": Convention(0.0, 255.0),
    "caffe": Convention((123.68, 116.779, 103.939), 1.0, blue_first=True),
}
_PAIR = fitting(lambda value: isinstance(value, (tuple, list)) and len(value) == 2, "a pair (mean, scale)")
PREPROCESSING = [one_of(*CONVENTIONS), _PAIR, None]


def preprocess(network: Network, preprocessing):
    """Let a network subtract a mean and divide by a scale first, before it scales samples as it does already.

    Parameters
    ----------
    network : Network
        Which is changed.
    preprocessing : str, (mean, scale) or None
        A name of `CONVENTIONS`, or numbers for all channels, or one for each, in the unit of the samples.

    Raises
    ------
    ValueError
        If the numbers do not fit the channels, or the network must get blue first and has no convolution for that.
    """
    if preprocessing is None:
        return
    known = CONVENTIONS[preprocessing] if isinstance(preprocessing, str) else Convention(*preprocessing)
    channels = network.input_shape[2]
    with at_place(f"preprocessing={shown(preprocessing)}"):
        mean, std = (
            np.resize(check_channel_values(name, values, channels), channels)
            for name, values in zip(("mean", "scale"), known, strict=False)
        )
        if (std <= 0).any():
            raise ValueError(f"scale must be above 0, got {shown(std.min())}")
        if known.blue_first:
            _reverse_channels(network)
    level, spread = _level_and_spread(network)
    if network.moments is not None and known.blue_first:
        level, spread = level[..., ::-1], spread[..., ::-1]
    network.scale_by((mean + std * level, std * spread))


def _level_and_spread(network):
    """Level and spread by which a network scales samples now, where a spread of a constant feature is 1."""
    if network.moments is None:
        return 0.0, 1.0
    level, spread = (each.reshape(network.input_shape) for each in (network.read.level, network.read.spread))
    return (level[0, 0], spread[0, 0]) if network.moments[0].ndim == 1 else (level, spread)


def _reverse_channels(network):
    """Reverse the channels of the first convolution's weights, so that images have red first."""
    name, weight = next(iter(network.named_parameters().items()), ("", np.empty(0)))
    shapes = dict(zip([name for name, _ in named(network.layers)], network.shapes, strict=False))
    first = name.removesuffix(".weight")
    if not first.startswith("convolution") or shapes.get(first, ())[2:] != (3,) or weight.shape[-1] != 3:
        raise ValueError(
            f"blue comes first, which needs a network whose first weights are those of a convolution of 3 channels, "
            f"got {name or 'none'} {weight.shape}; give X[..., ::-1] and a pair (mean, scale)"
        )
    weight[...] = weight[..., ::-1].copy()


def warn_of_range(network, X):
    """Warn where samples X (n, ...) up to 1 go into a pretrained network for bytes, or bytes into one for the former.

    The first samples are looked at, and nothing is changed by what they are.
    """
    if not isinstance(network, PretrainedNetwork) or network.moments is None or network.moments[0].ndim != 1:
        return
    level, spread = network.moments
    size, most = float((np.abs(level) + spread).max()), float(np.max(X[:_LOOKED_AT]))
    if most <= 1 and size > _BYTES:
        factor, write = 255, "255 * X"
    elif most > 30 and size <= _UNIT:
        factor, write = 1 / 255, "X / 255"
    else:
        return
    wanted = tuple(tuple((each / factor).round(6).tolist()) for each in (level, spread))
    warn(
        f"X goes up to {most:.6g}, but the pretrained network subtracts {shown(level.tolist())} and divides by "
        f"{shown(spread.tolist())}, as for numbers up to {255 if factor == 255 else 1}. Write {write}, or "
        f"preprocessing={wanted} for X as it is"
    )
