"""Whole pipelines in files of skops, with the published list of types."""

import numpy as np
import pytest
import test_model_files
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skconv
from skconv import ConvFeatures, ConvNetClassifier, trusted_types
from skconv.training import Checkpoint

skops = pytest.importorskip("skops.io")
X = np.random.default_rng(0).random((48, 64))
Y = np.arange(48) % 3


def through_skops(model):
    data = skops.dumps(model)
    assert set(skops.get_untrusted_types(data=data)) <= set(trusted_types())
    return skops.loads(data, trusted=trusted_types())


def test_the_list_is_sorted_and_of_the_package():
    names = trusted_types()
    assert names == sorted(set(names))
    assert {name.partition(".")[0] for name in names} == {"skconv", "numpy", "pathlib"}
    assert not [name for name in names if "._kernels." in name or "session" in name]
    assert "skconv.trusted_types" not in names
    assert skconv.trusted_types is trusted_types


@pytest.mark.parametrize("name", test_model_files.MODELS)
def test_every_estimator(name):
    model, samples = test_model_files.MODELS[name]()
    loaded = through_skops(model)
    for one, other in zip(
        test_model_files.outputs(model, samples), test_model_files.outputs(loaded, samples), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("within", [False, True])
def test_paths_of_checkpoints(within, tmp_path):
    checkpoint = Checkpoint(tmp_path / "runs", every=2) if within else tmp_path / "runs"
    model = ConvNetClassifier(filters=2, max_iter=1, random_state=0, checkpoint=checkpoint).fit(X, Y)
    loaded = through_skops(model)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    path = loaded.checkpoint.path if within else loaded.checkpoint
    assert type(path) is type(tmp_path)
    assert path == tmp_path / "runs"
    np.testing.assert_array_equal(loaded.fit(X, Y).predict_proba(X), model.predict_proba(X))


def test_pipelines():
    small = ConvNetClassifier(filters=2, max_iter=1, random_state=0)
    for model in (
        make_pipeline(StandardScaler(), small),
        make_pipeline(ConvFeatures("pca", 4, random_state=0), LogisticRegression()),
        AdaBoostClassifier(small, n_estimators=2),
    ):
        model.fit(X, Y)
        np.testing.assert_array_equal(through_skops(model).predict_proba(X), model.predict_proba(X))
