"""What a model file keeps of a fitted network fits together, or the file is refused."""

import numpy as np
import pytest
from edited_files import GONE, array, assert_refused, setting

import skconv
from skconv import ConvNetClassifier, ConvNetRegressor

Y = np.arange(24) % 3
X = np.random.default_rng(0).random((24, 5, 5)).astype(np.float32)
SMALL = {"filters": 2, "hidden_layer_sizes": (), "max_iter": 2, "random_state": 0}
S = "model.state"


def tuple_of(*values):
    return {"is": "tuple", "values": list(values)}


@pytest.fixture(scope="module")
def classifier():
    return ConvNetClassifier(**SMALL, augment="flip").fit(X, Y, X_val=X, y_val=Y)


@pytest.fixture(scope="module")
def regressor():
    return ConvNetRegressor(**SMALL).fit(X, Y)


OF_CLASSIFIERS = {
    r"best must be an instance of 'int'": setting(f"{S}.best", "a"),
    "validation curves of 2 and 2 numbers, with the best at 2, do not fit a loss curve of 2": setting(f"{S}.best", 2),
    "validation curves of 0 and 2 numbers": setting(f"{S}.validation_loss_curve_", None),
    "validation_scores_ must be a list of floats or None": setting(f"{S}.validation_scores_", [1, 2]),
    "loss_curve_ must be a list of finite floats": setting(f"{S}.loss_curve_", []),
    "loss_curve_ must be a list of finite": setting(f"{S}.loss_curve_", [{"is": "float", "value": "nan"}]),
    "do not fit a loss curve of 1": setting(f"{S}.loss_curve_", [1.0]),
    r"the spread None does not fit the augmentations \[Flip\(\)\]": setting(f"{S}.spread", None),
    r"the spread .* does not fit the augmentations \[\]": setting(f"{S}.augmentations_", []),
    r"the spread .* does not fit the channels of \(5, 5, 1\)": array("spread", np.ones(2)),
    r"the spread .* does not fit the channels of": array("spread", np.array([-1.0])),
    "spread must be an array or None": setting(f"{S}.spread", 3),
    "augment_chosen must be": setting(f"{S}.augment_chosen", 3),
    "scored must be a hash and a scoring or None": setting(f"{S}.scored", tuple_of("a", 3)),
    "augmentations_ must be a list of augmentations": setting(f"{S}.augmentations_", [3]),
    "interrupted_ must be": setting(f"{S}.interrupted_", None),
    "can have saved: 'best'": setting(f"{S}.best", GONE),
    "classes must be an array of labels in rising order": array("targets.classes", np.array([0, 2, 1])),
    r"to \(3,\) does not fit samples \(5, 5, 1\) and 4 outputs": array("targets.classes", np.arange(4)),
    r"temperature must be a float in the range \(0": setting(f"{S}._targets.parameters.temperature", 0.0),
    "the classes of label sets must be their indices|is for classes, but": setting(f"{S}._targets.class", "LabelSets"),
    r"the loss SquaredError\(\) is for numbers, but the model has classes": setting(
        f"{S}._targets.parameters.loss", {"is": "object", "class": "SquaredError", "parameters": {}}
    ),
    "loss must be a loss of skconv.training": setting(f"{S}._targets.parameters.loss", "log_loss"),
    "_targets must be an instance of": setting(f"{S}._targets", None),
    "ConvNetRegressor has no 'class_weight'": setting("model.class", "ConvNetRegressor"),
}  # fmt: skip
OF_REGRESSORS = {
    "mean must be an array of float64, a number for each target": array("targets.mean", np.zeros(1, np.float32)),
    "scale .* and flat=True do not fit": array("targets.scale", np.zeros(1)),
    "mean .*, scale .* do not fit": array("targets.mean", np.zeros(2)),
    "counts=True does not fit SquaredError": setting(f"{S}._targets.parameters.counts", True),
}


@pytest.mark.parametrize("match", OF_CLASSIFIERS)
def test_classifiers_that_no_fit_gives(classifier, match, tmp_path):
    assert_refused(classifier, tmp_path, OF_CLASSIFIERS[match], match)


@pytest.mark.parametrize("match", OF_REGRESSORS)
def test_regressors_that_no_fit_gives(regressor, match, tmp_path):
    assert_refused(regressor, tmp_path, OF_REGRESSORS[match], match)


def test_targets_of_another_estimator(classifier, regressor, tmp_path):
    regressor.save(tmp_path / "regressor")
    labels = {
        "is": "object",
        "class": "Labels",
        "parameters": {
            "loss": {"is": "object", "class": "SoftmaxCrossEntropy", "parameters": {"label_smoothing": 0.0}},
            "classes": {"is": "array", "name": "targets.mean"},
            "class_weight": None,
            "calibrates": False,
            "temperature": 1.0,
        },
    }
    match = r"array 'targets.scale'|ConvNetRegressor cannot have targets of class Labels"
    assert_refused(regressor, tmp_path, setting(f"{S}._targets", labels), match)


def test_label_sets_have_their_indices(tmp_path):
    model = ConvNetClassifier(**SMALL).fit(X, np.eye(3, dtype=int)[Y])
    match = "the classes of label sets must be their indices"
    assert_refused(model, tmp_path, array("targets.classes", np.array([0, 1, 3])), match)


def test_what_follows_is_set(classifier, tmp_path):
    classifier.save(tmp_path / "model")
    loaded = skconv.load(tmp_path / "model")
    assert loaded.n_iter_ == 2
    assert loaded.loss_ == classifier.loss_curve_[-1]
    assert loaded.best_loss_ == min(classifier.loss_curve_)
    assert loaded.best_validation_score_ == classifier.best_validation_score_
    assert loaded.temperature_ == 1
    assert loaded._augmentations_key == classifier._augmentations_key


def test_other_augmentations_are_chosen_again(classifier, tmp_path):
    model = ConvNetClassifier(**SMALL, augment="flip").fit(X, Y).set_params(augment="shift")
    model.save(tmp_path / "model")
    loaded = skconv.load(tmp_path / "model")
    assert repr(loaded.augmentations_) == "[Flip()]"
    assert repr(loaded.partial_fit(X, Y).augmentations_) == "[Shift()]"


def test_scores_by_a_function_are_not_compared(tmp_path):
    scoring = lambda model, X, y: 0.5  # noqa: E731
    model = ConvNetClassifier(**SMALL, scoring=scoring).fit(X, Y, X_val=X, y_val=Y).set_params(scoring=None)
    model.save(tmp_path / "model")
    assert skconv.load(tmp_path / "model")._scored is None
