"""Objects in place of names: the same bits, parameters that are searched, and classes of one's own."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skconv import ConvNetClassifier
from skconv.layers import Convolution, Dense, Flatten, he_normal
from skconv.training import SGD, Adam, AdamW, Muon, Optimizer, RMSProp

RNG = np.random.default_rng(0)
X, Y = RNG.random((32, 6, 6)), np.arange(32) % 2
SMALL = {"filters": (2, 3), "hidden_layer_sizes": 4, "max_iter": 2, "batch_size": 8, "random_state": 0}


def quick(**params):
    return ConvNetClassifier(**{**SMALL, **params})


def alike(a, b):
    """Whether two fitted models have the same bits."""
    return all(np.array_equal(a.weights_[name], b.weights_[name]) for name in a.weights_)


# Optimisers


class Signs(Optimizer):
    """Steps by the sign of the sum of all gradients."""

    kept = ("total",)

    def __init__(self, scale=1.0):
        self.scale = scale

    def allocate(self, n, dtype, matrices):
        self.total = np.zeros(n, dtype)

    def update(self, parameters, gradient, rate, part=slice(None)):
        self.total[part] += gradient[part]
        parameters[part] -= rate * self.scale * np.sign(self.total[part])


SOLVERS = {"adam": Adam(), "adamw": AdamW(), "sgd": SGD(), "rmsprop": RMSProp(), "muon": Muon()}


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("penalty", [{}, {"l1_ratio": 0.5, "alpha": 0.01}])
def test_an_optimiser_is_its_name(name, penalty):
    assert alike(quick(solver=SOLVERS[name], **penalty).fit(X, Y), quick(solver=name, **penalty).fit(X, Y))


def test_what_has_no_flat_name_is_reached():
    assert not alike(quick(solver=Muon(momentum=0.5)).fit(X, Y), quick(solver="muon").fit(X, Y))
    assert not alike(quick(solver=RMSProp(decay=0.5)).fit(X, Y), quick(solver="rmsprop").fit(X, Y))
    assert alike(quick(solver=Adam(0.8)).fit(X, Y), quick(beta_1=0.8).fit(X, Y))


def test_the_given_optimiser_keeps_nothing():
    solver = Signs()
    quick(solver=solver).fit(X, Y)
    assert vars(solver) == {"scale": 1.0}


def test_an_optimiser_s_parameters_are_searched():
    model = quick(solver=Adam())
    search = GridSearchCV(model, {"solver__beta_1": [0.5, np.float64(0.9)]}, cv=2).fit(X, Y)
    assert search.best_estimator_.solver.beta_1 == search.best_params_["solver__beta_1"]
    assert model.solver.beta_1 == 0.9
    with pytest.raises(
        ValueError, match=r"Invalid parameter 'solver__beta_1' for .* Valid parameters are: \['solver'\]"
    ):
        quick().set_params(solver__beta_1=0.5)


def test_an_optimiser_of_one_s_own_goes_on(tmp_path):
    model = quick(solver=Signs(0.1), max_iter=4, alpha=0.01, l1_ratio=0.5)
    whole = clone(model).fit(X, Y)

    def killed(info):
        if info.epoch == 2:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        clone(model).set_params(checkpoint=tmp_path, callback=killed).fit(X, Y)
    assert alike(clone(model).set_params(checkpoint=tmp_path).fit(X, Y), whole)
    parts = [clone(model).partial_fit(X, Y, classes=[0, 1]) for _ in range(2)]
    assert alike(parts[0].partial_fit(X, Y), parts[1].set_params(solver=Signs(0.1)).partial_fit(X, Y))
    assert not alike(parts[0].partial_fit(X, Y), parts[1].set_params(solver__scale=0.2).partial_fit(X, Y))


# First values


def test_a_function_gives_the_first_values():
    def names(function):
        layers = [Convolution(3, 3, initializer=function), Flatten(), Dense(4, initializer=function)]
        return quick(layers=layers).fit(X, Y)

    assert alike(names(he_normal), names("he_normal"))
    assert not alike(names(he_normal), names("glorot_uniform"))
    filled = names(lambda weight, rng: weight.fill(0.125))
    assert (
        len(np.unique(filled.weights_["convolution1.weight"])) < names("he_normal").weights_["convolution1.weight"].size
    )
    with pytest.raises(TypeError, match=r"initializer must fill the weight in place and return None, got 0\.5"):
        names(lambda weight, rng: 0.5)
    with pytest.raises(ValueError, match=r"initializer must be a str among .* or a function of \(weight, rng\), got"):
        names(Convolution)
