"""Numbers at the edge: of their types' range, of what sums hold, of what functions give."""

import warnings
from math import erf, exp, expm1, log1p, pi, sqrt, tanh

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, Flatten, ImagePadder, StridedPooling, ToImages
from skconv.layers import (
    Activation,
    ConstantPadding,
    Convolution,
    Dense,
    LayerNorm,
    NoisePadding,
    PatternPadding,
)
from skconv.layers import Flatten as FlattenLayer
from skconv.layers.activation_functions import FUNCTIONS
from skconv.training.losses import BinaryCrossEntropy

X, Y = (array[:120] for array in load_digits(return_X_y=True))
X = X / 16
TINY = float(np.finfo(np.float32).tiny)
LABELS = np.column_stack([Y < 5, Y % 2 == 0]).astype(int)


# The caller's `numpy.errstate` and warnings

ESTIMATORS = {
    "classifier": (ConvNetClassifier(4, max_iter=2, random_state=0), Y),
    "classifier of labels": (ConvNetClassifier(4, max_iter=2, random_state=0), LABELS),
    "classifier, focal": (ConvNetClassifier(4, max_iter=2, loss="focal", random_state=0), Y),
    "classifier, float64": (ConvNetClassifier(4, solver="lbfgs", max_iter=3, random_state=0), Y),
    "classifier, logistic": (ConvNetClassifier(4, activation="logistic", max_iter=2, random_state=0), Y),
    "classifier, augmented": (
        ConvNetClassifier(4, max_iter=2, augment="auto", n_augmented=2, early_stopping=True, random_state=0),
        Y,
    ),
    "regressor": (ConvNetRegressor(4, max_iter=2, random_state=0), Y.astype(float)),
    "regressor, tiny": (ConvNetRegressor(4, max_iter=2, random_state=0), Y * 1e-100),
    "regressor, counts": (ConvNetRegressor(4, max_iter=2, loss="poisson", random_state=0), Y),
    "padder": (ImagePadder(2, "noise"), None),
    "pooling": (StridedPooling("lp", 2), None),
    "features": (ConvFeatures("kmeans", 5, 3, n_patches=500, random_state=0), None),
    "minirocket": (ConvFeatures("minirocket", 84, image_shape="series", random_state=0), None),
    "shapes": (ToImages(), None),
    "flat": (Flatten(), None),
}
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")


def results(estimator, X, y):
    """What the estimator's methods give, of samples near those it has seen and far from them."""
    values = [getattr(estimator, name)(X * far) for name in METHODS if hasattr(estimator, name) for far in (1, 300)]
    return values + ([estimator.score(X, y)] if hasattr(estimator, "score") else [])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_errors_that_numpy_looks_for_are_the_callers(name, dtype):
    estimator, y = ESTIMATORS[name]
    data = X.astype(dtype)
    expected = results(clone(estimator).fit(data, y), data, y)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)  # L-BFGS has few iterations here
        fitted = clone(estimator).fit(data, y)
        for one, other in zip(results(fitted, data, y), expected, strict=True):
            np.testing.assert_array_equal(one, other)
    assert np.geterr() == {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_partial_fit_under_errors_that_are_raised(name):
    estimator, y = ESTIMATORS[name]
    options = {"classes": np.unique(y)} if name == "classifier" else {}
    expected = clone(estimator).partial_fit(X, y, **options).partial_fit(X, y).predict(X)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(
            clone(estimator).partial_fit(X, y, **options).partial_fit(X, y).predict(X), expected
        )


# Functions far from zero, in float32

TAILS = [-80.0, -30.0, -20.0, -10.0, -5.0, -1.0, -1e-3, -1e-8, 0.0, 1e-8, 1e-3, 1.0, 5.0, 10.0, 20.0, 80.0]


def normal(x):
    """The normal distribution function, by the continued fraction of the complementary error function far out."""
    if x > -5:
        return (1 + erf(x / sqrt(2))) / 2
    ratio = 0.0
    for k in range(200, 0, -1):
        ratio = k / (-x + ratio)
    return exp(-x * x / 2) / sqrt(2 * pi) / (-x + ratio)


IN_DOUBLES = {
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: max(x, 0.01 * x),
    "elu": lambda x: x if x > 0 else expm1(x),
    "gelu": lambda x: x * normal(x),
    "tanh": tanh,
    "logistic": lambda x: 1 / (1 + exp(-x)),
    "relu6": lambda x: min(max(x, 0.0), 6.0),
    "swish": lambda x: x / (1 + exp(-x)),
    "hard_swish": lambda x: x * min(max(x / 6 + 0.5, 0.0), 1.0),
    "hard_sigmoid": lambda x: min(max(x / 6 + 0.5, 0.0), 1.0),
    "softplus": lambda x: max(x, 0.0) + log1p(exp(-abs(x))),
    "mish": lambda x: x * tanh(max(x, 0.0) + log1p(exp(-abs(x)))),
    "identity": lambda x: x,
}


@pytest.mark.parametrize("name", IN_DOUBLES)
def test_activations_keep_their_digits_in_the_tails(name):
    x = np.array(TAILS, np.float32)
    out, work = np.empty_like(x), {"a": np.empty_like(x), "b": np.empty_like(x), "zero": np.zeros_like(x)}
    FUNCTIONS[name].forward(x, out, type("Work", (), work))
    expected = [IN_DOUBLES[name](v) for v in x.tolist()]
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=TINY)


def test_logistic_at_minus_twenty():
    x = np.full(3, -20, np.float32)
    FUNCTIONS["logistic"].forward(x, x, type("Work", (), {"a": np.empty_like(x)}))
    np.testing.assert_allclose(x, 2.0611536181902037e-09, rtol=1e-6)


def test_probabilities_keep_their_digits_in_the_tails():
    """Of one label and its opposite: logits of opposite sign."""
    model = ConvNetClassifier(4, max_iter=2, random_state=0).fit(X, LABELS)
    far = X.astype(np.float32) * 200
    logits = model.decision_function(far).astype(float)
    assert np.abs(logits).max() > 40
    expected = [[1 / (1 + exp(-v)) for v in row] for row in logits.tolist()]
    np.testing.assert_allclose(model.predict_proba(far), expected, rtol=1e-6, atol=TINY)
    logarithms = [[-log1p(exp(-v)) if v > -700 else v for v in row] for row in logits.tolist()]
    np.testing.assert_allclose(model.predict_log_proba(far), logarithms, rtol=1e-6, atol=1e-44)
    model.fit(X, Y)
    logits = model.decision_function(far).astype(float)
    shifted = logits - logits.max(axis=1, keepdims=True)
    expected = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(model.predict_log_proba(far), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(far), np.exp(expected), rtol=2e-5, atol=TINY)


@pytest.mark.parametrize("z", [15.0, 20.0, 60.0])
def test_the_loss_of_a_label_that_is_sure_and_right(z):
    outputs, targets = np.array([[z, -z]], np.float32), np.array([[1, 0]], np.float32)
    value = BinaryCrossEntropy()(outputs, targets, np.array([0.5, 0.5], np.float32))
    assert value == pytest.approx(log1p(exp(-z)), rel=1e-6)


# Numbers beyond the range of their type

BEYOND = r"Input X contains infinity or a value too large for dtype\('float32'\)"
SQUARES = "too large for their squares in float32"
NETWORKS = {
    "classifier": (ConvNetClassifier(4, max_iter=2, random_state=0), Y),
    "classifier, float64": (ConvNetClassifier(4, solver="lbfgs", max_iter=3, random_state=0), Y),
    "regressor": (ConvNetRegressor(4, max_iter=2, random_state=0), Y.astype(float)),
}


class Stored:
    """An array that has to be read, and counts it."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.reads = array, array.shape, array.dtype, 0

    def __getitem__(self, rows):
        self.reads += 1
        return self.array[rows]


@pytest.mark.parametrize("large", [1e39, -1e300])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_take_what_float32_holds(name, large):
    estimator, y = NETWORKS[name]
    far = X.copy()
    far[-1, -1] = large
    fitted, new = clone(estimator).fit(X, y), clone(estimator)
    calls = [
        lambda: new.fit(far, y),
        *(lambda method=method: getattr(fitted, method)(far) for method in METHODS if hasattr(fitted, method)),
        lambda: fitted.predict(far[-1:]),
        lambda: fitted.score(far, y),
        lambda: new.fit(Stored(far), y),
        lambda: fitted.predict(Stored(far)),
    ]
    if name != "classifier, float64":
        calls.append(lambda: new.fit(X, y, X_val=far, y_val=y))
        options = {"classes": np.unique(y)} if name == "classifier" else {}
        calls += [lambda: fitted.partial_fit(far, y), lambda: new.partial_fit(far, y, **options)]
    for call in calls:
        with pytest.raises(ValueError, match=BEYOND):
            call()
    assert not hasattr(new, "network_")
    np.testing.assert_array_equal(fitted.predict(X), clone(estimator).fit(X, y).predict(X))


def test_outputs_that_are_not_finite_are_refused():
    far = X.astype(np.float32)
    far[[7, 90]] = np.finfo(np.float32).max * (-1) ** np.arange(64)
    for estimator in (ConvNetClassifier(max_iter=2, random_state=0), ConvNetRegressor(max_iter=2, random_state=0)):
        model = estimator.fit(X, Y)
        for method in METHODS[: 4 if hasattr(model, "classes_") else 1]:
            with pytest.raises(ValueError, match="outputs are not finite for 2 of 120 samples, row 7 of X the first"):
                getattr(model, method)(far)


def test_a_large_array_in_storage_beyond_the_range():
    far = np.tile(X, (30, 1))
    far[-1, 0] = 1e39
    with config_context(working_memory=0.5):
        for call in (
            lambda: ConvNetClassifier(4, max_iter=1).fit(Stored(far), np.tile(Y, 30)),
            lambda: ConvNetClassifier(4, max_iter=1, random_state=0).fit(X, Y).predict(Stored(far)),
        ):
            with pytest.raises(ValueError, match=BEYOND):
                call()


def test_whoever_says_that_all_is_finite_is_believed():
    model = ConvNetClassifier(4, max_iter=2, random_state=0).fit(X, Y)
    with config_context(assume_finite=True):
        assert np.isin(model.predict(X * 1e39), Y).all()


@pytest.mark.parametrize(
    "transformer",
    [StridedPooling("max"), StridedPooling("mean"), StridedPooling("lp"), StridedPooling("median"), ToImages(),
     Flatten(), ImagePadder(1, "edge"), ConvFeatures("sobel", pool=None)],
    ids=str,
)  # fmt: skip
def test_transformers_compute_in_the_type_of_X(transformer):
    """float64 has room: a power of two more in X is one more in what comes out."""
    expected = transformer.fit(X).transform(X) * 2.0**700
    np.testing.assert_array_equal(transformer.fit(X * 2.0**700).transform(X * 2.0**700), expected)
    if np.finfo(np.longdouble).max > np.finfo(float).max and not isinstance(transformer, (ToImages, Flatten)):
        wide = X.astype(np.longdouble) * np.ldexp(np.longdouble(1), 1100)
        for call in (transformer.fit, transformer.transform):
            with pytest.raises(ValueError, match=r"value too large for dtype\('float64'\)"):
                call(wide)


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_noise_of_huge_numbers(distribution):
    padder = ImagePadder(3, NoisePadding(distribution)).fit(X)
    image = X[:1] + 1  # the noise's numbers come from the image itself, so its mean and deviation are looked at
    for scale in (2.0**900, 2.0**-900):
        padded = padder.transform((image * scale).reshape(1, 8, 8))[0] / scale
        inner = np.zeros(padded.shape, bool)
        inner[3:-3, 3:-3] = True
        assert padded[~inner].mean() == pytest.approx(image.mean(), rel=0.2)
        assert padded[~inner].std() == pytest.approx(image.std(), rel=0.3)
    assert np.isfinite(padder.transform((X * 3.4e38).astype(np.float32))).all()
    assert np.isfinite(padder.transform(X * 1.7e308)).all()


def test_values_beyond_the_range_of_the_images():
    images, match = X.astype(np.float32), r"value too large for dtype\('float32'\); give X in float64"
    padder = ImagePadder(1, "donor").fit(X * 1e300)
    padder.transform(X)
    with pytest.raises(ValueError, match=match):
        padder.transform(images)
    features = ConvFeatures(np.full((1, 3, 3), 1e39)).fit(images)
    assert np.isfinite(features.transform(X)).all()
    with pytest.raises(ValueError, match=match):
        features.transform(images)


@pytest.mark.parametrize("array", [np.full((4, 3, 3, 1), 1e39), np.full((4, 3, 3, 1), "1")])
def test_initial_weights_beyond_the_range(array):
    model = ConvNetClassifier(4, max_iter=1, initial_weights={"convolution1.weight": array})
    match = r"initial_weights\['convolution1.weight'\] must hold finite numbers, of float32's range, got"
    with pytest.raises(ValueError, match=match):
        model.fit(X, Y)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_fit_on_huge_numbers_is_right_or_refused(name):
    """Scaling takes the scale away; without it batch normalisation does, as long as squares are in the range."""
    estimator, y = NETWORKS[name]
    for scale in (1e10, 1e19, 1e30, 1e37):
        model = clone(estimator).fit((X * scale).astype(np.float32), y)
        assert np.isfinite(model.score(X * scale, y))
    estimator = clone(estimator).set_params(standardize=None)
    for scale in (1e10, 1e15, 1e17):
        model = clone(estimator).fit((X * scale).astype(np.float32), y)
        assert np.isfinite(model.network_.state).all()
        assert np.isfinite(model.score(X * scale, y))
    refused = f"{SQUARES}|the training diverged. Lower learning_rate_init"
    for scale in (3e19, 1e20, 1e25, 1e30, 1e37):
        with pytest.raises(ValueError, match=refused):
            clone(estimator).fit((X * scale).astype(np.float32), y)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_the_running_statistics_are_named(solver):
    """That of a channel is the last to be infinite: the loss is finite, but no prediction would be a number."""
    match = r"running statistics of batch normalisation became infinite in epoch \d: .* in float32. Scale X"
    far = (X * 1e19).astype(np.float32)
    for kind in (ConvNetClassifier, ConvNetRegressor):
        with pytest.raises(ValueError, match=match):
            kind(max_iter=2, random_state=0, solver=solver, standardize=None).fit(far, Y)


def test_the_running_statistics_in_partial_fit():
    model = ConvNetClassifier(max_iter=2, random_state=0).fit(X, Y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="running statistics of batch normalisation became infinite in epoch 3"):
        model.partial_fit(X * 1e19, Y)
    np.testing.assert_array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize("over", ["channels", "sample"])
def test_layer_normalisation_of_huge_numbers_is_refused(over):
    layers = [Convolution(4), LayerNorm(over), Activation(), FlattenLayer()]
    model = ConvNetClassifier(layers=layers, max_iter=1, standardize=None, random_state=0)
    for call in (lambda: model.fit(X * 1e20, Y), lambda: model.fit(X, Y).predict(X * 1e20)):
        with pytest.raises(ValueError, match=f"LayerNorm has inputs {SQUARES}"):
            call()
    assert model.fit(X * 1e15, Y).predict(X * 1e15).shape == Y.shape


def test_patches_of_huge_numbers_are_refused():
    for filters in ("kmeans", "pca"):
        with pytest.raises(ValueError, match="too large for their squares in float64"):
            ConvFeatures(filters, 5, 3, n_patches=500).fit(X * 1e200)
    features = ConvFeatures("kmeans", 5, 3, n_patches=500, random_state=0).fit(X * 1e20)
    assert features.transform(X * 1e20).max() > 0
    with pytest.raises(ValueError, match=f"filters='kmeans' has inputs {SQUARES}"):
        features.transform((X * 1e20).astype(np.float32))


def test_targets_have_the_range_of_float64():
    small = ConvNetRegressor(4, max_iter=2, random_state=0).fit(X, Y)
    large = ConvNetRegressor(4, max_iter=2, random_state=0).fit(X, Y * 2.0**1000)
    np.testing.assert_array_equal(large.predict(X), small.predict(X) * 2.0**1000)
    with pytest.raises(ValueError, match=r"y has .* too large for float32; scale y"):
        small.partial_fit(X, Y * 1e39)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pool_size", [2, (1, 3), (8, 8), "global"])
def test_means_whose_sums_leave_the_range(pool_size, dtype):
    """They are right, and no bit of the others changes by their presence."""
    largest = np.finfo(dtype).max
    huge = np.stack([np.full((8, 8), 0.9 * largest), np.full((8, 8), -0.9 * largest), X[0].reshape(8, 8)]).astype(dtype)
    huge[2, :2, :3] = largest
    images = np.concatenate([X[:20].reshape(-1, 8, 8).astype(dtype), huge])
    pooling = StridedPooling("mean", pool_size).fit(images)
    out = pooling.transform(images)
    down, across = (8, 8) if pool_size == "global" else np.broadcast_to(pool_size, 2).tolist()
    tiles = images[:, : 8 // down * down, : 8 // across * across].reshape(23, 8 // down, down, 8 // across, across)
    with np.errstate(over="ignore"):
        expected = (tiles.astype(np.longdouble) / (down * across)).sum(axis=(2, 4))
    assert np.isfinite(out).all()
    np.testing.assert_allclose(out, expected.astype(float), rtol=1e-6 if dtype == np.float32 else 1e-14)
    np.testing.assert_array_equal(out[:20], pooling.transform(images[:20]))
    np.testing.assert_array_equal(out[-1], pooling.transform(images[-1:])[0])


@pytest.mark.parametrize("global_pool", ["mean", ("max", "mean", "last")])
def test_mean_features_whose_sums_leave_the_range(global_pool):
    """A filter of one tap: the mean of the image."""
    images = np.full((3, 40, 40), 3e38, np.float32)
    images[1] = 0.5
    features = ConvFeatures(np.ones((1, 1, 1)), global_pool=global_pool).fit(images)
    means = features.transform(images)[:, 0 if global_pool == "mean" else 1]
    np.testing.assert_allclose(means, [3e38, 0.5, 3e38], rtol=1e-6)


BORDERS = {  # beyond single precision
    "ConstantPadding: values": ConstantPadding((1, 1e39)),
    "PatternPadding: values": PatternPadding([[1, -1e39]]),
    "NoisePadding: mean": NoisePadding(mean=-1e39),
    "NoisePadding: scale": NoisePadding(scale=(1, 1e39)),
}


@pytest.mark.parametrize("name", BORDERS)
def test_values_of_a_border_beyond_the_range(name):
    images, mode = np.stack([X.reshape(-1, 8, 8)] * 2, 3).astype(np.float32), BORDERS[name]
    match = rf"^{name} must hold finite numbers, of float32's range, got dtype float64 with \[-?1e\+39\]$"
    network = {"filters": 2, "hidden_layer_sizes": (), "max_iter": 1, "batch_size": 16, "random_state": 0}
    padder, features = ImagePadder(1, mode).fit(images), ConvFeatures("sobel", padding_mode=mode)
    for call in (
        lambda: ConvNetClassifier(**network, padding_mode=mode).fit(images, Y),
        lambda: features.fit(images).transform(images),
        lambda: padder.transform(images),
    ):
        with pytest.raises(ValueError, match=match):
            call()
    assert np.isfinite(padder.transform(images.astype(float))).all()


def test_first_weights_beyond_the_range():
    for value in (1e39, np.nan):

        def fill(weight, rng, value=value):
            weight[...] = value

        with pytest.raises(ValueError, match=r"initializer=<function .* gave numbers that are not finite in float32"):
            ConvNetClassifier(layers=[FlattenLayer(), Dense(2, initializer=fill)], batch_size=16).fit(X, Y)
