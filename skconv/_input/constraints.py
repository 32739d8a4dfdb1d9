"""Constraints of arguments, and the message where an argument satisfies none of them.

As in scikit-learn, ``_parameter_constraints`` of a class has for each parameter a list of constraints: a type, None,
"boolean", "array-like", callable, or one of those made here.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np

from .hints import NEIGHBOURS, name_meant, nearest_name, switch_meant
from .private import HasMethods, Interval, InvalidParameterError, Options, StrOptions, make_constraint

__all__ = [
    "DTYPES",
    "EPSILONS",
    "FACTORS",
    "IMAGE_SHAPES",
    "N_JOBS",
    "SEEDS",
    "SHAPES",
    "InvalidParameterError",
    "are_numbers",
    "are_two",
    "at_least",
    "at_place",
    "between",
    "border_widths",
    "check_arguments",
    "check_parameters",
    "check_value",
    "finite_numbers",
    "fitting",
    "function_of",
    "mismatch",
    "names_in",
    "number_arrays",
    "one_of",
    "plain_numbers",
    "shown",
    "sizes",
    "with_methods",
]


class _Range(Interval):
    """A range of Python's or NumPy's numbers, without True and False and numbers beyond the range of a double."""

    def is_satisfied_by(self, val):
        if isinstance(val, bool) or not isinstance(val, (int, float, np.number)) or not super().is_satisfied_by(val):
            return False
        if self.type is Integral:
            return True
        # As a Python number, since the comparison would overflow in float32.
        return abs(val.item() if isinstance(val, np.generic) else val) <= sys.float_info.max


class _Names(StrOptions):
    """One of some strings, which messages show in the given order."""

    def __init__(self, names):
        super().__init__(set(names))
        self.names = names

    def __str__(self):
        return f"a str among {{{', '.join(map(repr, self.names))}}}"

    @property
    def listed(self):
        """The strings in numpydoc's notation: ``{"a", "b"}``."""
        return "{" + ", ".join(f'"{name}"' for name in self.names) + "}"


class _Test(Options):
    """Values for which ``test`` is true, with descriptions for messages."""

    def __init__(self, test, descriptions):
        super().__init__(object, set())
        self.test, self.descriptions = test, descriptions

    def is_satisfied_by(self, val):
        return self.test(val)

    def __str__(self):
        return _either(self.descriptions)


def at_least(low, kind=Integral, closed="left"):
    """Constraint: a number of at least ``low``, or above ``low`` with ``closed="neither"``."""
    return _Range(kind, low, None, closed=closed)


def between(low, high, closed="left", kind=Real):
    """Constraint: a number between ``low`` and ``high``."""
    return _Range(kind, low, high, closed=closed)


def one_of(*names):
    """Constraint: one of these strings."""
    return _Names(names)


def with_methods(*names):
    """Constraint: an object with these methods."""
    return HasMethods(list(names))


def fitting(test, *descriptions):
    """Constraint: a value for which ``test`` is true; messages show the descriptions, one for each alternative."""
    return _Test(test, descriptions)


def function_of(arguments):
    """Constraint: a callable of these arguments, which is no class."""
    return fitting(lambda value: callable(value) and not isinstance(value, type), f"a function of {arguments}")


def are_two(value, test):
    """Whether ``value`` is a tuple or list of two entries for which ``test`` is true."""
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(map(test, value))


def sizes(low=1):
    """Constraint: one integer of at least ``low``, or two of them, down and across."""
    one = at_least(low)

    def test(value):
        return one.is_satisfied_by(value) or are_two(value, one.is_satisfied_by)

    return fitting(test, str(one), "two of them (down, across)")


def border_widths():
    """Constraint: widths of a border as one integer, two, or two pairs."""
    side = sizes(0)

    def test(value):
        return side.test(value) or are_two(value, side.test)

    return fitting(test, *side.descriptions, "two pairs ((top, bottom), (left, right))")


def _are_finite(value):
    try:
        array = np.asarray(value)
        return array.dtype.kind in "iuf" and array.size > 0 and bool(np.isfinite(array).all())
    except (TypeError, ValueError):
        return False


def finite_numbers():
    """Constraint: a finite number, or an array of them of any shape."""
    return fitting(_are_finite, "a finite number", "an array-like of finite numbers")


def number_arrays():
    """Constraint: an array of numbers, of one dimension or more."""
    return fitting(are_numbers, "an array-like of numbers")


def are_numbers(value):
    """Whether a value is an array-like of numbers, of one dimension or more."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return False
    return array.dtype.kind in "biuf" and array.ndim > 0 and array.size > 0


_ANY = "no_validation"  # scikit-learn's constraint that every value satisfies
_SIDE = at_least(1)
_SIDES = fitting(
    lambda value: isinstance(value, (tuple, list)) and 1 <= len(value) <= 3 and all(map(_SIDE.is_satisfied_by, value)),
    "a tuple of one to three of these: (T,), (H, W) or (H, W, C)",
)
SHAPES = fitting(lambda value: _SIDES.test(value) and len(value) == 3, "(height, width, channels), ints of at least 1")
IMAGE_SHAPES = [one_of("series"), _SIDE, _SIDES, None]
EPSILONS = between(1e-30, 1e30, closed="both")  # float32 can add these to a root or a variance, and divide by them
FACTORS = between(0, 1e30, closed="both")  # float32 can multiply by these
SEEDS = between(0, 2**32 - 1, "both", Integral)  # those that NumPy's RandomState takes
_INT = between(None, None, "neither", Integral)
DTYPES = fitting(
    lambda value: isinstance(value, (str, type, np.dtype)) and value in ("float32", "float64", np.float32, np.float64),
    "float32",
    "float64",
)


N_JOBS = [fitting(lambda value: _INT.is_satisfied_by(value) and value != 0, "an int other than 0"), None]


def plain_numbers():
    """Context in which the repr of a NumPy scalar is that of a Python object: 5, not np.int64(5)."""
    return np.printoptions(legacy="1.25", threshold=8)


def shown(value, longest=160):
    """Text of a value for messages: its repr on one line, with plain numbers, cut to ``longest`` characters."""
    if isinstance(value, np.ndarray) and (value.ndim > 1 or value.size > 8):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    try:
        with plain_numbers():
            text = re.sub(r"\n\s*", " ", repr(value))
    except Exception:  # an integer of thousands of digits, an object whose repr fails
        text = f"<{type(value).__name__}>"
    return text if len(text) <= longest else f"{text[: longest - 20]} ... {text[-15:]}"


def mismatch(constraints, value) -> str | None:
    """Description of the constraints where a value satisfies none of them; else None."""
    if constraints == _ANY:
        return None
    known = [make_constraint(constraint) for constraint in constraints]
    if any(constraint.is_satisfied_by(value) for constraint in known):
        return None
    return _either([text for constraint in known for text in getattr(constraint, "descriptions", [str(constraint)])])


def _either(texts) -> str:
    """Texts joined as "a, b or c"."""
    *first, last = texts
    return f"{', '.join(first)} or {last}" if first else last


def names_in(constraints) -> list[str]:
    """Strings that the constraints allow."""
    return [name for constraint in constraints if isinstance(constraint, _Names) for name in constraint.names]


def _meant(constraints, value, name="", others=None) -> str:
    """End of a message: what a wrong value may have been meant to be; empty where there is no guess.

    ``others`` are the constraints of all parameters by name, of which another one may take the value.
    """
    others, names = others or {}, names_in(constraints)
    switches = switch_meant(
        value,
        names,
        boolean="boolean" in constraints,
        none=None in constraints,
        positive=any(isinstance(each, _Range) and each.type is Real for each in constraints),
    )
    if isinstance(value, str) and not switches:
        if (nearest := nearest_name(value, names)) is not None:
            return f"; {shown(nearest)} comes closest"
        switches = [meant] if (meant := name_meant(value, names)) is not None else []
        takers = [other for other, each in others.items() if value in names_in(each)]
    else:
        takers = [
            other for other in (NEIGHBOURS.get(name),) if other in others and mismatch(others[other], value) is None
        ]
    if switches:
        return f"; did you mean {shown(switches[0])}?"
    return f"; did you mean {takers[0]}={shown(value)}?" if len(takers) == 1 else ""


def check_value(name, value, constraints, where="", others=None):
    """Raise where a value satisfies none of the constraints; ``where`` is added after the value in the message."""
    wanted = mismatch(constraints, value)
    if wanted is not None:
        hint = _meant(constraints, value, name.rpartition(" ")[2], others)
        raise InvalidParameterError(f"{name} must be {wanted}, got {shown(value)}{where}{hint}")


def check_parameters(estimator):
    """Raise, with scikit-learn's message, where a parameter of an estimator does not satisfy its constraints."""
    for name, value in estimator.get_params(deep=False).items():
        constraints = estimator._parameter_constraints.get(name, _ANY)
        wanted = mismatch(constraints, value)
        if wanted is not None:
            hint = _meant(constraints, value, name, estimator._parameter_constraints)
            got = f"Got {shown(value)} instead{hint or '.'}"
            raise InvalidParameterError(f"The '{name}' parameter of {type(estimator).__name__} must be {wanted}. {got}")


def check_arguments(owner, values=None, place=None):
    """Raise where an argument of a layer, a loss, an optimiser, ... does not satisfy its constraints.

    Parameters
    ----------
    owner : object or function
        An object with ``_parameter_constraints``.
    values : dict, default=None
        Arguments by name; those without constraints are ignored.  None takes ``owner.get_params()``.
    place : str, default=None
        Name of the object in messages; None is the name of its class, or of the function.
    """
    place = place or getattr(owner, "__name__", type(owner).__name__)
    for name, value in (owner.get_params(deep=False) if values is None else values).items():
        constraints = owner._parameter_constraints
        check_value(f"{place}: {name}", value, constraints.get(name, _ANY), others=constraints)


@contextmanager
def at_place(place):
    """Context that puts ``place`` before the message of an error: "layers[1] (Residual), layers[0] (Dense): ..."."""
    try:
        yield
    except (ValueError, TypeError) as error:
        joint = ", " if re.match(r"\w+(\[\d+\])+ \(", str(error)) else ": "
        raise type(error)(f"{place}{joint}{error}") from None
