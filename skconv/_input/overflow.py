"""Numbers beyond the range of the dtype of the computation: in data, in training, in outputs of a network."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
from sklearn import get_config

from .constraints import InvalidParameterError, shown
from .memory import counted

__all__ = [
    "average_in_range",
    "check_finite_array",
    "check_finite_training",
    "check_outputs",
    "check_range",
    "exceeds",
    "named_overflow",
    "within_range",
]


def within_range(array, dtype) -> bool:
    """Whether all numbers of an array of floats are finite in ``dtype``."""
    return bool(np.abs(array).max() <= np.finfo(dtype).max)


def exceeds(array, dtype) -> bool:
    """Whether one of the finite numbers is beyond the range of ``dtype``; allocates nothing of their size."""
    if array.dtype.kind != "f" or array.dtype.itemsize <= np.dtype(dtype).itemsize or not array.size:
        return False
    largest = np.finfo(dtype).max
    return bool(array.max() > largest or array.min() < -largest)


def check_range(array, dtype, name="X", remedy="scale it, for example by StandardScaler"):
    """Raise, as scikit-learn's trees do, where one of the finite numbers is beyond the range of ``dtype``."""
    if not get_config()["assume_finite"] and exceeds(array, dtype):
        raise ValueError(f"Input {name} contains infinity or a value too large for {shown(np.dtype(dtype))}; {remedy}")


def check_finite_array(name, array, dtype):
    """Raise where the array of a parameter has anything but numbers that are finite in ``dtype``."""
    array = np.asarray(array)
    numbers = array.dtype.kind in "biuf"
    wrong = array[~(np.abs(array) <= np.finfo(dtype).max)] if numbers else array.ravel()
    if wrong.size or not numbers:
        raise InvalidParameterError(
            f"{name} must hold finite numbers, of {np.dtype(dtype)}'s range, got dtype {array.dtype} with "
            f"{shown(wrong[:3].tolist())}"
        )


def check_outputs(outputs):
    """Raise where outputs of a network are not finite, as for samples far larger than those of the fit."""
    if get_config()["assume_finite"]:
        return
    finite = np.isfinite(outputs)
    if not finite.all():
        rows = np.flatnonzero(~finite.all(axis=1))
        raise ValueError(
            f"the network's outputs are not finite for {len(rows)} of {counted(len(outputs), 'sample')}, row "
            f"{rows[0]} of X the "
            f"first: its values are too large to compute with in {outputs.dtype}; scale X as in fit"
        )


def check_finite_training(loss, network, epoch, learning_rate_init):
    """Raise where the loss, a parameter or a running statistic is no longer finite."""
    if np.isfinite(loss) and np.isfinite(network.parameters).all():
        if np.isfinite(network.state).all():
            return
        raise ValueError(
            f"the running statistics of batch normalisation became infinite in epoch {epoch}: its inputs are too large "
            f"for their squares in {network.dtype}. Scale X, for example by StandardScaler, or lower "
            f"learning_rate_init (now {shown(learning_rate_init)})"
        )
    loss = loss if not np.isfinite(loss) else float("nan")
    raise ValueError(
        f"the loss became {loss} in epoch {epoch}: the training diverged. Lower learning_rate_init "
        f"(now {shown(learning_rate_init)}), or scale X, for example by MinMaxScaler or StandardScaler"
    )


def average_in_range(average, x, out, count):
    """Fill ``out`` by ``average(x)``, means of ``count`` numbers, even where a sum overflows.

    Means whose sums overflow are those of numbers scaled down by a power of two; the others keep their bits.
    """
    try:
        with np.errstate(over="raise"):
            average(x)
    except FloatingPointError:
        average(x)
        finite, scale = out.copy(), 2.0 ** -int(count).bit_length()
        average(np.multiply(x, scale, dtype=x.dtype))
        np.divide(out, scale, out=out)
        np.copyto(out, finite, where=np.isfinite(finite))


@contextmanager
def named_overflow(name, dtype):
    """Context that raises where a square overflows: a quotient by its root would be zero, finite and wrong."""
    try:
        with np.errstate(over="raise"):
            yield
    except FloatingPointError:
        raise ValueError(
            f"{name} has inputs too large for their squares in {np.dtype(dtype)}; scale X, for example by "
            "StandardScaler"
        ) from None
