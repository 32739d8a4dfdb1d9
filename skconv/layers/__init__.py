"""Layers for ``ConvNetClassifier(layers=[...])``: specifications without arrays, which a network has."""

from .._input.exports import exports as _exports
from ._base import *
from ._frame import *
from ._operation import *
from .activation import *
from .activation_objects import *
from .bias import *
from .channels import *
from .composite import *
from .convolution import *
from .dense import *
from .dropout import *
from .fully_connected import *
from .global_pooling import *
from .initializers import *
from .locally_connected import *
from .normalization import *
from .pad import *
from .padding_modes import *
from .pooling import *
from .resampling import *
from .scale import *
from .separable import *
from .squeeze_excite import *
from .transposed import *

__all__ = _exports(vars())
