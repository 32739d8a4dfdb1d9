"""Convolutional networks for scikit-learn, from NumPy and SciPy alone."""

from .classifier import ConvNetClassifier

__version__ = "0.1.0"

__all__ = ["ConvNetClassifier", "__version__"]
