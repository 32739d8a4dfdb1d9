"""Random changes of the training samples, for the parameter ``augment`` of the networks."""

from ._augmenter import Augmenter, auto, make_augmenter, names_of
from ._base import Augmentation
from ._changes import Brightness, Cutout, Jitter, Mixup, Noise, Scaling
from ._maps import Crop, Flip, Map, Rotation, Shear, Shift, TimeWarp, Zoom

__all__ = [
    "Augmentation",
    "Augmenter",
    "Brightness",
    "Crop",
    "Cutout",
    "Flip",
    "Jitter",
    "Map",
    "Mixup",
    "Noise",
    "Rotation",
    "Scaling",
    "Shear",
    "Shift",
    "TimeWarp",
    "Zoom",
    "auto",
    "make_augmenter",
    "names_of",
]
