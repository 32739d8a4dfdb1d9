"""ConvNetClassifier as its users see it."""

import pickle
import re
from copy import deepcopy
from math import prod

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import assert_rejected, quick_model, same_bits
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import train_test_split

from skconv import ConvNetClassifier
from skconv.layers import Activation, Convolution, Dense, Flatten
from skconv.training import Focal
from skconv.training.optimizers import OPTIMIZERS

DIGITS = load_digits()
X = DIGITS.data[:300] / 16
Y = DIGITS.target[:300]
TEST = DIGITS.data[300:600] / 16, DIGITS.target[300:600]
quick = quick_model


@pytest.fixture(scope="module")
def learned():
    return ConvNetClassifier((8, 16), hidden_layer_sizes=32, random_state=0).fit(X, Y)


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X, Y)


@pytest.fixture(params=["unfitted", "fitted"])
def start(request, fitted):
    return quick() if request.param == "unfitted" else deepcopy(fitted)


# Learning


def test_learns_digits(learned):
    assert learned.score(X, Y) > 0.99
    assert learned.score(*TEST) > 0.78  # guessing is right one time in ten; only 300 digits to learn from
    assert learned.loss_ < 0.75 < learned.loss_curve_[0]


@pytest.mark.parametrize("solver", [*OPTIMIZERS, "lbfgs"])
def test_every_solver_learns(solver):
    model = ConvNetClassifier((4, 8), hidden_layer_sizes=16, solver=solver, max_iter=25, random_state=0)
    assert model.fit(X, Y).score(*TEST) > 0.6
    assert model.loss_ < 0.75 * model.loss_curve_[0]
    assert 1 <= model.n_iter_ == len(model.loss_curve_) <= 25


def test_solvers_and_their_options_differ():
    options = [
        {"solver": "adam"},
        {"solver": "adamw", "alpha": 0.1},
        {"solver": "adam", "alpha": 0.1},
        {"solver": "sgd"},
        {"solver": "sgd", "nesterovs_momentum": False},
        {"solver": "sgd", "momentum": 0.5},
        {"solver": "adam", "beta_1": 0.5},
        {"solver": "adam", "beta_2": 0.9},
        {"solver": "adam", "epsilon": 1e-2},
        {"learning_rate_init": 2e-2},
        {"label_smoothing": 0.0},
        {"batch_size": 100},
        {"shuffle": False},
        {"solver": "rmsprop"},
        {"solver": "rmsprop", "epsilon": 1e-2},
        {"solver": "muon"},
        {"solver": "muon", "beta_2": 0.9},
        {"alpha": 0.1, "l1_ratio": 0.5},
        {"solver": "adamw", "alpha": 0.1, "l1_ratio": 0.5},
        {"max_norm": 0.5},
        {"clip_norm": 0.01},
        {"ema_decay": 0.9},
        {"warm_up": 0.5},
        {"loss": "focal"},
        {"loss": Focal(1.0, label_smoothing=0.1)},
        {"augment": "zoom"},
        {"freeze": "convolution1"},
        {"solver": "lbfgs"},
    ]
    weights = {quick(**params).fit(X, Y).weights_["dense2.weight"].tobytes() for params in options}
    assert len(weights) == len(options)


def test_alpha_shrinks_weights():
    sizes = [
        np.square(quick(alpha=alpha, max_iter=10).fit(X, Y).weights_["dense1.weight"]).sum() for alpha in (0, 0.1, 1)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("warm_up", [0.0, 0.2])
@pytest.mark.parametrize("learning_rate", ["one_cycle", "constant", "cosine", "step", "plateau"])
def test_every_learning_rate_learns(learning_rate, warm_up):
    model = ConvNetClassifier(
        (4, 8), hidden_layer_sizes=16, learning_rate=learning_rate, warm_up=warm_up, max_iter=15, random_state=0
    )
    assert model.fit(X, Y).score(*TEST) > 0.7
    assert model.n_iter_ == 15


def test_learning_rates_differ():
    rates = ("one_cycle", "constant", "cosine", "step")
    assert len({quick(learning_rate=rate, warm_up=part).fit(X, Y).loss_ for rate in rates for part in (0, 0.4)}) == 8


def test_learning_rates_are_those_of_the_schedule():
    """The last of each epoch, at the share of the training that is done before its update."""
    seen = []
    options = {"learning_rate_init": 0.02, "batch_size": 150, "max_iter": 4}
    model = quick(callback=lambda info: seen.append(info.learning_rate), **options)
    shares = [1 / 8, 3 / 8, 5 / 8, 7 / 8]
    for rate, expected in (
        ("constant", [1, 1, 1, 1]),
        ("cosine", [(1 + np.cos(np.pi * share)) / 2 for share in shares]),
        ("step", [1, 1, 0.1, 0.01]),
    ):
        seen.clear()
        model.set_params(learning_rate=rate).fit(X, Y)
        np.testing.assert_allclose(seen, 0.02 * np.array(expected), rtol=1e-12)
    seen.clear()
    model.set_params(learning_rate="constant", warm_up=0.5).fit(X, Y)
    np.testing.assert_allclose(seen, 0.02 * np.array([0.01 + 0.99 * 0.25, 0.01 + 0.99 * 0.75, 1, 1]), rtol=1e-12)


def test_plateau_lowers_the_rate_and_stops():
    seen = []
    model = quick(learning_rate="plateau", n_iter_no_change=2, tol=1e9, max_iter=50, random_state=0)
    model.set_params(callback=lambda info: seen.append(info.learning_rate)).fit(X, Y)
    np.testing.assert_allclose(seen, 0.01 * np.array([1, 1, 0.2, 0.04, 0.008, 0.0016, 0.001]), rtol=1e-9)
    assert model.stopped_early_


def test_auto_max_iter_gives_enough_updates():
    model = quick(max_iter="auto")
    assert model.fit(X[:300], Y[:300]).n_iter_ == 60  # 10 batches of at most 32
    assert model.fit(X[:50], Y[:50]).n_iter_ == 120  # 5 of at most 12
    assert model.fit(X[:30], Y[:30]).n_iter_ == 600
    assert model.set_params(batch_size=5).fit(X, Y).n_iter_ == 10
    assert model.set_params(batch_size=1).fit(X[:1000], Y[:1000]).n_iter_ == 10
    assert model.set_params(image_shape="series", batch_size=20).fit(X[:60], Y[:60]).n_iter_ == 100


@pytest.mark.parametrize(
    "labels",
    [
        np.array([f"digit {i}" for i in range(10)]),
        np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], dtype=object),
        np.arange(10) - 20,
        np.arange(10) / 1.0,
        np.arange(10, dtype=np.uint8) * 7,
    ],
    ids=["str", "object", "negative", "float", "uint8"],
)
def test_labels_of_any_type(labels, learned):
    model = clone(learned).fit(X, labels[Y])
    assert same_bits(model.classes_, np.sort(labels)) or model.classes_.dtype == object
    assert list(model.classes_) == sorted(labels)
    predicted = model.predict(X)
    assert predicted.dtype == labels.dtype
    assert (predicted == labels[Y]).mean() > 0.98
    if list(labels) == sorted(labels):  # the names of the classes change nothing else
        assert same_bits(model.predict_proba(X), learned.predict_proba(X))


def test_bool_labels_and_lists():
    model = quick(max_iter=30).fit(X.tolist(), (Y > 4).tolist())
    assert model.classes_.tolist() == [False, True]
    predicted = model.predict(X.tolist())
    assert predicted.dtype == bool
    assert (predicted == (Y > 4)).mean() > 0.9


def test_y_as_a_column_warns():
    with pytest.warns(DataConversionWarning, match="column-vector"):
        model = quick().fit(X, Y[:, None])
    assert same_bits(model.predict_proba(X), quick().fit(X, Y).predict_proba(X))


def test_one_class():
    model = quick().fit(X, np.full(300, "only"))
    assert model.classes_.tolist() == ["only"]
    assert set(model.predict(X)) == {"only"}
    assert same_bits(model.predict_proba(X[:3]), np.ones((3, 1)))
    assert same_bits(model.predict_log_proba(X[:3]), np.zeros((3, 1)))
    assert np.isfinite(model.loss_)


def test_dropout_trains():
    model = ConvNetClassifier((8, 16), hidden_layer_sizes=32, dropout=0.2, random_state=0).fit(X, Y)
    assert model.score(*TEST) > 0.8
    assert same_bits(model.predict_proba(X), model.predict_proba(X))  # only training drops
    assert model.loss_ > clone(model).set_params(dropout=0.0).fit(X, Y).loss_


# Predictions


def test_predictions_agree(learned):
    logits, proba, log_proba = (
        getattr(learned, name)(X) for name in ("decision_function", "predict_proba", "predict_log_proba")
    )
    for output in (logits, proba, log_proba):
        assert output.shape == (300, 10)
        assert output.dtype == np.float64
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(proba, softmax(logits, axis=1), rtol=1e-12)
    np.testing.assert_allclose(log_proba, log_softmax(logits, axis=1), rtol=1e-12, atol=1e-12)
    assert np.array_equal(learned.predict(X), learned.classes_[proba.argmax(axis=1)])
    assert learned.score(X, Y) == np.mean(learned.predict(X) == Y)


def test_binary_decision_function():
    model = quick(max_iter=20).fit(X, np.where(Y > 4, "high", "low"))
    margin, proba = model.decision_function(X), model.predict_proba(X)
    assert margin.shape == (300,)
    assert proba.shape == (300, 2)
    assert np.array_equal(model.predict(X) == model.classes_[1], margin > 0)
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-margin)), rtol=1e-6)
    assert {"high", "low"} == set(model.predict(X))


def test_log_proba_is_finite_where_proba_is_zero(learned):
    far = (X[:20] * 1e6).astype(np.float32)
    assert (learned.predict_proba(far) == 0).any()
    assert np.isfinite(learned.predict_log_proba(far)).all()
    assert np.isfinite(learned.predict_proba(far)).all()


def test_score_with_weights(learned):
    y = Y.copy()
    y[:150] = (y[:150] + 1) % 10
    weight = np.r_[np.zeros(150), np.ones(150)]
    assert learned.score(X, y, weight) == np.mean(learned.predict(X)[150:] == Y[150:])


@pytest.mark.parametrize("batch_size", [64, 300], ids=["float32-network", "either-network"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_have_the_dtype_of_X(dtype, batch_size):
    model = quick(batch_size=batch_size).fit(X, Y)
    assert model.network_.dtype == (np.float32 if batch_size == 64 else np.float64)
    for method in ("predict_proba", "decision_function", "predict_log_proba"):
        assert getattr(model, method)(X.astype(dtype)).dtype == dtype, method


def test_dtype_of_the_network():
    assert quick().fit(X, Y).network_.dtype == np.float32
    assert quick(batch_size=300).fit(X, Y).network_.dtype == np.float64
    assert quick(batch_size=300).fit(X.astype(np.float32), Y).network_.dtype == np.float32
    assert quick(batch_size=300).fit(X > 0.5, Y).network_.dtype == np.float32
    assert quick(solver="lbfgs").fit(X, Y).network_.dtype == np.float64


# Attributes


def test_fitted_attributes(fitted):
    assert fitted.classes_.tolist() == list(range(10))
    assert fitted.n_features_in_ == 64
    assert fitted.image_shape_ == (8, 8, 1)
    assert fitted.n_iter_ == 2
    assert len(fitted.loss_curve_) == 2
    assert fitted.loss_ == fitted.loss_curve_[-1]
    assert fitted.best_loss_ == min(fitted.loss_curve_)
    assert fitted.validation_scores_ is None
    assert fitted.best_validation_score_ is None
    assert is_classifier(fitted)
    assert not hasattr(fitted, "feature_names_in_")


def test_loss_curve_is_the_mean_loss():
    # A step too small to matter leaves the loss of the first weights: near log(10), and the same in every epoch.
    model = quick(learning_rate_init=1e-30, batch_norm=False, alpha=0, label_smoothing=0.0, batch_size=1000)
    model.fit(X, Y)
    expected = -log_softmax(model.decision_function(X), axis=1)[np.arange(300), Y].mean()
    np.testing.assert_allclose(model.loss_curve_, [expected] * 2, rtol=1e-9)
    weight = np.random.default_rng(0).random(300)
    model.fit(X, Y, weight)
    losses = -log_softmax(model.decision_function(X), axis=1)[np.arange(300), Y]
    np.testing.assert_allclose(model.loss_curve_, [np.average(losses, weights=weight)] * 2, rtol=1e-9)
    smooth = model.set_params(label_smoothing=0.3).fit(X, Y)
    log_proba = np.log(0.7 * smooth.predict_proba(X) + 0.3 / 10)
    losses = -0.7 * log_proba[np.arange(300), Y] - 0.3 * log_proba.mean(axis=1)
    np.testing.assert_allclose(smooth.loss_curve_, [losses.mean()] * 2, rtol=1e-9)


def test_weights_by_name(fitted):
    assert {name: array.shape for name, array in fitted.weights_.items()} == {
        "input.level": (1,),
        "input.spread": (1,),
        "convolution1.weight": (3, 3, 3, 1),
        "batchnorm1.scale": (3,),
        "batchnorm1.shift": (3,),
        "batchnorm1.mean": (3,),
        "batchnorm1.variance": (3,),
        "batchnorm1.batches": (1,),
        "convolution2.weight": (4, 3, 3, 3),
        "batchnorm2.scale": (4,),
        "batchnorm2.shift": (4,),
        "batchnorm2.mean": (4,),
        "batchnorm2.variance": (4,),
        "batchnorm2.batches": (1,),
        "dense1.weight": (5, 64),
        "dense1.bias": (5,),
        "dense2.weight": (10, 5),
        "dense2.bias": (10,),
    }
    for array in fitted.weights_.values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert not np.array_equal(fitted.weights_["batchnorm1.scale"], np.ones(3))


def test_weights_are_what_predicts():
    # A linear model, by hand: "dense1.weight" is (classes, features).
    model = quick(filters=(), hidden_layer_sizes=(), batch_size=300, label_smoothing=0.0, standardize=None).fit(X, Y)
    expected = X @ model.weights_["dense1.weight"].T + model.weights_["dense1.bias"]
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-10, atol=1e-10)


def test_weights_of_a_convolution_are_what_predicts():
    options = {"batch_norm": False, "hidden_layer_sizes": (), "padding": "valid", "pool": None, "standardize": None}
    model = quick(filters=2, batch_size=300, label_smoothing=0.0, **options)
    model.fit(X, Y)
    windows = np.lib.stride_tricks.sliding_window_view(X.reshape(-1, 8, 8), (3, 3), axis=(1, 2))
    weights = model.weights_
    maps = np.einsum("npqab,fabc->npqf", windows, weights["convolution1.weight"]) + weights["convolution1.bias"]
    expected = np.maximum(maps, 0).reshape(300, -1) @ weights["dense1.weight"].T + weights["dense1.bias"]
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-9, atol=1e-10)


def row(table, name):
    (line,) = [line for line in table.splitlines() if line.startswith(name)]
    return re.split(r"\s{2,}", line.strip())


def test_summary():
    model = ConvNetClassifier((4, 8), pool="max", hidden_layer_sizes=16, max_iter=1, random_state=0).fit(X, Y)
    table = model.summary()
    # 4 x 9 weights at 64 positions; 8 x 9 x 4 at 16; 2 x 2 x 8 values into 16 units; 16 into 10.
    parameters = (36, 2 * 4, 288, 2 * 8, 32 * 16 + 16, 16 * 10 + 10)
    work = 64 * 36 + 16 * 288 + 32 * 16 + 16 * 10
    assert row(table, "total") == ["total", f"{sum(parameters):,}", f"{work:,}"] == ["total", "1,046", "7,584"]
    assert row(table, "input") == ["input", "8 x 8 x 1", "0", "0"]
    assert [line.split()[0].split("(")[0] for line in table.split("\n\n")[0].splitlines()[3:-2]] == [
        *["Convolution", "MaxPool", "BatchNorm", "Activation"] * 2,
        *["Flatten", "Dense", "Activation", "Dense"],
    ]
    assert sum(array.size for array in model.weights_.values()) == 1046 + 2 * 4 + 2 * 8 + 2 + 2  # and statistics
    plain = model.set_params(batch_norm=False).fit(X, Y)
    assert row(plain.summary(), "total")[1] == f"{36 + 4 + 288 + 8 + 528 + 170:,}"


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.predict(X),
        lambda model: model.predict_proba(X),
        lambda model: model.predict_log_proba(X),
        lambda model: model.decision_function(X),
        lambda model: model.score(X, Y),
        lambda model: model.weights_,
        lambda model: model.summary(),
    ],
)
def test_unfitted(use):
    model = quick()
    before = dict(vars(model))
    with pytest.raises(NotFittedError, match="ConvNetClassifier instance is not fitted yet"):
        use(model)
    assert vars(model) == before


# The shape of X

DIGIT = X[:60]
SERIES = np.random.default_rng(0).standard_normal((60, 10, 3))


@pytest.mark.parametrize(
    ("samples", "image_shape", "expected"),
    [
        (DIGIT, None, (8, 8, 1)),
        (DIGIT.reshape(-1, 8, 8), None, (8, 8, 1)),
        (DIGIT.reshape(-1, 4, 4, 4), None, (4, 4, 4)),
        (DIGIT.reshape(-1, 4, 16), None, (4, 16, 1)),
        (DIGIT.reshape(-1, 64, 1), (64, 1), (64, 1, 1)),
        (DIGIT[:, :63], None, (1, 63, 1)),
        (DIGIT[:, :1], None, (1, 1, 1)),
        (DIGIT, "series", (1, 64, 1)),
        (DIGIT, 64, (1, 64, 1)),
        (DIGIT, (64,), (1, 64, 1)),
        (DIGIT, (4, 16), (4, 16, 1)),
        (DIGIT, [4, 16], (4, 16, 1)),
        (DIGIT, (4, 4, 4), (4, 4, 4)),
        (DIGIT, (1, 32, 2), (1, 32, 2)),
        (DIGIT, np.array([4, 16]).tolist(), (4, 16, 1)),
        (SERIES, "series", (1, 10, 3)),
        (SERIES, None, (10, 3, 1)),
        (SERIES.reshape(60, 30), (1, 10, 3), (1, 10, 3)),
    ],
    ids=lambda value: str(getattr(value, "shape", value)),
)
def test_image_shapes(samples, image_shape, expected):
    model = quick(image_shape=image_shape).fit(samples, Y[:60])
    assert model.image_shape_ == expected
    assert model.n_features_in_ == prod(expected)
    flat = samples.reshape(60, -1)
    as_told = clone(model).set_params(image_shape=expected).fit(flat, Y[:60])
    assert same_bits(model.predict_proba(samples), as_told.predict_proba(flat))
    assert same_bits(model.predict_proba(samples), model.predict_proba(flat))  # fitted on either, predicts either


def test_series_of_channels_are_not_images():
    as_series = quick(image_shape="series").fit(SERIES, Y[:60])
    assert as_series.weights_["convolution1.weight"].shape == (3, 1, 9, 3)
    as_image = quick().fit(SERIES, Y[:60])
    assert as_image.weights_["convolution1.weight"].shape == (3, 3, 3, 1)


@pytest.mark.parametrize(
    ("image_shape", "samples", "match"),
    [
        ((8, 7), X, r"image_shape=\(8, 7\) has 56 numbers, but X has 64 features a sample$"),
        ((8, 8, 2), X, r"image_shape=\(8, 8, 2\) has 128 numbers, but X has 64 features"),
        (63, X, "image_shape=63 has 63 numbers, but X has 64 features"),
        ((3, 3), X.reshape(-1, 8, 8), r"image_shape=\(3, 3\) has 9 numbers, .* 64 features .*shape \(8, 8\)"),
        ("series", X.reshape(-1, 4, 4, 4), r"image_shape='series' takes samples \(T,\) or \(T, C\), .*\(4, 4, 4\)"),
        ((0, 64), X, r"'image_shape' parameter of .* must be .* Got \(0, 64\)"),
    ],
)
def test_image_shape_that_does_not_fit(start, image_shape, samples, match):
    start.set_params(image_shape=image_shape)
    assert_rejected(start, lambda model: model.fit(samples, Y), match)


@pytest.mark.parametrize("image_shape", [(8, 8, 1, 1), (), (-8, -8), (8.0, 8), ("a", "b"), (8, None)], ids=repr)
def test_image_shape_of_the_wrong_kind(start, image_shape):
    start.set_params(image_shape=image_shape)
    assert_rejected(start, lambda model: model.fit(X, Y), "image_shape")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "predict_log_proba"])
def test_predicting_other_shapes(method, fitted):
    def call(samples):
        return lambda model: getattr(model, method)(samples)

    other = r"X has samples of shape \(4, 16, 1\), but ConvNetClassifier was fitted on \(8, 8, 1\)"
    assert_rejected(fitted, call(X.reshape(-1, 4, 16)), other)
    assert_rejected(fitted, call(X.reshape(-1, 4, 4, 4)), r"shape \(4, 4, 4\), but")
    assert_rejected(fitted, call(X.reshape(-1, 8, 8)[:, :7]), "X has 56 features, but ConvNetClassifier .* 64")
    assert_rejected(fitted, call(X[:, :63]), "X has 63 features, but ConvNetClassifier is expecting 64")
    series = quick(image_shape="series").fit(SERIES, Y[:60])
    assert_rejected(series, call(SERIES.transpose(0, 2, 1)), r"shape \(1, 3, 10\), .* fitted on \(1, 10, 3\)")


# The kind of X


def test_containers_change_no_bit(tmp_path):
    images = X.reshape(-1, 8, 8).astype(np.float32)
    flat = images.reshape(300, 64)
    expected = quick().fit(flat, Y).predict_proba(flat)
    names = [f"pixel{i}" for i in range(64)]
    stored = tmp_path / "X.npy"
    np.save(stored, images)
    read_only = flat.copy()
    read_only.flags.writeable = False
    containers = {
        "images": images,
        "memmap": np.load(stored, mmap_mode="r"),
        "flat memmap": np.load(stored, mmap_mode="r").reshape(300, 64),
        "F order": np.asfortranarray(flat),
        "F order images": np.asfortranarray(images),
        "read-only": read_only,
        "strided": np.repeat(flat, 2, axis=1)[:, ::2],
        "big endian": flat.astype(">f4"),
        "pandas": pd.DataFrame(flat, columns=names),
        "polars": pl.DataFrame(flat, schema=names),
        "with channels": images[..., None],
    }
    for kind, samples in containers.items():
        model = quick().fit(samples, Y)
        assert np.array_equal(model.predict_proba(samples), expected), kind
        assert model.predict_proba(samples).dtype == np.float32, kind
        if kind in ("pandas", "polars"):
            assert model.feature_names_in_.tolist() == names


def test_y_as_series():
    expected = quick().fit(X, Y).predict_proba(X)
    for labels in (pd.Series(Y), pl.Series(Y), Y.tolist(), pd.Series(Y, index=np.arange(300)[::-1])):
        assert same_bits(quick().fit(X, labels).predict_proba(X), expected)
    weight = np.arange(300) / 100
    expected = quick().fit(X, Y, weight).predict_proba(X)
    assert same_bits(quick().fit(X, Y, pd.Series(weight)).predict_proba(X), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.int32, np.int16, np.float16, bool])
def test_number_types_give_the_bits_of_float32(dtype):
    samples = DIGITS.data[:300].astype(dtype)
    as_float = samples.astype(np.float32)
    model, reference = quick().fit(samples, Y), quick().fit(as_float, Y)
    assert same_bits(model.predict_proba(samples), reference.predict_proba(as_float))
    assert same_bits(model.predict_proba(samples.reshape(-1, 8, 8)), reference.predict_proba(as_float))
    assert model.loss_ < model.loss_curve_[0]


def test_float64_gives_the_bits_of_float32_in_mini_batches():
    # Sixteenths are exact in both.
    model, reference = quick().fit(X, Y), quick().fit(X.astype(np.float32), Y)
    assert same_bits(model.network_.parameters, reference.network_.parameters)


def test_fit_leaves_its_arguments_alone():
    samples, labels, weight = X.copy(), Y.copy(), np.linspace(0.5, 2, 300)
    quick(early_stopping=True, validation_fraction=0.2).fit(samples, labels, weight).predict(samples)
    assert same_bits(samples, X)
    assert same_bits(labels, Y)
    assert same_bits(weight, np.linspace(0.5, 2, 300))


# Bad X and y


def bad_value(value):
    samples = X.copy()
    samples[3, 5] = value
    return samples


@pytest.mark.parametrize(
    ("samples", "labels", "error", "match"),
    [
        (bad_value(np.nan), Y, ValueError, "Input X contains NaN"),
        (bad_value(np.inf), Y, ValueError, "Input X contains infinity"),
        (bad_value(np.nan).reshape(-1, 8, 8), Y, ValueError, "Input X contains NaN"),
        (X * 1j, Y, ValueError, "Complex data not supported"),
        (X.reshape(-1, 8, 8) * 1j, Y, ValueError, "Complex data not supported"),
        (sparse.csr_array(X), Y, TypeError, "Sparse data was passed"),
        (X[0], Y[0], ValueError, "Expected 2D array, got 1D array"),
        (X.reshape(-1, 4, 4, 2, 2), Y, ValueError, "dim 5"),
        (np.empty((0, 64)), [], ValueError, r"0 sample\(s\)"),
        (np.empty((0, 8, 8)), [], ValueError, r"0 sample\(s\)"),
        (np.empty((300, 0)), Y, ValueError, r"0 feature\(s\)"),
        (np.empty((300, 8, 0)), Y, ValueError, r"0 feature\(s\)"),
        (
            X.astype(str).astype("U3"),
            Y,
            ValueError,
            r"X must hold real numbers, got dtype <U3; write X.astype\(float\)",
        ),
        ([[1.0, 2.0], [1.0]], [0, 1], ValueError, "inhomogeneous"),
        (X, Y[:-1], ValueError, r"inconsistent numbers of samples: \[300, 299\]"),
        (X.reshape(-1, 8, 8), Y[:-1], ValueError, r"inconsistent numbers of samples: \[300, 299\]"),
        (X, None, ValueError, "requires y to be passed"),
        (X, Y + 0.5, ValueError, "Unknown label type: continuous"),
        (X, np.where(Y > 3, np.nan, Y), ValueError, "Input y contains NaN"),
        (X, np.stack([Y, Y], axis=1), ValueError, "y should be a 1d array"),
    ],
)
def test_bad_data(start, samples, labels, error, match):
    assert_rejected(start, lambda model: model.fit(samples, labels), match, error)
    known = {} if hasattr(start, "classes_") else {"classes": range(10)}
    assert_rejected(start, lambda model: model.partial_fit(samples, labels, **known), match, error)


@pytest.mark.parametrize(
    ("samples", "error", "match"),
    [
        (bad_value(np.nan), ValueError, "Input X contains NaN"),
        (bad_value(-np.inf).reshape(-1, 8, 8, 1), ValueError, "Input X contains infinity"),
        (X * 1j, ValueError, "Complex data not supported"),
        (sparse.csr_array(X), TypeError, "Sparse data was passed"),
        (X[0], ValueError, "Expected 2D array, got 1D array"),
        (np.empty((0, 64)), ValueError, r"0 sample\(s\)"),
        (np.empty((0, 8, 8)), ValueError, r"0 sample\(s\)"),
    ],
)
def test_bad_data_to_predict(fitted, samples, error, match):
    assert_rejected(fitted, lambda model: model.predict_proba(samples), match, error)


# Weights of samples and classes

FULL = {"batch_size": 10_000, "max_iter": 5}  # every update sees all samples; in float64, since X is


def close(a, b):
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), rtol=0, atol=1e-7)
    np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=1e-7)
    return True


@pytest.mark.parametrize("params", [{}, {"batch_norm": False}, {"solver": "sgd"}, {"solver": "lbfgs"}], ids=str)
def test_weight_equals_repetition(params):
    weight = np.random.default_rng(0).integers(0, 4, 300)
    model = quick(**FULL).set_params(**params)
    if params.get("solver") == "lbfgs":
        model.set_params(max_iter=2)
    weighted = clone(model).fit(X, Y, weight)
    repeated = clone(model).fit(np.repeat(X, weight, axis=0), np.repeat(Y, weight))
    assert close(weighted, repeated)
    assert np.abs(weighted.predict_proba(X) - clone(model).fit(X, Y).predict_proba(X)).max() > 1e-4


def test_zero_weight_equals_removal():
    keep = np.arange(300) % 3 > 0
    assert close(quick(**FULL).fit(X, Y, keep), quick(**FULL).fit(X[keep], Y[keep]))


@pytest.mark.parametrize("params", [{}, FULL, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
def test_unit_weights_equal_none(params):
    model = quick(**params)
    plain = clone(model).fit(X, Y)
    for weight in (np.ones(300), 1, 1.0, [1] * 300, np.ones(300, dtype=int)):
        assert same_bits(clone(model).fit(X, Y, weight).network_.parameters, plain.network_.parameters)


def test_scale_of_weights_does_not_matter():
    weight = np.random.default_rng(0).random(300)
    assert close(quick(**FULL).fit(X, Y, weight), quick(**FULL).fit(X, Y, 1000 * weight))


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        (np.zeros(300), "(?i)weight.*zero"),
        (np.full(300, -1.0), "Negative values in data passed to `sample_weight`"),
        (np.r_[np.ones(299), -1e-3], "Negative values in data passed to `sample_weight`"),
        (np.ones(299), r"sample_weight must be .* 300 numbers .*, got an array of shape \(299,\)"),
        (np.ones((300, 2)), r"sample_weight must be .* 300 numbers .*, got an array of shape \(300, 2\)"),
        (np.full(300, np.nan), "sample_weight contains NaN"),
        (np.full(300, np.inf), "sample_weight contains infinity"),
    ],
)
def test_bad_weights(start, weight, match):
    assert_rejected(start, lambda model: model.fit(X, Y, weight), match)
    assert_rejected(start, lambda model: model.partial_fit(X, Y, range(10), weight), match)


@pytest.mark.parametrize("factor", [1e-60, 1e60])
def test_weights_outside_float32(factor):
    # Only their ratios count, so weights that float64 holds are good weights, whatever the network's dtype.
    weight = np.random.default_rng(0).random(300)
    model, scaled = quick().fit(X, Y, weight), quick().fit(X, Y, weight * factor)
    np.testing.assert_allclose(scaled.predict_proba(X), model.predict_proba(X), atol=1e-3)


def test_class_weight_equals_sample_weight():
    factors = {label: 0.5 + label / 3 for label in range(10)}
    weight = np.array([factors[label] for label in Y])
    assert close(quick(**FULL, class_weight=factors).fit(X, Y), quick(**FULL).fit(X, Y, weight))
    both = np.random.default_rng(0).random(300)
    assert close(quick(**FULL, class_weight=factors).fit(X, Y, both), quick(**FULL).fit(X, Y, weight * both))
    partial = {3: 4.0, 8: 0.25}  # the others are 1
    weight = np.array([partial.get(label, 1.0) for label in Y])
    assert close(quick(**FULL, class_weight=partial).fit(X, Y), quick(**FULL).fit(X, Y, weight))


def test_balanced_class_weight():
    rare = np.flatnonzero((Y > 4) | (np.arange(300) % 4 == 0))
    labels = np.array(["low", "high"])[(Y[rare] > 4).astype(int)]
    counts = {label: np.sum(labels == label) for label in ("low", "high")}
    weight = np.array([len(labels) / (2 * counts[label]) for label in labels])
    balanced = quick(**FULL, class_weight="balanced").fit(X[rare], labels)
    assert close(balanced, quick(**FULL).fit(X[rare], labels, weight))
    plain = quick(**FULL).fit(X[rare], labels)
    assert (balanced.predict_proba(X)[:, 1] - plain.predict_proba(X)[:, 1]).mean() > 0  # "low" is the rare one


@pytest.mark.parametrize(
    ("class_weight", "match"),
    [
        (dict.fromkeys(range(10), 0), "class_weight: the weights of all classes in y are zero"),
        ({77: 3.0}, "are not in class_weight"),
        ({0: 2.0, "one": 1.0}, "are not in class_weight"),
    ],
)
def test_bad_class_weight(start, class_weight, match):
    start.set_params(class_weight=class_weight)
    assert_rejected(start, lambda model: model.fit(X, Y), match)


def test_negative_class_weight(start):
    start.set_params(class_weight={0: -1.0})
    assert_rejected(start, lambda model: model.fit(X, Y), "class_weight")


# Going on


def test_pickle_does_not_grow():
    model = quick().partial_fit(X, Y, classes=range(10)).partial_fit(X, Y)
    size = len(pickle.dumps(model))
    for _ in range(10):
        model.partial_fit(X, Y).predict(X)
    assert len(pickle.dumps(model)) <= size + 10 * 9 + 20  # a loss of 9 bytes a call
    small, large = quick().fit(X[:100], Y[:100]), quick().fit(X, Y)
    assert abs(len(pickle.dumps(small)) - len(pickle.dumps(large))) < 100
    before = len(pickle.dumps(large))
    large.predict(X)
    assert len(pickle.dumps(large)) == before


def test_pickle_holds_no_training_data():
    samples = np.random.default_rng(0).random((100, 64)).astype(np.float32)
    labels = np.arange(100) % 10
    for model in (quick().fit(samples, labels), quick().partial_fit(samples, labels, classes=range(10))):
        content = pickle.dumps(model)
        for block in (samples[0], samples.T[0], samples[0, :8]):
            assert np.ascontiguousarray(block).tobytes() not in content


# scikit-learn's habits


def test_verbose(capsys):
    quick(max_iter=3).fit(X, Y)
    assert capsys.readouterr().out == ""
    model = quick(max_iter=3, verbose=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"Epoch {i + 1}: loss {loss:.5f}" for i, loss in enumerate(model.loss_curve_)]
    assert len(lines) == 3
    model.set_params(early_stopping=True, verbose=2).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[1] for line in lines] == [f"validation score {s:.4f}" for s in model.validation_scores_]
    model.set_params(solver="lbfgs", early_stopping=False).fit(X, Y)
    assert len(capsys.readouterr().out.splitlines()) == model.n_iter_


COPIES = {
    "pickle": lambda model, path: pickle.loads(pickle.dumps(model)),
    "old pickle": lambda model, path: pickle.loads(pickle.dumps(model, protocol=2)),
    "joblib": lambda model, path: joblib.load(joblib.dump(model, path / "model")[0]),
    "compressed": lambda model, path: joblib.load(joblib.dump(model, path / "model", compress=3)[0]),
    "memory map": lambda model, path: joblib.load(joblib.dump(model, path / "model")[0], mmap_mode="r"),
    "deepcopy": lambda model, path: deepcopy(model),
}


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize(
    "params",
    [{}, {"batch_norm": False, "dropout": 0.1}, {"layers": [Convolution(4), Flatten(), Dense(5), Activation("gelu")]}],
    ids=["default", "dropout", "layers"],
)
def test_copies_predict_the_same_bits(kind, params, tmp_path):
    model = quick(**params).fit(X, Y)
    expected = model.predict_proba(X)
    copied = COPIES[kind](model, tmp_path)
    assert same_bits(copied.predict_proba(X), expected)
    assert copied.summary() == model.summary()
    assert copied.loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("kind", COPIES)
def test_copies_train_on_apart(kind, tmp_path):
    model = quick().partial_fit(X, Y, classes=range(10))
    expected = model.predict_proba(X)
    copied = COPIES[kind](model, tmp_path)
    copied.partial_fit(X, Y)
    assert not same_bits(copied.predict_proba(X), expected)
    assert same_bits(model.predict_proba(X), expected)
    model.partial_fit(X, Y)  # with the same order and the same state of the optimiser
    assert same_bits(copied.predict_proba(X), model.predict_proba(X))


def test_n_jobs_of_zero(start):
    start.set_params(n_jobs=0)
    assert_rejected(
        start, lambda model: model.fit(X, Y), "'n_jobs' parameter .* must be an int other than 0 or None. Got 0"
    )


def test_refit_on_other_data():
    model = quick().fit(pd.DataFrame(X, columns=[f"p{i}" for i in range(64)]), Y)
    model.fit(X[:, :36], np.where(Y > 4, "b", "a"))
    assert model.n_features_in_ == 36
    assert model.image_shape_ == (6, 6, 1)
    assert model.classes_.tolist() == ["a", "b"]
    assert not hasattr(model, "feature_names_in_")
    assert same_bits(model.predict_proba(X[:, :36]), clone(model).fit(X[:, :36], Y > 4).predict_proba(X[:, :36]))


@pytest.mark.slow
def test_default_accuracy_on_all_digits():
    data, target = load_digits(return_X_y=True)
    parts = train_test_split(data / 16, target, stratify=target, random_state=0)
    model = ConvNetClassifier(random_state=0).fit(parts[0], parts[2])
    assert model.score(parts[1], parts[3]) > 0.985


def test_a_rare_class_is_looked_at_once_the_fit_is_done():
    rng = np.random.default_rng(0)
    images, labels = rng.standard_normal((400, 6, 6)), np.repeat(["sick", "well"], [4, 396])
    params = {"image_shape": (6, 6), "filters": 4, "hidden_layer_sizes": (), "max_iter": 2, "random_state": 0}
    match = "none of the 4 training samples of 'sick' is predicted as such.*TunedThresholdClassifierCV"
    for given in (labels, labels.astype(object)):  # pandas has strings as objects
        with pytest.warns(UserWarning, match=match) as caught:
            ConvNetClassifier(**params).fit(images, given)
        assert [warning.filename for warning in caught] == [__file__]
    images[:4] += 5
    ConvNetClassifier(**{**params, "max_iter": 40}).fit(images, labels)
    ConvNetClassifier(**params, class_weight="balanced").fit(images, labels)
