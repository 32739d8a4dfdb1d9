"""Fitted estimators as ONNX models, which other programs and languages run; needs the extra "onnx"."""

from .._input.exports import exports as _exports
from .export import *

__all__ = _exports(vars())
