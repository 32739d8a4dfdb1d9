"""Fitted estimators as ONNX models, which other programs and languages run, and pretrained networks from ONNX files.

Needs the extra "onnx".  Importing this package lets skl2onnx convert estimators of skconv within those of scikit-learn.
"""

from .._input.exports import exports as _exports
from .._pretrained.from_onnx import *
from ._skl2onnx import register as _register
from .export import *

_register()
__all__ = _exports(vars())
