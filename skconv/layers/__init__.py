"""Layers for ``ConvNetClassifier(layers=[...])``; each is a specification, its arrays live in the network."""

from ._base import Layer
from .activation import Activation
from .bias import Bias
from .convolution import Convolution
from .dense import Dense, Flatten
from .dropout import Dropout
from .fully_connected import FullyConnected
from .global_pooling import GlobalMaxPool, GlobalMeanPool
from .locally_connected import LocallyConnected
from .normalization import BatchNorm
from .pad import Pad
from .pooling import LpPool, MaxPool, MeanPool, StridePool

__all__ = [
    "Activation",
    "BatchNorm",
    "Bias",
    "Convolution",
    "Dense",
    "Dropout",
    "Flatten",
    "FullyConnected",
    "GlobalMaxPool",
    "GlobalMeanPool",
    "Layer",
    "LocallyConnected",
    "LpPool",
    "MaxPool",
    "MeanPool",
    "Pad",
    "StridePool",
]
