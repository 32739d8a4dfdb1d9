"""Metadata routing: validation data and weights through pipelines and searches."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.regressor import ConvNetRegressor as Regressor

SMALL = {"filters": 4, "hidden_layer_sizes": 8, "batch_size": 32, "max_iter": 3, "random_state": 0}
X, Y = (part[:200] for part in load_digits(return_X_y=True))
X_VAL, Y_VAL = (part[200:300] for part in load_digits(return_X_y=True))
WEIGHT = np.random.default_rng(0).uniform(0.1, 3, 200)
ESTIMATORS = [ConvNetClassifier, ConvNetRegressor]


@pytest.fixture(autouse=True)
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def same(a, b):
    return a.network_.parameters.tobytes() == b.network_.parameters.tobytes() and a.validation_scores_ == (
        b.validation_scores_
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_pipeline_scales_the_validation_data(estimator):
    scaler = StandardScaler().fit(X)
    scaled, scaled_val = scaler.transform(X), scaler.transform(X_VAL)
    expected = estimator(**SMALL).fit(scaled, Y, X_val=scaled_val, y_val=Y_VAL)
    net = estimator(**SMALL).set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline([("scale", StandardScaler()), ("net", net)], transform_input=["X_val"])
    pipeline.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert same(pipeline[-1], expected)
    assert len(expected.validation_scores_) == 3
    raw = estimator(**SMALL).fit(scaled, Y, X_val=X_VAL, y_val=Y_VAL)
    assert raw.validation_scores_ != expected.validation_scores_


def test_several_steps_and_weights():
    steps = [StandardScaler(), PCA(16, random_state=0)]
    changed, changed_val = X, X_VAL
    for step in (clone(step) for step in steps):
        changed = step.fit_transform(changed)
        changed_val = step.transform(changed_val)
    options = {"sample_weight": WEIGHT, "y_val": Y_VAL, "sample_weight_val": WEIGHT[:100]}
    expected = ConvNetClassifier(**SMALL).fit(changed, Y, X_val=changed_val, **options)
    net = ConvNetClassifier(**SMALL).set_fit_request(sample_weight=True, X_val=True, y_val=True, sample_weight_val=True)
    scale = steps[0].set_fit_request(sample_weight=False)
    pipeline = Pipeline([("scale", scale), ("pca", steps[1]), ("net", net)], transform_input=["X_val"])
    assert same(pipeline.fit(X, Y, X_val=X_VAL, **options)[-1], expected)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_requests(estimator):
    names = {"sample_weight", "X_val", "y_val", "sample_weight_val"}
    model = estimator()
    for method in ("fit", "partial_fit"):
        requests = getattr(model.get_metadata_routing(), method).requests
        assert names <= set(requests)
        assert all(requests[name] is None for name in names)
    model.set_fit_request(X_val=True, y_val="labels", sample_weight=False)
    assert model.get_metadata_routing().fit.requests["y_val"] == "labels"
    assert clone(model).get_metadata_routing().fit.requests["X_val"] is True
    model.set_partial_fit_request(X_val=True)
    assert model.get_metadata_routing().partial_fit.requests["X_val"] is True
    model.set_score_request(sample_weight=True)
    assert model.get_metadata_routing().score.requests["sample_weight"] is True


def test_regressor_is_the_public_one():
    assert Regressor is ConvNetRegressor


def test_what_is_not_asked_for_raises():
    pipeline = Pipeline([("scale", StandardScaler()), ("net", ConvNetClassifier(**SMALL))], transform_input=["X_val"])
    with pytest.raises(UnsetMetadataPassedError, match="X_val, y_val"):
        pipeline.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_hands_out_weights_by_fold(n_jobs):
    grid, folds = {"filters": [2, 4]}, StratifiedKFold(2)
    model = ConvNetClassifier(**SMALL).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(model, grid, cv=folds, n_jobs=n_jobs, error_score="raise").fit(X, Y, sample_weight=WEIGHT)
    for k, filters in enumerate(grid["filters"]):
        for fold, (train, test) in enumerate(folds.split(X, Y)):
            alone = ConvNetClassifier(**{**SMALL, "filters": filters}).fit(X[train], Y[train], WEIGHT[train])
            score = alone.score(X[test], Y[test], WEIGHT[test])
            assert search.cv_results_[f"split{fold}_test_score"][k] == pytest.approx(score, rel=1e-12)
    alone = ConvNetClassifier(**{**SMALL, **search.best_params_}).fit(X, Y, WEIGHT)
    assert same(search.best_estimator_, alone)


def test_a_search_over_a_pipeline_with_validation_data():
    net = ConvNetClassifier(**SMALL).set_fit_request(X_val=True, y_val=True, sample_weight=True)
    scale = StandardScaler().set_fit_request(sample_weight=False)
    pipeline = Pipeline([("scale", scale), ("net", net)], transform_input=["X_val"])
    scorer = get_scorer("accuracy").set_score_request(sample_weight=False)
    search = GridSearchCV(pipeline, {"net__filters": [2, 4]}, cv=2, error_score="raise", scoring=scorer)
    search.fit(X, Y, sample_weight=WEIGHT, X_val=X_VAL, y_val=Y_VAL)
    scaler = StandardScaler().fit(X)
    params = {**SMALL, "filters": search.best_params_["net__filters"]}
    data = {"X_val": scaler.transform(X_VAL), "y_val": Y_VAL}
    expected = ConvNetClassifier(**params).fit(scaler.transform(X), Y, WEIGHT, **data)
    assert same(search.best_estimator_[-1], expected)


def test_cross_validation_with_weights_in_the_scorer():
    model = ConvNetClassifier(**SMALL).set_fit_request(sample_weight=True)
    scorer = get_scorer("balanced_accuracy").set_score_request(sample_weight=True)
    found = cross_validate(model, X, Y, cv=2, scoring=scorer, params={"sample_weight": WEIGHT}, error_score="raise")
    assert np.isfinite(found["test_score"]).all()


def test_a_scorer_with_a_request_is_a_validation_score():
    scorer = get_scorer("balanced_accuracy").set_score_request(sample_weight=True)
    data = {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": WEIGHT[:100]}
    model = ConvNetClassifier(**SMALL, scoring=scorer).fit(X, Y, **data)
    assert model.best_validation_score_ == pytest.approx(scorer(model, X_VAL, Y_VAL, sample_weight=WEIGHT[:100]))
