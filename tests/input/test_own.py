"""What methods of a user's own parts return."""

import numpy as np
import pytest

from skconv._input.own import array_from, in_place, number_from


class Part:
    """A part whose method returns what it is given."""

    def give(self, value):
        return value


def test_what_works_in_place_returns_nothing():
    assert in_place(Part(), "give", None) is None
    for value in (0, np.zeros(3), False):
        with pytest.raises(TypeError, match=r"^Part\.give must work in place and return None, got"):
            in_place(Part(), "give", value)


def test_a_number():
    for value in (1, 0.5, np.float32(2), np.array(3.0), True):
        assert number_from(Part(), "give", value) is value
    for value in (None, "1", np.ones(1), (1.0, np.ones(2)), 1j):
        with pytest.raises(TypeError, match=r"^Part\.give must return a number, got"):
            number_from(Part(), "give", value)


def test_an_array():
    for shape, dtype in (((4, 2), np.float32), ((4, 2), int), ((4, 2), bool)):
        value = np.zeros(shape, dtype)
        for wanted in ((4, 2), (4, ...), (4, 2, ...)):
            assert array_from(wanted, Part(), "give", value) is value
    for value, wanted, match in (
        (None, (4, 2), r"\(4, 2\), got None$"),
        ([1, 2], (2, ...), r"\(2, \.\.\.\), got \[1, 2\]$"),
        (np.zeros(4), (4, 2), r"got an array of shape \(4,\) and dtype float64$"),
        (np.zeros((4, 2, 1)), (4, 2), r"got an array of shape \(4, 2, 1\) and dtype float64$"),
        (np.zeros(()), (4, ...), r"got an array of shape \(\) and"),
        (np.zeros((4, 2), complex), (4, 2), "dtype complex128$"),
    ):
        with pytest.raises(TypeError, match=rf"^Part\.give must return an array of numbers, .*{match}"):
            array_from(wanted, Part(), "give", value)
