"""Estimators of skconv within those of scikit-learn, by skl2onnx."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import skl2onnx
from exported import assert_close, newest_opset, run
from helpers import first_digits, quick_model
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skconv import ConvFeatures, ConvNetRegressor, Flatten, ImagePadder, ImageResizer, StridedPooling, ToImages
from skconv.onnx import to_onnx
from skconv.onnx._skl2onnx import _label_kind, register

X, LABELS = first_digits(60)
X = X.astype(np.float32)
NET, REGRESSOR = quick_model(max_iter=1), quick_model(ConvNetRegressor, max_iter=1)
LINEAR = LogisticRegression(C=0.1)


def check_classifier(model, X, exported):
    found = run(exported, X)
    assert_close(found["probabilities"], model.predict_proba(X), within=2e-5)
    np.testing.assert_array_equal(found["label"], model.predict(X))


CLASSIFIERS = {
    "scaler before": make_pipeline(StandardScaler(), NET),
    "transformers of images": make_pipeline(ToImages(), StridedPooling("mean"), ImagePadder(1, "edge"), NET),
    "features": make_pipeline(ConvFeatures(n_filters=8, random_state=0), MinMaxScaler(), LINEAR),
    "flattened": make_pipeline(ToImages(), StridedPooling(), Flatten(), StandardScaler(), LINEAR),
    "calibrated": CalibratedClassifierCV(NET, cv=2),
    "calibrated once": CalibratedClassifierCV(NET, cv=2, ensemble=False),
    "voting": VotingClassifier(
        [("net", NET), ("scaled", make_pipeline(MinMaxScaler(), NET)), ("linear", LINEAR)],
        voting="soft",
        flatten_transform=False,
    ),
    "stacked": StackingClassifier([("net", NET), ("linear", LINEAR)], LINEAR, cv=2, passthrough=True),
    "stacked scores": StackingClassifier([("a", NET), ("b", NET)], LINEAR, cv=2, stack_method="decision_function"),
    "columns": make_pipeline(
        ColumnTransformer(
            [
                ("pooled", StridedPooling("mean", image_shape=(4, 8)), slice(0, 32)),
                ("edges", ConvFeatures("sobel", image_shape=(4, 8)), slice(32, 64)),
            ]
        ),
        LINEAR,
    ),
    "union": make_pipeline(FeatureUnion([("a", StridedPooling("mean")), ("b", ConvFeatures("sobel"))]), LINEAR),
    "bagging": BaggingClassifier(NET, 2, random_state=0),
    "one against the rest": OneVsRestClassifier(NET),
    "search": GridSearchCV(make_pipeline(StandardScaler(), NET), {"convnetclassifier__filters": [(2,)]}, cv=2),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(name):
    model = CLASSIFIERS[name].fit(X, LABELS % 3)
    check_classifier(model, X, to_onnx(model, X))
    check_classifier(model, X[:1], to_onnx(model))


@pytest.mark.parametrize("name", ["scaler before", "calibrated", "stacked", "voting"])
@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [3, 5], ["a", "b", "c"]], ids=str)
def test_labels(name, labels):
    if name == "voting" and labels[1] is True:
        pytest.skip("skl2onnx has no votes of booleans")
    model = CLASSIFIERS[name].fit(X, np.array(labels)[LABELS % len(labels)])
    check_classifier(model, X, to_onnx(model, X))


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), REGRESSOR),
        VotingRegressor([("net", REGRESSOR), ("linear", LinearRegression())]),
        StackingRegressor([("net", REGRESSOR), ("linear", Ridge())], cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_regressors(model):
    model.fit(X, LABELS + 100.0)
    found = run(to_onnx(model, X), X)["variable"]
    assert found.dtype == np.float32
    assert_close(found.ravel(), model.predict(X))


def test_a_regressor_in_double_precision():
    model = make_pipeline(StandardScaler(), REGRESSOR).fit(X.astype(float), 1e9 + LABELS)
    np.testing.assert_allclose(run(to_onnx(model, X.astype(float)), X.astype(float))["variable"][:, 0],
                               model.predict(X.astype(float)), rtol=1e-12)  # fmt: skip


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int64])
def test_images(shape, dtype):
    images = X.reshape(-1, *shape).astype(dtype)
    model = make_pipeline(StridedPooling("mean"), NET).fit(images, LABELS)
    check_classifier(model, images, to_onnx(model, images))


def test_images_of_another_size():
    images = X.reshape(-1, 8, 8, 1)
    model = make_pipeline(ImageResizer(6), NET).fit(images, LABELS)
    larger = np.repeat(images, 2, axis=2)
    check_classifier(model, larger, to_onnx(model, larger))


def test_several_labels():
    y = np.column_stack([LABELS > 4, LABELS % 2]).astype(int)
    model = make_pipeline(StandardScaler(), NET).fit(X, y)
    check_classifier(model, X, to_onnx(model, X))


@pytest.mark.parametrize("n", [2, 3])
def test_frozen_estimators(n):
    net = quick_model().fit(X[:40], LABELS[:40] % n)
    for model in (make_pipeline(StandardScaler(), FrozenEstimator(net)), CalibratedClassifierCV(FrozenEstimator(net))):
        model.fit(X, LABELS % n)
        check_classifier(model, X, to_onnx(model, X))


def test_options_of_skl2onnx():
    model = quick_model().fit(X, np.array(["a", "b", "c"])[LABELS % 3])
    both = run(skl2onnx.to_onnx(model, X[:1], target_opset=20), X)
    assert list(both["output_probability"][0]) == ["a", "b", "c"]
    by_column = {id(model): {"zipmap": "columns"}}
    columns = run(skl2onnx.to_onnx(model, X[:1], options=by_column, target_opset=20), X)
    assert_close(columns["sb"], model.predict_proba(X)[:, 1])
    without = {id(model): {"zipmap": False, "nocl": True}}
    numbers = run(skl2onnx.to_onnx(model, X[:1], options=without, target_opset=20), X)
    assert model.classes_[numbers["label"]].tolist() == model.predict(X).tolist()
    pipeline = make_pipeline(StandardScaler(), NET).fit(X, LABELS % 2)
    scores = run(to_onnx(pipeline, X, raw_scores=True), X)["probabilities"]
    assert_close(scores[:, 1], pipeline.decision_function(X))
    assert_close(scores[:, 0], -pipeline.decision_function(X))
    assert list(run(to_onnx(pipeline, X, zipmap=True), X)["output_probability"][0]) == [0, 1]


def test_labels_that_skl2onnx_does_not_have():
    with pytest.raises(ValueError, match=r"labels must be integers or strings in skl2onnx, got \[0.5, 1.5\]"):
        _label_kind(SimpleNamespace(classes_=np.array([0.5, 1.5])), np.float64)
    whole = make_pipeline(StandardScaler(), NET)
    assert run(to_onnx(whole.fit(X, LABELS % 2 + 1.0)), X)["label"].dtype == np.int64


def test_columns_of_a_data_frame():
    frame = pd.DataFrame(X, columns=[f"p{i}" for i in range(64)])
    for model in (make_pipeline(StandardScaler(), NET), make_pipeline(NET)):
        exported = to_onnx(model.fit(frame, LABELS), frame)
        found = run(exported, {name: frame[[name]].to_numpy() for name in frame})
        assert_close(found["probabilities"], model.predict_proba(frame))


@pytest.mark.parametrize("opset", [18, *range(20, min(newest_opset(), skl2onnx.__max_supported_opset__) + 1)])
def test_opsets(opset):
    model = make_pipeline(StandardScaler(), NET).fit(X, LABELS)
    exported = to_onnx(model, X, target_opset=opset)
    assert max(each.version for each in exported.opset_import if each.domain == "") <= opset
    check_classifier(model, X, exported)


def test_an_opset_that_skl2onnx_does_not_have():
    newest = skl2onnx.__max_supported_opset__
    model = make_pipeline(StandardScaler(), NET).fit(X, LABELS)
    with pytest.raises(ValueError, match=f"target_opset must be an int from 18 to {newest}, got {newest + 1}"):
        to_onnx(model, X, target_opset=newest + 1)


def test_without_skl2onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    register()
    with pytest.raises(ImportError, match=r'needs skl2onnx: pip install "skconv\[onnx\]"'):
        to_onnx(make_pipeline(StandardScaler(), NET).fit(X, LABELS), X)
