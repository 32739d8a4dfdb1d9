"""Every loss against PyTorch, its closed form and finite differences."""

from math import exp, lgamma, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from skconv.training._probabilities import exp_of, log_softmax, softmax
from skconv.training.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    BinaryFocal,
    Focal,
    Huber,
    Loss,
    Poisson,
    SoftmaxCrossEntropy,
    SquaredError,
)

OUTPUTS = np.array([[1.5, -0.3, 2.0, 0.1], [0.2, 0.8, -1.0, 0.1], [-0.7, 2.5, 0.4, 0.1]])
WEIGHT = np.array([0.1, 0.4, 0.2, 0.3])
CLASSES = np.array([0, 2, 1, 1])
LABELS = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 0], [1, 1, 0]])
NUMBERS = np.array([[1.2, -0.5, 0.3], [0.4, 0.9, 2.5], [-1.0, -1.0, 0.4], [3.0, 0.0, -0.2]])
COUNTS = np.array([[0, 2, 1], [3, 0, 5], [1, 0, 0], [2, 4, 0]])

# Loss and targets by name; every test below goes through them.
CASES = {
    "softmax 0.0": (SoftmaxCrossEntropy(), CLASSES),
    "softmax 0.1": (SoftmaxCrossEntropy(0.1), CLASSES),
    "softmax 0.3": (SoftmaxCrossEntropy(0.3), CLASSES),
    "focal 2.0 0.0": (Focal(), CLASSES),
    "focal 0.5 0.1": (Focal(0.5, 0.1), CLASSES),
    "focal 1.0 0.3": (Focal(1.0, 0.3), CLASSES),
    "binary 0.0": (BinaryCrossEntropy(), LABELS),
    "binary 0.2": (BinaryCrossEntropy(0.2), LABELS),
    "binary focal 2.0 0.0": (BinaryFocal(), LABELS),
    "binary focal 0.5 0.1": (BinaryFocal(0.5, 0.1), LABELS),
    "squared": (SquaredError(), NUMBERS),
    "absolute": (AbsoluteError(), NUMBERS),
    "huber 1.0": (Huber(), NUMBERS),
    "huber 0.3": (Huber(0.3), NUMBERS),
    "poisson": (Poisson(), COUNTS),
}

# Losses weighted and summed, and the gradient by the outputs, by PyTorch 2.13: cross_entropy,
# binary_cross_entropy_with_logits, mse_loss (halved), l1_loss, huber_loss and poisson_nll_loss, means over the outputs;
# the focal losses are their formula, differentiated there.

PYTORCH = {
    "softmax 0.0": (
        1.09410124167276,
        [
            [-0.02771092792887261, 0.01956103779760528, 0.15978479080421124, 0.09999999999999999],
            [0.01970107042830931, 0.05876460514469775, -0.1920447836960859, -0.2],
            [0.008009857500563294, -0.07832564294230303, 0.03225999289187468, 0.09999999999999999],
        ],
    ),
    "softmax 0.1": (
        1.1364345750060934,
        [
            [-0.021044261262205953, 0.006227704464271946, 0.15311812413754453, 0.09000000000000001],
            [0.016367737094975972, 0.045431271811364415, -0.17871145036275257, -0.18000000000000002],
            [0.00467652416722996, -0.05165897627563635, 0.025593326225208008, 0.09000000000000001],
        ],
    ),
    "softmax 0.3": (
        1.2211012416727598,
        [
            [-0.007710927928872613, -0.020438962202394724, 0.1397847908042112, 0.06999999999999998],
            [0.009701070428309304, 0.01876460514469774, -0.15204478369608587, -0.14],
            [-0.0019901424994367076, 0.0016743570576970021, 0.01225999289187467, 0.06999999999999998],
        ],
    ),
    "focal 2.0 0.0": (
        0.7469310054365065,
        [
            [-0.005730507377332321, 0.0020925776285930977, 0.18668326975843152, 0.09327165727413822],
            [0.004074101369703329, 0.006286450614289782, -0.2243739718905158, -0.18654331454827644],
            [0.001656406007628991, -0.008379028242882879, 0.037690702132084274, 0.09327165727413822],
        ],
    ),
    "focal 0.5 0.1": (
        0.9984571835607732,
        [
            [-0.014222734702032619, -0.0009310480699931638, 0.1607604940684853, 0.09366748877640599],
            [0.0115989516854373, 0.024948864541155993, -0.1869136826207953, -0.18733497755281198],
            [0.0026237830165953043, -0.02401781647116281, 0.026153188552309997, 0.09366748877640599],
        ],
    ),
    "focal 1.0 0.3": (
        0.9840027524090467,
        [
            [0.004886508488700827, -0.03377149153981907, 0.1557117955575656, 0.0723009534022559],
            [0.0012574436514363966, -0.014824419938144791, -0.16602579638852688, -0.14460190680451177],
            [-0.006143952140137234, 0.04859591147796385, 0.010314000830961303, 0.0723009534022559],
        ],
    ),
    "binary 0.0": (
        0.6308700205889886,
        [
            [-0.006080850793545212, 0.05674099775844547, 0.05871980519852549, -0.047502081252106],
            [0.018327799910415932, -0.04133673584965167, 0.017929428091333008, -0.047502081252106],
            [-0.02227292573893887, -0.01011442400283246, 0.039912510674163466, 0.052497918747893994],
        ],
    ),
    "binary 0.2": (
        0.6725366872556551,
        [
            [-0.002747517460211879, 0.04340766442511213, 0.05205313853185882, -0.037502081252105995],
            [0.014994466577082598, -0.028003402516318335, 0.01126276142466634, -0.037502081252105995],
            [-0.018939592405605537, 0.0032189093305008704, 0.0332458440074968, 0.042497918747894],
        ],
    ),
    "binary focal 2.0 0.0": (
        0.2258158712419951,
        [
            [-0.0005677035074411975, 0.025654458575370964, 0.07178091536323214, -0.025985488514802618],
            [0.012782222224944795, -0.010535902438910867, 0.0035054086651707074, -0.025985488514802618],
            [-0.020839796521125466, -0.00017007799048838562, 0.03181627245999538, 0.03395946152700781],
        ],
    ),
    "binary focal 0.5 0.1": (
        0.48536550030003944,
        [
            [-0.0021149993021429697, 0.04449970734346634, 0.059686976515078, -0.03963495052187135],
            [0.016441740756033107, -0.02606867594706304, 0.0100072342755928, -0.03963495052187135],
            [-0.021585947222504676, 0.0026313493014388533, 0.037144105636115934, 0.04608561307011283],
        ],
    ),
    "squared": (
        0.7851666666666666,
        [
            [0.010000000000000002, -0.09333333333333332, 0.2, -0.29],
            [0.02333333333333333, -0.01333333333333333, 0.0, 0.01],
            [-0.03333333333333333, 0.0, 0.0, 0.030000000000000002],
        ],
    ),
    "absolute": (
        0.7033333333333334,
        [
            [0.03333333333333333, -0.13333333333333333, 0.06666666666666667, -0.09999999999999999],
            [0.03333333333333333, -0.13333333333333333, 0.0, 0.09999999999999999],
            [-0.03333333333333333, 0.0, 0.0, 0.09999999999999999],
        ],
    ),
    "huber 1.0": (
        0.47133333333333327,
        [
            [0.010000000000000002, -0.09333333333333332, 0.06666666666666667, -0.09999999999999999],
            [0.02333333333333333, -0.01333333333333333, 0.0, 0.01],
            [-0.03333333333333333, 0.0, 0.0, 0.030000000000000002],
        ],
    ),
    "huber 0.3": (
        0.18266666666666667,
        [
            [0.01, -0.04, 0.02, -0.029999999999999995],
            [0.01, -0.01333333333333333, 0.0, 0.01],
            [-0.01, 0.0, 0.0, 0.029999999999999995],
        ],
    ),
    "poisson": (
        1.4446382769989279,
        [
            [0.14938963567793548, -0.30122423724243763, 0.4259370732620434, -0.08948290819243522],
            [-0.025953241394661007, 0.29673879046566237, 0.024525296078096157, -0.2894829081924352],
            [-0.016780489873619683, 0.9576658614271297, 0.09945497984275135, 0.11051709180756476],
        ],
    ),
}


def encoded(loss, y, n_outputs=3, dtype=np.float64):
    targets = np.full((n_outputs, len(y)), np.nan, dtype)
    loss.encode(y, targets)
    return targets


def smoothed(k, n, smooth):
    return [smooth / n + (1 - smooth) * (i == k) for i in range(n)]


def logistic(z):
    return 1 / (1 + exp(-z))


def of_classes(z, k, smooth, gamma):
    total = sum(map(exp, z))
    p = [exp(v) / total for v in z]
    return -sum(t * (1 - q) ** gamma * log(q) for t, q in zip(smoothed(k, len(z), smooth), p, strict=True))


def of_labels(z, y, smooth, gamma):
    losses = []
    for v, label in zip(z, y, strict=True):
        p, t = logistic(v), label * (1 - smooth) + smooth / 2
        losses.append(-t * (1 - p) ** gamma * log(p) - (1 - t) * p**gamma * log(1 - p))
    return sum(losses) / len(z)


def mean_of(function):
    return lambda z, y: sum(map(function, z, y)) / len(z)


def huber(delta):
    return lambda z, t: (z - t) ** 2 / 2 if abs(z - t) <= delta else delta * (abs(z - t) - delta / 2)


# What the loss of one column is, of Python numbers.
CLOSED_FORMS = {
    SoftmaxCrossEntropy: lambda loss, z, y: of_classes(z, y, loss.label_smoothing, 0),
    Focal: lambda loss, z, y: of_classes(z, y, loss.label_smoothing, loss.gamma),
    BinaryCrossEntropy: lambda loss, z, y: of_labels(z, y, loss.label_smoothing, 0),
    BinaryFocal: lambda loss, z, y: of_labels(z, y, loss.label_smoothing, loss.gamma),
    SquaredError: lambda loss, z, y: mean_of(lambda a, b: (a - b) ** 2 / 2)(z, y),
    AbsoluteError: lambda loss, z, y: mean_of(lambda a, b: abs(a - b))(z, y),
    Huber: lambda loss, z, y: mean_of(huber(loss.delta))(z, y),
    Poisson: lambda loss, z, y: mean_of(lambda a, b: exp(a) - b * a)(z, y),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_pytorch(name):
    loss, y = CASES[name]
    gradient = np.full(OUTPUTS.shape, np.nan)
    value = loss(OUTPUTS, encoded(loss, y), WEIGHT, gradient)
    assert isinstance(value, float)
    assert value == pytest.approx(PYTORCH[name][0], rel=1e-14)
    np.testing.assert_allclose(gradient, PYTORCH[name][1], rtol=1e-12, atol=1e-15)


def targets_for(loss, rng, n_outputs, n):
    if isinstance(loss, (SoftmaxCrossEntropy, Focal)):
        return rng.integers(0, n_outputs, n)
    if isinstance(loss, BinaryCrossEntropy):
        return rng.integers(0, 2, (n, n_outputs))
    return rng.poisson(2, (n, n_outputs)) if isinstance(loss, Poisson) else rng.standard_normal((n, n_outputs))


@pytest.mark.parametrize("name", CASES)
@settings(deadline=None, max_examples=30, derandomize=True)
@given(n_outputs=st.integers(1, 6), n=st.integers(1, 9), seed=st.integers(0, 99))
def test_equals_the_closed_form(name, n_outputs, n, seed):
    loss, rng = CASES[name][0], np.random.default_rng(seed)
    outputs, weight = 3 * rng.standard_normal((n_outputs, n)), rng.uniform(0, 1, n)
    y = targets_for(loss, rng, n_outputs, n)
    closed = CLOSED_FORMS[type(loss)]
    expected = sum(w * closed(loss, z, k) for z, k, w in zip(outputs.T.tolist(), y.tolist(), weight, strict=True))
    value = loss(outputs, encoded(loss, y, n_outputs), weight)
    assert value == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_gradient_equals_finite_differences(name, mixed):
    """Also for a mixture of two samples' targets."""
    loss, y = CASES[name]
    targets, step = encoded(loss, y), 1e-6
    targets = 0.7 * targets + 0.3 * targets[:, ::-1] if mixed else targets
    gradient = np.empty_like(OUTPUTS)
    loss(OUTPUTS, targets, WEIGHT, gradient)
    for i, j in np.ndindex(OUTPUTS.shape):
        change = np.zeros_like(OUTPUTS)
        change[i, j] = step
        numeric = (loss(OUTPUTS + change, targets, WEIGHT) - loss(OUTPUTS - change, targets, WEIGHT)) / (2 * step)
        assert gradient[i, j] == pytest.approx(numeric, abs=3e-8)


@pytest.mark.parametrize("name", CASES)
def test_arguments_stay_as_they_are_and_the_gradient_changes_no_value(name):
    loss, y = CASES[name]
    outputs, targets, weight = OUTPUTS.copy(), encoded(loss, y), WEIGHT.copy()
    kept = targets.copy()
    assert loss(outputs, targets, weight) == loss(outputs, targets, weight, np.empty_like(outputs))
    for now, before in ((outputs, OUTPUTS), (targets, kept), (weight, WEIGHT)):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize("name", CASES)
def test_float32_is_near_float64(name):
    loss, y = CASES[name]
    gradient, expected = np.empty(OUTPUTS.shape, np.float32), np.empty(OUTPUTS.shape)
    value = loss(OUTPUTS.astype(np.float32), encoded(loss, y, dtype=np.float32), WEIGHT.astype(np.float32), gradient)
    assert value == pytest.approx(loss(OUTPUTS, encoded(loss, y), WEIGHT, expected), rel=1e-5)
    np.testing.assert_allclose(gradient, expected, atol=1e-6)


EXTREME = np.array([[1e4, -1e4, 88.8, 30.0], [-1e4, 1e4, -104.0, -30.0], [0, 0, 17.0, 16.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_extreme_outputs_are_finite(name, dtype):
    loss, y = CASES[name]
    gradient = np.full(EXTREME.shape, np.nan, dtype)
    targets, weight = encoded(loss, y, dtype=dtype), WEIGHT.astype(dtype)
    value = loss(EXTREME.astype(dtype), targets, weight, gradient)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    if not isinstance(loss, (Poisson, SquaredError)):  # the slope is bounded
        limit = (loss.gamma + 1) ** 2 if isinstance(loss, (Focal, BinaryFocal)) else 1
        assert np.abs(gradient).max() <= limit * WEIGHT.max() * (1 + 1e-5)


@pytest.mark.parametrize("smooth", [0.0, 0.1])
def test_losses_of_extreme_outputs(smooth):
    outputs, weight = np.array([[1e4, -1e4], [-1e4, 1e4], [0, 0]], np.float32), np.array([0.5, 0.5], np.float32)
    loss, gradient = SoftmaxCrossEntropy(smooth), np.empty_like(outputs)
    value = loss(outputs, encoded(loss, np.array([0, 0]), dtype=np.float32), weight, gradient)
    assert value == pytest.approx(1e4 if smooth == 0 else 0.5 * 1e4 * smooth + 0.5 * (2e4 - 1e4 * smooth), rel=1e-6)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-6)
    labels = np.array([[0, 1, 1], [0, 1, 1]])
    value = BinaryCrossEntropy()(outputs, labels.T.astype(np.float32), weight)
    assert value == pytest.approx((1e4 + 1e4 + log(2) + log(2)) / 6, rel=1e-6)
    assert Huber()(outputs, np.zeros_like(outputs), weight) == pytest.approx((2e4 - 1) / 3, rel=1e-6)
    assert AbsoluteError()(outputs, np.zeros_like(outputs), weight) == pytest.approx(2e4 / 3, rel=1e-6)
    assert SquaredError()(outputs, np.zeros_like(outputs), weight) == pytest.approx(1e8 / 3, rel=1e-6)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9])
def test_focal_near_certainty_in_single_precision(gamma):
    """Where ``1 - p`` rounds to zero: the slope is as small as ``(1 - p)^gamma``, not a quotient of noise."""
    outputs = np.array([[17.5, 16.5, 20.0], [0, 0, 0]], np.float32)
    loss, gradient, weight = Focal(gamma), np.empty_like(outputs), np.ones(3, np.float32)
    targets = encoded(loss, np.zeros(3, int), 2, np.float32)
    loss(outputs, targets, weight, gradient)
    exact = np.empty(outputs.shape)
    loss(outputs.astype(float), targets.astype(float), weight.astype(float), exact)
    np.testing.assert_allclose(gradient, exact, atol=2e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exp_of_is_the_exponential_up_to_a_bound(dtype):
    np.testing.assert_array_equal(
        exp_of(np.array([-1e9, -2, 0, 40], dtype)), np.exp(np.array([-1e9, -2, 0, 40], dtype))
    )
    largest = exp_of(np.array([1e4, 1e30], dtype))
    assert largest.dtype == dtype
    np.testing.assert_allclose(largest, np.sqrt(np.finfo(dtype).max), rtol=1e-4 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("huge", [1e4, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_a_column_of_weight_zero_adds_nothing(name, dtype, huge):
    loss, y = CASES[name]
    more = np.array([[huge, -huge], [-huge, huge], [0, -huge]], dtype)
    outputs, weight = OUTPUTS.astype(dtype), WEIGHT.astype(dtype)
    targets = encoded(loss, y, dtype=dtype)
    gradient, expected = np.full((3, 6), np.nan, dtype), np.full((3, 4), np.nan, dtype)
    with np.errstate(over="ignore"):
        value = loss(
            np.hstack([outputs, more]),
            np.hstack([targets, targets[:, :2]]),
            np.append(weight, weight[:2] * 0),
            gradient,
        )
    assert value == pytest.approx(loss(outputs, targets, weight, expected), rel=1e-6)
    np.testing.assert_array_equal(gradient[:, :4], expected)
    np.testing.assert_array_equal(gradient[:, 4:], 0)


# Encoding


@pytest.mark.parametrize("kind", [SoftmaxCrossEntropy, Focal])
@pytest.mark.parametrize("smooth", [0.0, 0.2])
def test_classes_become_probabilities(kind, smooth):
    targets = encoded(kind(label_smoothing=smooth), np.array([2, 0, 2, 3]), 4)
    expected = np.full((4, 4), smooth / 4)
    for column, k in enumerate([2, 0, 2, 3]):
        expected[k, column] += 1 - smooth
    np.testing.assert_allclose(targets, expected, rtol=1e-15)
    np.testing.assert_allclose(targets.sum(axis=0), 1, rtol=1e-15)


@pytest.mark.parametrize("kind", [BinaryCrossEntropy, BinaryFocal])
@pytest.mark.parametrize("smooth", [0.0, 0.2])
def test_labels_move_towards_one_half(kind, smooth):
    targets = encoded(kind(label_smoothing=smooth), LABELS)
    np.testing.assert_allclose(targets, np.where(LABELS.T == 1, 1 - smooth / 2, smooth / 2), rtol=1e-15)


@pytest.mark.parametrize("loss", [SquaredError(), AbsoluteError(), Huber(), Poisson()], ids=lambda x: type(x).__name__)
def test_numbers_become_columns(loss):
    np.testing.assert_array_equal(encoded(loss, NUMBERS), NUMBERS.T)
    np.testing.assert_array_equal(encoded(loss, NUMBERS[:, 0], 1, np.float32), NUMBERS[:, :1].T.astype(np.float32))


def test_focal_without_gamma_is_the_cross_entropy():
    for kinds, y in (((Focal, SoftmaxCrossEntropy), CLASSES), ((BinaryFocal, BinaryCrossEntropy), LABELS)):
        focal, plain = kinds[0](gamma=0.0, label_smoothing=0.1), kinds[1](0.1)
        gradients = np.empty((2, *OUTPUTS.shape))
        value = focal(OUTPUTS, encoded(focal, y), WEIGHT, gradients[0])
        assert value == pytest.approx(plain(OUTPUTS, encoded(plain, y), WEIGHT, gradients[1]), rel=1e-13)
        np.testing.assert_allclose(gradients[0], gradients[1], atol=1e-15)


def test_poisson_is_the_likelihood_of_counts():
    """Up to a constant, at its least where ``exp(z)`` is the mean."""
    likelihood = mean_of(lambda z, t: -log(exp(-exp(z)) * exp(z) ** t / exp(lgamma(t + 1))))
    constant = [sum(lgamma(t + 1) for t in row) / 3 for row in COUNTS.tolist()]
    pairs = zip(OUTPUTS.T.tolist(), COUNTS.tolist(), WEIGHT, constant, strict=True)
    expected = sum(w * (likelihood(z, t) - c) for z, t, w, c in pairs)
    assert Poisson()(OUTPUTS, COUNTS.T.astype(float), WEIGHT) == pytest.approx(expected, rel=1e-12)
    counts, gradient = np.array([[1.0, 4.0, 7.0]]), np.empty((1, 3))
    Poisson()(np.full((1, 3), log(4)), counts, np.full(3, 1 / 3), gradient)
    assert gradient.sum() == pytest.approx(0, abs=1e-15)


def test_a_loss_says_its_value():
    with pytest.raises(NotImplementedError, match=r"Loss needs a method __call__\(outputs, targets, weight, "):
        Loss()(OUTPUTS, OUTPUTS, WEIGHT)


# From outputs to probabilities

PROBABILITIES = np.array([[0.5, 0.3, 0.2], [0.9, 0.06, 0.04], [0.05, 0.05, 0.9], [1 / 3, 1 / 3, 1 / 3]])
OF_CLASSES = {name: case[0] for name, case in CASES.items() if case[0].targets == "classes"}
OF_SETS = {name: case[0] for name, case in CASES.items() if case[0].targets == "label sets"}


def outputs_of_least_loss(loss, encoded, shares):
    """By scipy, the outputs (n, 1) that make the mean of the losses of all targets, with their shares, least."""

    def mean(z):
        gradient = np.empty(encoded.shape)
        value = loss(np.repeat(z[:, None], encoded.shape[1], axis=1), encoded, shares, gradient)
        return value, gradient.sum(axis=1)

    return minimize(mean, np.zeros(len(encoded)), jac=True, method="BFGS", options={"gtol": 1e-9}).x


@pytest.mark.parametrize("name", OF_CLASSES)
def test_logits_are_those_of_the_probabilities_that_the_least_loss_has(name):
    """Class k comes with probability p_k: at the outputs of the least loss, the softmax of the logits is p."""
    loss, encoded_classes = OF_CLASSES[name], encoded(OF_CLASSES[name], np.arange(3))
    for p in PROBABILITIES:
        least = outputs_of_least_loss(loss, encoded_classes, p)
        np.testing.assert_allclose(softmax(loss.logits(least[None]))[0], p, rtol=1e-5)


@pytest.mark.parametrize("name", OF_SETS)
def test_logits_of_label_sets_are_those_of_the_probabilities_that_the_least_loss_has(name):
    loss, encoded_sets = OF_SETS[name], encoded(OF_SETS[name], np.array([[0], [1]]), 1)
    for p in (0.1, 0.35, 0.5, 0.8, 0.97):
        least = outputs_of_least_loss(loss, encoded_sets, np.array([1 - p, p]))
        np.testing.assert_allclose(expit(loss.logits(least[None])), [[p]], rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*OF_CLASSES, *OF_SETS])
def test_logits_keep_the_order_and_are_finite(name, dtype):
    """Of what the network is sure of by mistake too: of outputs that belong to no probability."""
    loss = (OF_CLASSES | OF_SETS)[name]
    outputs = np.zeros((2001, 2), dtype)
    outputs[:, 0] = np.linspace(-12, 12, 2001)
    logits = loss.logits(outputs)
    assert logits.dtype == dtype
    first = log_softmax(logits)[:, 0] if name in OF_CLASSES else logits[:, 0]
    assert (np.diff(first[first < -1e-3]) > 0).all()
    assert (np.diff(first) >= -1e-6).all()
    np.testing.assert_array_equal(logits.argmax(axis=1), outputs.argmax(axis=1))
    far = np.array([[1e4, 0.0, -1e4], [0.0, 200.0, 199.0]], dtype)
    assert np.isfinite(loss.logits(far)).all()


def test_probabilities_that_smoothing_rules_out():
    """The network is surer than it can have learned: no probability is below the share of smoothing of its own."""
    outputs = np.log([[0.97, 0.02, 0.01]])  # of three classes, smoothed by 0.3, none is less than 0.1
    kept = np.array([(0.97 - 0.1) / 0.7, 0.3 * 0.02, 0.3 * 0.01])
    np.testing.assert_allclose(softmax(SoftmaxCrossEntropy(0.3).logits(outputs))[0], kept / kept.sum(), rtol=1e-12)


def test_without_smoothing_the_logits_are_the_outputs():
    for loss in (SoftmaxCrossEntropy(), BinaryCrossEntropy()):
        assert loss.logits(OUTPUTS) is OUTPUTS
