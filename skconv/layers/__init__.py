"""Layers for ``ConvNetClassifier(layers=[...])``; each is a specification, its arrays live in the network."""

from ._base import Layer, Parameter
from ._frame import Frame, Plan
from .activation import Activation
from .bias import Bias
from .composite import Parallel, Residual
from .convolution import Convolution
from .dense import Dense, Flatten
from .dropout import Dropout, SpatialDropout
from .fully_connected import FullyConnected
from .global_pooling import GlobalMaxPool, GlobalMeanPool
from .initializers import fan_in_uniform, glorot_uniform, he_normal
from .locally_connected import LocallyConnected
from .normalization import BatchNorm, LayerNorm
from .pad import Pad
from .pooling import LpPool, MaxPool, MeanPool, StridePool
from .separable import SeparableConvolution
from .squeeze_excite import SqueezeExcite
from .transposed import TransposedConvolution

__all__ = [
    "Activation",
    "BatchNorm",
    "Bias",
    "Convolution",
    "Dense",
    "Dropout",
    "Flatten",
    "Frame",
    "FullyConnected",
    "GlobalMaxPool",
    "GlobalMeanPool",
    "Layer",
    "LayerNorm",
    "LocallyConnected",
    "LpPool",
    "MaxPool",
    "MeanPool",
    "Pad",
    "Parallel",
    "Parameter",
    "Plan",
    "Residual",
    "SeparableConvolution",
    "SpatialDropout",
    "SqueezeExcite",
    "StridePool",
    "TransposedConvolution",
    "fan_in_uniform",
    "glorot_uniform",
    "he_normal",
]
