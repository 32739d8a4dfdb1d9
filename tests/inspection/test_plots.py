"""What the plots hold."""

import sys

import matplotlib
import numpy as np
import pytest
from helpers import first_digits
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.inspection import plot_hardest, plot_kernels, plot_learning_curve, weight_matrix

matplotlib.use("Agg")
PLOTS = {
    "curve": lambda model, X, y: plot_learning_curve(model),
    "kernels": lambda model, X, y: plot_kernels(model),
    "hardest": lambda model, X, y: plot_hardest(model, X, y),
}


@pytest.fixture(autouse=True)
def _closed():
    from matplotlib import pyplot

    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def digits():
    return first_digits(300)


@pytest.fixture(scope="module")
def model(digits):
    return ConvNetClassifier(filters=(4, 6), max_iter=4, random_state=0).fit(*digits)


@pytest.fixture(scope="module")
def coloured():
    rng = np.random.default_rng(0)
    X, y = rng.random((30, 6, 6, 3), np.float32), np.array(["cat", "dog", "owl"] * 10)
    return ConvNetClassifier(filters=5, max_iter=1, random_state=0).fit(X, y), X, y


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_without_matplotlib_the_extra_is_named(plot, model, digits, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'needs matplotlib: pip install "skconv\[plot\]"'):
        plot(model, *digits)


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_not_fitted(plot, digits):
    with pytest.raises(NotFittedError):
        plot(ConvNetClassifier(), *digits)


# Learning curves


def test_learning_curve_is_the_loss_by_epoch(model):
    ax = plot_learning_curve(model)
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [1, 2, 3, 4]
    assert line.get_ydata().tolist() == model.loss_curve_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "mean training loss")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ConvNetClassifier: loss"]
    assert len(ax.figure.axes) == 1


def test_learning_curve_has_validation_scores_on_the_right(digits):
    model = ConvNetClassifier(filters=4, max_iter=3, early_stopping=True, random_state=0).fit(*digits)
    ax = plot_learning_curve(model)
    _, right = ax.figure.axes
    assert right.lines[0].get_ydata().tolist() == model.validation_scores_
    assert right.get_ylabel() == "validation score"
    assert len(ax.get_legend().get_texts()) == 2


def test_learning_curves_of_two_models_on_given_axes(model, digits):
    with pytest.warns(UserWarning, match="Maximum iterations"):
        other = MLPClassifier(hidden_layer_sizes=5, max_iter=2, random_state=0).fit(*digits)
    ax = Figure().subplots()
    assert plot_learning_curve(model, ax) is ax
    assert plot_learning_curve(other, ax=ax) is ax
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "ConvNetClassifier: loss",
        "MLPClassifier: loss",
    ]


# Kernels


def test_kernels_of_the_first_convolution(model):
    figure = plot_kernels(model)
    kernels = model.weights_["convolution1.weight"]
    shown = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(shown) == 4
    for image, kernel in zip(shown, kernels, strict=True):
        assert np.array_equal(image.get_array(), kernel[..., 0])
        assert image.get_clim() == pytest.approx((-np.abs(kernels).max(), np.abs(kernels).max()))
    assert figure.get_suptitle() == "Kernels of convolution1"


def test_kernels_of_a_later_layer_and_channel(model):
    figure = plot_kernels(model, "convolution2", channel=3)
    shown = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(shown) == 6
    assert np.array_equal(shown[5].get_array(), model.weights_["convolution2.weight"][5, :, :, 3])
    assert figure.get_suptitle() == "Kernels of convolution2, input channel 3"


def test_kernels_of_three_channels_are_coloured(coloured):
    figure = plot_kernels(coloured[0])
    assert [ax.images[0].get_array().shape for ax in figure.axes] == [(3, 3, 3)] * 5
    assert all(ax.images[0].get_array().min() == 0 and ax.images[0].get_array().max() == 1 for ax in figure.axes)


def test_kernels_in_a_subfigure(model):
    part = Figure(layout="constrained").subfigures(1, 2)[1]
    assert plot_kernels(model, figure=part) is part


def test_kernels_of_a_series():
    X, y = np.random.default_rng(0).random((20, 12)), np.arange(20) % 2
    model = ConvNetClassifier(filters=3, kernel_size=5, image_shape="series", max_iter=1).fit(X, y)
    assert [ax.images[0].get_array().shape for ax in plot_kernels(model).axes if ax.images] == [(1, 5)] * 3
    figure = plot_hardest(model, X, y, n=2)
    assert [len(ax.lines[0].get_ydata()) for ax in figure.axes] == [12, 12]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "dense1"}, "layer='dense1' is not a convolution of the network; it has convolution1, convolution2"),
        ({"channel": 1}, "channel=1, but convolution1 takes images with 1 channel$"),
        ({"channel": -1}, "channel=-1, but"),
        ({"channel": np.int64(1)}, "channel=1, but"),
        ({"channel": "red"}, "channel='red', but"),
        ({"layer": np.str_("dense1")}, "layer='dense1' is not a convolution"),
    ],
)
def test_kernels_that_are_not_there(model, options, message):
    with pytest.raises(ValueError, match=message):
        plot_kernels(model, **options)


def test_kernels_without_a_convolution(digits):
    with pytest.raises(ValueError, match="no convolution"):
        plot_kernels(ConvNetClassifier(filters=(), max_iter=1).fit(*digits))


# Hardest samples


def test_hardest_are_the_least_probable_with_labels_and_probability(model, digits):
    X, y = digits
    figure = plot_hardest(model, X, y, n=7)
    proba = model.predict_proba(X)
    worst = np.argsort(proba[np.arange(len(y)), y], kind="stable")[:7]
    assert len(figure.axes) == 7
    for ax, index in zip(figure.axes, worst, strict=True):
        predicted = proba[index].argmax()
        assert np.array_equal(ax.images[0].get_array(), X[index].reshape(8, 8))
        assert ax.get_title() == f"true {y[index]}\npredicted {predicted} ({proba[index, predicted]:.2f})"
        assert same_color(ax.title.get_color(), "black" if predicted == y[index] else "tab:red")


def test_hardest_of_given_probabilities(coloured):
    model, X, y = coloured
    probabilities = np.full((30, 3), [0.5, 0.25, 0.25])
    probabilities[4] = 0.875, 0.0, 0.125  # a dog taken for a cat
    figure = plot_hardest(model, X, y, n=1, probabilities=probabilities)
    assert figure.axes[0].get_title() == "true dog\npredicted cat (0.88)"
    assert figure.axes[0].images[0].get_array().shape == (6, 6, 3)


def test_hardest_shows_all_where_there_are_fewer(model, digits):
    assert len(plot_hardest(model, digits[0][:3], digits[1][:3]).axes) == 3


def test_hardest_in_a_given_figure(model, digits):
    figure = Figure()
    assert plot_hardest(model, *digits, figure=figure) is figure
    assert len(figure.axes) == 10


def test_hardest_takes_a_data_frame(model, digits):
    pandas = pytest.importorskip("pandas")
    X, y = digits
    model = ConvNetClassifier(filters=2, max_iter=1).fit(pandas.DataFrame(X).rename(columns=str), y)
    figure = plot_hardest(model, pandas.DataFrame(X).rename(columns=str), pandas.Series(y), n=2)
    assert len(figure.axes) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, y, 0), r"n must be an int in the range \[1, inf\), got 0"),
        (lambda X, y: (X, y, 2.5), r"n must be an int in the range \[1, inf\), got 2.5"),
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X[:2], [3, 77]), r"y has labels \[77\] that the estimator does not know"),
        (
            lambda X, y: (X, np.eye(10)[y]),
            r"y must have shape \(n_samples,\), one label a sample, got shape \(\d+, 10\)",
        ),
        (lambda X, y: (X[:0], y[:0]), "minimum of 1 is required"),
    ],
)
def test_hardest_of_bad_input(model, digits, change, message):
    with pytest.raises(ValueError, match=message):
        plot_hardest(model, *change(*digits))


def test_hardest_of_probabilities_of_other_classes(model, digits):
    with pytest.raises(ValueError, match=r"probabilities must have shape \(5, 10\), got \(5, 3\)"):
        plot_hardest(model, digits[0][:5], digits[1][:5], probabilities=np.ones((5, 3)))


def test_hardest_is_for_classifiers_with_images(digits):
    X, y = digits
    for estimator in (ConvNetRegressor(filters=2, max_iter=1), LogisticRegression(max_iter=3, tol=1e3)):
        match = rf"plot_hardest needs a fitted ConvNetClassifier .*ErrorDisplay\), got {type(estimator).__name__}$"
        with pytest.raises(ValueError, match=match):
            plot_hardest(estimator.fit(X[:40], y[:40]), X, y)
    with pytest.raises(NotFittedError):
        plot_hardest(ConvNetRegressor(), X, y)


def test_kernels_are_those_of_a_network(digits):
    model = LogisticRegression(max_iter=3, tol=1e3).fit(digits[0][:40], digits[1][:40])
    match = "plot_kernels needs a fitted ConvNetClassifier or ConvNetRegressor, got LogisticRegression"
    with pytest.raises(ValueError, match=match):
        plot_kernels(model)
    with pytest.raises(ValueError, match="weight_matrix needs a fitted network, got LogisticRegression"):
        weight_matrix(model)
    assert plot_kernels(ConvNetRegressor(filters=2, max_iter=1).fit(*digits)).axes
