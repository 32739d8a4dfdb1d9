"""What the words of a constraint mean, read from the words alone, and values that they do not allow.

A class's ``_parameter_constraints`` are shown in messages in words, such as "an int in the range [1, inf) or None".
`fits` reads them, without the code that checks, so a new class or parameter needs no list of wrong values; new words
need a line in `WORDS`.
"""

import re
import sys
from itertools import pairwise

import numpy as np

from skconv._input.private import make_constraint
from skconv._network.network import Network
from skconv.augmentation import Augmentation, Flip
from skconv.layers import Convolution, Dense, PaddingMode
from skconv.layers.activation_objects import ActivationFunction
from skconv.training import Checkpoint, Loss, Optimizer

NAN, INF = float("nan"), float("inf")
HUGE = 10**400  # no double holds it
VALUES = [
    *(None, True, False, np.True_, 0, 1, -1, 3, np.int64(0), np.uint8(2), HUGE),
    *(0.0, 1.0, 0.5, 2.5, -0.5, NAN, INF, -INF, np.float64(2), np.float32(1), 1j),
    *("", "3", "nothing", "relu", np.str_("nothing"), b"same"),
    *((), [], (3,), (3, 3), (2, 2, 2), (2, 0), (2, 1.5), (1, -1), (0.5, -1), (2, None), (True, 2), ((2, 2), 2), [None]),
    *(((1, 2), (3, -4)), ((1, 2, 3), (1, 2, 3)), (((1, 2), 3), 4), (8, 8, 0), (8, 8, True), (8, 8, 1, 1)),
    *((0.5, 0.2), ("a",), ("same", "same"), [1, NAN], [[]], [1, "a"], [[1], [1, 2]]),
    *(np.array(3), np.array([2, 2]), np.zeros((2, 2)), {}, {2: 2}, object()),
    *(int, np.float16, "float16", Convolution, Dense(3), [Dense(3)], [[Dense(3)], None], Flip(), [Flip], ["flip"]),
]
_RANGE = re.compile(r"an? (int|float) in the range ([\[(])(\S+), (\S+)([\])])")


def is_int(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value):
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return False
    return abs(value.item() if isinstance(value, np.generic) else value) <= sys.float_info.max


def is_range(words):
    return _RANGE.fullmatch(words) is not None


def in_range(words, value):
    """Whether a number is in the range of these words."""
    kind, left, low, high, right = _RANGE.fullmatch(words).groups()
    if not (is_int(value) if kind == "int" else is_number(value)):
        return False
    low, high, value = float(low), float(high), value.item() if isinstance(value, np.generic) else value
    return (low <= value if left == "[" else low < value) and (value <= high if right == "]" else value < high)


def is_pair(value, fits):
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(map(fits, value))


def is_list(value, kind, least=0):
    return isinstance(value, (tuple, list)) and len(value) >= least and all(isinstance(each, kind) for each in value)


def is_count(value):
    return is_int(value) and value >= 1


def is_width(value):
    return is_int(value) and value >= 0


def is_two_widths(value):
    return is_width(value) or is_pair(value, is_width)


def is_amount(value):
    return is_width(value) or (is_number(value) and not is_int(value) and 0 <= value < 1)


def is_side(value, sides):
    return isinstance(value, (tuple, list)) and len(value) in sides and all(map(is_count, value))


def numbers(value):
    """An array of numbers, or None."""
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in "biuf" and array.size else None


def are_numbers(value):
    return numbers(value) is not None and np.ndim(value) > 0


def are_finite(value):
    array = numbers(value)
    return array is not None and array.dtype.kind != "b" and bool(np.isfinite(array).all())


def are_shares(value):
    if not isinstance(value, (tuple, list)) or not all(is_number(each) and 0 <= each <= 1 for each in value):
        return False
    return all(low < high for low, high in pairwise(value))


def are_branches(value):
    return is_list(value, (tuple, list)) and any(map(len, value))


def is_dtype(value, kind):
    return value is kind or (isinstance(value, (str, np.dtype)) and value == kind.__name__)


def is_function(value):
    return callable(value) and not isinstance(value, type)


WORDS = {
    "None": lambda value: value is None,
    "True": lambda value: isinstance(value, (bool, np.bool_)) and bool(value),
    "a callable": callable,
    "an object implementing 'fit'": lambda value: hasattr(value, "fit"),
    "an instance of 'bool' or an instance of 'numpy.bool'": lambda value: isinstance(value, (bool, np.bool_)),
    "an int in the range [0, 4294967295], an instance of 'numpy.random.mtrand.RandomState' or None": lambda value: (
        value is None or isinstance(value, bool) or (is_width(value) and value < 2**32)  # as scikit-learn has it
    ),
    "an int in the range [0, inf), an instance of 'bool' or an instance of 'numpy.bool'": lambda value: (
        is_width(value) or isinstance(value, (bool, np.bool_))
    ),
    "an int other than 0": lambda value: is_int(value) and value != 0,
    "two pairs ((top, bottom), (left, right))": lambda value: is_pair(value, is_two_widths),
    "an int in the range [0, inf) of pixels": is_width,
    "a float in the range [0.0, 1.0) of the side": is_amount,
    "two of these (down, across)": lambda value: is_pair(value, is_amount),
    "a tuple of one to three of these: (T,), (H, W) or (H, W, C)": lambda value: is_side(value, (1, 2, 3)),
    "(height, width, channels), ints of at least 1": lambda value: is_side(value, (3,)),
    "a finite number": are_finite,
    "an array-like of finite numbers": are_finite,
    "an array-like of numbers": are_numbers,
    "a vector": lambda value: numbers(value) is not None and np.ndim(value) == 1,
    "a list of ndarrays of at least one dimension": lambda value: (
        is_list(value, np.ndarray) and all(each.ndim for each in value)
    ),
    "a tuple of rising shares of the training, from 0 to 1": are_shares,
    "a tuple of one or more of these": lambda value: False,  # of names, and `VALUES` has none of them
    "float32": lambda value: is_dtype(value, np.float32),
    "float64": lambda value: is_dtype(value, np.float64),
    # What is no layer in a list of them has a message that tells its number.
    "a list of at least one layer": lambda value: is_list(value, object, 1),
    "a list of layers": lambda value: is_list(value, object),
    "a list of lists of layers, at least one of them not empty": are_branches,
    "a list of objects of skconv.augmentation": lambda value: is_list(value, Augmentation),
    "a function of (weight, rng)": is_function,
    "a function of the share of the training that is done": is_function,
    "a loss of skconv.training": lambda value: isinstance(value, Loss),
    "an optimiser of skconv.training": lambda value: isinstance(value, Optimizer),
    "an activation function of skconv.layers": lambda value: isinstance(value, ActivationFunction),
    "a network such as network_ of a fitted model": lambda value: isinstance(value, Network),
    "a padding mode of skconv.layers": lambda value: isinstance(value, PaddingMode),
    "a skconv.training.Checkpoint": lambda value: isinstance(value, Checkpoint),
}


def fits(words, value, before=None):
    """Whether a value is what the words of one alternative say; ``before`` are those that stand before them."""
    if words in WORDS:
        return WORDS[words](value)
    if is_range(words):
        return in_range(words, value)
    if words == "two of them (down, across)":
        return is_pair(value, lambda each: fits(before, each))
    if words.startswith("a str among {"):
        return isinstance(value, str) and repr(str(value)) in words
    named = re.fullmatch(r"an instance of '(\S+)'", words)
    assert named, f"WORDS has nothing for {words!r}"
    names = [f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.") for kind in type(value).__mro__]
    return named[1] in names


def alternatives(constraints):
    """The words of each alternative."""
    known = map(make_constraint, constraints)
    return [words for each in known for words in getattr(each, "descriptions", [str(each)])]


def ends(words):
    """Numbers at and beyond the ends of a range."""
    if not is_range(words):
        return []
    low, high = (float(end) for end in _RANGE.fullmatch(words).groups()[2:4])
    near = [*(low - step for step in (0, 1e-9, 1)), *(high + step for step in (0, 1e-9, 1))]
    return [int(end) if "int" in words.split()[:2] and end == round(end) else end for end in near if np.isfinite(end)]


def tried_values(constraints):
    """All values that are tried, each with whether it fits."""
    words = alternatives(constraints)
    for value in [*VALUES, *(end for each in words for end in ends(each))]:
        yield value, any(fits(each, value, before) for before, each in pairwise(["", *words]))


def wrong_values(constraints):
    """Values that do not fit."""
    return [value for value, right in tried_values(constraints) if not right]
