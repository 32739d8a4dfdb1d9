"""The parameters of the networks: what each may be, what is said of others, and that `fit` changes none."""

import re
from copy import deepcopy

import pytest
from helpers import QUICK, assert_rejected, quick_model, same_bits
from sklearn.base import clone
from sklearn.datasets import load_digits
from wrong_values import wrong_values

from skconv import ConvNetClassifier
from skconv._input.constraints import shown

DIGITS = load_digits()
X = DIGITS.data[:300] / 16
Y = DIGITS.target[:300]
quick = quick_model


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X, Y)


CONSTRAINTS = ConvNetClassifier._parameter_constraints
CHECKED = [name for name in CONSTRAINTS if name != "augment"]  # whose errors are those of `make_augmenter`


@pytest.mark.parametrize("name", CHECKED)
def test_a_wrong_value_changes_no_model(fitted, name):
    wrong = wrong_values(CONSTRAINTS[name])
    for value in wrong[:: len(wrong) // 6]:
        match = rf"The '{name}' parameter of ConvNetClassifier must be .*\. Got {re.escape(shown(value))} instead"
        for model in (quick(), deepcopy(fitted)):
            model.set_params(**{name: value})
            assert_rejected(model, lambda model: model.fit(X, Y), match)
            assert_rejected(model, lambda model: model.partial_fit(X, Y, classes=range(10)), match)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        (
            {"augment": "sideways"},
            r"augment must be a str among {'auto', 'brightness', .* a list of these or None, got 'sideways'",
        ),
        (
            {"augment": ["flip", 3]},
            r"augment\[1\] must be a str among {'auto', .*} or an object of skconv.augmentation, got 3",
        ),
        (
            {"freeze": "dense9"},
            r"freeze: there is no layer 'dense9' with parameters; there are convolution1, batchnorm1",
        ),
        ({"freeze": ("dense1", 1)}, "freeze: there is no layer 1 with parameters; there are convolution1, "),
        ({"freeze": [["dense1"]]}, r"freeze: there is no layer \['dense1'\] with parameters; there are convolution1, "),
        ({"layers": "conv"}, "layers must be a str among {'all_conv', .*} or a list of layers, got 'conv'"),
    ],
    ids=str,
)
def test_bad_names(fitted, params, match):
    for model in (quick(), deepcopy(fitted)):
        model.set_params(**params)
        assert_rejected(model, lambda model: model.fit(X, Y), match)


def test_a_fitted_model_predicts_on_after_a_rejected_fit(fitted):
    model = deepcopy(fitted)
    expected = model.predict_proba(X)
    for params in ({"filters": 0}, {"kernel_size": (3, 3, 3)}, {"kernel_size": 99, "padding": "valid"}):
        model.set_params(**{**QUICK, **params})
        with pytest.raises(ValueError, match=next(iter(params))):
            model.fit(X, Y)
        assert same_bits(model.predict_proba(X), expected)


def test_parameters():
    model = ConvNetClassifier()
    params = model.get_params()
    assert set(params) == set(vars(model))  # nothing but parameters before fit
    given = {"filters": (1,), "kernel_size": (5,), "dropout": 0.5, "layers": None, "image_shape": (4, 4)}
    assert model.set_params(**given) is model
    assert {name: model.get_params()[name] for name in given} == given
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(ValueError, match="Invalid parameter 'kernels'"):
        model.set_params(kernels=3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'kernels'"):
        ConvNetClassifier(kernels=3)
    positional = ConvNetClassifier((4,), 5)
    assert (positional.filters, positional.kernel_size) == ((4,), 5)


def test_repr():
    assert repr(ConvNetClassifier()) == "ConvNetClassifier()"
    assert repr(ConvNetClassifier((4,), stride=2, random_state=0)) == (
        "ConvNetClassifier(filters=(4,), random_state=0, stride=2)"
    )


def test_fit_changes_no_parameter():
    model = quick(layers=None, class_weight={0: 2.0}, image_shape=[8, 8])
    before = {name: (value, repr(value)) for name, value in vars(model).items()}
    model.fit(X, Y).partial_fit(X, Y)
    assert all(vars(model)[name] is value and repr(value) == text for name, (value, text) in before.items())


def test_clone_is_unfitted(fitted):
    assert not hasattr(clone(fitted), "network_")
    assert fitted.fit(X, Y) is fitted
