"""Layers for ``ConvNetClassifier(layers=[...])``; each is a specification, its arrays live in the network."""

from ._base import Layer
from .activation import Activation
from .bias import Bias
from .convolution import Convolution
from .dense import Dense, Flatten
from .dropout import Dropout
from .normalization import BatchNorm
from .pooling import GlobalMeanPool, MaxPool, MeanPool, StridePool

__all__ = [
    "Activation",
    "BatchNorm",
    "Bias",
    "Convolution",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalMeanPool",
    "Layer",
    "MaxPool",
    "MeanPool",
    "StridePool",
]
