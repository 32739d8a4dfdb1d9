"""Numbers at the edge: of their types' range, of what sums hold, of what functions give."""

import warnings
from math import erf, exp, expm1, log1p, pi, sqrt, tanh

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from skconv import (
    ConvFeatures,
    ConvNetClassifier,
    ConvNetRegressor,
    Flatten,
    ImagePadder,
    StridedPooling,
    ToImages,
)
from skconv.layers.activation import FUNCTIONS
from skconv.losses import BinaryCrossEntropy

X, Y = (array[:120] for array in load_digits(return_X_y=True))
X = X / 16
TINY = float(np.finfo(np.float32).tiny)
LABELS = np.column_stack([Y < 5, Y % 2 == 0]).astype(int)


# The caller's `numpy.errstate` and warnings

ESTIMATORS = {
    "classifier": (ConvNetClassifier(4, max_iter=2, random_state=0), Y),
    "classifier of labels": (ConvNetClassifier(4, max_iter=2, random_state=0), LABELS),
    "classifier, focal": (ConvNetClassifier(4, max_iter=2, loss="focal", random_state=0), Y),
    "classifier, float64": (ConvNetClassifier(4, solver="lbfgs", max_iter=3, random_state=0), Y),
    "classifier, logistic": (ConvNetClassifier(4, activation="logistic", max_iter=2, random_state=0), Y),
    "classifier, augmented": (
        ConvNetClassifier(4, max_iter=2, augment="auto", n_augmented=2, early_stopping=True, random_state=0),
        Y,
    ),
    "regressor": (ConvNetRegressor(4, max_iter=2, random_state=0), Y.astype(float)),
    "regressor, tiny": (ConvNetRegressor(4, max_iter=2, random_state=0), Y * 1e-100),
    "regressor, counts": (ConvNetRegressor(4, max_iter=2, loss="poisson", random_state=0), Y),
    "padder": (ImagePadder(2, "noise", random_state=0), None),
    "pooling": (StridedPooling("lp", 2), None),
    "features": (ConvFeatures("kmeans", 5, 3, n_patches=500, random_state=0), None),
    "minirocket": (ConvFeatures("minirocket", 84, image_shape="series", random_state=0), None),
    "shapes": (ToImages(), None),
    "flat": (Flatten(), None),
}
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")


def results(estimator, X, y):
    """What the estimator's methods give, of samples near those it has seen and far from them."""
    values = [getattr(estimator, name)(X * far) for name in METHODS if hasattr(estimator, name) for far in (1, 300)]
    return values + ([estimator.score(X, y)] if hasattr(estimator, "score") else [])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_errors_that_numpy_looks_for_are_the_callers(name, dtype):
    estimator, y = ESTIMATORS[name]
    data = X.astype(dtype)
    expected = results(clone(estimator).fit(data, y), data, y)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = clone(estimator).fit(data, y)
        for one, other in zip(results(fitted, data, y), expected, strict=True):
            np.testing.assert_array_equal(one, other)
    assert np.geterr() == {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_partial_fit_under_errors_that_are_raised(name):
    estimator, y = ESTIMATORS[name]
    options = {"classes": np.unique(y)} if name == "classifier" else {}
    expected = clone(estimator).partial_fit(X, y, **options).partial_fit(X, y).predict(X)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(
            clone(estimator).partial_fit(X, y, **options).partial_fit(X, y).predict(X), expected
        )


# Functions far from zero, in float32

TAILS = [-80.0, -30.0, -20.0, -10.0, -5.0, -1.0, -1e-3, -1e-8, 0.0, 1e-8, 1e-3, 1.0, 5.0, 10.0, 20.0, 80.0]


def normal(x):
    """The normal distribution function, by the continued fraction of the complementary error function far out."""
    if x > -5:
        return (1 + erf(x / sqrt(2))) / 2
    ratio = 0.0
    for k in range(200, 0, -1):
        ratio = k / (-x + ratio)
    return exp(-x * x / 2) / sqrt(2 * pi) / (-x + ratio)


IN_DOUBLES = {
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: max(x, 0.01 * x),
    "elu": lambda x: x if x > 0 else expm1(x),
    "gelu": lambda x: x * normal(x),
    "tanh": tanh,
    "logistic": lambda x: 1 / (1 + exp(-x)),
    "identity": lambda x: x,
}


@pytest.mark.parametrize("name", IN_DOUBLES)
def test_activations_keep_their_digits_in_the_tails(name):
    x = np.array(TAILS, np.float32)
    out, work = np.empty_like(x), {"a": np.empty_like(x), "b": np.empty_like(x), "zero": np.zeros_like(x)}
    FUNCTIONS[name][0](x, out, type("Work", (), work))
    expected = [IN_DOUBLES[name](v) for v in x.tolist()]
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=TINY)


def test_logistic_at_minus_twenty():
    x = np.full(3, -20, np.float32)
    FUNCTIONS["logistic"][0](x, x, type("Work", (), {"a": np.empty_like(x)}))
    np.testing.assert_allclose(x, 2.0611536181902037e-09, rtol=1e-6)


def test_probabilities_keep_their_digits_in_the_tails():
    """Of one label and its opposite: logits of opposite sign."""
    model = ConvNetClassifier(4, max_iter=2, random_state=0).fit(X, LABELS)
    far = X.astype(np.float32) * 200
    logits = model.decision_function(far).astype(float)
    assert np.abs(logits).max() > 40
    expected = [[1 / (1 + exp(-v)) for v in row] for row in logits.tolist()]
    np.testing.assert_allclose(model.predict_proba(far), expected, rtol=1e-6, atol=TINY)
    logarithms = [[-log1p(exp(-v)) if v > -700 else v for v in row] for row in logits.tolist()]
    np.testing.assert_allclose(model.predict_log_proba(far), logarithms, rtol=1e-6, atol=1e-44)
    model.fit(X, Y)
    logits = model.decision_function(far).astype(float)
    shifted = logits - logits.max(axis=1, keepdims=True)
    expected = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(model.predict_log_proba(far), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(far), np.exp(expected), rtol=2e-5, atol=TINY)


@pytest.mark.parametrize("z", [15.0, 20.0, 60.0])
def test_the_loss_of_a_label_that_is_sure_and_right(z):
    outputs, targets = np.array([[z, -z]], np.float32), np.array([[1, 0]], np.float32)
    value = BinaryCrossEntropy()(outputs, targets, np.array([0.5, 0.5], np.float32))
    assert value == pytest.approx(log1p(exp(-z)), rel=1e-6)
