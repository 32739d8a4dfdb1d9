"""Random changes of the training samples, for the parameter ``augment`` of the networks."""

from .._input.exports import exports as _exports
from ._augmenter import *
from ._base import *
from ._changes import *
from ._maps import *

__all__ = _exports(vars())
