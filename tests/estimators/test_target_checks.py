"""Targets, classes and weights that do not fit are named by their own parameter, whichever method they come to."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.exceptions import DataConversionWarning

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv._estimators.target_checks import check_classes, check_labels, check_numbers, check_weight

NAN, INF = float("nan"), float("inf")
RNG = np.random.default_rng(0)
X = RNG.random((12, 36)).astype(np.float32)
Y = np.arange(12) % 3
T = RNG.random(12)
DAYS = np.array(["2020-01-01", "NaT"] * 6, "datetime64[D]")
OBJECTS = np.array([1, "a"] * 6, object)
LABELS = r"labels of shape \(n,\), all strings or all numbers, or indicators of shape \(n, labels\)"
NUMBERS = r"real numbers of shape \(n,\) or \(n, targets\)"
EACH = "None or 12 numbers of zero or more, one per sample"


def small(kind, **params):
    return kind(2, hidden_layer_sizes=(), max_iter=1, random_state=0, **params)


def assert_refused(model, match, call):
    before = dict(vars(model))
    with pytest.raises(ValueError, match=match):
        call(model)
    assert vars(model) == before


BAD_LABELS = [
    ([None] * 12, "Input y contains NaN: a label is missing, None at position 0"),
    ([0] * 11 + [None], "Input y contains NaN: a label is missing, None at position 11"),
    (["a"] * 11 + [None], "Input y contains NaN: a label is missing, None at position 11"),
    (["a"] * 11 + [NAN], "Input y contains NaN: a label is missing, nan at position 11"),
    (pd.Series(["a", None] * 6), "Input y contains NaN: a label is missing, (nan|None) at position 1"),
    (pd.Series(["a", None] * 6, dtype="string"), "Input y contains NaN: a label is missing, <NA> at position 1"),
    (DAYS, "Input y contains NaN: a label is missing, .* at position 1"),
    (DAYS.astype(object), "Input y contains NaN: a label is missing, None at position 1"),
    (pd.array([1, 2, None] * 4), "Input y contains NaN"),
    ([0.0] * 11 + [NAN], "Input y contains NaN"),
    ([0.0] * 11 + [INF], "Input y contains infinity"),
    ([1, "a"] * 6, f"y must be {LABELS}, got both 1 and 'a'; make strings of all"),
    (OBJECTS, f"y must be {LABELS}, got both 1 and 'a'; make strings of all"),
    ([b"a", "b"] * 6, f"y must be {LABELS}, got both b'a' and 'b'"),
    (Y.astype(object), r"y has dtype object, but no strings: 0 is of type int; give it .* y.astype\(int\)"),
    (np.array([[0, 1]] * 12, object), "Unknown label type: y has dtype object, but no strings"),
    ([[1, 2], [1]] * 6, f"y must be {LABELS}, got .*: setting an array element with a sequence"),
    (Y.reshape(12, 1, 1), f"y must be {LABELS}, got an array of shape .*: Found array with dim 3"),
    (Y + 1j, f"y must be {LABELS}, got .*: Complex data not supported"),
    (5, f"y must be {LABELS}, got 5"),
    (np.stack([Y, Y], 1), r"y should be a 1d array, or indicators 0 and 1, got .* \(12, 2\) with values \[0, 1, 2\]"),
    (np.array([[0, NAN], [1, 0]] * 6), "Input y contains NaN"),
    (csr_matrix(np.array([[0, NAN], [1, 0]] * 6)), "Input y contains NaN"),
    (T, "Unknown label type: continuous"),
    (Y[:11], r"inconsistent numbers of samples: \[12, 11\]"),
]
BAD_NUMBERS = [
    ([None] * 12, f"y must be {NUMBERS}, got None"),
    ([*T[:11].tolist(), None], f"y must be {NUMBERS}, got None"),
    ([*T[:11].tolist(), NAN], "Input y contains NaN"),
    (np.array([*T[:11], NAN], object), "Input y contains NaN"),
    ([*T[:11].tolist(), INF], "Input y contains infinity"),
    (pd.array([1, 2, None] * 4), "Input y contains NaN"),
    (["a"] * 12, rf"y must be {NUMBERS}, got \['a'\] of dtype <U1"),
    (["1"] * 12, rf"y must be {NUMBERS}, got \['1'\] of dtype <U1"),
    (np.array(["1"] * 12, object), f"y must be {NUMBERS}, got '1'"),
    (DAYS, f"y must be {NUMBERS}, got .* of dtype datetime64"),
    (T + 1j, f"y must be {NUMBERS}, got .*: Complex data not supported"),
    ([10**400] * 12, f"y must be {NUMBERS} that float64 can hold, got a larger integer"),
    ([[1, 2]] * 11 + [[1]], f"y must be {NUMBERS}, got .*: setting an array element with a sequence"),
    (T.reshape(12, 1, 1), f"y must be {NUMBERS}, got .*: Found array with dim 3"),
    (5.0, f"y must be {NUMBERS}, got 5.0"),
    (csr_matrix(T[:, None]), r"y must be dense, got a sparse matrix; use y.toarray\(\)"),
    (T[:11], r"inconsistent numbers of samples: \[12, 11\]"),
]
BAD_WEIGHTS = [
    (NAN, "Input sample_weight contains NaN"),
    (INF, "Input sample_weight contains infinity"),
    (np.float64(NAN), "Input sample_weight contains NaN"),
    (-1.0, f"sample_weight must be {EACH}, got -1.0"),
    ([1] * 11 + [-2], f"sample_weight must be {EACH}, got -2.0: Negative values in data passed to `sample_weight`"),
    ([1] * 11 + [NAN], "Input sample_weight contains NaN"),
    ([1] * 11 + [INF], "Input sample_weight contains infinity"),
    ([1] * 11 + [None], f"sample_weight must be {EACH}, got None"),
    (["1"] * 12, rf"sample_weight must be {EACH}, got \['1'\] of dtype <U1"),
    ("abc", f"sample_weight must be {EACH}, got 'abc'"),
    ({}, f"sample_weight must be {EACH}, got {{}}"),
    ([1j] * 12, f"sample_weight must be {EACH}, got .*: Complex data not supported"),
    ([1] * 11, rf"sample_weight must be {EACH}, got an array of shape \(11,\)"),
    ([[1] * 12], rf"sample_weight must be {EACH}, got an array of shape \(1, 12\)"),
    (np.ones((12, 1)), rf"sample_weight must be {EACH}, got an array of shape \(12, 1\)"),
    (csr_matrix(np.ones((12, 1))), f"sample_weight must be {EACH}, got a sparse matrix"),
    (np.zeros(12), "sample_weight: all weights are zero, so no sample counts"),
    (0, "sample_weight: all weights are zero"),
]


@pytest.mark.parametrize(("y", "match"), BAD_LABELS)
def test_labels(y, match):
    model = small(ConvNetClassifier)
    assert_refused(model, match, lambda model: model.fit(X, y))
    assert_refused(model, match, lambda model: model.partial_fit(X, y, classes=[0, 1, 2]))


@pytest.mark.parametrize(("y", "match"), BAD_NUMBERS)
def test_numbers(y, match):
    model = small(ConvNetRegressor)
    assert_refused(model, match, lambda model: model.fit(X, y))
    assert_refused(model, match, lambda model: model.partial_fit(X, y))


@pytest.mark.parametrize(("weight", "match"), BAD_WEIGHTS)
@pytest.mark.parametrize(("kind", "y"), [(ConvNetClassifier, Y), (ConvNetRegressor, T)])
def test_weights(kind, y, weight, match):
    assert_refused(small(kind), match, lambda model: model.fit(X, y, weight))
    validation = {"X_val": X, "y_val": y, "sample_weight_val": weight}
    match = match.replace("sample_weight", "sample_weight_val")
    assert_refused(small(kind), match, lambda model: model.fit(X, y, **validation))


@pytest.mark.parametrize("scoring", ["loss", None])
@pytest.mark.parametrize(
    ("kind", "y", "y_val", "match"),
    [
        *((ConvNetClassifier, Y, *case) for case in BAD_LABELS[:-2]),
        *((ConvNetRegressor, T, *case) for case in BAD_NUMBERS[:-1]),
        (ConvNetClassifier, Y, [3] * 12, r"y_val has labels \[3\] that are not in classes \[0, 1, 2\]"),
        (ConvNetClassifier, Y, ["a"] * 12, r"y_val has labels \['a'\] that are not in classes \[0, 1, 2\]"),
        (ConvNetClassifier, Y, np.array(["a"] * 12, object), r"y_val has labels \['a'\] that are not in classes"),
        (ConvNetClassifier, Y, [0.5] * 12, r"y_val has labels \[0.5\] that are not in classes \[0, 1, 2\]"),
        (ConvNetClassifier, Y, Y[:11], r"X_val, with y_val of shape \(11,\): .* samples: \[12, 11\]"),
        (ConvNetRegressor, T, T[:11], r"X_val, with y_val of shape \(11,\): .* samples: \[12, 11\]"),
        (ConvNetRegressor, T, np.stack([T, T], 1), "y_val has 2 targets, but the model has 1"),
        (ConvNetRegressor, T, T * 1e30, r"y_val has 9.\d*e\+29, .* more than 1e\+18 times its spread"),
    ],
)
def test_validation_targets(kind, y, y_val, match, scoring):
    model = small(kind, scoring=scoring)
    match = re.sub(r"\by\b(?! that)", "y_val", match)
    assert_refused(model, match, lambda model: model.fit(X, y, X_val=X, y_val=y_val))


@pytest.mark.parametrize(
    ("X_val", "match"),
    [
        (X[:, :30], "X_val, with y_val of shape .*: X has 30 features, but ConvNetClassifier is expecting 36"),
        (X[0], "X_val, with y_val of shape .*"),
        (X[:0], r"X_val, with y_val of shape .*: Found array with 0 sample\(s\)"),
        (np.where(X > 0.5, NAN, X), "X_val, with y_val of shape .*: Input X contains NaN"),
        (
            X.astype(str),
            "X_val, with y_val of shape .*: X must hold real numbers, got dtype <U",
        ),
        (X + 1j, "X_val, with y_val of shape .*: Complex data not supported"),
    ],
)
def test_validation_samples(X_val, match):
    assert_refused(small(ConvNetClassifier), match, lambda model: model.fit(X, Y, X_val=X_val, y_val=Y))


@pytest.mark.parametrize(
    ("classes", "match"),
    [
        ([0, 1], r"y has labels \[2\] that are not in classes \[0, 1\]"),
        (["0", "1", "2"], r"y has labels \[0, 1, 2\] that are not in classes \['0', '1', '2'\]"),
        ([0, 1, 2, NAN], "Input classes contains NaN"),
        ([0, 1, 2, INF], "Input classes contains infinity"),
        ([0, 1, 2, None], "Input classes contains NaN: a label is missing, None at position 3"),
        ([0, 1, 2, "a"], f"classes must be {LABELS}, got both 0 and 'a'"),
        ([0, 1, 2, 1j], f"classes must be {LABELS}, got .*: Complex data not supported"),
        ([0, 1, 2, (3,)], f"classes must be {LABELS}, got .*: setting an array element with a sequence"),
        (np.array([0, 1, 2], object), "classes has dtype object, but no strings"),
        ([0.5, 1, 2], r"classes must be a list .*, got \[0.5, 1.0, 2.0\]: Unknown label type: continuous"),
        ([[0, 1, 2]], r"classes must be a list .*, got an array of shape \(1, 3\)"),
        ({0: 1, 1: 2, 2: 3}, "classes must be a list or an array of all labels that will ever come, got {0: 1"),
        ((i for i in range(3)), "classes must be a list or an array .*, got <generator"),
        (3, "classes must be a list or an array .*, got 3"),
        ("abc", "classes must be a list or an array .*, got 'abc'"),
        ([], "classes must name every class that will ever come, got none"),
        (None, "classes must be passed on the first call to partial_fit"),
    ],
)
def test_classes(classes, match):
    assert_refused(small(ConvNetClassifier), match, lambda model: model.partial_fit(X, Y, classes=classes))


def test_classes_may_come_as_a_set():
    for classes in ({2, 0, 1}, frozenset([0, 1, 2]), range(3), pd.Index([2, 1, 0, 0])):
        assert_array_equal(small(ConvNetClassifier).partial_fit(X, Y, classes=classes).classes_, [0, 1, 2])


@pytest.mark.parametrize(
    ("classes", "match"),
    [
        ([0, 1], r"classes=\[0, 1\] is not the same as on the last call to partial_fit, \[0, 1, 2\]"),
        ({0, 1, 2, 3}, r"classes={0, 1, 2, 3} is not the same as on the last call to partial_fit, \[0, 1, 2\]"),
        (["0", "1", "2"], r"classes=\['0', '1', '2'\] is not the same as on the last call to partial_fit, \[0, 1, 2\]"),
        ([0, 1, NAN], "Input classes contains NaN"),
        ([0, 1, "a"], "classes must be .*, got both 0 and 'a'"),
    ],
)
def test_classes_of_a_second_call(classes, match):
    model = small(ConvNetClassifier).partial_fit(X, Y, classes=[0, 1, 2])
    model.partial_fit(X, Y, classes={2, 1, 0})
    assert_refused(model, match, lambda model: model.partial_fit(X, Y, classes=classes))


@pytest.mark.parametrize(
    ("class_weight", "match"),
    [
        *(
            ({0: value, 1: 1, 2: 1}, rf"class_weight must be a finite number .* every class, got {re.escape(shown)} in")
            for value, shown in [
                (NAN, "nan"), (INF, "inf"), (-1, "-1"), (None, "None"), ("a", "'a'"), (1j, "1j"), ([1], "[1]"),
                (np.float64(NAN), "nan"), (np.array([1.0]), "array([1.])"),
            ]
        ),
        ({5: 1.0}, r"class_weight has \[5\], which are not in classes \[0, 1, 2\], and nothing for \[0, 1, 2\]"),
        ({0: 2, 5: 1.0}, r"class_weight has \[5\], which are not in classes .*, and nothing for \[1, 2\]: these"),
        ({"0": 1, "1": 1, "2": 1}, r"class_weight has \['0', '1', '2'\], which are not in classes \[0, 1, 2\]"),
        ({NAN: 1}, r"class_weight has \[nan\], which are not in classes \[0, 1, 2\]"),
        ({None: 1}, r"class_weight has \[None\], which are not in classes \[0, 1, 2\]"),
        ({0: 0, 1: 0, 2: 0}, "class_weight: the weights of all classes in y are zero, so no sample counts"),
    ],
)  # fmt: skip
def test_class_weight(class_weight, match):
    model = small(ConvNetClassifier, class_weight=class_weight)
    assert_refused(model, match, lambda model: model.fit(X, Y))
    assert_refused(model, match, lambda model: model.partial_fit(X, Y, classes=[0, 1, 2]))


def test_weights_of_classes_that_leave_no_validation_sample():
    model = small(ConvNetClassifier, class_weight={0: 0, 1: 1, 2: 1})
    match = "class_weight: the weights of all classes in y_val are zero, so no sample counts"
    assert_refused(model, match, lambda model: model.fit(X, Y, X_val=X[Y == 0], y_val=Y[Y == 0]))


def test_class_weights_count_by_their_ratios_at_any_size():
    def weights(*factors):
        model = small(ConvNetClassifier, class_weight=dict(enumerate(factors)), batch_norm=False)
        return model.fit(X, Y).network_.parameters

    expected = weights(1.0, 0.5, 0.25)
    for unit in (1e308, 2.0**1000, 2.0**-1000, 3.0):
        np.testing.assert_allclose(weights(unit, unit / 2, unit / 4), expected, rtol=1e-5, atol=1e-7)


def test_targets_that_lie_far_beyond_the_first_chunk():
    model = small(ConvNetRegressor).partial_fit(X, T)
    match = r"y has 1e\+30, from the mean of the y that was fitted first more than 1e\+18 times its spread"
    assert_refused(model, match, lambda model: model.partial_fit(X, [*T[:11], 1e30]))
    assert_refused(model, r"y has 1e\+300, ", lambda model: model.partial_fit(X, [*T[:11], -1e300]))
    assert np.isfinite(model.partial_fit(X, T * 1e4).predict(X)).all()
    whole = small(ConvNetRegressor).fit(X, T * 1e300)  # far beyond float32, but not in units of their spread
    assert np.isfinite(whole.predict(X)).all()
    match = r"loss='poisson' needs targets of zero or more, got -1.0 in y; use another loss"
    assert_refused(small(ConvNetRegressor, loss="poisson"), match, lambda model: model.fit(X, [*T[:11], -1]))


def test_what_is_taken_as_it_is():
    assert check_labels(None) is None
    assert check_numbers(None) is None
    for y in (Y, Y.tolist(), Y.astype(float), Y > 0, np.array(["b", "a"] * 6), ["b", "a"] * 6, np.zeros((12, 3))):
        assert_array_equal(check_labels(y), y)
    words = np.array(["b", "a"], object)
    for y in (words, pd.Series(words), pd.Series(words, dtype="category"), pd.Series(words, dtype="string")):
        assert check_labels(y).tolist() == ["b", "a"]
    assert_array_equal(check_labels(pd.array([2, 1])), [2, 1])
    assert check_labels(csr_matrix(np.eye(3))).shape == (3, 3)
    for y in (T, T.astype(np.float32), Y, Y > 0, T.tolist(), T[:, None], T.astype(object), pd.Series(T)):
        assert_array_equal(check_numbers(y), y)
    assert_array_equal(check_numbers(pd.array([2, 1])), [2, 1])
    assert_array_equal(check_classes(["b", "a", "b"]), ["a", "b"])
    for weight in (
        None,
        1,
        2.5,
        True,
        np.float32(3),
        np.array(4),
        [5] * 3,
        pd.Series([6.0] * 3),
        [1e308] * 3,
        [1e-320] * 3,
    ):
        assert_array_equal(check_weight(weight, 3), np.ones(3))
    assert_array_equal(check_weight([0, 1, 4], 3), [0, 0.25, 1])


def test_a_column_of_labels_warns():
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed when a 1d array was expected"):
        small(ConvNetClassifier).fit(X, Y[:, None])
