"""From the parameter ``augment`` to what the trainer calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._input.checks import check_channel_values
from .._input.constraints import SHAPES, check_arguments, check_value, finite_numbers, fitting, one_of
from . import _changes, _maps
from ._base import Augmentation
from ._changes import Jitter, Mixup, Scaling, mix
from ._maps import Crop, Flip, Map, Rotation, Shift, TimeWarp, Zoom, compose, warped
from ._resample import resample, resample_whole

__all__ = ["Augmenter", "auto", "make_augmenter", "names_of"]


def _name(kind) -> str:
    """A class's name in small letters: time_warp is TimeWarp."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_KINDS = [vars(module)[name] for module in (_changes, _maps) for name in module.__all__ if name != "Map"]
NAMES: dict[str, type[Augmentation]] = {_name(kind): kind for kind in sorted(_KINDS, key=_name)}
_ENTRY = [
    one_of("auto", *NAMES),
    fitting(lambda value: isinstance(value, Augmentation), "an object of skconv.augmentation"),
]
_WHOLE = [fitting(lambda value: isinstance(value, (list, tuple)), "a list of these"), None]
_SMALL = 8  # "auto" moves nothing along a side of an image that is shorter
_SHORT = 50  # nor along the time of a series that is shorter


@dataclass(frozen=True)
class Draws:
    """Random numbers of ``n`` samples, one row each.

    Attributes
    ----------
    maps : ndarray of shape (n, 2, 3) or None
    positions : ndarray of shape (n, W) or None
        Of warped time.
    changes : list of (Augmentation, ndarray)
    kept : ndarray of shape (n,) or None
        Shares that samples keep in mixup.
    """

    maps: Any = None
    positions: Any = None
    changes: tuple = ()
    kept: Any = None


def _are_augmentations(value):
    return isinstance(value, (tuple, list)) and all(isinstance(entry, Augmentation) for entry in value)


class Augmenter:
    """A list of augmentations for samples of one shape.

    Parameters
    ----------
    augmentations : list of Augmentation
        Applied in this order, but that maps come first, and all of them at once; copied.
    shape : (int, int, int)
        Height, width and channels.
    scale : float or ndarray of shape (C,)
        Standard deviation of each channel in the training data.

    Attributes
    ----------
    mixes : bool
        Whether `mix` has anything to do.
    averages : bool
        Whether anything is left for averaging at prediction.
    """

    _parameter_constraints: dict = {
        "augmentations": [fitting(_are_augmentations, "a list of objects of skconv.augmentation")],
        "shape": [SHAPES],
        "scale": [finite_numbers()],
    }

    def __init__(self, augmentations, shape, scale):
        check_arguments(self, locals())
        for augmentation in augmentations:
            augmentation.check(shape)
        self.augmentations, self.shape = deepcopy(list(augmentations)), tuple(shape)
        self.scale = np.broadcast_to(check_channel_values("scale", scale, shape[2]), shape[2:])
        self.mixes = any(isinstance(a, Mixup) for a in augmentations)
        self.averages = any(a.averaged for a in augmentations)
        self._whole = all(a.whole for a in augmentations if isinstance(a, (Map, TimeWarp)))

    def draw(self, n, rng) -> Draws:
        """All random numbers for ``n`` samples, from a `numpy.random.Generator`, always in the same order."""
        return self._draw(self.augmentations, n, rng)

    def _draw(self, augmentations, n, rng):
        maps = log_speed = kept = None
        changes = []
        for augmentation in augmentations:
            drawn = augmentation.draw(n, self.shape, rng)
            if isinstance(augmentation, Map):
                maps = drawn if maps is None else compose(maps, drawn)
            elif isinstance(augmentation, TimeWarp):
                log_speed = drawn if log_speed is None else log_speed + drawn
            elif isinstance(augmentation, Mixup):
                kept = drawn if kept is None else kept * drawn
            else:
                changes.append((augmentation, drawn))
        positions = None if log_speed is None else warped(log_speed, self.shape[1])
        if positions is not None and maps is None:
            maps = np.broadcast_to(np.eye(2, 3), (n, 2, 3))
        return Draws(maps, positions, tuple(changes), kept)

    def apply(self, images, parameters, part=slice(None)):
        """Change images in place, but for `mix`; may be called from several threads, each with its own images.

        Parameters
        ----------
        images : ndarray of shape (m, H, W, C), float32 or float64, C-contiguous
        parameters : Draws
        part : slice or ndarray of int, default=slice(None)
            Rows of the parameters that belong to the images.
        """
        if images.dtype not in (np.float32, np.float64) or not images.flags.c_contiguous:
            raise ValueError(f"images must be C-contiguous float32 or float64, got {images.dtype} of {images.strides}")
        if images.shape[1:] != self.shape:
            raise ValueError(f"images must have shape (m, H, W, C) = (m, *{self.shape}), got {images.shape}")
        if parameters.maps is not None and self._whole:
            resample_whole(images, parameters.maps[part])
        elif parameters.maps is not None:
            positions = None if parameters.positions is None else parameters.positions[part]
            resample(images, parameters.maps[part], positions)
        for augmentation, drawn in parameters.changes:
            augmentation.change(images, drawn[part], self.scale)

    def mix(self, images, targets, parameters, part=slice(None)):
        """Blend images (m, H, W, C), each with the next of them, and floating targets (units, m), in place."""
        if parameters.kept is None:
            return
        if not np.issubdtype(targets.dtype, np.floating):
            raise ValueError(f"targets to blend must be floats, one column a sample, got {targets.dtype}")
        mix(images, parameters.kept[part], 0)
        mix(targets, parameters.kept[part], 1)

    # Averaging at prediction

    def copies(self, n_copies, seed) -> Iterator[Draws]:
        """Parameters of ``n_copies`` changed copies of whatever is predicted, for `apply_to_all`.

        More copies begin with those of fewer.  There are none where nothing is left that can be averaged.
        """
        rng = np.random.default_rng(seed)
        used = [augmentation for augmentation in self.augmentations if augmentation.averaged]
        return (self._draw(used, 1, rng) for _ in range(n_copies if used else 0))

    def apply_to_all(self, images, copy):
        """Change all images alike, in place, by one of `copies`: no image depends on another."""
        self.apply(images, copy, np.zeros(len(images), np.intp))


def auto(shape, *, flips=True) -> list[Augmentation]:
    """What "auto" stands for: what leaves the meaning of data alone of which nothing is known but their shape.

    - Colour photographs, which is what three channels are taken for: shifts by whole pixels, up to an eighth of the
      side, and flips left to right, as is usual on photographs since He et al. (arXiv 1512.03385).  Where left and
      right mean something (road signs, house numbers, text) name what you want in place of "auto".
    - Other images, such as digits, letters, scans and maps of any quantity: shifts up to a fourteenth of the side,
      rotations up to 10 degrees, sizes 10 % more or less.  Never a flip, which makes another letter of a letter.
    - A side shorter than 8 pixels may be a list of sensors and not a direction: nothing moves along it.
    - Series: amplitudes 10 % more or less, noise of 3 %, and a window of 95 % or more stretched to the whole.  The
      last not below 50 steps, where each may have a meaning of its own, like the hours of a day.  No warp, and time
      never runs backwards.

    Parameters
    ----------
    shape : (int, int, int)
        Height, width and channels; a height of 1 is a series.
    flips : bool, default=True
        Whether colour photographs may be mirrored.

    Returns
    -------
    list of Augmentation

    Examples
    --------
    >>> from skconv.augmentation import auto
    >>> auto((32, 32, 3))
    [Flip(), Shift(size=(4, 4))]
    """
    check_arguments(auto, locals())
    height, width, channels = shape
    if height == 1:
        return [*([Crop(0.95)] if width >= _SHORT else []), Scaling(0.1), Jitter(0.03)]
    if max(height, width) < _SMALL:
        return []
    if min(height, width) < _SMALL:
        return [Shift((0, 1 / 14) if height < width else (1 / 14, 0))]
    if channels == 3:
        return [*([Flip()] if flips else []), Shift((height // 8, width // 8))]
    return [Shift(1 / 14), Rotation(10), Zoom(0.1)]


auto._parameter_constraints = {"shape": [SHAPES], "flips": ["boolean"]}  # type: ignore[attr-defined]


def names_of(augmentations) -> list[str]:
    """A name for each augmentation of a list, those of one kind with a number: shift, rotation1, rotation2."""
    kinds = [a if isinstance(a, str) else _name(type(a)) for a in augmentations]
    return [f"{k}{kinds[: i + 1].count(k)}" if kinds.count(k) > 1 else k for i, k in enumerate(kinds)]


def make_augmenter(augment, shape, scale=1.0, *, flips=True) -> Augmenter | None:
    """What the parameter ``augment`` of the networks stands for.

    Parameters
    ----------
    augment : None, str, Augmentation or list of them
        "auto", a name or an object of `skconv.augmentation`; None and an empty list change nothing.
    shape : (int, int, int)
        Height, width and channels of the samples; a height of 1 is a series.
    scale : float or ndarray of shape (C,), default=1.0
        Standard deviation of each channel in the training data, by which noise and brightness are measured.
    flips : bool, default=True
        Whether "auto" may mirror colour photographs.

    Returns
    -------
    Augmenter or None

    Raises
    ------
    InvalidParameterError, ValueError
        Where ``augment`` is none of these, or does not fit the shape.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.augmentation import Shift, make_augmenter
    >>> augmenter = make_augmenter([Shift((0, 1)), "noise"], (1, 5, 1))
    >>> series = np.zeros((3, 1, 5, 1), np.float32)
    >>> augmenter.apply(series, augmenter.draw(3, np.random.default_rng(0)))
    >>> bool((series != 0).all())
    True
    """
    augmentations: list[Augmentation] = []
    several = isinstance(augment, (list, tuple))
    for i, entry in enumerate(augment if several else [] if augment is None else [augment]):
        check_value(f"augment[{i}]" if several else "augment", entry, _ENTRY if several else [*_ENTRY, *_WHOLE])
        if isinstance(entry, Augmentation):
            augmentations.append(entry)
        else:
            augmentations += auto(shape, flips=flips) if entry == "auto" else [NAMES[entry]()]
    return Augmenter(augmentations, shape, scale) if augmentations else None
