"""Inspection of networks: tables, matrices, and plots by matplotlib."""

from .._input.exports import exports as _exports
from ._matrix import *
from ._plots import *
from ._summary import *

__all__ = _exports(vars())
