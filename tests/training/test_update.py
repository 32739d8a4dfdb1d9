"""Learning rates by depth: each layer moves by its share of what it would move, whatever the optimiser."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from skconv import ConvNetClassifier
from skconv._network.network import Network
from skconv.layers import Activation, BatchNorm, Convolution, Dense, Flatten, Residual
from skconv.training import Optimizer
from skconv.training._update import rate_factors
from skconv.training.optimizers import OPTIMIZERS

X, Y = (part[:64] for part in load_digits(return_X_y=True))
LAYERS = [
    BatchNorm(), Convolution(4, bias=True), BatchNorm(), Activation(), Residual([Convolution(4), BatchNorm()]),
    Flatten(), Dense(6), Activation(), Dense(10),
]  # fmt: skip
DISTANCE = {"batchnorm1": 3, "convolution1": 3, "batchnorm2": 3, "residual1": 2, "dense1": 1, "dense2": 0}


class Halving(Optimizer):
    """An optimiser of one's own, whose step depends on the parameters."""

    def update(self, parameters, gradient, rate, part=slice(None)):
        parameters[part] *= 1 - rate / 2


def fitted(decay, **options):
    """Weights after one update in double precision, with all samples; the estimator adds the last layer."""
    params = {"layers": LAYERS[:-1], "batch_size": 64, "max_iter": 1, "random_state": 0, "learning_rate": "constant"}
    return ConvNetClassifier(**params, learning_rate_decay=decay, **options).fit(X, Y).weights_


def test_factors_of_layers():
    network = Network(LAYERS, (8, 8, 1), "float64")
    assert rate_factors(network, 1.0) is None
    factors = rate_factors(network, 0.5)
    for step, views in zip(network.steps, network.views(factors)[0], strict=True):
        for view in views.values():
            assert_array_equal(view, 0.5 ** DISTANCE[step.name.partition(".")[0]])
    assert_array_equal(rate_factors(Network([Flatten()], (2, 2, 1), "float64"), 0.5), [])


SOLVERS = [*OPTIMIZERS, Halving()]


@pytest.mark.parametrize("penalty", [{"alpha": 0.0}, {"alpha": 0.1}, {"alpha": 1e-3, "l1_ratio": 1.0}])
@pytest.mark.parametrize("solver", SOLVERS, ids=map(str, SOLVERS))
def test_layers_move_by_their_share(solver, penalty):
    options = {"solver": solver, **penalty}
    start = fitted(1.0, **options, learning_rate_init=1e-300)
    whole, part = fitted(1.0, **options), fitted(0.7, **options)
    for name, before in start.items():
        top = name.split(".")[0]
        if top == "input" or name.endswith((".mean", ".variance", ".batches")):
            continue
        step = whole[name] - before
        same = np.sign(whole[name]) == np.sign(before)  # others were stopped at zero by the l1 penalty
        assert same.mean() > 0.3 or not penalty.get("l1_ratio")
        same |= not penalty.get("l1_ratio")
        wanted = before + 0.7 ** DISTANCE[top] * step
        assert_allclose(part[name][same], wanted[same], rtol=0, atol=1e-13, err_msg=name)
        assert (step != 0).any() or solver is SOLVERS[-1]


def test_a_limit_holds_whatever_the_rate():
    options = {"max_norm": 0.1, "learning_rate_decay": 0.5, "max_iter": 2, "random_state": 0}
    weight = ConvNetClassifier(filters=4, **options).fit(X, Y).weights_["convolution1.weight"]
    assert np.linalg.norm(weight.reshape(4, -1), axis=1).max() <= 0.1 * (1 + 1e-6)


def test_every_layer_needs_a_stochastic_solver():
    with pytest.raises(ValueError, match="learning_rate_decay needs a stochastic solver, got solver='lbfgs'"):
        ConvNetClassifier(solver="lbfgs", learning_rate_decay=0.5).fit(X, Y)


@pytest.mark.parametrize("value", [0, 1.5, -1, "half", None])
def test_no_decay(value):
    with pytest.raises(ValueError, match="'learning_rate_decay' parameter of ConvNetClassifier must be"):
        ConvNetClassifier(learning_rate_decay=value).fit(X, Y)
