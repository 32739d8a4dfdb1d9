"""What methods of a user's own parts return: a message with class and method where it is something else."""

from __future__ import annotations

from numbers import Real

import numpy as np

from .constraints import shown

__all__ = ["array_from", "in_place", "not_in_place", "number_from"]


def in_place(owner, method, *arguments):
    """Call a method of ``owner`` that fills arrays; raise where it returns something."""
    result = getattr(owner, method)(*arguments)
    if result is not None:
        raise not_in_place(owner, method, result)


def not_in_place(owner, method, result) -> TypeError:
    """Error of a method that fills arrays and has returned something."""
    return TypeError(f"{type(owner).__name__}.{method} must work in place and return None, got {shown(result)}")


def number_from(owner, method, *arguments):
    """What a method of ``owner`` returns; raise where it is no number."""
    result = getattr(owner, method)(*arguments)
    if not isinstance(result, Real) and not (isinstance(result, np.ndarray) and result.shape == ()):
        raise TypeError(f"{type(owner).__name__}.{method} must return a number, got {shown(result)}")
    return result


def array_from(shape, owner, method, *arguments):
    """What a method of ``owner`` returns; raise where it is no array of numbers, of ``shape``, which may end in ..."""
    result = getattr(owner, method)(*arguments)
    known = tuple(size for size in shape if size is not ...)
    got = shown(result)
    if isinstance(result, np.ndarray):
        leading = result.shape if known == shape else result.shape[: len(known)]
        if leading == known and result.dtype.kind in "biuf":
            return result
        got = f"an array of shape {result.shape} and dtype {result.dtype}"
    wanted = ", ".join("..." if size is ... else str(size) for size in shape)
    raise TypeError(f"{type(owner).__name__}.{method} must return an array of numbers, ({wanted}), got {got}")
