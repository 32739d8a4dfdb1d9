"""Arrays by name."""

import pickle
from copy import copy, deepcopy

import numpy as np
import pytest

from skconv._kernels.memory import Arrays


@pytest.mark.parametrize("clone", [copy, deepcopy, lambda arrays: pickle.loads(pickle.dumps(arrays))])
def test_arrays_are_copied(clone):
    arrays = Arrays(a=np.arange(3))
    other = clone(arrays)
    assert type(other) is Arrays
    np.testing.assert_array_equal(other.a, arrays["a"])


def test_an_array_that_is_missing():
    """As Python wants it of keys and of attributes: `hasattr` and `getattr` with a default ask for the second."""
    arrays = Arrays(a=np.arange(3))
    assert hasattr(arrays, "a")
    assert not hasattr(arrays, "b")
    assert arrays.get("b") is None
    name = "b"
    for kind in (AttributeError, KeyError):
        with pytest.raises(kind, match=r"^there is no array of the name b$"):
            getattr(arrays, name)
        with pytest.raises(kind, match=r"^there is no array of the name b$"):
            arrays[name]
