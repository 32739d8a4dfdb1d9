"""The recipe of a fit, without the fit."""

import numpy as np
import pytest

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv._estimators.labels import Labels
from skconv._estimators.numbers import Numbers
from skconv._estimators.recipe import chunk_recipe, make_recipe
from skconv._estimators.samples import Samples
from skconv._threads.team import Team
from skconv.layers import Dense, Dropout, Flatten
from skconv.training._run import History
from skconv.training.losses import SoftmaxCrossEntropy
from skconv.training.optimizers import SGD, Adam, AdamW, Muon, RMSProp

LABELS = Labels(classes=np.arange(3), loss=SoftmaxCrossEntropy())
NUMBERS = Numbers(mean=np.zeros(3), scale=np.ones(3))


def recipe_of(shape=(8, 8, 1), n=100, dtype=np.float32, **parameters):
    return make_recipe(ConvNetClassifier(**parameters), shape, LABELS, n, dtype)


def small_recipe(**parameters):
    return recipe_of((1, 1, 4), layers=[Flatten()], **parameters)


@pytest.mark.parametrize(
    ("n", "batch", "epochs"),
    [
        (1, 1, 10),
        (2, 2, 600),
        (32, 32, 600),
        (33, 8, 120),
        (100, 25, 150),
        (2499, 32, 10),
        (2500, 64, 15),
        (39_999, 64, 7),
        (40_000, 128, 7),
        (30_000, 64, 9),
        (60_000, 128, 5),
    ],
)
def test_auto_batches_and_epochs(n, batch, epochs):
    recipe = recipe_of(n=n)
    assert (recipe.batch_size, recipe.n_epochs) == (batch, epochs)


@pytest.mark.parametrize(("given", "n", "batch"), [(20, 100, 20), (20, 7, 7)])
def test_given_batches(given, n, batch):
    assert recipe_of(n=n, batch_size=given).batch_size == batch


def test_a_series_takes_half_the_updates():
    assert (recipe_of(n=100).n_epochs, recipe_of((1, 64, 1), n=100).n_epochs) == (150, 75)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_epochs_of_many_samples(early_stopping):
    epochs = [recipe_of((28, 28, 1), n, early_stopping=early_stopping).n_epochs for n in (100, 1000, 25_000, 60_000)]
    assert epochs == [150, 19, 10, 10 if early_stopping else 5]


def test_changed_images_take_twice_the_epochs():
    def epochs(shape, n, augments, **parameters):
        return make_recipe(ConvNetClassifier(**parameters), shape, LABELS, n, np.float32, augments=augments).n_epochs

    assert [epochs((28, 28, 1), n, True) for n in (100, 60_000)] == [300, 10]
    assert [epochs((28, 28, 1), n, False) for n in (100, 60_000)] == [150, 5]
    assert epochs((28, 28, 1), 100, True, max_iter=7) == 7
    assert epochs((1, 64, 1), 100, True) == 75


def test_patience_is_a_quarter_of_few_epochs_that_nobody_gave():
    recipes = [recipe_of(n=n, early_stopping=True) for n in (100, 480, 25_000)]
    assert [(recipe.n_epochs, recipe.stop) for recipe in recipes] == [
        (150, (1e-4, 10)),
        (40, (1e-4, 10)),
        (10, (1e-4, 3)),
    ]
    assert recipe_of(early_stopping=True, max_iter=8, tol=0.5).stop == (0.5, 10)


@pytest.mark.parametrize(
    ("parameters", "stops", "cools"),
    [
        ({}, False, True),
        ({"learning_rate": "constant"}, True, False),
        ({"learning_rate": "plateau"}, False, False),
        ({"early_stopping": True}, True, True),
    ],
)
def test_what_ends_without_progress(parameters, stops, cools):
    recipe = recipe_of(**parameters)
    assert (recipe.stop is not None, recipe.cools) == (stops, cools)


@pytest.mark.parametrize(
    ("parameters", "n", "double"),
    [
        ({}, 32, True),
        ({}, 33, False),
        ({"batch_size": 50}, 50, True),
        ({"batch_size": 50}, 51, False),
        ({"solver": "lbfgs"}, 5000, True),
    ],
)
def test_float64_where_an_update_sees_all(parameters, n, double):
    assert recipe_of(n=n, dtype=np.float64, **parameters).dtype == (np.float64 if double else np.float32)
    assert recipe_of(n=n, dtype=np.float32, **parameters).dtype == np.float32


def test_rates():
    assert recipe_of(learning_rate="step", learning_rate_init=3.0).schedule(0.6) == pytest.approx(0.3)
    warm = recipe_of(learning_rate="constant", learning_rate_init=2.0, warm_up=0.5)
    assert warm.schedule(0.5) == 2.0
    assert warm.schedule(0.1) < 1.0
    falling = recipe_of(learning_rate="plateau", n_iter_no_change=6, tol=0.1)
    assert falling.schedule(0.9) == 1e-2
    assert repr(falling.plateau) == "Plateau(patience=3, tol=0.1)"
    assert recipe_of().plateau is None


@pytest.mark.parametrize(
    ("shape", "targets", "solver", "dropped"),
    [
        ((28, 28, 1), LABELS, "adam", [0.2, 0.2]),
        ((28, 28, 1), LABELS, "lbfgs", []),
        ((28, 28, 1), NUMBERS, "adam", []),
        ((8, 8, 1), LABELS, "adam", []),
    ],
)
def test_dropout_where_nobody_chose_it(shape, targets, solver, dropped):
    kind = ConvNetRegressor if targets is NUMBERS else ConvNetClassifier
    layers = make_recipe(kind(solver=solver), shape, targets, 100, np.float32).layers
    assert [layer.dropout for layer in layers if isinstance(layer, Dropout)] == dropped
    assert layers[-1].units == 3


@pytest.mark.parametrize(
    ("solver", "optimizer"),
    [
        ("adam", Adam(0.6, 0.7, 0.1)),
        ("adamw", AdamW(0.6, 0.7, 0.1)),
        ("sgd", SGD(0.5, False)),
        ("rmsprop", RMSProp(epsilon=0.1)),
        ("muon", Muon(beta_1=0.6, beta_2=0.7, epsilon=0.1)),
    ],
)
def test_optimizers_by_name(solver, optimizer):
    given = {"beta_1": 0.6, "beta_2": 0.7, "epsilon": 0.1, "momentum": 0.5, "nesterovs_momentum": False}
    recipe = recipe_of(solver=solver, **given)
    assert type(recipe.optimizer) is type(optimizer)
    assert recipe.optimizer.get_params() == optimizer.get_params()
    assert recipe.penalties["decoupled"] == (solver == "adamw")


def test_other_optimizers():
    optimizer = SGD(momentum=0.3)
    assert recipe_of(solver=optimizer).optimizer is optimizer
    assert recipe_of(solver="lbfgs").optimizer is None


def test_a_new_network():
    recipe = small_recipe(freeze="dense1")
    assert (recipe.frozen, small_recipe(freeze=["dense1"]).frozen) == (("dense1",), ("dense1",))
    bias = np.array([1.0, 2, 3])
    network = recipe.new_network(np.random.default_rng(0), initial_weights={"dense1.bias": bias})
    arrays = network.named_arrays()
    np.testing.assert_array_equal(arrays["dense1.bias"], bias)
    assert arrays["dense1.weight"].std() > 0
    assert (network.frozen, network.dtype, network.moments) == (("dense1",), np.float32, None)
    moments = np.zeros(4), np.ones(4)
    np.testing.assert_array_equal(recipe.new_network(np.random.default_rng(0), moments).moments, moments)


def test_a_copy_goes_on():
    fitted = small_recipe().new_network(np.random.default_rng(0))
    network = small_recipe(freeze="dense1").copied_network(fitted)
    np.testing.assert_array_equal(network.parameters, fitted.parameters)
    assert not np.shares_memory(network.parameters, fitted.parameters)
    assert (network.frozen, fitted.frozen) == (("dense1",), ())
    other = recipe_of((1, 1, 4), layers=[Flatten(), Dense(2)])
    with pytest.raises(ValueError, match=r"layer 2 is Dense.*, and would be Dense"):
        other.copied_network(fitted)


def test_a_run_of_samples_with_weight():
    recipe = small_recipe(learning_rate="plateau", max_iter=7, ema_decay=0.5)
    X, rng = np.random.default_rng(0).random((40, 4), np.float32), np.random.default_rng(1)
    train = Samples(X, np.arange(40) % 3, np.arange(40) % 2.0, np.arange(40))
    with Team(1) as team:
        network = recipe.new_network(rng)
        trainer = recipe.trainer(network, LABELS.loss, team, None, 5, n_validated=9)
        run = recipe.run(trainer, History(), rng, train)
    assert (trainer.batch_size, trainer.average.decay, trainer.seed) == (25, 0.5, 5)
    assert (run.n_epochs, run.total, run.plateau.patience, run.validate) == (7, 20, 5, None)


@pytest.mark.parametrize("validated", [False, True])
def test_a_chunk_is_one_pass_at_a_constant_rate(validated):
    model = ConvNetClassifier(learning_rate_init=0.5, n_iter_no_change=3, warm_up=0.3)
    recipe = chunk_recipe(model, (8, 8, 1), LABELS, 100, np.float32, validated=validated)
    assert (recipe.n_epochs, recipe.cools, recipe.plateau) == (1, False, None)
    assert {recipe.schedule(done) for done in (0, 0.5, 1)} == {0.5}
    assert recipe.stop == ((1e-4, 3) if validated else None)
