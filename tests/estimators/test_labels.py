"""Labels and sets of labels, without a network."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import log_softmax, softmax

from skconv._estimators.labels import Labels, LabelSets, labels_of_chunk, labels_of_fit
from skconv._estimators.samples import Samples
from skconv.training.losses import BinaryCrossEntropy, BinaryFocal, Focal, SoftmaxCrossEntropy

CLASSES = np.array(["ant", "bee", "cow"])
Y = CLASSES[[0, 2, 2, 1, 0, 2]]
SETS = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1]])
OUTPUTS = np.random.default_rng(0).normal(0, 3, (6, 3))


def test_what_a_fit_learns():
    one, several = labels_of_fit(Y, None), labels_of_fit(SETS, None)
    assert (type(one), type(several)) == (Labels, LabelSets)
    np.testing.assert_array_equal(one.classes, CLASSES)
    np.testing.assert_array_equal(several.classes, [0, 1, 2])
    assert one.attributes["temperature_"] == labels_of_fit(Y, Labels(classes=CLASSES, temperature=3.0)).temperature == 1


def test_what_a_chunk_learns():
    known = labels_of_chunk(Y[:2], None, ["cow", "bee", "ant"])
    np.testing.assert_array_equal(known.classes, CLASSES)
    assert labels_of_chunk(Y[:1], known, None) is labels_of_chunk(Y[:1], known, CLASSES) is known
    assert type(labels_of_chunk(SETS, None, [0, 1, 2])) is LabelSets


def test_labels_are_their_numbers_and_strata():
    targets = Labels(classes=CLASSES)
    np.testing.assert_array_equal(targets.encode(Y), [0, 2, 2, 1, 0, 2])
    np.testing.assert_array_equal(targets.strata(Y), [0, 2, 2, 1, 0, 2])


@pytest.mark.parametrize("form", [np.array, csr_matrix])
def test_sets_are_indicators_in_one_stratum(form):
    targets = LabelSets(classes=np.arange(3))
    np.testing.assert_array_equal(targets.encode(form(SETS)), SETS)
    np.testing.assert_array_equal(targets.strata(form(SETS)), np.zeros(4))


def test_weights_of_classes():
    """Their ratios count: the largest is between a half and one."""
    encoded, weight = np.array([0, 2, 2, 1, 0, 2]), np.array([1, 1, 0, 1, 1, 0.5])
    given = Labels(classes=CLASSES, class_weight={"ant": 3, "bee": 0.5}).weigh(weight, encoded)
    expected = weight * [3, 1, 1, 0.5, 3, 1]
    np.testing.assert_allclose(given / given.max(), expected / expected.max())
    assert 0.5 <= given.max() < 1
    balanced = Labels(classes=CLASSES, class_weight="balanced").weigh(weight, encoded)
    sums = np.bincount(encoded, balanced)
    np.testing.assert_allclose(sums, sums[0])


def test_losses_by_name():
    assert Labels.losses.keys() == LabelSets.losses.keys()
    assert (Labels.losses["focal"], LabelSets.losses["focal"]) == (Focal, BinaryFocal)


def test_predictions_of_labels():
    targets = Labels(classes=CLASSES, temperature=2.0, loss=SoftmaxCrossEntropy())
    np.testing.assert_array_equal(targets.predictions(OUTPUTS), CLASSES[OUTPUTS.argmax(axis=1)])
    np.testing.assert_allclose(targets.probabilities(OUTPUTS), softmax(OUTPUTS / 2, axis=1), rtol=1e-12)
    np.testing.assert_allclose(targets.log_probabilities(OUTPUTS), log_softmax(OUTPUTS / 2, axis=1), rtol=1e-12)
    np.testing.assert_array_equal(targets.decisions(OUTPUTS), OUTPUTS / 2)
    two = Labels(classes=CLASSES[:2], temperature=2.0, loss=SoftmaxCrossEntropy())
    np.testing.assert_allclose(two.decisions(OUTPUTS[:, :2]), (OUTPUTS[:, 1] - OUTPUTS[:, 0]) / 2, rtol=1e-12)


def test_predictions_of_sets():
    targets = LabelSets(classes=np.arange(3), temperature=2.0, loss=BinaryCrossEntropy())
    logistic = 1 / (1 + np.exp(-OUTPUTS / 2))
    np.testing.assert_allclose(targets.probabilities(OUTPUTS), logistic, rtol=1e-12)
    np.testing.assert_allclose(targets.log_probabilities(OUTPUTS), np.log(logistic), rtol=1e-10)
    np.testing.assert_array_equal(targets.predictions(OUTPUTS), (OUTPUTS > 0).astype(int))
    two = LabelSets(classes=np.arange(2), loss=BinaryCrossEntropy())
    np.testing.assert_array_equal(two.decisions(OUTPUTS[:, :2]), OUTPUTS[:, :2])


def test_scores_are_shares_of_the_weight():
    encoded, weight = np.array([0, 2, 2, 1, 0, 2]), np.array([1, 2, 3, 4, 5, 6.0])
    right = OUTPUTS.argmax(axis=1) == encoded
    assert Labels(classes=CLASSES).score(OUTPUTS, encoded, weight) == pytest.approx(weight[right].sum() / 21)
    every = ((OUTPUTS[:4] > 0) == SETS).all(axis=1)
    score = LabelSets(classes=np.arange(3)).score(OUTPUTS[:4], SETS, weight[:4])
    assert score == pytest.approx(weight[:4][every].sum() / 10)


# Classes that are never predicted


def of(encoded, weight=None):
    weight = np.ones(len(encoded)) if weight is None else weight
    return Samples(np.arange(len(encoded))[:, None], encoded, weight, None)


def test_a_rare_class_that_is_never_predicted():
    targets = Labels(classes=np.array(["common", "other", "rare"]))
    encoded = np.repeat([0, 1, 2], [60, 60, 3])
    seen = []

    def outputs(rows):
        seen.extend(rows)
        return np.eye(3)[np.where(rows == 122, right, 0)]

    right, match = 0, "none of the 3 training samples of 'rare' is predicted as such: .*well: weigh samples, here"
    with pytest.warns(UserWarning, match=match):
        targets.warn_of_missed(outputs, of(encoded))
    assert seen == [120, 121, 122]
    right = 2
    targets.warn_of_missed(outputs, of(encoded))
    right = 0
    weight = np.repeat([1.0, 1.0, 20.0], [60, 60, 3])
    targets.warn_of_missed(outputs, of(encoded, weight))  # no longer rare
    targets.warn_of_missed(outputs, of(encoded, np.repeat([1.0, 0.0], [120, 3])))  # not there
    replace(targets, class_weight={"rare": 0.001}).warn_of_missed(outputs, of(encoded))  # as the user wants it
    with pytest.warns(UserWarning, match="^not even the only training sample of 'rare' is predicted as such: it is"):
        targets.warn_of_missed(outputs, of(encoded[:121]))
    even = np.repeat([0, 1, 2], 50)
    targets.warn_of_missed(outputs, of(even, np.repeat([1.0, 1.0, 0.001], 50)))
    match = "none of the 100 training samples of 'rare' that were looked at is predicted as such"
    with pytest.warns(UserWarning, match=match):
        targets.warn_of_missed(outputs, of(np.repeat([0, 1, 2], [5000, 5000, 150])))


def test_a_rare_label_that_is_never_predicted():
    targets, sets = LabelSets(classes=np.arange(2)), np.zeros((100, 2), np.float32)
    sets[:50, 0] = sets[:2, 1] = 1
    with pytest.warns(UserWarning, match="of the 2 training samples of label 1 is .*by sample_weight"):
        targets.warn_of_missed(lambda rows: np.full((len(rows), 2), -1.0), of(sets))
    targets.warn_of_missed(lambda rows: np.full((len(rows), 2), 1.0), of(sets))
