"""Checks of parameters against the solver, the data and a network, without a fit."""

import numpy as np
import pytest

from skconv import ConvNetClassifier
from skconv._estimators.recipe_checks import check_initial, check_scaling, check_solver, check_steady, trains_by_batches
from skconv._network.network import Network
from skconv.layers import Dense, Dropout, Flatten


def network_of(*layers, moments=None):
    network = Network([Flatten(), *layers, Dense(2)], (1, 1, 3), np.float32)
    network.scale_by(moments)
    return network


@pytest.mark.parametrize(
    ("given", "validated", "message"),
    [
        ({"ema_decay": 0.9}, False, "ema_decay needs a stochastic solver, got solver='lbfgs'"),
        ({"freeze": "dense1"}, False, "freeze needs a stochastic solver, got solver='lbfgs'"),
        ({}, True, "X_val needs a stochastic solver, got solver='lbfgs'; use 'adam' or 'sgd', or leave X_val out"),
    ],
)
def test_what_lbfgs_cannot_use(given, validated, message):
    X = np.zeros((4, 3))
    check_solver(ConvNetClassifier(solver="lbfgs"), X, False)
    check_solver(ConvNetClassifier(**given), X, validated)
    with pytest.raises(ValueError, match=message):
        check_solver(ConvNetClassifier(solver="lbfgs", **given), X, validated)


def test_random_layers_are_not_steady():
    check_steady(ConvNetClassifier(), network_of())
    with pytest.raises(ValueError, match=r"dropout='auto' needs a stochastic solver, .*: dropout1 draws random"):
        check_steady(ConvNetClassifier(), network_of(Dropout()))


def test_another_scaling_than_that_of_the_network():
    scaled = network_of(moments=(np.zeros(3), np.ones(3)))
    check_scaling(ConvNetClassifier(standardize="channel"), scaled)
    check_scaling(ConvNetClassifier(standardize=None), network_of())
    with pytest.raises(ValueError, match=r"by standardize='channel', and would by standardize=None; set"):
        check_scaling(ConvNetClassifier(standardize=None), scaled)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"dense9.bias": np.zeros(2)}, "initial_weights has 'dense9.bias', but the network has dense1.weight, dense1"),
        (
            {"dense1.bias": np.zeros(3)},
            r"initial_weights\['dense1.bias'\] has shape \(3,\), but the network's has \(2",
        ),
        ({"input.spread": -np.ones(3)}, r"initial_weights\['input.spread'\] must be zero or more, got -1"),
    ],
)
def test_weights_that_do_not_fit(weights, message):
    network = network_of(moments=(np.zeros(3), np.ones(3)))
    check_initial({"dense1.bias": np.ones(2)}, network)
    with pytest.raises(ValueError, match=message):
        check_initial(weights, network)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"solver": "lbfgs"}, "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic"),
        ({"early_stopping": True}, "early_stopping=True is not supported for partial_fit, which holds out none"),
    ],
)
def test_chunks_need_a_solver_and_no_held_out_samples(given, message):
    assert trains_by_batches(ConvNetClassifier())
    with pytest.raises(AttributeError, match=message):
        trains_by_batches(ConvNetClassifier(**given))
