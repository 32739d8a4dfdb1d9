"""Training: losses, penalties, optima, and bits that do not depend on how the work is cut."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import skconv._training as training
from skconv._network import Network
from skconv._parallel import Team
from skconv._prediction import predict
from skconv._training import History, Trainer
from skconv.layers import Activation, BatchNorm, Convolution, Dense, Dropout, Flatten, MaxPool
from skconv.losses import SoftmaxCrossEntropy
from skconv.optimizers import SGD, Adam


def data(n, features, classes, dtype=np.float64):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, features)).astype(dtype), rng.integers(0, classes, n), rng.uniform(0.1, 2, n)


def initialized(layers, shape, dtype=np.float64):
    network = Network(layers, shape, dtype)
    network.initialize(np.random.default_rng(0))
    return network


def regression(features=6, classes=3, dtype=np.float64):
    return initialized([Flatten(), Dense(classes)], (1, features, 1), dtype)


def cross_entropies(network, X, y):
    """Loss of every row of a `regression`, by loops."""
    views = network.named_parameters()
    losses = []
    for x, k in zip(X, y, strict=True):
        z = [sum(w * v for w, v in zip(unit, x, strict=True)) for unit in views["dense1.weight"]]
        z = [value + bias for value, bias in zip(z, views["dense1.bias"], strict=True)]
        losses.append(log(sum(map(exp, z))) - z[k])
    return np.array(losses)


def make_trainer(network, team, optimizer=None, **options):
    options = {"batch_size": 32, **options}
    return Trainer(network, SoftmaxCrossEntropy(), optimizer, team, **options)


# History


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    values=st.lists(st.integers(-3, 3), max_size=9),
    patience=st.integers(1, 5),
    tol=st.sampled_from([0, 1]),
    validated=st.booleans(),
)
def test_stalled_looks_for_the_last_epoch_that_brought_more_than_tol(values, patience, tol, validated):
    history = History(validation=values, loss=[0] * len(values)) if validated else History(loss=[-v for v in values])
    last = max((i for i in range(1, len(values)) if values[i] > max(values[:i]) + tol), default=0)
    assert history.stalled(tol, patience) == (len(values) > patience and len(values) - 1 - last >= patience)


def test_stalled_prefers_the_validation_score():
    assert History(loss=[3, 2, 1], validation=[1, 1, 1]).stalled(0, 2)
    assert not History(loss=[1, 1, 1], validation=[1, 2, 3]).stalled(0, 2)
    assert not History().stalled(0, 1)


# Steps and epochs


def test_epoch_reports_the_weighted_mean_loss():
    X, y, weight = data(50, 6, 3)
    network = regression()
    before, rates = network.parameters.copy(), []

    def rate(i, n):
        rates.append((i, n))
        return 0.0

    with Team(1) as team:
        trainer = make_trainer(network, team, SGD(len(before), np.float64), batch_size=16)
        loss = trainer.epoch(X, y, weight, np.random.default_rng(1).permutation(50), rate)
    expected = np.average(cross_entropies(network, X, y), weights=weight)
    assert loss == pytest.approx(expected, rel=1e-12)
    assert rates == [(i, 4) for i in range(4)]
    np.testing.assert_array_equal(network.parameters, before)


def test_epoch_visits_every_row_once_in_batches_of_equal_size():
    X, y, weight = data(50, 6, 3)
    network, seen = regression(), []
    with Team(1) as team:
        trainer = make_trainer(network, team, SGD(network.parameters.size, np.float64), batch_size=16)
        step = trainer.step
        trainer.step = lambda X, y, weight, rows, rate: seen.append(rows) or step(X, y, weight, rows, rate)
        order = np.random.default_rng(1).permutation(50)
        trainer.epoch(X, y, weight, order, lambda i, n: 0.1)
    np.testing.assert_array_equal(np.concatenate(seen), order)
    assert sorted(map(len, seen)) == [12, 12, 13, 13]


def test_gradient_of_a_batch_equals_finite_differences():
    X, y, weight = data(20, 6, 3)
    network, rows, step = regression(), np.array([3, 17, 5, 11, 0]), 1e-6
    with Team(1) as team:
        trainer = make_trainer(network, team)
        loss = trainer.gradient(X, y, weight, rows, share=0.7)
        gradient = trainer.session.gradient.copy()

    def value():
        return 0.7 * np.average(cross_entropies(network, X[rows], y[rows]), weights=weight[rows])

    assert loss == pytest.approx(value(), rel=1e-12)
    for i in range(len(network.parameters)):
        network.parameters[i] += step
        above = value()
        network.parameters[i] -= 2 * step
        assert gradient[i] == pytest.approx((above - value()) / (2 * step), abs=1e-8)
        network.parameters[i] += step


def test_a_short_batch_does_not_see_the_one_before():
    X, y, weight = data(64, 6, 3)
    network = regression()
    with Team(1) as team:
        used, fresh = make_trainer(network, team), make_trainer(network, team)
        used.gradient(X, y, weight, np.arange(32))
        rows = np.arange(40, 45)
        assert used.gradient(X, y, weight, rows) == fresh.gradient(X, y, weight, rows)
        np.testing.assert_array_equal(used.session.gradient, fresh.session.gradient)


def test_a_batch_without_weight_does_nothing():
    X, y, weight = data(20, 6, 3)
    weight[:10] = 0
    network = regression()
    before = network.parameters.copy()
    with Team(1) as team:
        trainer = make_trainer(network, team, SGD(len(before), np.float64))
        trainer.gradient(X, y, weight, np.arange(10, 20))
        assert trainer.step(X, y, weight, np.arange(10), 0.1) == 0
    np.testing.assert_array_equal(trainer.session.gradient, 0)
    np.testing.assert_array_equal(network.parameters, before)


def test_penalty_and_its_gradient():
    network, alpha, step = initialized([Convolution(2), BatchNorm(), Flatten(), Dense(3)], (3, 3, 1)), 0.3, 1e-6
    network.parameters[:] = np.random.default_rng(1).standard_normal(network.parameters.size)
    with Team(1) as team:
        trainer = make_trainer(network, team, alpha=alpha)
    gradient = np.ones_like(network.parameters)
    views = network.named_parameters()
    expected = alpha / 2 * sum(float((view**2).sum()) for name, view in views.items() if name.endswith("weight"))
    assert trainer.penalty(gradient) == pytest.approx(expected, rel=1e-12)
    scratch = np.zeros_like(gradient)
    for i in range(len(gradient)):
        network.parameters[i] += step
        above = trainer.penalty(scratch)
        network.parameters[i] -= 2 * step
        below = trainer.penalty(scratch)
        network.parameters[i] += step
        assert gradient[i] - 1 == pytest.approx((above - below) / (2 * step), abs=1e-8)


def test_no_penalty():
    network = regression()
    with Team(1) as team:
        gradient = np.ones_like(network.parameters)
        assert make_trainer(network, team).penalty(gradient) == 0
    np.testing.assert_array_equal(gradient, 1)


@pytest.mark.parametrize("decoupled", [False, True])
def test_a_step_with_penalty(decoupled):
    """Plain gradient descent: both kinds move the weights by ``-rate alpha w``, coupled ones with momentum."""
    X, y, weight = data(20, 6, 3)
    results = []
    for alpha in (0.0, 0.5):
        network = regression()
        before = network.parameters.copy()
        with Team(1) as team:
            trainer = make_trainer(
                network, team, SGD(len(before), np.float64, momentum=0.9), alpha=alpha, decoupled=decoupled
            )
            trainer.step(X, y, weight, np.arange(20), 0.01)
        results.append(network.parameters.copy())
    factor = 0.01 * 0.5 * (1 if decoupled else 1.9)  # Nesterov's first step is 1.9 times the gradient
    weights = np.repeat([1, 0], [18, 3])
    np.testing.assert_allclose(results[1] - results[0], -factor * weights * before, rtol=0, atol=1e-14)


def test_adam_step_with_decoupled_penalty():
    X, y, weight = data(20, 6, 3)
    results = []
    for alpha in (0.0, 0.5):
        network = regression()
        before = network.parameters.copy()
        with Team(1) as team:
            trainer = make_trainer(network, team, Adam(len(before), np.float64), alpha=alpha, decoupled=True)
            trainer.step(X, y, weight, np.arange(20), 0.01)
        results.append(network.parameters.copy())
    np.testing.assert_allclose(
        results[1] - results[0], -0.005 * np.repeat([1, 0], [18, 3]) * before, rtol=0, atol=1e-14
    )


@pytest.mark.parametrize("norm", [False, True])
def test_a_weight_of_two_equals_two_copies(norm):
    X, y, _ = data(24, 36, 3)
    repeats = np.random.default_rng(2).integers(0, 4, 24)
    index = np.repeat(np.arange(24), repeats)
    layers = [Convolution(3, bias=not norm), *([BatchNorm()] if norm else []), Activation("tanh"), MaxPool()]
    layers += [Flatten(), Dense(5, bias=not norm), *([BatchNorm()] if norm else []), Dense(3)]
    results = []
    for rows, targets, weight in ((X, y, repeats.astype(float)), (X[index], y[index], np.ones(len(index)))):
        network = initialized(layers, (6, 6, 1))
        with Team(1) as team:
            optimizer = Adam(network.parameters.size, np.float64)
            trainer = make_trainer(network, team, optimizer, batch_size=len(rows), alpha=0.01)
            losses = [trainer.epoch(rows, targets, weight, np.arange(len(rows)), lambda i, n: 0.01) for _ in range(4)]
            logits = predict(network, X, team)
        results.append((network.parameters, network.state, losses, logits))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_integers_and_single_precision_rows(dtype):
    X = np.random.default_rng(0).integers(0, 5, (20, 6)).astype(dtype)
    y, weight = np.arange(20) % 3, np.ones(20)
    network = regression()
    with Team(1) as team:
        loss = make_trainer(network, team).gradient(X, y, weight, np.arange(20))
    assert loss == pytest.approx(cross_entropies(network, X.astype(float), y).mean(), rel=1e-12)


# L-BFGS


@pytest.mark.parametrize("batch_size", [100, 16])
def test_lbfgs_reaches_the_optimum_of_a_convex_problem(batch_size):
    X, y, weight = data(60, 5, 3)
    alpha, reports = 0.1, []

    def objective(vector):
        w, b = vector[:15].reshape(3, 5), vector[15:]
        logits = X @ w.T + b
        logits -= logits.max(axis=1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return np.average(-log_p[np.arange(60), y], weights=weight) + alpha / 2 * (w**2).sum()

    expected = minimize(objective, np.zeros(18), method="BFGS", options={"gtol": 1e-7}).x
    network = regression(5)
    with Team(2) as team:
        trainer = make_trainer(network, team, batch_size=batch_size, alpha=alpha)
        result = trainer.minimize(X, y, weight, max_iter=300, tol=1e-9, report=reports.append)
    found = network.parameters.copy()
    assert objective(found) == pytest.approx(objective(expected), rel=1e-7)
    np.testing.assert_allclose(found[:15], expected[:15], atol=1e-3)
    np.testing.assert_allclose(np.diff(found[15:]), np.diff(expected[15:]), atol=1e-3)
    assert len(reports) == result.nit
    assert reports == sorted(reports, reverse=True)
    assert reports[-1] == pytest.approx(objective(found), rel=1e-9)


def test_lbfgs_stops_after_max_iter():
    X, y, weight = data(60, 5, 3)
    network, reports = regression(5), []
    with Team(1) as team:
        make_trainer(network, team).minimize(X, y, weight, max_iter=2, tol=0, report=reports.append)
    assert len(reports) == 2


def test_lbfgs_measures_running_statistics_at_the_minimum():
    X, y, weight = data(60, 5, 3)
    network = initialized([Flatten(), Dense(4), BatchNorm(), Dense(3)], (1, 5, 1))
    with Team(1) as team:
        trainer = make_trainer(network, team, batch_size=60, alpha=0.1)
        trainer.minimize(X, y, weight, max_iter=20, tol=1e-6, report=lambda loss: None)
    views = network.named_parameters()
    hidden = X @ views["dense1.weight"].T + views["dense1.bias"]
    mean = np.average(hidden, axis=0, weights=weight)
    variance = np.average((hidden - mean) ** 2, axis=0, weights=weight)
    np.testing.assert_allclose(network.state, [*mean, *variance, 1], rtol=1e-10, atol=1e-12)


# Bits


DEEP = [
    Convolution(16),
    MaxPool(),
    BatchNorm(),
    Activation(),
    Dropout(0.1),
    Convolution(16),
    Activation("gelu"),
    Flatten(),
    Dense(128),
    Activation(),
    Dropout(0.2),
    Dense(13),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [Adam, SGD])
def test_training_gives_the_same_bits_on_any_number_of_threads(dtype, optimizer, monkeypatch):
    monkeypatch.setattr(training, "_PART_SIZE", 1000)  # so that the threads share the optimiser's vectors
    X, y, weight = data(300, 256, 13, dtype)
    weight = weight.astype(dtype)
    results = []
    for threads in (1, 2, 3):
        network = initialized(DEEP, (16, 16, 1), dtype)
        with Team(threads) as team:
            trainer = make_trainer(network, team, optimizer(network.parameters.size, dtype), batch_size=192, alpha=0.01)
            assert trainer.session.blocks > 1
            losses = [trainer.epoch(X, y, weight, np.arange(300), lambda i, n: 0.01) for _ in range(2)]
        results.append((network.parameters, network.state, losses))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_shared_updates_equal_whole_ones(monkeypatch):
    X, y, weight = data(40, 6, 3)
    results = []
    for size in (1, 1 << 16):
        monkeypatch.setattr(training, "_PART_SIZE", size)
        network = regression()
        with Team(2) as team:
            trainer = make_trainer(network, team, Adam(network.parameters.size, np.float64))
            trainer.epoch(X, y, weight, np.arange(40), lambda i, n: 0.01)
        results.append(network.parameters)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(16, 16, 1), (6, 6, 1), (1, 50, 2)])
def test_logits_do_not_depend_on_order_chunks_neighbours_or_threads(dtype, shape):
    layers = DEEP if shape[0] > 1 else [Convolution(16, 5, stride=2), Activation("elu"), BatchNorm(), *DEEP[-5:]]
    network = initialized(layers, shape, dtype)
    X, _, _ = data(150, int(np.prod(shape)), 2, dtype)
    with Team(1) as team:
        whole = predict(network, X, team)
        assert whole.dtype == dtype
        order = np.random.default_rng(3).permutation(150)
        np.testing.assert_array_equal(predict(network, X[order], team), whole[order])
        for cuts in ([1], [17, 50], [64, 128], [149]):
            parts = [predict(network, part, team) for part in np.split(X, cuts)]
            np.testing.assert_array_equal(np.concatenate(parts), whole)
        for i in (0, 15, 16, 63, 149):
            np.testing.assert_array_equal(predict(network, X[i : i + 1], team), whole[i : i + 1])
        neighbours = np.full_like(X, 1e6)
        neighbours[40] = X[40]
        np.testing.assert_array_equal(predict(network, neighbours, team)[40], whole[40])
    for threads in (2, 3, 8):
        network.changed()
        with Team(threads) as team:
            np.testing.assert_array_equal(predict(network, X, team), whole)


def test_logits_equal_a_naive_network():
    network = regression()
    X, _, _ = data(70, 6, 3)
    views = network.named_parameters()
    expected = np.array([[(w * x).sum() for w in views["dense1.weight"]] for x in X]) + views["dense1.bias"]
    with Team(2) as team:
        for width in (None, 16, 32, 48):
            np.testing.assert_allclose(predict(network, X, team, width), expected, rtol=0, atol=1e-12)


def test_no_rows_give_no_logits():
    with Team(2) as team:
        assert predict(regression(), np.empty((0, 6)), team).shape == (0, 3)
