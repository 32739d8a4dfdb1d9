"""Convolutional networks for scikit-learn, from NumPy and SciPy alone."""

from ._files.errors import ModelFileError
from ._input.versions import __version__
from ._saving.saving import load
from ._saving.trusted import trusted_types
from .classifier import ConvNetClassifier
from .features import ConvFeatures
from .padding import ImagePadder
from .pooling import StridedPooling
from .regressor import ConvNetRegressor
from .resizing import ImageResizer
from .shaping import Flatten, ToImages

__all__ = [
    "ConvFeatures",
    "ConvNetClassifier",
    "ConvNetRegressor",
    "Flatten",
    "ImagePadder",
    "ImageResizer",
    "ModelFileError",
    "StridedPooling",
    "ToImages",
    "__version__",
    "load",
    "trusted_types",
]
