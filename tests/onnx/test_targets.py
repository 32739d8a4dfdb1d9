"""Labels, probabilities and numbers from the outputs of a network, by kind of targets and loss."""

import numpy as np
import pytest
from exported import assert_close, run

from skconv._estimators.labels import Labels, LabelSets
from skconv._estimators.numbers import Numbers
from skconv.onnx._graph import Graph
from skconv.onnx._targets import label_array, results
from skconv.training.losses import (
    BinaryCrossEntropy,
    BinaryFocal,
    Focal,
    Loss,
    Poisson,
    SoftmaxCrossEntropy,
    SquaredError,
)

GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)
SMOOTHINGS = (0.0, 0.1, 0.6)
OUTPUTS = np.concatenate(
    [factor * np.random.default_rng(0).standard_normal((20, 5)) for factor in (0.01, 1, 5, 40)]
).astype(np.float32)


def found(targets, outputs, **options):
    graph = Graph()
    made = results(targets, graph, "X", **options)
    for each in made:
        graph.rename(each.result, each.name)
    kinds = [(each.name, each.dtype, each.shape) for each in made]
    return run(graph.model([("X", np.float32, outputs.shape[1:])], kinds, 20), outputs)


def losses(plain, focal):
    return [plain(s) for s in SMOOTHINGS] + [focal(g, s) for g in GAMMAS for s in SMOOTHINGS]


@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.parametrize("temperature", [1.0, 0.3])
@pytest.mark.parametrize("loss", losses(SoftmaxCrossEntropy, Focal), ids=str)
def test_labels(loss, temperature, n):
    targets = Labels(classes=np.arange(n) * 3 - 1, loss=loss, temperature=temperature)
    outputs = OUTPUTS[:, :n]
    both = found(targets, outputs)
    assert_close(both["probabilities"], targets.probabilities(outputs))
    np.testing.assert_array_equal(both["label"], targets.predictions(outputs))
    scores = targets.decisions(outputs.astype(np.float64))
    scores = np.column_stack([-scores, scores]) if n == 2 else scores
    sure = np.abs(outputs).max(axis=1) < 10  # beyond, float32 has no digits of what the probabilities lack to one
    assert_close(found(targets, outputs, raw_scores=True)["probabilities"][sure], scores[sure], within=2e-5)


@pytest.mark.parametrize("loss", losses(BinaryCrossEntropy, BinaryFocal), ids=str)
def test_label_sets(loss):
    targets = LabelSets(classes=np.arange(5), loss=loss, temperature=1.5)
    both = found(targets, OUTPUTS)
    assert_close(both["probabilities"], targets.probabilities(OUTPUTS))
    np.testing.assert_array_equal(both["label"], targets.predictions(OUTPUTS))
    sure = np.abs(OUTPUTS).max(axis=1) < 10
    scores = targets.decisions(OUTPUTS.astype(np.float64))
    assert_close(found(targets, OUTPUTS, raw_scores=True)["probabilities"][sure], scores[sure], within=2e-5)


@pytest.mark.parametrize("loss", [SquaredError(), Poisson()])
def test_numbers(loss):
    targets = Numbers(
        loss=loss, flat=False, mean=np.array([1e9, 0, -3, 2, 1]), scale=np.arange(1.0, 6), counts=loss.counts
    )
    outputs = np.concatenate([OUTPUTS, np.full((1, 5), 1e4, np.float32)])
    wanted = targets.predictions(outputs)
    variable = found(targets, outputs)["variable"]
    assert variable.dtype == np.float64
    np.testing.assert_allclose(variable, wanted, rtol=1e-5, atol=1e-6)
    if not loss.counts:
        np.testing.assert_allclose(variable, wanted, rtol=1e-15)


class Own(Loss):
    targets = "classes"

    def logits(self, outputs):
        return 2 * outputs


class Sharper(SoftmaxCrossEntropy):
    def __call__(self, outputs, targets, weight, gradient=None):
        return 2 * super().__call__(outputs, targets, weight, gradient)


def test_losses_of_ones_own():
    with pytest.raises(ValueError, match=r"loss=Own\(\) has a method logits of your own"):
        found(Labels(classes=np.arange(5), loss=Own()), OUTPUTS)
    targets = Labels(classes=np.arange(5), loss=Sharper(0.2))
    assert_close(found(targets, OUTPUTS)["probabilities"], targets.probabilities(OUTPUTS))
    with pytest.raises(TypeError, match="kind Own have no counterpart"):
        found(Own(), OUTPUTS)


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [
        (np.array([3, 1], np.int8), np.int64),
        (np.array([3, 1], np.uint16), np.int64),
        (np.array([False, True]), bool),
        (np.array([0.5, 1.0]), np.float64),
        (np.array(["b", "a"]), object),
        (np.array(["b", "a"], object), object),
        (np.array([2, 1], object), np.int64),
    ],
)
def test_label_types(classes, dtype):
    assert label_array(classes).dtype == dtype
    assert label_array(classes).tolist() == classes.tolist()
    targets = Labels(classes=classes, loss=SoftmaxCrossEntropy())
    assert found(targets, OUTPUTS[:, :2])["label"].tolist() == targets.predictions(OUTPUTS[:, :2]).tolist()


def test_labels_that_onnx_does_not_have():
    with pytest.raises(ValueError, match=r"labels must be integers, strings or booleans in ONNX, got \[b'a', b'b'\]"):
        label_array(np.array([b"a", b"b"]))


def test_labels_beyond_int64():
    with pytest.raises(ValueError, match=r"labels must be below 2\*\*63 in ONNX, got 9223372036854775813"):
        label_array(np.array([1, 2**63 + 5], np.uint64))
