"""Values as JSON and arrays: what files cannot have is said with its name, its value and what would fit."""

import functools
import re
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

from skconv import ConvFeatures, ConvNetClassifier, load
from skconv._saving.encode import encoded, parameters_of
from skconv.augmentation import Flip
from skconv.layers import Convolution, Dense, Layer, he_normal

Y = np.arange(12) % 2
X = np.random.default_rng(0).random((12, 5, 5))
Pair = namedtuple("Pair", "first second")


class Own(Layer):
    """A layer of a user's."""


class OwnClassifier(ConvNetClassifier):
    """A classifier of a user's."""


def test_plain_values_stand_for_themselves():
    for value in (None, True, 1, 1.5, "é", [1, [2]]):
        assert encoded(value, "x", {}) == value


def test_other_values_say_what_they_are():
    arrays = {}
    assert encoded((1, "a"), "x", arrays) == {"is": "tuple", "values": [1, "a"]}
    assert encoded({0: None}, "x", arrays) == {"is": "dict", "pairs": [[0, None]]}
    assert encoded(float("-inf"), "x", arrays) == {"is": "float", "value": "-inf"}
    assert encoded(np.float32(0.1), "x", arrays) == {
        "is": "number",
        "dtype": "float32",
        "value": float(np.float32(0.1)),
    }
    assert encoded(np.str_("a"), "x", arrays) == "a"
    assert encoded(he_normal, "x", arrays) == {"is": "function", "name": "he_normal"}
    assert encoded(Flip(), "x", arrays) == {
        "is": "object",
        "class": "Flip",
        "parameters": {"horizontal": True, "vertical": False},
    }
    assert encoded(np.array(["a"]), "x", arrays) == {"is": "texts", "dtype": "str", "shape": [1], "values": ["a"]}
    assert not arrays
    assert encoded([np.arange(3), np.ones(2)], "x", arrays) == [
        {"is": "array", "name": "x.0"},
        {"is": "array", "name": "x.1"},
    ]
    assert encoded(np.zeros(1), "x.0", arrays) == {"is": "array", "name": "x.0.2"}
    assert list(arrays) == ["x.0", "x.1", "x.0.2"]


def test_arrays_in_files_are_arrays(tmp_path):
    np.save(tmp_path / "filters.npy", np.random.default_rng(0).random((2, 3, 3)))
    model = ConvFeatures(np.load(tmp_path / "filters.npy", mmap_mode="r")).fit(X)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert type(loaded.filters) is np.ndarray
    np.testing.assert_array_equal(loaded.filters, model.filters)
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))


def test_texts_of_which_one_is_long():
    value = np.array(["a" * 1000, *["b"] * 9_999])
    with pytest.raises(ValueError, match=r"x=an array of .* its texts take more than 33,554,432 bytes"):
        encoded(value, "x", {})
    assert len(encoded(value[:8000], "x", {})["values"]) == 8000
    assert len(encoded(value.astype(object), "x", {})["values"]) == 10_000


def test_parameters_are_those_of_the_constructor():
    assert parameters_of(Dense) == ["units", "bias", "initializer"]
    assert parameters_of(Own) == []


REFUSED = {
    r"callback=<function.* cannot be stored in a model file: functions, classes of": {"callback": lambda _: None},
    "scoring=functools.partial": {"scoring": functools.partial(max)},
    "learning_rate=<function": {"learning_rate": lambda share: 1.0},
    r"layers.0.initializer=<function": {"layers": [Convolution(2, initializer=lambda weight, rng: None), Dense(2)]},
    r"layers.0=Own\(\)": {"layers": [Own(), Dense(2)]},
    r"class_weight=OrderedDict": {"class_weight": OrderedDict({0: 1, 1: 2})},
    "max_iter=1.* it has too many digits": {"max_iter": 10**500},
    "freeze.0='.*' .* it has halves of characters": {"freeze": ("\ud800",)},
    "image_shape=Pair": {"image_shape": Pair(5, 5)},
    r"initial_weights.x=array\(\[nan\]\) .* it has NaN or infinity": {"initial_weights": {"x": np.array([np.nan])}},
    "initial_weights.x=.* it is of dtype complex128": {"initial_weights": {"x": np.array([1j])}},
    "alpha=.* it is of dtype": {"alpha": np.longdouble(1e-4)},
    "random_state=.* of random generators files have MT19937 alone": {
        "random_state": np.random.RandomState(np.random.PCG64(0))
    },
}  # fmt: skip


@pytest.mark.parametrize("match", REFUSED)
def test_what_a_file_cannot_have(match, tmp_path):
    model = ConvNetClassifier(filters=2, max_iter=1).fit(X, Y).set_params(**REFUSED[match])
    if match.startswith("alpha") and np.longdouble(1).itemsize == 8:
        pytest.skip("no long doubles")
    with pytest.raises(ValueError, match=match) as caught:
        model.save(tmp_path / "model")
    assert re.search("change it, or use pickle$", str(caught.value))
    assert list(tmp_path.iterdir()) == []


def test_networks_that_a_file_cannot_have(tmp_path):
    model = ConvNetClassifier(filters=2, max_iter=1).fit(X, Y)
    model.network_.parameters[0] = np.inf
    with pytest.raises(ValueError, match=r"network_.convolution1.*=.* it has NaN or infinity"):
        model.save(tmp_path / "model")
    model = ConvNetClassifier(filters=2, max_iter=1).fit(X, Y)
    with pytest.raises(ValueError, match=r"x=<Network.* there are two arrays called x\.convolution1\.weight"):
        encoded(model.network_, "x", {"x.convolution1.weight": np.zeros(1)})
