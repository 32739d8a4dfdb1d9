"""The transformers together: shapes travel, and a search goes over all of them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union

from skconv import ConvFeatures, ConvNetClassifier, Flatten, ImagePadder, StridedPooling, ToImages

X, Y = load_digits(return_X_y=True)
X, Y = X[:400] / 16, Y[:400]


def five_steps():
    return make_pipeline(
        ToImages(),
        ImagePadder(2),
        ConvFeatures(n_filters=6, kernel_size=3, padding="valid", pool=None, random_state=0),
        StridedPooling(),
        Flatten(),
        RidgeClassifier(),
    )


def test_search_over_border_kernel_stride_and_pool_in_two_processes():
    grid = {
        "imagepadder__padding_mode": ["constant", "edge", "noise"],
        "convfeatures__kernel_size": [3, (5, 4)],
        "convfeatures__stride": [1, (2, 1)],
        "stridedpooling__pool": ["stride", "max", "mean"],
        "stridedpooling__pool_size": [2, 3],
    }
    search = GridSearchCV(five_steps(), grid, cv=2, n_jobs=2, error_score="raise").fit(X, Y)
    assert len(search.cv_results_["params"]) == 72
    assert len(set(search.cv_results_["mean_test_score"])) > 10
    again = clone(five_steps()).set_params(**search.best_params_).fit(X, Y)
    np.testing.assert_array_equal(again.decision_function(X), search.best_estimator_.decision_function(X))
    assert search.score(X, Y) > 0.95


def test_each_step_by_hand():
    model = five_steps().set_params(imagepadder__padding_mode="edge").fit(X, Y)
    images = np.pad(X.reshape(-1, 8, 8), ((0, 0), (2, 2), (2, 2)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    response = np.maximum(np.einsum("npqrs,frs->npqf", windows, model[2].filters_[..., 0]), 0)
    pooled = response.reshape(400, 5, 2, 5, 2, 6).max(axis=(2, 4))
    np.testing.assert_allclose(model[:-1].transform(X), pooled.reshape(400, -1), atol=1e-12)
    names = model[:-1].get_feature_names_out()
    assert len(names) == 150
    assert names[6 * (1 * 5 + 3) + 2] == "random2_row1_column3"


@pytest.mark.parametrize("form", ["flat", "images", "channels"])
def test_every_form_of_the_samples_gives_the_same(form):
    forms = {"flat": X, "images": X.reshape(-1, 8, 8), "channels": X.reshape(-1, 8, 8, 1)}
    expected = five_steps().fit(X, Y).predict(X)
    np.testing.assert_array_equal(five_steps().fit(forms[form], Y).predict(forms[form]), expected)


def test_a_series_travels_too():
    series = np.random.default_rng(0).standard_normal((60, 144))  # a square number: the first step says what it is
    target = (series[:, :70].sum(axis=1) > 0).astype(int)
    model = five_steps().set_params(toimages__image_shape="series", convfeatures__kernel_size=9)
    assert model.fit(series, target)[:-1].transform(series).shape == (60, 6 * ((144 + 4 - 8) // 2))
    assert model.score(series, target) > 0.9


def test_transformers_before_a_network():
    steps = ToImages(), ImagePadder(1, "reflect"), ConvFeatures("sobel"), StridedPooling("mean")
    model = make_pipeline(*steps, ConvNetClassifier(8, max_iter=20, random_state=0))
    assert model.fit(X, Y)[-1].image_shape_ == (5, 5, 2)
    assert model.score(X, Y) > 0.9


def test_side_by_side_in_frames():
    features = make_union(
        ConvFeatures("dct", 3, 3, pool="max", pool_size=2),
        make_pipeline(ImagePadder(1, "wrap"), StridedPooling("mean", 5)),
    )
    frame = features.set_output(transform="pandas").fit_transform(X)
    assert frame.shape == (400, 3 * 16 + 4)
    assert frame.columns[-1].endswith("row1_column1")
    columns = ColumnTransformer([("left", ConvFeatures("mean", image_shape=(8, 4)), slice(0, 32))], remainder="drop")
    assert columns.fit_transform(X).shape == (400, 32)


def test_a_fitted_pipeline_is_pickled_with_its_results():
    model = five_steps().set_params(imagepadder__padding_mode="donor", convfeatures__filters="kmeans").fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.decision_function(X), model.decision_function(X))
