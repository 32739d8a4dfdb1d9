"""Estimators in onnxruntime, held against their own predictions."""

import numpy as np
import pytest
from exported import assert_close, run
from helpers import first_digits, quick_model
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

import skconv
from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.architectures import ARCHITECTURES
from skconv.onnx import to_onnx
from skconv.onnx._estimators import ESTIMATORS
from skconv.training import Huber

DIGITS = first_digits(40)[0].astype(np.float32)
LABELS = first_digits(40)[1]
COLOURS = np.random.default_rng(0).integers(0, 256, (24, 12, 10, 3)).astype(np.uint8)
SERIES = np.random.default_rng(1).standard_normal((24, 50, 2))


def check_classifier(model, X, exported=None):
    """A model's labels and probabilities, of one sample and of many, are those of the estimator."""
    exported = to_onnx(model, X) if exported is None else exported
    for samples in (X, X[:1]):
        found = run(exported, samples)
        assert_close(found["probabilities"], model.predict_proba(samples))
        np.testing.assert_array_equal(found["label"], model.predict(samples))


def check_regressor(model, X, exported=None):
    exported = to_onnx(model, X) if exported is None else exported
    for samples in (X, X[:1]):
        found = run(exported, samples)["variable"]
        assert_close(found, model.predict(samples).reshape(found.shape))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_digits(dtype):
    X = (16 * DIGITS).astype(dtype)
    model = quick_model(max_iter=3).fit(X, LABELS)
    check_classifier(model, X)
    check_classifier(model, X.reshape(-1, 8, 8))
    check_classifier(model, X.reshape(-1, 8, 8, 1))
    check_classifier(model, X.astype(np.float32), to_onnx(model))


@pytest.mark.parametrize("X", [COLOURS, SERIES, SERIES[..., 0], COLOURS[..., 0].astype(float)], ids=np.shape)
def test_images_and_series(X):
    y = np.arange(len(X)) % 3
    model = quick_model(image_shape="series" if X is SERIES or X.ndim == 2 else None).fit(X, y)
    check_classifier(model, X)
    regressor = quick_model(ConvNetRegressor, image_shape=model.image_shape).fit(X, np.c_[y, 1e6 + 0.1 * y])
    check_regressor(regressor, X)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["zero", "one", "two"]),
        np.array(["zero", "one", "two"], object),
        np.array([3, -1, 100], np.int8),
        np.array([False, True, True]),
        np.array(["no", "yes", "yes"]),
        np.array([0, 7, 7]),
    ],
    ids=str,
)
def test_labels_of_every_type(labels):
    y = labels[np.arange(40) % 3]
    model = quick_model(early_stopping=True, temperature_scaling=True, validation_fraction=0.3).fit(DIGITS, y)
    check_classifier(model, DIGITS)
    scores = model.decision_function(DIGITS.astype(np.float32))
    scores = np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
    assert_close(run(to_onnx(model, raw_scores=True), DIGITS)["probabilities"], scores)
    if labels.dtype == bool:
        with pytest.raises(ValueError, match=r"zipmap=True needs one label .*classes_=\[False, True\]"):
            to_onnx(model, zipmap=True)
        return
    found = run(to_onnx(model, zipmap=True), DIGITS)
    assert found["output_label"].tolist() == model.predict(DIGITS).tolist()
    table = [[each[label] for label in model.classes_.tolist()] for each in found["output_probability"]]
    assert_close(table, model.predict_proba(DIGITS))


@pytest.mark.parametrize(
    "options", [{}, {"label_smoothing": 0}, {"loss": "focal"}, {"loss": "focal", "label_smoothing": 0}]
)
def test_several_labels(options):
    y = np.column_stack([LABELS > 4, LABELS % 2, LABELS == 3]).astype(int)
    model = quick_model(**options).fit(DIGITS, y)
    check_classifier(model, DIGITS)
    check_classifier(quick_model(**options).fit(DIGITS, LABELS % 3), DIGITS)
    assert run(to_onnx(model), DIGITS)["label"].dtype == np.int64
    with pytest.raises(ValueError, match="zipmap=True needs one label a sample"):
        to_onnx(model, zipmap=True)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", Huber(0.5), "poisson"])
def test_regressors(loss):
    for y in (LABELS, LABELS[:, None] ** np.arange(3)):
        check_regressor(quick_model(ConvNetRegressor, loss=loss).fit(DIGITS.astype(float), y.astype(float)), DIGITS)


@pytest.mark.parametrize("options", [{"standardize": None}, {"standardize": "feature"}, {"solver": "lbfgs"}])
def test_other_ways_to_fit(options):
    check_classifier(quick_model(**options).fit(DIGITS.astype(float), LABELS), DIGITS)


@pytest.mark.parametrize("shape", [(16, 16, 1), (1, 64, 1), (12, 10, 3)], ids=str)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures(name, shape):
    X = np.random.default_rng(0).standard_normal((24, *shape)).astype(np.float32)
    model = ConvNetClassifier(layers=name, max_iter=1, random_state=0).fit(X, np.arange(24) % 3)
    check_classifier(model, X)


def test_every_estimator_has_a_row():
    public = {getattr(skconv, name) for name in skconv.__all__}
    assert set(ESTIMATORS) == {each for each in public if isinstance(each, type) and issubclass(each, BaseEstimator)}


def test_averages_over_changed_samples_are_refused():
    model = quick_model(augment="shift", n_augmented=2).fit(DIGITS.reshape(-1, 8, 8), LABELS)
    with pytest.raises(ValueError, match=r"n_augmented=2 averages over .* set_params\(n_augmented=0\)"):
        to_onnx(model)
    check_classifier(model.set_params(n_augmented=0), DIGITS)
    check_classifier(
        quick_model(n_augmented=2).fit(DIGITS, LABELS), DIGITS
    )  # without augmentations there are no copies


def test_estimators_that_are_frozen_or_not_fitted():
    model = quick_model().fit(DIGITS, LABELS)
    check_classifier(model, DIGITS, to_onnx(FrozenEstimator(model), DIGITS))
    with pytest.raises(NotFittedError):
        to_onnx(ConvNetClassifier())
