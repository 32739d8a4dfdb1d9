"""L-BFGS: what it can be given, when it ends, and what it says then."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.layers import (
    Activation,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    LocallyConnected,
    Pad,
    Parallel,
    Residual,
    SeparableConvolution,
    SpatialDropout,
)
from skconv.training._lbfgs import minimize, warn_unless_converged

X, Y = load_digits(return_X_y=True)
X = X / 16
LINEAR = {"standardize": None, "filters": (), "hidden_layer_sizes": (), "solver": "lbfgs", "random_state": 0}
QUICK = {"filters": 4, "hidden_layer_sizes": 5, "solver": "lbfgs", "max_iter": 3, "random_state": 0}
KINDS = [ConvNetClassifier, ConvNetRegressor]


# The minimum


def test_a_quadratic_by_its_closed_form():
    rng = np.random.default_rng(0)
    matrix, target = np.tril(rng.standard_normal((6, 6))) + 3 * np.eye(6), rng.standard_normal(6)
    product = matrix @ matrix.T

    def objective(x):
        return 0.5 * x @ product @ x - target @ x, product @ x - target

    reports = []
    result = minimize(
        objective, np.zeros(6), np.zeros(6), max_iter=100, tol=1e-10, report=lambda *report: reports.append(report)
    )
    np.testing.assert_allclose(result.x, np.linalg.solve(product, target), rtol=1e-7)
    assert result.status == 0
    np.testing.assert_array_equal(reports[-1][0], result.x)
    assert reports[-1][1] == result.fun
    assert len(reports) == result.nit


def test_absolute_values_by_their_closed_form():
    """Each number on its own: soft thresholding of its target; the last has no penalty."""
    target, l1 = np.array([3.0, -2.0, 0.5, -0.5, 0.2]), np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    for start in (np.zeros(5), -target, np.full(5, 7.0)):
        result = minimize(
            lambda x: (0.5 * np.square(x - target).sum(), x - target), start, l1, max_iter=100, tol=1e-10,
            report=lambda *_: None,
        )  # fmt: skip
        np.testing.assert_allclose(result.x, [2.0, -1.0, 0.0, 0.0, 0.2], rtol=0, atol=1e-9)
        assert (result.x[2:4] == 0).all()


def test_every_tol_has_an_effect():
    """Also below what scipy's own default for the progress of the loss allows."""
    train, labels = X[:500], Y[:500]
    gradients = []
    for tol in (1e-3, 1e-5, 1e-7):
        model = ConvNetClassifier(**LINEAR, tol=tol, alpha=1e-3, label_smoothing=0.0, max_iter=5000).fit(train, labels)
        errors = model.predict_proba(train) - (labels[:, None] == np.arange(10))
        gradient = errors.T @ train / 500 + 1e-3 * model.weights_["dense1.weight"]
        gradients.append(np.abs(gradient).max())
        assert gradients[-1] < 1.01 * tol
    assert gradients == sorted(gradients, reverse=True)


def test_the_minimum_is_that_of_logistic_regression():
    train, labels = X[:500], Y[:500]
    model = ConvNetClassifier(**LINEAR, tol=1e-8, alpha=1e-2, label_smoothing=0.0, max_iter=1000).fit(train, labels)
    expected = LogisticRegression(C=1 / (500 * 1e-2), tol=1e-8, max_iter=1000).fit(train, labels)
    np.testing.assert_allclose(model.predict_proba(train), expected.predict_proba(train), rtol=0, atol=1e-5)


# Its end


@pytest.mark.parametrize("kind", KINDS)
def test_an_end_by_max_iter_warns_the_caller(kind):
    match = r"solver='lbfgs' failed to converge to tol=0\.001 after 2 iterations: max_iter=2 was reached\. Increase"
    with pytest.warns(ConvergenceWarning, match=match) as caught:
        model = kind(**{**QUICK, "max_iter": 2, "tol": 1e-3}).fit(X[:100], Y[:100])
    assert [warning.filename for warning in caught] == [__file__]
    assert model.n_iter_ == 2


def test_an_end_without_progress_warns():
    """By a gradient that is wrong, no step finds a lower value."""
    result = minimize(
        lambda x: (np.square(x).sum(), -x), np.ones(3), np.zeros(3), max_iter=9, tol=1e-4, report=lambda *_: None
    )
    with pytest.warns(ConvergenceWarning, match=r"tol=0\.0001 after 0 iterations: no step along its direction lowers"):
        warn_unless_converged(result, 9, 1e-4)


def test_other_ends_do_not_warn():
    converged = ConvNetClassifier(**LINEAR, tol=1e-2, max_iter=500).fit(X[:200], Y[:200])
    assert converged.n_iter_ < 500
    stopped = ConvNetClassifier(**{**QUICK, "tol": 1e-6}, callback=lambda info: info.epoch == 2).fit(X[:100], Y[:100])
    assert stopped.n_iter_ == 2


# What is random


def test_auto_dropout_is_none():
    steps = np.cumsum(np.random.default_rng(0).standard_normal((60, 64)), axis=1)
    labels = (steps[:, -1] > 0).astype(int)
    params = {"image_shape": "series", "max_iter": 1, "random_state": 0}
    names = [type(layer).__name__ for layer in ConvNetClassifier(**params).fit(steps, labels).network_.layers]
    assert names.count("Dropout") == 1
    model = ConvNetClassifier(**params, solver="lbfgs").fit(steps, labels)
    assert [type(layer).__name__ for layer in model.network_.layers] == [n for n in names if n != "Dropout"]


def test_a_steady_loss_falls_to_the_end():
    """At the defaults for series; with dropout it ended after an eighth of the iterations, 0.85 right for 0.98."""
    rng = np.random.default_rng(0)
    series, labels = rng.standard_normal((200, 64)), rng.integers(0, 2, 200)
    series[labels == 1, 20:40] += np.sin(np.arange(20))
    params = {"image_shape": "series", "filters": (8, 8), "kernel_size": 9, "dilation": 1, "random_state": 0}
    model = ConvNetClassifier(**params, solver="lbfgs", max_iter=30).fit(series, labels)
    assert model.n_iter_ == 30
    assert model.loss_curve_ == sorted(model.loss_curve_, reverse=True)
    assert model.score(series, labels) == 1


FILL = [Flatten(), Dense(4)]
RANDOM = {
    "dropout": ({"dropout": 0.2}, r"dropout=0\.2 .*: dropout1 draws random"),
    "one dropout": ({"filters": (4, 4), "dropout": (0, 0.2)}, r"dropout=\(0, 0\.2\) .*: dropout1"),
    "padding_mode": ({"padding_mode": "noise"}, "padding_mode='noise' .*: convolution1"),
    "local": ({"padding_mode": "noise", "connectivity": "local"}, "padding_mode='noise' .*: locallyconnected1"),
    "Dropout": ({"layers": [Flatten(), Dense(4), Dropout(0.1)]}, r"layers=\[.*: dropout1"),
    "SpatialDropout": ({"layers": [Convolution(4), SpatialDropout(0.1), *FILL]}, "layers.*: spatialdropout1"),
    "Pad": ({"layers": [Pad(1, "noise"), *FILL]}, "layers.*: pad1"),
    "Convolution": ({"layers": [Convolution(4, padding_mode="noise"), *FILL]}, "layers.*: convolution1"),
    "LocallyConnected": ({"layers": [LocallyConnected(4, padding_mode="noise"), *FILL]}, "layers.*: locallyconnected1"),
    "Residual": ({"layers": [Residual([Dropout(0.1)]), *FILL]}, r"layers.*: residual1\.dropout1"),
    "Parallel": ({"layers": [Parallel([[Pad(0, "noise")], []]), *FILL]}, r"layers.*: parallel1\.branch1\.pad1"),
    "vgg": ({"layers": "vgg"}, "layers='vgg' .*: dropout1"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", RANDOM)
def test_what_is_random_in_training(name, kind):
    params, match = RANDOM[name]
    model = kind(**{**QUICK, **params}, callback=lambda info: pytest.fail("it has trained"))
    match = match.replace(" .*:", " needs a stochastic solver, got solver='lbfgs':")
    with pytest.raises(ValueError, match=match + ".*use 'adam' or 'sgd', or do without"):
        model.fit(X[:60], Y[:60])
    assert set(vars(model)) == set(model.get_params(deep=False))


@pytest.mark.parametrize(
    "params",
    [
        {"dropout": 0.0},
        {"padding_mode": "donor"},  # the first sample of each of the fixed batches
        {"layers": [Convolution(4), Activation("tanh"), Dropout(0.0), *FILL]},
        {"layers": [SeparableConvolution(4), *FILL]},
        {"layers": "fcn"},
    ],
    ids=str,
)
def test_what_is_not(params):
    """The loss of a model is what its last iteration reports."""
    model = ConvNetClassifier(**{**QUICK, **params}, batch_size=40).fit(X[:60], Y[:60])
    assert model.n_iter_ == 3
    assert model.loss_curve_ == sorted(model.loss_curve_, reverse=True)


# Chunk by chunk


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_no_partial_fit(kind):
    model = kind(**QUICK)
    assert not hasattr(model, "partial_fit")
    assert hasattr(clone(model).set_params(solver="adam"), "partial_fit")
    message = f"This '{kind.__name__}' has no attribute 'partial_fit'"
    with pytest.raises(AttributeError, match=message) as caught:
        model.partial_fit(X, Y)
    assert re.match(
        "partial_fit is only available for stochastic optimizers. lbfgs is not", str(caught.value.__cause__)
    )
    with pytest.raises(AttributeError) as theirs:
        MLPClassifier(solver="lbfgs").partial_fit(X, Y)
    assert str(caught.value).replace(kind.__name__, "MLPClassifier") == str(theirs.value)
