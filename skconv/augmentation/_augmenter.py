"""The augmentations of a training, from the parameter ``augment``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._input.checks import check_channel_values
from .._input.constraints import SHAPES, check_arguments, check_value, finite_numbers, fitting, one_of
from .._input.own import array_from, in_place
from . import _changes, _maps
from ._base import Augmentation
from ._changes import Mixup, mix
from ._maps import Flip, Map, Rotation, Shift, TimeWarp, Zoom, compose, warped
from ._resample import resample, resample_whole

__all__ = ["Augmenter", "auto", "make_augmenter", "names_of"]


def _name(kind) -> str:
    """Name of a class in snake case: time_warp for TimeWarp, leaky_relu for LeakyReLU."""
    return re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", kind.__name__).lower()


_KINDS = [vars(module)[name] for module in (_changes, _maps) for name in module.__all__ if name != "Map"]
NAMES: dict[str, type[Augmentation]] = {_name(kind): kind for kind in sorted(_KINDS, key=_name)}
_ENTRY = [
    one_of("auto", *NAMES),
    fitting(lambda value: isinstance(value, Augmentation), "an object of skconv.augmentation"),
]
_WHOLE = [fitting(lambda value: isinstance(value, (list, tuple)), "a list of these"), None]
_SMALL = 8  # least pixels of a side of an image along which "auto" moves pixels


@dataclass(frozen=True)
class Draws:
    """Random numbers of ``n`` samples, one row each.

    Attributes
    ----------
    maps : ndarray of shape (n, 2, 3) or None
        Affine maps from output to input positions.
    positions : ndarray of shape (n, W) or None
        Input positions of each step of warped time.
    changes : tuple of (Augmentation, ndarray)
        Augmentations that change values, with their random numbers.
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
        Applied in this order, except that all maps are combined and applied first; copied.
    shape : (int, int, int)
        Height, width and channels.
    spread : float or ndarray of shape (C,)
        Standard deviation of each channel in the training data.

    Attributes
    ----------
    mixes : bool
        Whether `mix` changes samples.
    averages : bool
        Whether one of the augmentations takes part in averaging at prediction.
    """

    _parameter_constraints: dict = {
        "augmentations": [fitting(_are_augmentations, "a list of objects of skconv.augmentation")],
        "shape": [SHAPES],
        "spread": [finite_numbers()],
    }

    def __init__(self, augmentations, shape, spread):
        check_arguments(self, locals())
        for augmentation in augmentations:
            augmentation.check(shape)
        self.augmentations, self.shape = deepcopy(list(augmentations)), tuple(shape)
        self.spread = np.broadcast_to(check_channel_values("spread", spread, shape[2]), shape[2:])
        self.mixes = any(isinstance(a, Mixup) for a in augmentations)
        self.averages = any(a.averaged for a in augmentations)
        self._whole = all(a.whole for a in augmentations if isinstance(a, (Map, TimeWarp)))

    def draw(self, n, rng) -> Draws:
        """Random numbers of all augmentations for ``n`` samples, from a `numpy.random.Generator`."""
        return self._draw(self.augmentations, n, rng)

    def _draw(self, augmentations, n, rng):
        maps = log_speed = kept = None
        changes = []
        for augmentation in augmentations:
            shape = (n, 2, 3) if isinstance(augmentation, Map) else (n, ...)
            drawn = array_from(shape, augmentation, "draw", n, self.shape, rng)
            if isinstance(augmentation, Map):
                maps = drawn if maps is None else compose(maps, drawn)
            elif isinstance(augmentation, TimeWarp):
                log_speed = drawn if log_speed is None else log_speed + drawn
            elif isinstance(augmentation, Mixup):
                kept = drawn if kept is None else kept * drawn
            moves = isinstance(augmentation, (Map, TimeWarp, Mixup))
            if not moves or type(augmentation).change is not Augmentation.change:
                changes.append((augmentation, drawn))
        positions = None if log_speed is None else warped(log_speed, self.shape[1])
        if positions is not None and maps is None:
            maps = np.broadcast_to(np.eye(2, 3), (n, 2, 3))
        return Draws(maps, positions, tuple(changes), kept)

    def apply(self, images, parameters, part=slice(None)):
        """Apply all augmentations but mixup in place; several threads may call this, each with its own images.

        Parameters
        ----------
        images : ndarray of shape (m, H, W, C), float32 or float64, C-contiguous
            Samples; overwritten.
        parameters : Draws
            Random numbers of the batch.
        part : slice or ndarray of int, default=slice(None)
            Rows of ``parameters`` for these images.
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
            in_place(augmentation, "change", images, drawn[part], self.spread)

    def mix(self, images, targets, parameters, part=slice(None)):
        """Apply mixup in place: blend each of the images (m, H, W, C), and of the targets (units, m), with the next."""
        if parameters.kept is None:
            return
        if not np.issubdtype(targets.dtype, np.floating):
            raise ValueError(f"targets to blend must be floats, one column a sample, got {targets.dtype}")
        mix(images, parameters.kept[part], 0)
        mix(targets, parameters.kept[part], 1)

    def copies(self, n_copies, seed) -> Iterator[Draws]:
        """Random numbers of ``n_copies`` augmented copies, for averaging at prediction by `apply_to_all`.

        With more copies the first stay the same.  There are none where no augmentation can be averaged.
        """
        rng = np.random.default_rng(seed)
        used = [augmentation for augmentation in self.augmentations if augmentation.averaged]
        return (self._draw(used, 1, rng) for _ in range(n_copies if used else 0))

    def apply_to_all(self, images, copy):
        """Apply one of `copies` to all images in place, the same change to each."""
        self.apply(images, copy, np.zeros(len(images), np.intp))


def auto_steps(shape, *, flips=True) -> list[list[Augmentation]]:
    """What `auto` returns for the same arguments, each kind of change as a list in rising strength."""
    height, width, channels = shape
    if height == 1 or max(height, width) < _SMALL:
        return []
    if min(height, width) < _SMALL:
        return [[Shift((0, share) if height < width else (share, 0)) for share in (1 / 28, 1 / 14)]]
    kinds: list[list[Augmentation]] = [[Flip()], [Flip(horizontal=False, vertical=True)]] if flips else []
    if channels == 3:
        return [*kinds, [Shift((max(1, height // parts), max(1, width // parts))) for parts in (16, 8)]]
    turned: list[Augmentation] = [Rotation(5), Rotation(10)]
    return [*kinds, [Shift(1 / 28), Shift(1 / 14)], turned, [Zoom(0.05), Zoom(0.1)]]


def auto(shape, *, flips=True) -> list[Augmentation]:
    """Augmentations that ``augment="auto"`` chooses from, by the shape of the samples, each at its full strength.

    The networks use those which the training samples bear, at the strength that they bear: held-out samples that are
    changed in this way are still recognised by a network which has not seen any changed sample.

    - Images of three channels, taken as colour photographs: horizontal and vertical flips, and shifts by whole pixels,
      up to an eighth of the side (He et al., arXiv 1512.03385).
    - Other images, such as digits, letters, scans and maps: the flips, shifts up to a fourteenth of the side, rotations
      up to 10 degrees, sizes 10 % more or less.
    - A side shorter than 8 pixels may be a list of sensors: nothing moves along such a side.
    - Series: none.  What a series bears is seldom seen by few samples, and noise costs much where fine detail counts.

    Parameters
    ----------
    shape : (int, int, int)
        Height, width and channels; a height of 1 is a series.
    flips : bool, default=True
        Whether images may be mirrored.

    Returns
    -------
    list of Augmentation

    Examples
    --------
    >>> from skconv.augmentation import auto
    >>> auto((32, 32, 3))
    [Flip(), Flip(horizontal=False, vertical=True), Shift(size=(4, 4))]
    """
    check_arguments(auto, locals())
    return [steps[-1] for steps in auto_steps(shape, flips=flips)]


auto._parameter_constraints = {"shape": [SHAPES], "flips": ["boolean"]}  # type: ignore[attr-defined]


def names_of(entries) -> list[str]:
    """Names of augmentations, or other parts, with numbers where a class occurs again: shift, rotation1, rotation2."""
    kinds = [entry if isinstance(entry, str) else _name(type(entry)) for entry in entries]
    return [f"{k}{kinds[: i + 1].count(k)}" if kinds.count(k) > 1 else k for i, k in enumerate(kinds)]


def is_auto(augment) -> bool:
    """Whether the parameter ``augment`` of the networks is "auto", or a list with it."""
    entries = augment if isinstance(augment, (list, tuple)) else [augment]
    return any(isinstance(entry, str) and entry == "auto" for entry in entries)


def augmentations_of(augment, shape, chosen=None) -> list[Augmentation]:
    """Copies of the augmentations that the parameter ``augment`` of the networks names, in its order.

    Parameters
    ----------
    augment : None, str, Augmentation or list of them
    shape : (int, int, int)
        Height, width and channels of the samples.
    chosen : list of Augmentation, default=None
        Those that "auto" is; None is all of `auto`.

    Returns
    -------
    list of Augmentation

    Raises
    ------
    InvalidParameterError, ValueError
        If ``augment`` is none of these, or does not fit the shape.
    """
    found: list[Augmentation] = []
    several = isinstance(augment, (list, tuple))
    for i, entry in enumerate(augment if several else [] if augment is None else [augment]):
        check_value(f"augment[{i}]" if several else "augment", entry, _ENTRY if several else [*_ENTRY, *_WHOLE])
        if isinstance(entry, Augmentation):
            found.append(entry)
        else:
            found += (auto(shape) if chosen is None else chosen) if entry == "auto" else [NAMES[entry]()]
    for augmentation in found:
        augmentation.check(shape)
    return deepcopy(found)


def make_augmenter(augment, shape, spread=1.0) -> Augmenter | None:
    """`Augmenter` of the parameter ``augment`` of the networks, in which "auto" is all that `auto` returns.

    Parameters
    ----------
    augment : None, str, Augmentation or list of them
        "auto", a name or an object of `skconv.augmentation`; None and an empty list change nothing.
    shape : (int, int, int)
        Height, width and channels of the samples; a height of 1 is a series.
    spread : float or ndarray of shape (C,), default=1.0
        Standard deviation of each channel in the training data, by which noise and brightness are measured.

    Returns
    -------
    Augmenter or None

    Raises
    ------
    InvalidParameterError, ValueError
        If ``augment`` is none of these, or does not fit the shape.

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
    augmentations = augmentations_of(augment, shape)
    return Augmenter(augmentations, shape, spread) if augmentations else None
