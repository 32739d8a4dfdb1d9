"""Where a step of skconv spends its time: every NumPy call of the package, timed and put under a heading.

The package's modules reach NumPy as ``np``.  While a `Profile` is installed that name is a stand-in, which times each
call of a ufunc or of a function like `numpy.copyto` and notes who called.  What no such call takes, methods of arrays
and Python itself, is left over.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from fnmatch import fnmatch
from functools import cache
from typing import NamedTuple

import numpy as np

from skconv._kernels.products import _way
from skconv.training.losses import SoftmaxCrossEntropy

__all__ = ["HEADINGS", "Call", "Profile", "heading"]

# Ends of "module:function:NumPy's function", of which the first that fits gives the heading.  A matmul's name ends
# in the axes of its left operand longer than 1, which tells the one matrix of a transform from the many of a product.
_RULES = (
    ("losses:*", "loss"),
    ("_kernels.winograd*:*:matmul2", "transform"),
    ("_kernels.*:*.run_gradient:copyto", "gather"),
    ("_kernels.*:*.run_gradient:*", "weight gradient"),
    ("_kernels.*:*._add_by*:copyto", "gather"),
    ("_kernels.*:*._add_by*:*", "weight gradient"),
    ("_kernels.pooling:*", "pooling"),
    ("_kernels.*:*:copyto", "gather"),
    ("_kernels.*:*:matmul*", "convolution"),
    ("layers.*pool*:*", "pooling"),
    ("layers.convolution:*:copyto", "gather"),
    ("layers.bias:*", "epilogue"),
    ("layers.activation:*", "epilogue"),
    ("layers.normalization:*", "batch norm"),
    ("layers.dense:*", "head"),
    ("team:*:matmul*", "head"),
    ("optimizers:*", "optimiser"),
    ("_optimizer:*", "optimiser"),
    ("_trainer:Trainer.step*", "optimiser"),
    ("_trainer:Update*", "optimiser"),
    ("regularizers:*", "optimiser"),
    ("_trainer:*", "loading"),
    ("session:Session._reduce:*", "weight gradient"),
    ("session:*", "loading"),
    ("predict:*", "loading"),
)
HEADINGS = (
    "convolution", "weight gradient", "transform", "gather", "pooling", "epilogue", "batch norm", "head", "loss",
    "optimiser", "loading", "other",
)  # fmt: skip


class Call(NamedTuple):
    """A call of NumPy: the code that made it, NumPy's function, seconds, and operations if it is a product."""

    code: object
    name: str
    seconds: float
    operations: int


@cache
def heading(code, name) -> str:
    """The heading of a call."""
    module = code.co_filename.replace("\\", "/").rpartition("skconv/")[2].removesuffix(".py").replace("/", ".")
    place = f"{module}:{code.co_qualname}:{name}"
    return next((heading for pattern, heading in _RULES if fnmatch(place, f"*{pattern}")), "other")


class Profile:
    """The calls made while it is installed, by whatever thread; what is built while it is installed stays timed."""

    def __init__(self):
        self.calls: list[Call] = []
        self._stand_in = _StandIn(self.calls)

    @contextmanager
    def installed(self):
        """The package on the stand-in; the loss is timed as a whole, for it works by methods of arrays."""
        modules = [m for name, m in sys.modules.items() if name.startswith("skconv.") and getattr(m, "np", None) is np]
        modules.remove(sys.modules["skconv.training.losses"])
        loss = SoftmaxCrossEntropy.__call__
        timed = _Timed(loss, "loss", self.calls)
        for module in modules:
            module.np = self._stand_in
        SoftmaxCrossEntropy.__call__ = lambda *arguments: timed(*arguments, code=loss.__code__)
        _way.cache_clear()  # of functions chosen before
        try:
            yield self
        finally:
            _way.cache_clear()
            for module in modules:
                module.np = np
            SoftmaxCrossEntropy.__call__ = loss

    def take(self) -> list[Call]:
        """The calls since the last time."""
        taken = self.calls[:]
        self.calls.clear()
        return taken


class _StandIn:
    """``numpy`` with ufuncs and functions that note their time."""

    def __init__(self, calls):
        self._calls = calls

    def __getattr__(self, name):
        value = getattr(np, name)
        if isinstance(value, (np.ufunc, type(np.copyto))):
            value = _Timed(value, name, self._calls)
        setattr(self, name, value)
        return value


class _Timed:
    """A function, or a method of a ufunc, that notes its time."""

    def __init__(self, function, name, calls):
        self._function, self._name, self._calls = function, name, calls

    def __call__(self, *arguments, code=None, **options):
        start = time.perf_counter()
        result = self._function(*arguments, **options)
        seconds = time.perf_counter() - start
        if code is None:
            frame = sys._getframe(1)
            while frame.f_code.co_filename.endswith("products.py"):  # where products are split: who wanted them?
                frame = frame.f_back
            code = frame.f_code
        name, operations = self._name, 0
        if name == "matmul":
            left = arguments[0]
            name, operations = f"matmul{left.squeeze().ndim}", 2 * result.size * left.shape[-1]
        self._calls.append(Call(code, name, seconds, operations))
        return result

    def __getattr__(self, name):
        value = _Timed(getattr(self._function, name), f"{self._name}.{name}", self._calls)
        setattr(self, name, value)
        return value
