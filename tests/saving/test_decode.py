"""Values from JSON: everything is checked, and messages say what is wrong and where."""

import json
from pathlib import Path

import numpy as np
import pytest
from edited_files import GONE, array, assert_refused, both, setting

from skconv import ConvFeatures, ConvNetClassifier
from skconv._files.errors import ModelFileError
from skconv._saving.decode import Decoder
from skconv._saving.encode import encoded
from skconv.layers import Convolution, Dense, GlobalMeanPool

Y = np.arange(12) % 2
X = np.random.default_rng(0).random((12, 5, 5)).astype(np.float32)
VALUES = [
    (1, (2.5, "a")),
    {0: "a", "b": (None,), np.int64(3): [True], (1, 2): 0.5},
    [float("inf"), float("-inf"), -0.0],
    [np.float32(0.1), np.int8(-3), np.bool_(True), np.uint64(2**64 - 1), np.float16(0.5), np.float64("nan")],
    np.array([["a", "bc"], ["", "é"]]),
    np.array(["a", 1, None, 2.5], object),
    np.zeros(0, "U1"),
    Path("a/b"),
]


class Arrays:
    """A file without arrays."""

    specs: dict = {}


def read(node):
    return Decoder(Arrays(), "0.1.0").value(json.loads(json.dumps(node)), "it")


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back(value):
    found = read(encoded(value, "it", {}))
    assert type(found) is type(value)
    assert repr(found) == repr(value)


NODES = {
    "it is no value of a model file: {}": {},
    "it is no value of a model file: {'is': 'system'}": {"is": "system"},
    "it is no value": {"is": ["tuple"]},
    "it is no value of a": {"is": "tuple", "values": [], "more": 1},
    r"it\[1\] is no value": [1, {"is": 3}],
    "it must be one of nan, inf, -inf, got 'x'": {"is": "float", "value": "x"},
    "it must be one of nan": {"is": "float", "value": [1]},
    "300 is no number of dtype 'uint8'|out of bounds": {"is": "number", "dtype": "uint8", "value": 300},
    "1.5 is no number of dtype 'int64'": {"is": "number", "dtype": "int64", "value": 1.5},
    "1 is no number of dtype 'O'": {"is": "number", "dtype": "O", "value": 1},
    r"it must have a list of values, got 'ab'": {"is": "tuple", "values": "ab"},
    "it: a pretrained network has a network, and names of": {
        "is": "pretrained", "network": 1, "input_name": "x", "output_name": "y", "removed": None
    },
    "it must have pairs of keys and values": {"is": "dict", "pairs": [[1, 2, 3]]},
    "it has a key twice": {"is": "dict", "pairs": [[1, 2], [1.0, 3]]},
    "it has a key that is no scalar": {"is": "dict", "pairs": [[[1], 2]]},
    "it must be an array of texts or of scalars, got": {"is": "texts", "dtype": "str", "shape": [1], "values": [1]},
    "it must be an array of texts or of": {"is": "texts", "dtype": "U1000000", "shape": [1], "values": ["a"]},
    "it: an array of texts, with room for the longest in each place, is too large": {
        "is": "texts", "dtype": "str", "shape": [10_000], "values": ["a" * 1000, *["b"] * 9_999]
    },
    "a shape must be a list of integers, got 'a'": {"is": "texts", "dtype": "str", "shape": "a", "values": ["a"]},
    "there is no array 'x', or another value has it": {"is": "array", "name": "x"},
    r"there is no array \[\]": {"is": "array", "name": []},
    "it must be a path, got 3": {"is": "path", "path": 3},
    "it must be one of fan_in_uniform, .*, got 'system'": {"is": "function", "name": "system"},
    "it has no state of the generator": {"is": "random_state", "key": 1, "position": 0, "has_gauss": 0, "gauss": 0.0},
    "it: no class 'Popen' may be in a model file$": {"is": "object", "class": "Popen", "parameters": {}},
    "it: no class 'ConvNetClassifier' may be": {"is": "object", "class": "ConvNetClassifier", "parameters": {}},
    "it: no class 'Dense' may be": {"is": "estimator", "class": "Dense", "parameters": {}, "state": {}},
    r"it must have parameters by name, got \[\]": {"is": "object", "class": "Flip", "parameters": []},
    "it: Dense lacks 'units'$": {"is": "object", "class": "Dense", "parameters": {}},
    "it: StridePool has no 'x'": {
        "is": "object", "class": "StridePool", "parameters": {"pool_size": 2, "x": 1}
    },
    r"it \(Dense\): units must be an int.*got -1": {
        "is": "object", "class": "Dense", "parameters": {"units": -1, "bias": True, "initializer": "he_normal"}
    },
    "it: a frozen estimator must hold an estimator": {"is": "frozen", "estimator": 3},
}  # fmt: skip


@pytest.mark.parametrize("match", NODES)
def test_nodes_that_stand_for_nothing(match):
    with pytest.raises((ModelFileError, OverflowError, ValueError), match=match):
        read(NODES[match])


def test_older_versions_may_lack_parameters():
    node = {"is": "object", "class": "Flip", "parameters": {"vertical": True}}
    for version in ("0.0.9", "0.1.0"):  # parameters may come within a version that is not released
        assert repr(Decoder(Arrays(), version).value(node, "it")) == "Flip(vertical=True)"
    node = {"is": "object", "class": "Flip", "parameters": {"diagonal": True}}
    with pytest.raises(ModelFileError, match=r"Flip has no 'diagonal'; it is from skconv 9\.9, this is 0\.1\.0"):
        Decoder(Arrays(), "9.9").value(node, "it")
    node = {"is": "object", "class": "Dense", "parameters": {}}
    with pytest.raises(ModelFileError, match=r"Dense lacks 'units'; it is from skconv 0\.0\.9"):
        Decoder(Arrays(), "0.0.9").value(node, "it")


@pytest.fixture(scope="module")
def model():
    layers = [Convolution(2), GlobalMeanPool(), Dense(2)]
    return ConvNetClassifier(layers=layers, max_iter=1, random_state=np.random.RandomState(0)).fit(X, Y)


NETWORK = "model.state.network_"
WEIGHT, BIAS = "network_.convolution1.weight", "network_.dense1.bias"
LEVEL, SPREAD = "network_.input.level", "network_.input.spread"
EDITS = {
    rf"array '{WEIGHT}' must have dtype float32 and shape \(2, 3, 3, 1\), got float32 and \(2, 3, 3\)": array(
        WEIGHT, np.zeros((2, 3, 3), np.float32)
    ),
    rf"'{BIAS}' must have dtype float32 and shape \(2,\), got float64": array(BIAS, np.zeros(2)),
    f"there is no array '{BIAS}'": array(BIAS, GONE),
    "the model has no array 'other'": array("other", np.zeros(1)),
    f"array '{BIAS}' has NaN or infinity": array(BIAS, np.array([0, np.nan], np.float32)),
    f"{SPREAD}' has numbers below 0": array(SPREAD, np.array([-1.0])),
    rf"{SPREAD}' must have dtype float64 and shape \(1,\), got": array(SPREAD, np.ones((5, 5, 1))),
    rf"{LEVEL}' must have dtype float64 and shape \(1,\) or \(5, 5, 1\), got": array(LEVEL, np.ones(2)),
    "network_: a network has layers, an input of three axes": setting(f"{NETWORK}.input_shape", [5, 5]),
    "network_: a network has layers, an": setting(f"{NETWORK}.layers", []),
    "network_: a network has layers,": setting(f"{NETWORK}.layers.0", 3),
    "network_: a network has": setting(f"{NETWORK}.dtype", "float16"),
    "network_: a network has a name, and": setting(f"{NETWORK}.name", 3),
    "a network has a name, and is scaled or not": setting(f"{NETWORK}.scaled", 1),
    "freeze: there is no layer 'x' with parameters": setting(f"{NETWORK}.frozen", ["x"]),
    "there is no array 'x": setting(f"{NETWORK}.name", "x"),
    "a state must be an object": setting("model.state", []),
    "random_state has no state of the generator MT19937": setting("model.parameters.random_state.position", 625),
    "random_state has no state of the generator": setting("model.parameters.random_state.has_gauss", 2),
    "The 'alpha' parameter of ConvNetClassifier must be": setting("model.parameters.alpha", -1),
}  # fmt: skip


@pytest.mark.parametrize("match", EDITS)
def test_what_does_not_fit(model, match, tmp_path):
    assert_refused(model, tmp_path, EDITS[match], match)


def test_a_large_network_is_refused_before_it_is_made(model, tmp_path):
    wide = setting(f"{NETWORK}.layers.0.parameters.filters", 10**13)
    assert_refused(
        model, tmp_path, wide, r"convolution1\.weight' must have dtype float32 and shape \(10000000000000, 3"
    )


def test_an_array_belongs_to_one_value(tmp_path):
    model = ConvFeatures(np.ones((1, 3, 3)), bias=np.ones(1)).fit(X)
    twice = both(setting("model.parameters.bias.name", "parameters.filters"), array("parameters.bias", GONE))
    assert_refused(model, tmp_path, twice, "there is no array 'parameters.filters', or another value has it")
