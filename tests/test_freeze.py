"""First values and frozen layers, through the estimators."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.layers import Activation, BatchNorm, Convolution, Dense, Flatten, Pad, Residual
from skconv.training.optimizers import OPTIMIZERS

SMALL = {"filters": (4, 6), "hidden_layer_sizes": 8, "batch_size": 32, "max_iter": 3, "random_state": 0}
X, Y = (part[:300] for part in load_digits(return_X_y=True))
X = X / 16
SOLVERS = list(OPTIMIZERS)


def arrays(model):
    """Copies of all that a model has learned, by name."""
    return {name: array.copy() for name, array in model.weights_.items()}


def layer(name):
    return name.rpartition(".")[0]


# Frozen layers


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("freeze", ["convolution1", ("convolution1", "batchnorm1"), ["batchnorm2", "dense1"]])
def test_frozen_arrays_keep_their_bits_and_others_move(solver, freeze):
    params = {**SMALL, "solver": solver, "alpha": 1e-3, "l1_ratio": 0.5, "max_norm": 0.5, "ema_decay": 0.9}
    first = arrays(ConvNetClassifier(**{**params, "max_iter": 1}).fit(X, Y))
    model = ConvNetClassifier(**params, initial_weights=first, freeze=freeze).fit(X, Y)
    frozen = (freeze,) if isinstance(freeze, str) else freeze
    for name, array in arrays(model).items():
        if layer(name) in frozen:
            np.testing.assert_array_equal(array, first[name], err_msg=name)
        elif not name.endswith(".batches") and layer(name) != "input":
            assert (array != first[name]).any(), name
    assert model.network_.frozen == tuple(frozen)


def test_frozen_layers_stay_in_partial_fit_and_with_warm_start():
    model = ConvNetClassifier(**SMALL, freeze=("convolution1", "batchnorm1"), warm_start=True)
    model.partial_fit(X, Y, range(10))
    first = arrays(model)
    for train in (model.partial_fit, model.fit, model.partial_fit):
        train(X, Y)
        for name, array in arrays(model).items():
            if layer(name) in ("convolution1", "batchnorm1"):
                np.testing.assert_array_equal(array, first[name], err_msg=name)
    model.set_params(freeze=()).partial_fit(X, Y)  # and are trained from then on
    assert (model.weights_["convolution1.weight"] != first["convolution1.weight"]).any()
    now = arrays(model)
    model.set_params(freeze="dense1").fit(X, Y)
    np.testing.assert_array_equal(model.weights_["dense1.weight"], now["dense1.weight"])
    assert (model.weights_["convolution1.weight"] != now["convolution1.weight"]).any()


def test_all_but_the_output_layer_is_logistic_regression_on_features():
    model = ConvNetClassifier(**SMALL, freeze=("convolution1", "convolution2", "batchnorm1", "batchnorm2", "dense1"))
    model.fit(X, Y)
    changed = {name for name, a in arrays(model).items() if (a != arrays(clone_at_start(model))[name]).any()}
    assert changed == {"dense2.weight", "dense2.bias"}


def clone_at_start(model):
    """The model before its training: the steps are too small to matter."""
    params = {**model.get_params(deep=False), "learning_rate_init": 1e-30, "alpha": 0.0, "max_iter": 1}
    return ConvNetClassifier(**params).fit(X, Y)


def test_everything_frozen_trains_nothing():
    names = ("convolution1", "convolution2", "batchnorm1", "batchnorm2", "dense1", "dense2")
    model = ConvNetClassifier(**SMALL, freeze=names, alpha=0.1).fit(X, Y)
    start = clone_at_start(model)
    for name, array in arrays(model).items():
        np.testing.assert_array_equal(array, arrays(start)[name])


def test_frozen_layers_within_others():
    layers = [Convolution(4), Residual([Convolution(4), BatchNorm(), Activation()]), Flatten(), Dense(6)]
    model = ConvNetClassifier(layers=layers, freeze="residual1", max_iter=2, random_state=0).fit(X, Y)
    start = arrays(clone_at_start(model))
    for name, array in arrays(model).items():
        assert (array == start[name]).all() == name.startswith(("residual1.", "input.")), name


def test_frozen_batch_norm_trains_by_its_running_statistics():
    first = arrays(ConvNetClassifier(**SMALL).fit(X, Y))
    names = ("convolution1", "batchnorm1")
    shifted = X + 3.0  # other statistics than those that the layer has
    model = ConvNetClassifier(**SMALL, initial_weights=first, freeze=names).fit(shifted, Y)
    for name in ("batchnorm1.mean", "batchnorm1.variance"):
        np.testing.assert_array_equal(arrays(model)[name], first[name])
    assert not any((arrays(model)[name] == first[name]).all() for name in ("batchnorm2.mean", "batchnorm2.variance"))


@pytest.mark.parametrize("estimator", [ConvNetClassifier, ConvNetRegressor])
@pytest.mark.parametrize(
    ("freeze", "name"),
    [("convolution3", "convolution3"), (("dense1", "nothing"), "nothing"), ("activation1", "activation1")],
)
def test_names_of_no_layer(estimator, freeze, name):
    model = estimator(**SMALL, freeze=freeze)
    with pytest.raises(ValueError, match=f"no layer '{name}' with parameters; there are convolution1, batchnorm1"):
        model.fit(X, Y)
    assert not hasattr(model, "network_")


@pytest.mark.parametrize("freeze", [1.5, None, {"convolution1": True}])
def test_freeze_of_the_wrong_kind(freeze):
    with pytest.raises(ValueError, match="'freeze' parameter of ConvNetClassifier must be"):
        ConvNetClassifier(**SMALL, freeze=freeze).fit(X, Y)


def test_lbfgs_trains_everything():
    with pytest.raises(ValueError, match="freeze needs a stochastic solver, got solver='lbfgs'"):
        ConvNetClassifier(**SMALL, solver="lbfgs", freeze="dense1").fit(X, Y)
    with pytest.raises(ValueError, match="freeze needs a stochastic solver, got solver='lbfgs'"):
        ConvNetClassifier(**SMALL, solver="lbfgs", freeze=-1).fit(X, Y)


def test_threads_change_no_bit_of_a_network_with_frozen_layers(monkeypatch):
    monkeypatch.setattr("skconv._network.widths.MIN_BLOCK_WORK", 1)
    params = {**SMALL, "batch_size": 128, "freeze": ("batchnorm1", "dense1"), "dropout": 0.2}
    one, two = (arrays(ConvNetClassifier(**params, n_jobs=n).fit(X, Y)) for n in (1, 2))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


@pytest.mark.parametrize(
    ("number", "names"),
    [
        (0, ()),
        (1, ("convolution1",)),
        (4, ("convolution1", "batchnorm1", "convolution2")),
        (-1, ("convolution1", "batchnorm1", "convolution2", "batchnorm2", "dense1")),
        (-4, ("convolution1", "batchnorm1", "convolution2", "batchnorm2")),
    ],
)
def test_a_number_of_layers(number, names):
    model = ConvNetClassifier(**SMALL, pool=None, freeze=number).fit(X, Y)
    assert model.network_.frozen == names
    named = ConvNetClassifier(**SMALL, pool=None, freeze=names).fit(X, Y)
    np.testing.assert_array_equal(model.network_.parameters, named.network_.parameters)


@pytest.mark.parametrize("number", [-12, 12])
def test_more_layers_than_there_are(number):
    with pytest.raises(ValueError, match=f"freeze must be .* from -10 to 10, since there are 10 layers, got {number}"):
        ConvNetClassifier(**SMALL, pool=None, freeze=number).fit(X, Y)


def test_a_number_counts_a_block_as_one_layer():
    layers = [Convolution(4), Residual([Convolution(4), BatchNorm(), Activation()]), Flatten(), Dense(6)]
    first = arrays(ConvNetClassifier(layers=layers, max_iter=1, random_state=0).fit(X, Y))
    model = ConvNetClassifier(layers=layers, freeze=-3, initial_weights=first, max_iter=1, random_state=0)
    assert model.fit(X + 1, Y).network_.frozen == ("convolution1", "residual1")
    for name, array in arrays(model).items():
        if name.startswith(("convolution1.", "residual1.")):  # the statistics of the normalisation too
            np.testing.assert_array_equal(array, first[name], err_msg=name)


def test_layers_to_freeze_can_be_searched():
    first = ConvNetClassifier(**SMALL).fit(X, Y).weights_
    model = ConvNetClassifier(**SMALL, initial_weights=dict(first))
    grid = {"freeze": [(), "convolution1", ("convolution1", "convolution2"), -1]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, Y)
    assert len(set(search.cv_results_["mean_test_score"])) > 1


# First values


def test_a_network_begins_with_the_given_arrays():
    first = arrays(ConvNetClassifier(**SMALL).fit(X, Y))
    given = {name: first[name] for name in ("convolution1.weight", "batchnorm1.mean", "dense2.bias")}
    model = ConvNetClassifier(**SMALL, initial_weights=given)
    start, without = arrays(clone_at_start(model)), arrays(clone_at_start(ConvNetClassifier(**SMALL)))
    for name in ("convolution1.weight", "dense2.bias"):
        np.testing.assert_array_equal(start[name], given[name])
        assert (without[name] != given[name]).any()
    np.testing.assert_array_equal(start["dense1.weight"], without["dense1.weight"])  # random, as ever


def test_arrays_are_copied_and_may_be_lists():
    weight = ConvNetClassifier(**SMALL).fit(X, Y).weights_["convolution1.weight"]
    before = weight.copy()
    model = ConvNetClassifier(**SMALL, initial_weights={"convolution1.weight": weight}).fit(X, Y)
    np.testing.assert_array_equal(weight, before)
    assert model.initial_weights["convolution1.weight"] is weight
    as_list = ConvNetClassifier(**SMALL, initial_weights={"convolution1.weight": before.tolist()}).fit(X, Y)
    np.testing.assert_array_equal(as_list.network_.parameters, model.network_.parameters)
    np.testing.assert_array_equal(clone(model).fit(X, Y).network_.parameters, model.network_.parameters)


def test_all_arrays_go_on_where_a_model_was():
    model = ConvNetClassifier(**SMALL).fit(X, Y)
    start = ConvNetClassifier(**{**SMALL, "random_state": 7}, initial_weights=arrays(model))
    start.set_params(learning_rate_init=1e-12, max_iter=1).fit(X, Y)
    np.testing.assert_allclose(start.network_.parameters, model.network_.parameters, atol=1e-6)


WHOLE = {
    "defaults": {},
    "series": {"image_shape": "series"},
    "float64": {"batch_size": 300},
    "lbfgs": {"solver": "lbfgs", "max_iter": 300, "tol": 1.0, "batch_size": 300},
    "donor": {"padding_mode": "donor"},
    "within others": {"layers": [Convolution(4), Residual([Convolution(4), BatchNorm(), Activation()]), Flatten()]},
    "resnet": {"layers": "resnet", "max_iter": 1},
    "donor alone": {"layers": [Pad(1, "donor"), Convolution(4), BatchNorm(), Flatten(), Dense(6)]},
}


@pytest.mark.parametrize("estimator", [ConvNetClassifier, ConvNetRegressor])
@pytest.mark.parametrize("name", WHOLE)
def test_frozen_layers_on_weights_are_the_model(name, estimator):
    params = {**SMALL, **WHOLE[name]}
    model = estimator(**params).fit(X, Y)
    names = tuple({layer(array) for array in model.weights_})
    order = np.random.default_rng(0).permutation(len(X))  # and so other batches
    handed = {"solver": "adam", "random_state": 1, "max_iter": 1, "freeze": names, "initial_weights": model.weights_}
    other = estimator(**{**params, **handed}).fit(X[order], Y[order])
    same = (a.tobytes() == b.tobytes() for a, b in zip(model.weights_.values(), other.weights_.values(), strict=True))
    assert all(same)
    if estimator is ConvNetClassifier:
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
        assert other.score(X, Y) == model.score(X, Y)
    else:
        np.testing.assert_allclose(other.predict(X), model.predict(X), rtol=1e-12)  # scales of reordered targets


def test_running_statistics_go_on_where_they_were():
    """At first they are the plain mean of all batches, for which their number is needed."""
    layers = [Flatten(), BatchNorm(decay=0.99)]
    params = {"layers": layers, "batch_size": 300, "max_iter": 4, "standardize": None, "random_state": 0}
    first = ConvNetClassifier(**params).fit(X, Y)
    moved = X + 1.0
    other = ConvNetClassifier(**params, initial_weights=first.weights_).fit(moved, Y)
    assert first.weights_["batchnorm1.batches"] == 4
    assert other.weights_["batchnorm1.batches"] == 8
    expected = (4 * X.mean(axis=0) + 4 * moved.mean(axis=0)) / 8
    np.testing.assert_allclose(other.weights_["batchnorm1.mean"], expected, rtol=1e-12)


@pytest.mark.parametrize("estimator", [ConvNetClassifier, ConvNetRegressor])
def test_fine_tuning_on_other_classes(estimator):
    first, second = Y < 5, Y >= 5
    source = ConvNetClassifier(**{**SMALL, "max_iter": 15}).fit(X[first], Y[first])
    weights = {name: array for name, array in arrays(source).items() if not name.startswith("dense2.")}
    labels = np.array(list("abcdefghij"))[Y] if estimator is ConvNetClassifier else Y
    frozen = ("convolution1", "batchnorm1")
    tuned = estimator(**SMALL, initial_weights=weights, freeze=frozen).fit(X[second], labels[second])
    assert tuned.network_.shapes[-1] == ((5,) if estimator is ConvNetClassifier else (1,))
    for name, array in arrays(tuned).items():
        if layer(name) in frozen:
            np.testing.assert_array_equal(array, weights[name])
    assert (tuned.weights_["dense1.weight"] != weights["dense1.weight"]).any()
    assert tuned.score(X[second], labels[second]) > 0.3


def test_weights_of_other_classes_do_not_fit_the_last_layer():
    source = ConvNetClassifier(**SMALL).fit(X[Y < 5], Y[Y < 5])
    message = r"initial_weights\['dense2.weight'\] has shape \(5, 8\), but the network's has \(10, 8\)"
    with pytest.raises(ValueError, match=message):
        ConvNetClassifier(**SMALL, initial_weights=source.weights_).fit(X, Y)


@pytest.mark.parametrize("train", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("given", "match"),
    [
        (
            {"convolution1": np.zeros(4)},
            "initial_weights has 'convolution1', but the network has convolution1.weight, ",
        ),
        ({"convolution3.weight": np.zeros(4)}, "initial_weights has 'convolution3.weight', but the network has"),
        ({1: np.zeros(4)}, "initial_weights has 1, but"),
        ({"convolution1.weight": np.zeros((4, 3, 3))}, r"has shape \(4, 3, 3\), but the network's has \(4, 3, 3, 1\)"),
        ({"convolution1.weight": 0.5}, r"has shape \(\), but the network's has \(4, 3, 3, 1\)"),
        ({"batchnorm1.mean": np.zeros(5)}, r"'batchnorm1.mean'\] has shape \(5,\), but the network's has \(4,\)"),
    ],
)
def test_arrays_that_do_not_fit(given, match, train):
    model = ConvNetClassifier(**SMALL, initial_weights=given)
    with pytest.raises(ValueError, match=match):
        getattr(model, train)(X, Y, *([range(10)] if train == "partial_fit" else []))
    assert not hasattr(model, "network_")


@pytest.mark.parametrize("name", ["batchnorm1.variance", "batchnorm1.batches"])
def test_statistics_below_zero(name):
    given = {name: np.full(1 if name.endswith("batches") else 4, -0.5)}
    with pytest.raises(ValueError, match=rf"initial_weights\['{name}'\] must be zero or more, got -0.5"):
        ConvNetClassifier(**SMALL, initial_weights=given).fit(X, Y)


@pytest.mark.parametrize("given", [np.zeros(3), "convolution1", [("convolution1.weight", 1)]])
def test_first_values_of_the_wrong_kind(given):
    with pytest.raises(ValueError, match="'initial_weights' parameter of ConvNetClassifier must be"):
        ConvNetClassifier(**SMALL, initial_weights=given).fit(X, Y)


@pytest.mark.parametrize("value", [np.nan, np.inf, "a", None, 1j])
def test_first_values_that_are_no_finite_numbers(value):
    given = {"dense2.bias": np.full(10, value)}
    with pytest.raises(
        ValueError, match=r"initial_weights\['dense2.bias'\] must hold finite numbers, of float32's range, got dtype"
    ):
        ConvNetClassifier(**SMALL, initial_weights=given).fit(X, Y)


def test_a_warm_start_takes_no_first_values_again():
    params = {**SMALL, "warm_start": True}
    first = dict(ConvNetClassifier(**SMALL).fit(X, Y).weights_)
    model, other = (ConvNetClassifier(**params, initial_weights=first).fit(X, Y) for _ in range(2))
    other.set_params(initial_weights=None)
    np.testing.assert_array_equal(model.fit(X, Y).network_.parameters, other.fit(X, Y).network_.parameters)
