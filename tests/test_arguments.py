"""What a message says about a wrong argument: who, which, its value, and what would fit."""

import numpy as np
import pytest

from skconv import ConvNetClassifier
from skconv._validation import shown
from skconv.layers import Convolution, Dense

# values in messages


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.int64(5), "5"),
        (np.float32(0.5), "0.5"),
        (np.str_("a"), "'a'"),
        (np.True_, "True"),
        ([np.int64(1), (np.float64(2.5), np.str_("b"))], "[1, (2.5, 'b')]"),
        ({np.str_("a"): np.int8(1)}, "{'a': 1}"),
        ((2, "same", None), "(2, 'same', None)"),
        (np.arange(3), "array([0, 1, 2])"),
        (np.array([np.int64(1), "a"], object), "array([1, 'a'], dtype=object)"),
        (np.zeros((2, 3)), "an array of shape (2, 3) and dtype float64"),
        (np.zeros(9, np.float32), "an array of shape (9,) and dtype float32"),
        (Convolution(np.int64(5)), "Convolution(filters=5)"),
        (Convolution, "the class Convolution"),
    ],
)
def test_a_value_is_shown_in_plain_python(value, text):
    assert shown(value) == text


def test_a_value_is_shown_on_one_line_of_limited_length():
    text = shown([Dense(n) for n in range(100)])
    assert len(text) <= 160
    assert "\n" not in text
    assert text.startswith("[Dense(units=0), Dense(units=1)")
    assert shown("x" * 500).endswith("x'")


def test_what_has_no_repr_is_shown_by_its_type():
    class Odd:
        def __repr__(self):
            raise RuntimeError

    assert shown(Odd()) == "<Odd>"
    assert shown(10**5000) == "<int>"


def test_an_estimator_s_parameter_is_shown_in_plain_python():
    with pytest.raises(ValueError, match=r"'max_iter' parameter of ConvNetClassifier .* Got -5 instead"):
        ConvNetClassifier(max_iter=np.int64(-5)).fit(np.ones((4, 16)), [0, 1, 0, 1])
