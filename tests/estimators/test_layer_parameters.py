"""The parameters of the layers: values of one layer, tuples of the wrong length, and what does not fit the image."""

import pickle
import re
from copy import deepcopy

import numpy as np
import pytest
from helpers import assert_rejected, quick_model
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from skconv import ConvNetClassifier
from skconv._input.memory import counted

DIGITS = load_digits()
X = DIGITS.data[:300] / 16
Y = DIGITS.target[:300]
quick = quick_model


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X, Y)


@pytest.fixture(params=["unfitted", "fitted"])
def start(request, fitted):
    return quick() if request.param == "unfitted" else deepcopy(fitted)


SIZES = r"an int in the range \[1, inf\) or two of them \(down, across\)"
LAYER_VALUES = {
    "kernel_size": ([(3, 0), (3, 1.5), (3, "3"), (3, (3, 3, 3)), (3, (3, 0)), (True, 3), (3, None)], SIZES),
    "stride": ([(1, 0), (1, (1, -1)), ((1, (1, 1)), 1)], SIZES),
    "dilation": ([(1, 0), (1, (2.0, 1))], SIZES),
    "pool_size": ([(2, 0), (False, 2)], SIZES),
    "padding": (
        [("same", "full"), (1, -1), (1, (0, -1)), (1, ((0, 1), (0, 1, 2))), (1, None)],
        r"a str among {'same', 'valid'}, an int in the range \[0, inf\), two of them \(down, across\) or two pairs .*",
    ),
    "padding_mode": (
        [("edge", "zeros"), ("edge", None), ("edge", 0)],
        "a str among {'constant', 'edge', .*, 'noise', 'donor'} or a padding mode of skconv.layers",
    ),
    "connectivity": ([("local", "dense"), ("local", None)], "a str among {'shared', 'local', 'full'}"),
    "bias": (
        [(True, "each"), (False, None), ("position", 0)],
        "an instance of 'bool' or .* or a str among {'position'}",
    ),
    "pool": ([("max", "median"), ("max", 2)], "a str among {'auto', 'max', 'mean', 'stride'} or None"),
    "batch_norm": ([(True, 1), (True, "yes")], "an instance of 'bool'.*"),
    "dropout": ([(0.1, 1.0), (0.1, -0.1), (0.1, "x"), (True, 0.1), (0.1, None)], r"a float in the range \[0.0, 1.0\)"),
    "activation": (
        [("relu", "selu"), ("relu", None), ("relu", "relu", 3)],
        "a str among {'relu', 'leaky_relu', 'elu', .*, 'identity'} or an activation function of skconv.layers",
    ),
}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [(name, value, wanted) for name, (values, wanted) in LAYER_VALUES.items() for value in values],
)
def test_bad_value_of_one_layer(start, name, value, wanted):
    start.set_params(**{name: value})
    match = rf"{name} of a layer must be {wanted}, got .* in {name}={re.escape(repr(value))}"
    assert_rejected(start, lambda model: model.fit(X, Y), match)


@pytest.mark.parametrize("name", ["kernel_size", "stride", "dilation", "pool_size"])
def test_true_is_no_size(start, name):
    start.set_params(**{name: True})
    assert_rejected(
        start, lambda model: model.fit(X, Y), rf"'{name}' parameter of ConvNetClassifier .* Got True instead"
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("kernel_size", (3, 3, 3), "2"),
        ("kernel_size", (3,), "2"),
        ("stride", [1, 1, 1], "2"),
        ("dilation", (), "2"),
        ("padding", ("same",), "2"),
        ("padding_mode", ("edge",), "2"),
        ("connectivity", ("local",) * 3, "2"),
        ("bias", (False,), "2"),
        ("pool", ("max", "max", None), "2"),
        ("pool_size", ((2, 2),), "2"),
        ("batch_norm", (True, True, False), "2"),
        ("activation", ("relu",), "2 or 3"),
        ("activation", ("relu",) * 4, "2 or 3"),
        ("dropout", (0.1,) * 4, "2 or 3"),
    ],
)
def test_tuple_of_the_wrong_length(start, name, value, allowed):
    start.set_params(**{name: value})
    shown = re.escape(repr(value))
    match = rf"{name}={shown} has {counted(len(value), 'entry', 'entries')}, one per layer, for {allowed} layers\. "
    assert_rejected(start, lambda model: model.fit(X, Y), match)


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("kernel_size", (3, 3), "What is for one layer goes inside: kernel_size=((3, 3), (3, 3), (3, 3))"),
        ("kernel_size", [3, 5], "What is for one layer goes inside: kernel_size=([3, 5], [3, 5], [3, 5])"),
        ("kernel_size", ((3, 5),), "What is for one layer goes inside: kernel_size=((3, 5), (3, 5), (3, 5))"),
        ("kernel_size", (np.int64(3), 3), "What is for one layer goes inside: kernel_size=((3, 3), (3, 3), (3, 3))"),
        ("kernel_size", (3, 3, 3, 3), "One value is for all layers: kernel_size=3"),
        ("stride", (1,), "One value is for all layers: stride=1"),
        ("padding", ("same",) * 2, "One value is for all layers: padding='same'"),
        ("padding", ((1, 0), (0, 1)), f"What is for one layer goes inside: padding={(((1, 0), (0, 1)),) * 3}"),
        ("activation", ("relu",), "One value is for all layers: activation='relu'"),
        ("dropout", (0.1, 0.2), "Give one for each of them, or one value for all"),
        ("pool", (), "Give one for each of them, or one value for all"),
    ],
)
def test_what_to_write_in_place_of_a_tuple_of_the_wrong_length(name, value, advice):
    model = quick(filters=(2, 2, 2), **{name: value})
    with pytest.raises(ValueError, match=r"layers\. " + re.escape(advice) + "$"):
        model.fit(X, Y)
    if f"{name}=" in advice:  # which fits
        model.set_params(**eval(f"dict({advice.partition(': ')[2]})")).fit(X, Y)


@pytest.mark.parametrize("value", [(3, 0), (-1,), (2.5, 2), ("a",), (3, (1, 2)), (None,), (3, True)], ids=repr)
@pytest.mark.parametrize("name", ["filters", "hidden_layer_sizes"])
def test_bad_sizes_of_layers(start, name, value):
    start.set_params(**{name: value})
    assert_rejected(start, lambda model: model.fit(X, Y), name)


@pytest.mark.parametrize("name", ["activation", "dropout"])
def test_empty_tuple_without_convolutions(start, name):
    start.set_params(filters=(), **{name: ()})
    assert_rejected(start, lambda model: model.fit(X, Y), name)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"kernel_size": 9}, r"layers\[0\] \(Convolution\): kernel_size=9 does not fit: a window of 9x9 in .* 8x8"),
        (
            {"kernel_size": (3, 7)},
            r"layers\[\d\] \(Convolution\): kernel_size=7 does not fit: a window of 7x7 in .* 6x6",
        ),
        ({"kernel_size": ((1, 9), 1)}, r"kernel_size=\(1, 9\) does not fit: a window of 1x9 in .* 8x8"),
        ({"kernel_size": 5, "dilation": 2}, "kernel_size=5 does not fit with its dilation: a window of 9x9 in .* 8x8"),
        ({"kernel_size": 11, "padding": 1}, "kernel_size=11 does not fit: a window of 11x11 in an input of 10x10"),
        ({"kernel_size": 65, "image_shape": "series"}, "kernel_size=65 does not fit: a window of 1x65 in .* 1x64"),
    ],
    ids=str,
)
def test_kernel_that_does_not_fit(start, params, match):
    start.set_params(**{"padding": "valid", "pool": None, **params})
    assert_rejected(start, lambda model: model.fit(X, Y), match)


number = st.one_of(
    st.integers(-2, 9), st.floats(width=16), st.booleans(), st.none(), st.sampled_from(["same", "max", "relu", "x"])
)
anything = st.recursive(number, lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple))


@pytest.mark.parametrize("name", [*LAYER_VALUES, "filters", "hidden_layer_sizes", "image_shape"])
@settings(deadline=None, derandomize=True, max_examples=40)
@given(value=anything)
def test_any_value_fits_or_is_named(name, value):
    model = ConvNetClassifier(**{"filters": (2, 3), "hidden_layer_sizes": 3, "max_iter": 1, name: value})
    before, message = pickle.dumps(model), None
    try:
        model.fit(X[:12], Y[:12])
    except ValueError as error:
        message = str(error)
    if message is None:
        assert np.isfinite(model.predict_proba(X)).all()
    else:
        assert name in message
        assert pickle.dumps(model) == before
