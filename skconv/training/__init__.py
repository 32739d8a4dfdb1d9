"""Losses, optimisers, learning-rate schedules, regularisers, checkpoints, callbacks and the training loop."""

from .._input.exports import exports as _exports
from ._checkpoint import *
from ._optimizer import *
from .callbacks import *
from .losses import *
from .optimizers import *
from .regularizers import *
from .schedules import *

__all__ = _exports(vars())
