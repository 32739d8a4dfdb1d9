"""Training: trajectories, losses, penalties, optima, and bits that do not depend on how the work is cut."""

from math import exp, log

import numpy as np
import pytest
from scipy.optimize import minimize

import skconv.training._trainer as training
from skconv._network.network import Network
from skconv._network.predict import predict
from skconv._threads.team import Team
from skconv.augmentation import Mixup, Rotation, Shift, make_augmenter
from skconv.layers import Activation, BatchNorm, Convolution, Dense, Dropout, Flatten, LocallyConnected, MaxPool
from skconv.training import _update
from skconv.training._trainer import Trainer, weight_matrices
from skconv.training.losses import SoftmaxCrossEntropy, SquaredError
from skconv.training.optimizers import SGD, Adam, Muon, RMSProp


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


def gradient_of(network, X, y, weight):
    """Gradient of the mean loss of a `regression`, by its closed form."""
    views = network.named_parameters()
    logits = X @ views["dense1.weight"].T + views["dense1.bias"]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    p *= (weight / weight.sum())[:, None]
    return np.concatenate([(p.T @ X).ravel(), p.sum(axis=0)])


def make_trainer(network, team, optimizer=None, **options):
    options = {"batch_size": 32, **options}
    return Trainer(network, SoftmaxCrossEntropy(), optimizer, team, **options)


def plain(network):
    """Gradient descent: a step is the rate times the gradient."""
    return SGD(momentum=0.0).start(network.parameters.size, network.dtype)


def constant(rate):
    return lambda done: rate


# Trajectories of a small network in double precision


def wave(*shape):
    """Numbers without pattern that every library makes alike."""
    n = int(np.prod(shape))
    i = np.arange(n)
    return np.sin(1.7 * i + 0.3 * i * i / n).reshape(shape)


IMAGES, LABELS = wave(8, 6 * 6 * 2), np.array([0, 1, 2, 2, 1, 0, 1, 1])
LAYERS = [
    *(Convolution(3, bias=False), BatchNorm(), Activation("tanh"), MaxPool()),
    *(Flatten(), Dense(4), Activation("tanh"), Dense(3)),
]
SOLVERS = {
    "adam": (lambda n, _: Adam().start(n, np.float64), 0.03, {}),
    "adamw": (lambda n, _: Adam().start(n, np.float64), 0.03, {"decoupled": True}),
    "nesterov": (lambda n, _: SGD().start(n, np.float64), 0.1, {}),
    "momentum": (lambda n, _: SGD(nesterovs_momentum=False).start(n, np.float64), 0.1, {}),
    "rmsprop": (lambda n, _: RMSProp().start(n, np.float64), 0.01, {}),
    "muon": (lambda n, network: Muon().start(n, np.float64, weight_matrices(network)), 0.03, {}),
    "clipped": (lambda n, _: SGD().start(n, np.float64), 0.1, {"clip": 0.2}),
}

# The network above, its weights the waves of `waves`, label smoothing 0.1, a penalty of 0.1 on weights: the mean loss
# before each of five updates and after them; the first six weights of the convolution; batch normalisation's scale and
# shift and both biases.  By PyTorch 2.13, its Muon with Newton-Schulz in double precision in place of bfloat16.
# fmt: off
PYTORCH = {
    "adam": (
        [1.057839336237, 0.952257924853, 0.897180434098, 0.8538429687884, 0.8275262428117, 0.8179648076292],
        [0.04135558740798, 0.252861033409, 0.002040518877865, -0.2271240694909, 0.09703956240736, 0.1347651957926],
        [0.906921520459, 0.99380081913, 0.9971562332739, -0.1074508400851, -0.1169608569485, -0.007265473738204,
         0.1361274506929, 0.01478148370618, -0.06256212848826, 0.1349515657801, -0.1437518614553, 0.1211967942352,
         -0.08358597137861],
    ),
    "adamw": (
        [1.057839336237, 0.9468476311256, 0.886829141155, 0.8237886610403, 0.7857658435231, 0.7654327178808],
        [0.1026887245083, 0.3956364556769, -0.2093835338736, -0.2555908644565, 0.120240421434, 0.2293124266624],
        [0.9147644614885, 0.9902125057284, 0.9784279954603, -0.1006987671933, -0.1235312350256, -0.01384961231306,
         0.1181741150362, 0.01412403998887, -0.04489295346222, 0.1074146500246, -0.1130817042244, 0.08414824318178,
         -0.07173892175459],
    ),
    "nesterov": (
        [1.057839336237, 1.000356716256, 0.9494643990112, 0.9099168328698, 0.8752447214702, 0.8471964413099],
        [0.008007458453195, 0.331518595353, -0.09188524883488, -0.2582460745904, 0.1162176484034, 0.234481152189],
        [0.9469656735812, 0.9910600336049, 1.013998060811, -0.08718565009045, -0.03532848464188, 0.04867592587763,
         0.04760246916901, 0.04235973876879, -0.05047050018119, 0.05789015748213, -0.05784751037891, 0.1678091401929,
         -0.109961629814],
    ),
    "momentum": (
        [1.057839336237, 1.025463958937, 0.9787957343513, 0.9367450158076, 0.9041663172677, 0.8788044313599],
        [0.0103716910537, 0.3419914007703, -0.09611814422604, -0.272611873356, 0.1287773227411, 0.2490973503826],
        [0.9483805913436, 0.9841663996266, 1.020767913564, -0.08058934517889, -0.03103703979352, 0.06998577376252,
         0.0417621537388, 0.05309349407721, -0.04962170318482, 0.0496623894614, -0.04613764753009, 0.1564176399781,
         -0.110279992448],
    ),
    "rmsprop": (
        [1.057839336237, 1.082851277931, 0.9213065986299, 0.860668728432, 0.8358891399604, 0.8082685614758],
        [0.0988026744606, 0.2078370473026, -0.1002318726916, -0.1738751692279, 0.1256309031755, 0.02685023584792],
        [0.850944697198, 0.9778091247877, 1.072396991795, -0.1951514317689, -0.2479595056591, -0.03623795616476,
         0.1155985630278, 0.05115305857225, -0.1025863310064, 0.1535413052902, -0.1958475284594, 0.1796305106434,
         -0.09587396245154],
    ),
    "clipped": (
        [1.057839336237, 1.039038788217, 1.014679631954, 0.9878939528021, 0.9612620686018, 0.9364250718429],
        [0.006858613285156, 0.371422872282, -0.1053727743604, -0.3197350321788, 0.1807054906677, 0.2696988510692],
        [0.9744160536373, 0.9904494342881, 1.013331251536, -0.03918253795688, -0.01482904060934, 0.04258664665237,
         0.01913177929643, 0.03136165180177, -0.02514509668437, 0.02231151392404, -0.01875006807808,
         0.07501216796108, -0.056262099883],
    ),
    "muon": (
        [1.057839336237, 0.9807920605803, 0.9431826838421, 0.9107798418579, 0.8830078866678, 0.8621272959084],
        [-0.01933864924812, 0.3825442446219, -0.09410048561927, -0.3206983026662, 0.186923635243, 0.2610567284621],
        [0.8931742748694, 0.9664146586103, 0.995082351896, -0.1193128594442, -0.08637404862582, 0.007317775728411,
         0.1333067195029, 0.01851718078755, -0.07444680279608, 0.137698010256, -0.1399287112755, 0.1154720733231,
         -0.08386358411537],
    ),
}
# fmt: on


def waves():
    """The network of the trajectories, as it starts."""
    network = Network(LAYERS, (6, 6, 2), np.float64)
    network.initialize(np.random.default_rng(0))
    arrays = {
        "convolution1.weight": 0.4 * wave(3, 3, 3, 2),
        "dense1.weight": 0.3 * wave(4, 27)[:, ::-1],
        "dense2.weight": 0.5 * wave(3, 4),
    }
    network.fill(arrays)
    return network


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_trajectory_equals_pytorch(solver, threads):
    make, rate, options = SOLVERS[solver]
    losses, convolution, others = PYTORCH[solver]
    network, rows, weight = waves(), np.arange(8), np.ones(8)
    with Team(threads) as team:
        optimizer = make(network.parameters.size, network)
        trainer = Trainer(network, SoftmaxCrossEntropy(0.1), optimizer, team, batch_size=8, alpha=0.1, **options)
        found = [trainer.step(IMAGES, LABELS, weight, rows, rate) for _ in range(5)]
        found.append(trainer.gradient(IMAGES, LABELS, weight, rows))
    np.testing.assert_allclose(found, losses, rtol=1e-10)
    views = network.named_parameters()
    np.testing.assert_allclose(views["convolution1.weight"].ravel()[:6], convolution, rtol=1e-8, atol=1e-10)
    names = ("batchnorm1.scale", "batchnorm1.shift", "dense1.bias", "dense2.bias")
    np.testing.assert_allclose(np.concatenate([views[name] for name in names]), others, rtol=1e-8, atol=1e-10)


def test_trajectory_in_single_precision_stays_near():
    network = Network(LAYERS, (6, 6, 2), np.float32)
    network.fill(waves().named_parameters())
    with Team(1) as team:
        trainer = Trainer(
            network,
            SoftmaxCrossEntropy(0.1),
            Adam().start(network.parameters.size, np.float32),
            team,
            batch_size=8,
            alpha=0.1,
        )
        losses = [trainer.step(IMAGES, LABELS, np.ones(8), np.arange(8), 0.03) for _ in range(5)]
    np.testing.assert_allclose(losses, PYTORCH["adam"][0][:5], rtol=1e-4)


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


# Steps and epochs


def test_epoch_reports_the_weighted_mean_loss():
    X, y, weight = data(50, 6, 3)
    network = regression()
    before, done = network.parameters.copy(), []
    order = np.random.default_rng(1).permutation(50)
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network), batch_size=16)
        loss = trainer.epoch([(X, y, weight, order)], 50, lambda share: done.append(share) or 0.0)
    expected = np.average(cross_entropies(network, X, y), weights=weight)
    assert loss == pytest.approx(expected, rel=1e-12)
    assert done == [0, 13 / 50, 26 / 50, 38 / 50]
    assert trainer.updates == 4
    np.testing.assert_array_equal(network.parameters, before)


def test_epoch_of_several_pieces():
    X, y, weight = data(50, 6, 3)
    network, done, seen = regression(), [], []
    cuts = [np.arange(20), np.arange(20, 23), np.arange(23, 50)]
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network), batch_size=16)
        step = trainer.step
        trainer.step = lambda X, y, weight, rows, rate: seen.append(len(rows)) or step(X, y, weight, rows, rate)
        pieces = ((X[rows], y[rows], weight[rows], np.arange(len(rows))) for rows in cuts)
        loss = trainer.epoch(pieces, 50, lambda share: done.append(share) or 0.0)
    assert loss == pytest.approx(np.average(cross_entropies(network, X, y), weights=weight), rel=1e-12)
    assert seen == [10, 10, 3, 14, 13]
    assert done == [0, 10 / 50, 20 / 50, 23 / 50, 37 / 50]


def test_epoch_visits_every_row_once_in_batches_of_equal_size():
    X, y, weight = data(50, 6, 3)
    network, seen = regression(), []
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network), batch_size=16)
        step = trainer.step
        trainer.step = lambda X, y, weight, rows, rate: seen.append(rows) or step(X, y, weight, rows, rate)
        order = np.random.default_rng(1).permutation(50)
        trainer.epoch([(X, y, weight, order)], 50, constant(0.1))
    np.testing.assert_array_equal(np.concatenate(seen), order)
    assert sorted(map(len, seen)) == [12, 12, 13, 13]


def test_an_interrupted_epoch_ends_after_a_whole_update():
    X, y, weight = data(50, 6, 3)
    network, asked = regression(), []
    before = cross_entropies(network, X[:26], y[:26])
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network), batch_size=16)
        pieces = [(X, y, weight, np.arange(50))]
        loss = trainer.epoch(pieces, 50, constant(0.0), lambda: asked.append(1) or len(asked) == 2)
    assert trainer.updates == 2
    assert loss == pytest.approx(np.average(before, weights=weight[:26]), rel=1e-12)  # of what it saw


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
        trainer = make_trainer(network, team, plain(network))
        trainer.gradient(X, y, weight, np.arange(10, 20))
        assert trainer.step(X, y, weight, np.arange(10), 0.1) == 0
    np.testing.assert_array_equal(trainer.session.gradient, 0)
    np.testing.assert_array_equal(network.parameters, before)


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
                network, team, SGD(momentum=0.9).start(len(before), np.float64), alpha=alpha, decoupled=decoupled
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
            trainer = make_trainer(network, team, Adam().start(len(before), np.float64), alpha=alpha, decoupled=True)
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
            optimizer = Adam().start(network.parameters.size, np.float64)
            trainer = make_trainer(network, team, optimizer, batch_size=len(rows), alpha=0.01)
            losses = [
                trainer.epoch([(rows, targets, weight, np.arange(len(rows)))], len(rows), constant(0.01))
                for _ in range(4)
            ]
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


# What a step does beside


@pytest.mark.parametrize("limit", [1e9, 0.05])
def test_clipping_scales_the_gradient_with_its_penalty(limit):
    X, y, weight = data(20, 6, 3)
    network = regression()
    before, mask = network.parameters.copy(), np.repeat([1, 0], [18, 3])
    gradient = gradient_of(network, X, y, weight) + 0.2 * before * mask
    norm = np.sqrt((gradient**2).sum())
    with Team(1) as team:
        make_trainer(network, team, plain(network), alpha=0.2, clip=limit).step(X, y, weight, np.arange(20), 0.5)
    assert norm > 0.05
    expected = before - 0.5 * gradient * min(1, limit / (norm + 1e-6))
    np.testing.assert_allclose(network.parameters, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("decoupled", [False, True])
def test_elastic_net_ends_in_soft_thresholding(decoupled):
    """Plain gradient descent: the squares shrink by the gradient or directly, and then small weights are zero."""
    X, y, weight = data(20, 6, 3)
    network = regression()
    before, mask = network.parameters.copy(), np.repeat([1, 0], [18, 3])
    moved = before - 0.1 * (gradient_of(network, X, y, weight) + 0.4 * 3.0 * mask * before)
    expected = np.sign(moved) * np.maximum(np.abs(moved) - 0.1 * 0.6 * 3.0 * mask, 0)
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network), alpha=3.0, l1_ratio=0.6, decoupled=decoupled)
        trainer.step(X, y, weight, np.arange(20), 0.1)
    assert (expected == 0).any()
    np.testing.assert_allclose(network.parameters, expected, rtol=0, atol=1e-14)


def test_max_norm_limits_filters_and_units_after_each_update():
    X, y, weight = data(20, 36, 3)
    layers = [Convolution(3), Activation("tanh"), Flatten(), Dense(4), Activation("tanh"), Dense(3)]
    results = []
    for limit in (None, 0.5):
        network = initialized(layers, (6, 6, 1))
        with Team(1) as team:
            make_trainer(network, team, plain(network), max_norm=limit).step(X, y, weight, np.arange(20), 0.5)
        results.append(network.named_parameters())
    free, limited = results
    scaled = 0
    for name, array in free.items():
        expected = array
        if name.endswith("weight"):
            norms = np.sqrt(np.square(array).reshape(len(array), -1).sum(axis=1))
            factors = np.minimum(1, 0.5 / norms)
            expected = array * factors.reshape(-1, *[1] * (array.ndim - 1))
            scaled += (factors < 1).sum()
        np.testing.assert_allclose(limited[name], expected, rtol=1e-13)
    assert scaled > 0


def test_running_mean_of_the_weights():
    X, y, weight = data(40, 6, 3)
    network = regression()
    expected, seen = network.parameters.copy(), []
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network), batch_size=8, ema_decay=0.3)
        for t in range(12):
            trainer.step(X, y, weight, np.arange(8 * (t % 5), 8 * (t % 5) + 8), 0.5)
            decay = min(0.3, (1 + t) / (10 + t))
            expected = decay * expected + (1 - decay) * network.parameters
            seen.append(network.parameters.copy())
    np.testing.assert_allclose(trainer.average.values, expected, rtol=0, atol=1e-14)
    assert not any(np.allclose(trainer.average.values, parameters, atol=1e-6) for parameters in seen)


def test_options_that_are_off_cost_nothing():
    network = regression()
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network))
    assert trainer.l1 is trainer.l2 is trainer.average is trainer.augmenter is None
    assert [type(change) for change in trainer.chain] == [training.Update]


def test_matrices_for_muon_are_kernels_with_more_than_nine_weights_a_filter():
    layers = [Convolution(4), Convolution(5), LocallyConnected(2), Convolution(6, 1), Flatten(), Dense(30), Dense(3)]
    network = initialized(layers, (4, 4, 1))
    flat, names = network.parameters, network.named_parameters()
    found = weight_matrices(network)
    assert [shape for _, shape in found] == [(5, 36)]  # 9 taps, 36, weights of each position, 2, dense ones
    (start, (rows, columns)) = found[0]
    np.testing.assert_array_equal(flat[start : start + rows * columns], names["convolution2.weight"].ravel())
    network.frozen = ("convolution2",)
    assert weight_matrices(network) == []


# Augmentation


class Stretch:
    """Multiplies each sample by a random number; with ``mixes`` swaps the first two of each block too."""

    def __init__(self, mixes=False):
        self.mixes = mixes

    def draw(self, n, rng):
        return rng.uniform(0.5, 2, n)

    def apply(self, images, changes, part):
        images *= changes[part][:, None, None, None]

    def mix(self, images, targets, changes, part):
        images[[0, 1]] = images[[1, 0]]
        targets[:, [0, 1]] = targets[:, [1, 0]]


@pytest.mark.parametrize("mixes", [False, True])
def test_augmentation_is_drawn_by_the_number_of_the_update(mixes):
    X, y, weight = data(20, 6, 3)
    network, rows = regression(), np.array([3, 17, 5, 11, 0])
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network), augmenter=Stretch(mixes), seed=7)
        for update in (0, 1, 41):
            trainer.updates = update  # whatever came before
            factors = np.random.Generator(np.random.Philox(key=[7, update])).uniform(0.5, 2, 5)
            order = rows[[1, 0, 2, 3, 4]] if mixes else rows
            changed = X[rows] * factors[:, None]
            changed, shares = (changed[[1, 0, 2, 3, 4]] if mixes else changed), weight[rows]
            expected = np.average(cross_entropies(network, changed, y[order]), weights=shares)
            assert trainer.step(X, y, weight, rows, 0.0) == pytest.approx(expected, rel=1e-12)


def test_only_steps_are_augmented():
    X, y, weight = data(20, 6, 3)
    network, rows = regression(), np.arange(20)
    kept = X.copy()
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network), augmenter=Stretch())
        plainly = trainer.gradient(X, y, weight, rows)
        assert plainly == pytest.approx(np.average(cross_entropies(network, X, y), weights=weight), rel=1e-12)
        assert trainer.step(X, y, weight, rows, 0.0) != pytest.approx(plainly, rel=1e-3)
    np.testing.assert_array_equal(X, kept)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_augmented_samples_of_any_type(kind):
    X = np.random.default_rng(0).integers(0, 5, (20, 6)).astype(kind)
    y, weight = np.arange(20) % 3, np.ones(20)
    network = regression()
    with Team(1) as team:
        trainer = make_trainer(network, team, plain(network), augmenter=Stretch(), seed=1)
        loss = trainer.step(X, y, weight, np.arange(20), 0.0)
    factors = np.random.Generator(np.random.Philox(key=[1, 0])).uniform(0.5, 2, 20)
    assert loss == pytest.approx(cross_entropies(network, X * factors[:, None], y).mean(), rel=1e-12)


@pytest.mark.parametrize("augment", ["auto", [Shift(0.2), Rotation(20), Mixup(0.4), "noise"]], ids=["auto", "mixup"])
def test_augmentation_gives_the_same_bits_on_any_number_of_threads(augment):
    X, y, weight = data(300, 256, 13, np.float32)
    results = []
    for threads in (1, 2, 3):
        network = initialized(DEEP, (16, 16, 1), np.float32)
        with Team(threads) as team:
            optimizer = Adam().start(network.parameters.size, np.float32)
            augmenter = make_augmenter(augment, (16, 16, 1))
            trainer = make_trainer(network, team, optimizer, batch_size=192, augmenter=augmenter, seed=3)
            assert trainer.session.blocks > 1
            losses = [trainer.epoch([(X, y, weight, np.arange(300))], 300, constant(0.01)) for _ in range(2)]
        results.append((network.parameters, network.state, losses))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_several_targets():
    rng = np.random.default_rng(0)
    X, y, weight = rng.standard_normal((20, 6)), rng.standard_normal((20, 3)), rng.uniform(0.1, 2, 20)
    network = regression()
    with Team(1) as team:
        trainer = Trainer(network, SquaredError(), plain(network), team, batch_size=32)
        loss = trainer.gradient(X, y, weight, np.arange(20))
        gradient = trainer.session.gradient.copy()
    views = network.named_parameters()
    residual = X @ views["dense1.weight"].T + views["dense1.bias"] - y
    assert loss == pytest.approx(np.average((residual**2).mean(axis=1) / 2, weights=weight), rel=1e-12)
    slope = residual * (weight / weight.sum())[:, None] / 3
    np.testing.assert_allclose(gradient, np.concatenate([(slope.T @ X).ravel(), slope.sum(axis=0)]), atol=1e-14)


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [Adam(), SGD()], ids=["adam", "sgd"])
def test_training_gives_the_same_bits_on_any_number_of_threads(dtype, optimizer, monkeypatch):
    monkeypatch.setattr(_update, "_PART_SIZE", 1000)  # so that the threads share the optimiser's vectors
    X, y, weight = data(300, 256, 13, dtype)
    weight = weight.astype(dtype)
    results = []
    for threads in (1, 2, 3):
        network = initialized(DEEP, (16, 16, 1), dtype)
        with Team(threads) as team:
            trainer = make_trainer(
                network, team, optimizer.start(network.parameters.size, dtype), batch_size=192, alpha=0.01
            )
            assert trainer.session.blocks > 1
            losses = [trainer.epoch([(X, y, weight, np.arange(300))], 300, constant(0.01)) for _ in range(2)]
        results.append((network.parameters, network.state, losses))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_shared_updates_equal_whole_ones(monkeypatch):
    X, y, weight = data(40, 6, 3)
    results = []
    for size in (1, 1 << 16):
        monkeypatch.setattr(_update, "_PART_SIZE", size)
        network = regression()
        with Team(2) as team:
            trainer = make_trainer(network, team, Adam().start(network.parameters.size, np.float64))
            trainer.epoch([(X, y, weight, np.arange(40))], 40, constant(0.01))
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
