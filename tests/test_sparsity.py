"""The l1 penalty: weights that are zero, where scikit-learn's linear models have their minimum."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import ElasticNet, SGDClassifier
from sklearn.preprocessing import StandardScaler

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv._network.network import Network
from skconv._threads.team import Team
from skconv.layers import Dense, Flatten
from skconv.training._trainer import Trainer
from skconv.training.losses import SquaredError
from skconv.training.optimizers import OPTIMIZERS, SGD, Adam, Muon, RMSProp
from skconv.training.regularizers import L1Penalty

X, Y = load_digits(return_X_y=True)
X = X / 16
LINEAR = {"standardize": None, "filters": (), "hidden_layer_sizes": (), "random_state": 0}
SMALL = {"filters": 4, "hidden_layer_sizes": 8, "batch_size": 32, "max_iter": 3, "random_state": 0}


# The threshold


def one_weight(steps, lengths, alpha):
    """A weight after each step, by the definition: it owes those of the last penalties that have not moved it yet."""
    weight, moved, found = 0.0, [], []  # moved: in thresholds, by the penalty of each update, towards plus
    for step, length in zip(steps, lengths, strict=True):
        before, unit = weight + step, alpha * length
        ages = range(len(moved), 0, -1)
        penalties = 1 + sum(0.99**age for age in ages)
        paid = sum(part * 0.99**age for part, age in zip(moved, ages, strict=True))
        if before > 0:
            weight = max(0.0, before - unit * max(0.0, penalties + paid))
        else:
            weight = min(0.0, before + unit * max(0.0, penalties - paid))
        moved.append((weight - before) / unit)
        found.append(weight)
    return found


def thresholded(penalty, weights, lengths):
    """The weights after an update with steps of these lengths."""
    penalty.lengths = lambda rate, out: np.copyto(out, lengths)
    penalty(weights, None, 1.0)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(n=st.integers(1, 30), spread=st.sampled_from([0.05, 0.3, 3.0]), seed=st.integers(0, 9))
def test_threshold_by_loops(n, spread, seed):
    rng = np.random.default_rng(seed)
    steps, lengths = spread * rng.standard_normal((2, 3, n))
    lengths = 0.5 + np.abs(lengths)
    expected = np.array([one_weight(*each, alpha=0.1) for each in zip(steps, lengths, strict=True)])
    weights, penalty = np.zeros(4), L1Penalty(0.1, np.array([1.0, 1.0, 1.0, 0.0]), np.float64)
    for k in range(n):
        weights += [*steps[:, k], 0.01]
        thresholded(penalty, weights, np.array([*lengths[:, k], 1.0]))
        np.testing.assert_allclose(weights[:3], expected[:, k], rtol=0, atol=1e-9)
    assert weights[3] == pytest.approx(0.01 * n)


def test_a_weight_above_zero_pays_each_time():
    penalty, weights = L1Penalty(0.5, np.ones(2), np.float64), np.array([3.0, -3.0])
    for k in range(1, 6):
        thresholded(penalty, weights, np.array([0.1, 0.2]))
        np.testing.assert_allclose(weights, [3 - 0.05 * k, -3 + 0.1 * k], rtol=1e-12)


def test_noise_does_not_leave_zero():
    noise = np.random.default_rng(0).standard_normal((2000, 300)) * 0.1  # ten times the penalty
    penalty, weights = L1Penalty(0.01, np.ones(300), np.float64), np.zeros(300)
    for step in noise:
        weights += step
        thresholded(penalty, weights, np.ones(300))
    assert (weights == 0).mean() > 0.5
    plain = np.zeros(300)
    for step in noise:
        plain = np.sign(plain + step) * np.maximum(np.abs(plain + step) - 0.01, 0)
    assert (plain == 0).mean() < 0.1


def test_threshold_allocates_nothing(allocated):
    weights, lengths = np.random.default_rng(0).random((2, 50_000), np.float32)
    penalty = L1Penalty(0.1, np.ones(50_000), np.float32)
    assert allocated(lambda: thresholded(penalty, weights, lengths)) < 1 << 12


def test_threshold_goes_on_from_a_state():
    steps = np.random.default_rng(0).standard_normal((9, 101)).astype(np.float32)
    whole, other = (L1Penalty(0.3, np.arange(101) % 3 > 0, np.float32) for _ in range(2))
    weights = np.zeros(101, np.float32)
    for step in steps[:4]:
        thresholded(whole, np.add(weights, step, out=weights), np.ones(101, np.float32))
    state, resumed = whole.state(), weights.copy()
    other.set_state({"paid": state["paid"].copy(), "due": np.array(state["due"])})
    for step in steps[4:]:
        for penalty, vector in ((whole, weights), (other, resumed)):
            thresholded(penalty, np.add(vector, step, out=vector), np.ones(101, np.float32))
    np.testing.assert_array_equal(resumed, weights)
    with pytest.raises(ValueError, match=r"paid in the state of L1Penalty must have shape \(101,\) and dtype float32"):
        whole.set_state({"paid": np.zeros(3), "due": 1.0})


# Lengths of steps

MATRIX = [(0, (5, 4))]
MOVING = {
    "sgd": lambda n: SGD().start(n, np.float64),
    "momentum": lambda n: SGD(nesterovs_momentum=False).start(n, np.float64),
    "plain": lambda n: SGD(momentum=0.0).start(n, np.float64),
    "rmsprop": lambda n: RMSProp().start(n, np.float64),
    "adam": lambda n: Adam().start(n, np.float64),
    "muon": lambda n: Muon().start(n, np.float64, MATRIX),
    "jordan": lambda n: Muon(like_adam=False).start(n, np.float64, MATRIX),
}


@pytest.mark.parametrize("name", MOVING)
def test_lengths_are_steps_by_a_steady_gradient(name):
    optimizer, steady = MOVING[name](24), np.random.default_rng(0).standard_normal(24)
    parameters, lengths = np.zeros(24), np.empty(24)
    for _ in range(3000):
        before = parameters.copy()
        optimizer.begin()
        optimizer.update(parameters, steady.copy(), 0.01)
    optimizer.lengths(0.01, lengths)
    moved = np.abs(parameters - before)
    matrix = slice(0, 20 if name in ("muon", "jordan") else 0)
    np.testing.assert_allclose(moved[matrix.stop :], (lengths * np.abs(steady))[matrix.stop :], rtol=1e-6)
    if matrix.stop:
        norms = np.linalg.norm(moved[matrix]), np.linalg.norm((lengths * steady)[matrix])
        assert norms[0] == pytest.approx(norms[1], rel=0.2)  # singular values of 0.7 to 1.1
        assert len(set(lengths[matrix])) == 1


def test_a_momentum_that_forgets_nothing_has_a_length():
    lengths = np.empty(3)
    SGD(momentum=1.0).start(3, np.float64).lengths(0.1, lengths)
    np.testing.assert_allclose(lengths, 100.0)


# The minimum


def regression():
    """Data of ten features, and the weights that coordinate descent finds."""
    data, target = load_diabetes(return_X_y=True)
    data, target = StandardScaler().fit_transform(data), (target - target.mean()) / target.std()
    expected = ElasticNet(alpha=0.1, l1_ratio=0.7, tol=1e-12, max_iter=100_000).fit(data, target)
    return data, target[:, None], expected.coef_


SOLVERS = {
    "plain": (lambda n: SGD(momentum=0.0).start(n, np.float64), 0.2),
    "sgd": (lambda n: SGD().start(n, np.float64), 0.02),
    "momentum": (lambda n: SGD(nesterovs_momentum=False).start(n, np.float64), 0.02),
    "adam": (lambda n: Adam().start(n, np.float64), 1e-2),
    "rmsprop": (lambda n: RMSProp().start(n, np.float64), 3e-3),
}


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_linear_network_comes_to_rest_where_coordinate_descent_does(solver):
    data, target, expected = regression()
    make, rate = SOLVERS[solver]
    network = Network([Flatten(), Dense(1)], (1, 10, 1), np.float64)
    network.initialize(np.random.default_rng(0))
    with Team(1) as team:
        optimizer = make(len(network.parameters))
        trainer = Trainer(network, SquaredError(), optimizer, team, batch_size=442, alpha=0.1, l1_ratio=0.7)
        for k in range(3000):
            trainer.step(data, target, np.ones(442), np.arange(442), rate * (1 - k / 3000))
    found = network.named_parameters()["dense1.weight"][0]
    assert 0 < (expected == 0).sum() < 10
    np.testing.assert_array_equal(found == 0, expected == 0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3 if solver in ("adam", "rmsprop") else 1e-6)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_lbfgs_finds_the_minimum_with_its_zeros(dtype):
    data, target, expected = regression()
    network = Network([Flatten(), Dense(1)], (1, 10, 1), dtype)
    network.initialize(np.random.default_rng(0))
    with Team(1) as team:
        trainer = Trainer(network, SquaredError(), None, team, batch_size=442, alpha=0.1, l1_ratio=0.7)
        result = trainer.minimize(
            data.astype(dtype), target, np.ones(442), max_iter=200, tol=1e-9 if dtype == np.float64 else 1e-5,
            report=lambda loss: None,
        )  # fmt: skip
    found = network.named_parameters()["dense1.weight"][0]
    np.testing.assert_array_equal(found == 0, expected == 0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 if dtype == np.float64 else 1e-4)
    residual = np.square(target[:, 0] - data @ expected).mean() / 2
    penalty = 0.1 * (0.7 * np.abs(expected).sum() + 0.15 * np.square(expected).sum())
    assert result.fun == pytest.approx(residual + penalty, rel=1e-6)


def test_as_many_zeros_as_a_linear_model_at_its_minimum():
    alpha, (train, labels) = 0.01, (X[:1200], Y[:1200])
    model = ConvNetClassifier(**LINEAR, alpha=alpha, l1_ratio=1.0, label_smoothing=0.0, max_iter=100)
    weight = model.fit(train, labels).weights_["dense1.weight"]
    sgd = SGDClassifier(loss="log_loss", penalty="l1", alpha=alpha, random_state=0).fit(train, labels)
    assert (sgd.coef_ == 0).mean() > 0.8
    assert (weight == 0).mean() > (sgd.coef_ == 0).mean()
    # At the minimum the gradient of the loss is alpha against the sign of a weight, and at most alpha where it is zero.
    errors = softmax(model.decision_function(train), axis=1) - (labels[:, None] == np.arange(10))
    gradient = errors.T @ train / len(train)
    assert np.abs(gradient).max() < 1.1 * alpha
    np.testing.assert_allclose(gradient[weight != 0], -alpha * np.sign(weight[weight != 0]), rtol=0, atol=0.1 * alpha)


# Networks


@pytest.mark.parametrize("solver", [*OPTIMIZERS, "lbfgs"])
def test_networks_have_zeros(solver):
    params = {**SMALL, "filters": (8, 8), "solver": solver, "alpha": 1e-2, "l1_ratio": 1.0, "max_iter": 30}
    params |= {"adamw": {"alpha": 0.2}, "lbfgs": {"max_iter": 60}}.get(solver, {})
    sparse, dense = (ConvNetClassifier(**{**params, "l1_ratio": r}).fit(X[:300], Y[:300]) for r in (1.0, 0.0))
    zeros, others = ({n: (a == 0).mean() for n, a in model.weights_.items()} for model in (sparse, dense))
    assert zeros["dense1.weight"] > 0.5
    assert zeros["convolution2.weight"] > 0 or solver == "lbfgs"
    assert zeros["dense2.bias"] == zeros["batchnorm1.shift"] == zeros["batchnorm2.mean"] == 0
    assert not any(share for name, share in others.items() if name.endswith("weight"))
    assert sparse.score(X[:300], Y[:300]) > 0.9


def test_a_running_mean_has_the_zeros_of_the_weights():
    params = {**SMALL, "alpha": 1e-2, "l1_ratio": 1.0, "max_iter": 10}
    last = ConvNetRegressor(**params).fit(X[:300], Y[:300])
    model = ConvNetRegressor(**params, ema_decay=0.9).fit(X[:300], Y[:300])
    zeros = last.weights_["dense1.weight"] == 0
    assert zeros.mean() > 0.2
    np.testing.assert_array_equal(model.weights_["dense1.weight"] == 0, zeros)
    assert (model.weights_["dense1.weight"] != last.weights_["dense1.weight"]).any()


@pytest.mark.parametrize("solver", ["adam", "sgd", "muon"])
def test_a_pickled_model_goes_on_bit_for_bit(solver):
    params = {**SMALL, "solver": solver, "alpha": 1e-2, "l1_ratio": 0.7}
    whole, pickled = ConvNetClassifier(**params), ConvNetClassifier(**params)
    for part in np.array_split(np.arange(300), 4):
        whole.partial_fit(X[part], Y[part], range(10))
        pickled = pickle.loads(pickle.dumps(pickled.partial_fit(X[part], Y[part], range(10))))
    np.testing.assert_array_equal(pickled.network_.parameters, whole.network_.parameters)
    assert (whole.network_.parameters == 0).any()


def test_another_penalty_counts_from_the_next_call():
    model = ConvNetClassifier(**SMALL, alpha=1e-2).partial_fit(X[:300], Y[:300], range(10))
    sparse = copy.deepcopy(model).set_params(l1_ratio=1.0)
    for _ in range(5):
        sparse.partial_fit(X[:300], Y[:300])
    assert (sparse.weights_["dense1.weight"] == 0).any()
    frozen = copy.deepcopy(sparse).set_params(freeze="dense1").partial_fit(X[:300], Y[:300])
    np.testing.assert_array_equal(frozen.weights_["dense1.weight"], sparse.weights_["dense1.weight"])
    dense = sparse.set_params(l1_ratio=0.0).partial_fit(X[:300], Y[:300])
    assert (dense.weights_["dense1.weight"] == 0).mean() < (frozen.weights_["dense1.weight"] == 0).mean()
