"""Pickles from another version: they warn as scikit-learn's do, and say which parameters are new or gone."""

import copy
import inspect
import pickle
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import InconsistentVersionWarning

import skconv
from skconv import (
    ConvFeatures,
    ConvNetClassifier,
    ConvNetRegressor,
    ImagePadder,
    ImageResizer,
    StridedPooling,
    augmentation,
    layers,
)

X = np.random.default_rng(0).random((12, 6, 6)).astype(np.float32)
Y = np.arange(12) % 2
FITTED = {
    "classifier": lambda: ConvNetClassifier(2, max_iter=1, random_state=0, augment=[augmentation.Shift(1)]).fit(X, Y),
    "regressor": lambda: ConvNetRegressor(2, max_iter=1, random_state=0).fit(X, Y),
    "features": lambda: ConvFeatures("random", n_filters=2, random_state=0).fit(X),
    "pooling": lambda: StridedPooling().fit(X),
    "resizing": lambda: ImageResizer(4).fit(X),
    "padder": lambda: ImagePadder().fit(X),
    "flatten": lambda: skconv.Flatten().fit(X),
    "images": lambda: skconv.ToImages().fit(X),
}
ESTIMATORS = [each for each in map(vars(skconv).get, skconv.__all__) if hasattr(each, "fit")]
PARTS = [
    kind
    for module in (layers, augmentation)
    for kind in map(vars(module).get, module.__all__)
    if inspect.isclass(kind) and issubclass(kind, BaseEstimator)
]


def made(kind):
    """An object of a class, with something for the parameters that have no default."""
    given = {"branches": [[layers.Flatten()]], "layers": [layers.Flatten()]}
    parameters = inspect.signature(kind).parameters.values()
    return kind(*(given.get(p.name, 2) for p in parameters if p.default is p.empty))


def loaded(content):
    """What a pickle holds, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = pickle.loads(content)
    assert all(issubclass(warning.category, InconsistentVersionWarning) for warning in caught)
    return result, [warning.message for warning in caught]


def output(model):
    return getattr(model, "predict", getattr(model, "transform", None))(X)


def test_every_public_class_is_here():
    assert {type(fit()) for fit in FITTED.values()} == set(ESTIMATORS)
    assert {layers.Convolution, layers.Residual, augmentation.Flip} <= set(PARTS)


@pytest.mark.parametrize("name", FITTED)
def test_the_same_version_is_silent(name, tmp_path):
    model = FITTED[name]()
    joblib.dump(model, tmp_path / "model")
    unpickled = pickle.loads(pickle.dumps(model))
    for each in (unpickled, copy.copy(model), copy.deepcopy(model), joblib.load(tmp_path / "model")):
        np.testing.assert_array_equal(output(each), output(model))
        assert vars(each).keys() == vars(model).keys()  # the version is no attribute
    assert clone(model).get_params().keys() == model.get_params().keys()


@pytest.mark.parametrize("name", FITTED)
def test_another_version_warns(name, monkeypatch):
    model = FITTED[name]()
    content, kind = pickle.dumps(model), type(model).__name__
    monkeypatch.setattr("skconv._input.versions.__version__", "97.3")
    again, messages = loaded(content)
    np.testing.assert_array_equal(output(again), output(model))
    assert [m.estimator_name for m in messages] in ([kind], ["Network", kind])
    message = messages[-1]
    assert (message.original_sklearn_version, message.current_sklearn_version) == ("0.1.0", "97.3")
    assert str(message).startswith(f"Trying to unpickle {kind} from version 0.1.0 when using version 97.3 of skconv.")
    assert loaded(pickle.dumps(again))[1] == []
    with pytest.warns(InconsistentVersionWarning, match="from version 0.1.0 when using version 97.3 of skconv"):
        pickle.loads(content)


def test_a_pickle_without_a_version():
    model = StridedPooling()
    again = copy.copy(model)
    with pytest.warns(InconsistentVersionWarning, match="StridedPooling from version unknown when using version"):
        again.__setstate__(dict(vars(model)))
    assert repr(again) == "StridedPooling()"


@pytest.mark.parametrize("name", FITTED)
def test_a_parameter_that_came_later_has_its_default(name):
    model = FITTED[name]()
    expected = output(model)
    del model.image_shape
    again, messages = loaded(pickle.dumps(model))
    assert [str(message).partition("own risk. ")[2] for message in messages] == ["It lacks image_shape, taken as None."]
    np.testing.assert_array_equal(output(again), expected)
    assert repr(again) == repr(FITTED[name]())
    assert again.get_params()["image_shape"] is None


def test_several_parameters_that_came_later():
    model = FITTED["classifier"]()
    del model.n_augmented, model.label_smoothing
    again, (message,) = loaded(pickle.dumps(model))
    assert message.changes == ["It lacks label_smoothing, taken as 0.1, n_augmented, taken as 0."]
    np.testing.assert_array_equal(again.predict(X), FITTED["classifier"]().predict(X))


def test_a_parameter_that_is_no_more(monkeypatch):
    model = FITTED["classifier"]()
    model.flip = "often"
    content = pickle.dumps(model)
    assert loaded(content)[1] == []  # an attribute of the user's own
    monkeypatch.setattr("skconv._input.versions.__version__", "97.3")
    again, messages = loaded(content)
    assert messages[-1].changes == ["No longer known, and without effect: flip='often'."]
    assert "flip" not in again.get_params()


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.__name__)
def test_parts_of_a_model_warn_of_changes_alone(kind, monkeypatch):
    part = made(kind)
    assert loaded(pickle.dumps(part))[1] == []
    optional = [p.name for p in inspect.signature(kind).parameters.values() if p.default is not p.empty]
    for name in optional[:1]:
        delattr(part, name)
    content = pickle.dumps(part)
    monkeypatch.setattr("skconv._input.versions.__version__", "97.3")
    again, messages = loaded(content)
    assert repr(again) == repr(made(kind))
    assert [str(message).partition("It lacks ")[2].partition(",")[0] for message in messages] == optional[:1]


def test_a_later_parameter_without_a_default():
    layer = layers.Dense(4)
    del layer.units
    content = pickle.dumps(layer)
    with pytest.raises(ValueError, match="the pickle of Dense has no parameter 'units', which has no default"):
        pickle.loads(content)
