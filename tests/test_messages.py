"""Messages in plain Python, wherever they come from: no NumPy reprs, and values through one function."""

import ast
import re
import warnings
from inspect import signature
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import skconv
from skconv import (
    ConvFeatures,
    ConvNetClassifier,
    ConvNetRegressor,
    Flatten,
    ImagePadder,
    ImageResizer,
    StridedPooling,
    ToImages,
)
from skconv.inspection import plot_hardest, plot_kernels, weight_matrix

ROOT = Path(skconv.__file__).parent
TABLES = {"__main__.py", "_summary.py"}  # print no messages
RNG = np.random.default_rng(0)
X, Y = RNG.random((24, 6, 5)), np.arange(24) % 3
SMALL = {"filters": (2, 2), "hidden_layer_sizes": 2, "max_iter": 1, "random_state": 0}
ESTIMATORS = [
    ConvNetClassifier(**SMALL),
    ConvNetRegressor(**SMALL),
    ConvFeatures("random", 2, 3, random_state=0),
    ConvFeatures("pca", 2, 3, random_state=0),
    ImagePadder(),
    ImageResizer(4),
    StridedPooling(),
    ToImages(),
    Flatten(),
]
# Wrong for most parameters; what trains or transforms is right.
VALUES = [
    np.int64(-7),
    np.float64(-3.5),
    np.float32(0.25),
    np.str_("zz"),
    np.bool_(True),
    (np.int64(-2), np.float64(0.5)),
    [np.str_("q")],
    (np.int64(2), np.int64(3), np.int64(2), np.int64(3), np.int64(2)),
    {np.str_("a"): np.int64(3)},
    np.array([np.nan, 1.0]),
    (np.int64(3),) * 3,
]
REPR = re.compile(r"\bnp\.\w+|dtype=")


def message_of(call):
    """What a call raises or warns, or ""."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call()
        except Exception as error:
            return str(error)
    return " ".join(str(warning.message) for warning in caught)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_message_has_the_repr_of_a_value(path):
    """`shown` is for values: ``!r`` would have NumPy's numbers as np.int64(5)."""
    if path.name in TABLES:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FormattedValue):
            assert node.conversion != ord("r"), f"line {node.lineno}: {ast.unparse(node.value)}"


NOUNS = re.compile(
    r" (of the |input |training |feature )?(channel|entrie|epoch|feature|image|iteration|label|layer|number|parameter|"
    r"patche|row|sample|score|step|target)s\b"
)
NEVER_ONE = {"flat_doubts.py", "image_transformer.py"}  # a series of one step is in no doubt


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_message_counts_one_samples(path):
    """`counted` is for numbers of things: a noun in the plural behind a value would have "1 samples"."""
    if path.name in TABLES | NEVER_ONE:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for value, text in pairwise(node.values if isinstance(node, ast.JoinedStr) else []):
            if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant) and NOUNS.match(text.value):
                # scikit-learn's checks want its own words: "X has 1 features, but"
                assert path.name in {"shapes.py", "images.py"}, f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_message_has_an_article_before_a_name(path):
    """An article before a value would have "a ImageResizer"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for text, value in pairwise(node.values if isinstance(node, ast.JoinedStr) else []):
            if isinstance(text, ast.Constant) and isinstance(value, ast.FormattedValue):
                assert not re.search(r"\b[Aa]n? $", text.value), f"line {node.lineno}: {ast.unparse(node)}"


def test_one_of_a_kind():
    one = np.ones((1, 6, 5))
    calls = {
        "X_val has 1 sample with weight": lambda: ConvNetRegressor(**SMALL).fit(X, Y, X_val=one, y_val=[1.0]),
        "must be None or 1 number of zero or more": lambda: ConvNetRegressor(**SMALL).fit(one, [1.0], [[2.0]]),
        "has 1 entry, one per layer, for 2 layers": lambda: ConvNetClassifier(**SMALL, stride=(1,)).fit(X, Y),
        "has 2 entries, one per layer, for 1 layer": lambda: ConvNetClassifier(1, stride=(1, 1)).fit(X, Y),
        "has 1 number, but X has 30 features a sample": lambda: ConvNetClassifier(image_shape=1).fit(X, Y),
        "filters have 2 channels, but the images have 1": lambda: ConvFeatures(np.ones((1, 2, 2, 2))).fit(X),
        "y has 2 targets, but": lambda: ConvNetRegressor(**SMALL).fit(X, Y).partial_fit(X, np.ones((24, 2))),
    }
    for message, call in calls.items():
        assert message in message_of(call), message_of(call)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda value: str(value)[:26])
def test_numpy_s_values_of_any_parameter(estimator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # for a checkpoint
    seen = 0
    for name in signature(type(estimator)).parameters:
        for value in VALUES:
            model = clone(estimator).set_params(**{name: value})
            message = message_of(lambda model=model: model.fit(X, Y))
            assert not REPR.search(message), (name, message)
            seen += bool(message)
    assert seen > 5


@pytest.mark.parametrize("labels", [np.array(["a", "b", "c"])[Y], Y, Y + 0.0, Y > 0], ids=lambda y: y.dtype.name)
def test_numpy_s_labels(labels):
    """A label that is not known, too few of each, weights of classes that are none, another set of classes."""
    model = ConvNetClassifier(**SMALL).fit(X, labels)
    other = np.array(["x", "y", "z"])[Y] if labels.dtype.kind == "U" else labels + 7
    calls = [
        lambda: clone(model).set_params(early_stopping=True).fit(X[:2], labels[:2]),
        lambda: clone(model).set_params(class_weight=dict.fromkeys(np.unique(labels), -1)).fit(X, labels),
        lambda: clone(model).set_params(class_weight=dict.fromkeys(np.unique(other), 1)).fit(X, labels),
        lambda: model.set_params(warm_start=True).fit(X, other),
        lambda: model.partial_fit(X, other),
        lambda: model.partial_fit(X, labels, classes=np.unique(other)),
        lambda: clone(model).partial_fit(X, other, classes=np.unique(labels)),
        lambda: clone(model).fit(X, labels, X_val=X, y_val=other),
        lambda: plot_hardest(model, X, other),
    ]
    for call in calls:
        message = message_of(call)
        assert message
        assert not REPR.search(message), message


def test_numpy_s_names_and_numbers_of_layers():
    model = ConvNetClassifier(**SMALL).fit(X, Y)
    calls = [
        lambda: plot_kernels(model, np.str_("none")),
        lambda: plot_kernels(model, channel=np.int64(9)),
        lambda: plot_hardest(model, X, Y, n=np.int64(0)),
        lambda: weight_matrix(model, np.str_("none")),
        lambda: ConvFeatures.from_network(model, np.str_("none")),
        lambda: ConvFeatures.from_network(model, np.int64(99)),
        lambda: ConvFeatures(model, layer=np.int64(-99)).fit(X),
        lambda: ConvNetClassifier(**SMALL, initial_weights={np.str_("none"): np.ones(3)}).fit(X, Y),
        lambda: ConvNetClassifier(**SMALL, initial_weights={"dense1.weight": np.full((2, 2), np.nan)}).fit(X, Y),
        lambda: ConvNetClassifier(**SMALL, freeze=[np.str_("none")]).fit(X, Y),
        lambda: ConvNetRegressor(**SMALL, loss="poisson").fit(X, Y - np.float64(5)),
        lambda: model.predict(RNG.random((3, np.int64(4), np.int64(5)))),
    ]
    for call in calls:
        message = message_of(call)
        assert message
        assert not REPR.search(message), message


def test_labels_that_are_missing_name_y():
    for labels in (np.where(Y, Y, np.nan), np.where(Y, "a", None), [*Y[1:].tolist(), float("nan")]):
        for fit in (ConvNetClassifier(**SMALL).fit, ConvNetRegressor(**SMALL).fit):
            with pytest.raises(ValueError, match=r"\by\b.*"):
                fit(X, labels)
        with pytest.raises(ValueError, match="Input y contains NaN"):
            ConvNetClassifier(**SMALL).partial_fit(X, labels, classes=[0, 1, 2])


@pytest.mark.parametrize("value", [[], [[]], np.zeros((2, 0, 3)), [[["a"]]], [[[1, 2], [3]]], [None]])
def test_filters_and_bias_that_are_no_arrays_of_numbers(value):
    with pytest.raises(ValueError, match=r"'filters' parameter of ConvFeatures must be .* array-like of numbers"):
        ConvFeatures(value).fit(X)
    with pytest.raises(ValueError, match=r"'bias' parameter of ConvFeatures must be .* array-like of numbers"):
        ConvFeatures(bias=value).fit(X)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_filters_and_bias_that_are_not_finite(value):
    with pytest.raises(ValueError, match=r"Input filters contains (NaN|infinity)"):
        ConvFeatures(np.full((1, 3, 3), value)).fit(X)
    with pytest.raises(ValueError, match=r"Input bias contains (NaN|infinity)"):
        ConvFeatures("mean", kernel_size=3, bias=[value]).fit(X)


@pytest.mark.parametrize("value", [[1.0, 2.0], np.ones((2, 2)), np.ones((1, 2, 2, 1, 1))])
def test_filters_of_another_form(value):
    with pytest.raises(ValueError, match=r"filters must have the shape \(filters, rows, columns\) or .* got \("):
        ConvFeatures(value).fit(X)


def test_early_stopping_with_one_sample():
    for kind in (ConvNetClassifier, ConvNetRegressor):
        with pytest.raises(ValueError, match=r"early_stopping=True holds out .* more than 1 sample with .* set"):
            kind(**SMALL, early_stopping=True).fit(X[:1], Y[:1])
