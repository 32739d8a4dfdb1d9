"""Networks scale samples by numbers of those that they were trained on."""

from copy import deepcopy

import numpy as np
import pytest
from helpers import same_bits
from sklearn.datasets import load_digits

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor
from skconv.augmentation import Brightness, Mixup, Noise

DIGITS, LABELS = load_digits(return_X_y=True)
X, Y, X_TEST, Y_TEST = DIGITS[:400], LABELS[:400], DIGITS[400:], LABELS[400:]
QUICK = {"filters": (8, 16), "hidden_layer_sizes": (32,), "max_iter": 10, "random_state": 0}


def quick(**params):
    return ConvNetClassifier(**{**QUICK, **params})


CHANGES = {
    "offset of 3,000 spreads": lambda X: X + 18_000,
    "offset of 1e9": lambda X: X + 1e9,
    "tiny": lambda X: X * 1e-20,
    "below single precision": lambda X: X * 1e-40,
    "both ends of single precision": lambda X: ((X / 8 - 1) * 3.4e38).astype(np.float32),
    "huge": lambda X: X * 1e30 - 1e31,
    "inverted bytes": lambda X: (255 - 15 * X).astype(np.uint8),
}


@pytest.mark.parametrize(
    "params", [{}, {"augment": [Noise(0.1), Brightness(0.2), Mixup(0.1)]}], ids=["plain", "augmented"]
)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_accuracy_depends_on_a_linear_change(change, params):
    """Scores of two trainings whose first numbers differ by rounding; without scaling the worst are at chance."""
    plain = quick(**params).fit(X, Y).score(X_TEST, Y_TEST)
    assert quick(**params).fit(change(X), Y).score(change(X_TEST), Y_TEST) == pytest.approx(plain, abs=0.03)
    assert plain > 0.9


def test_a_power_of_two_changes_no_bit():
    expected = quick().fit(X, Y).predict_proba(X_TEST)
    assert same_bits(quick().fit(X * 1024, Y).predict_proba(X_TEST * 1024), expected)


def test_channels_of_any_scale():
    rng = np.random.default_rng(0)
    images = rng.standard_normal((300, 8, 8, 4))
    labels = rng.integers(0, 4, 300)
    images[np.arange(300), :, :, labels] += 0.5
    scale, offset = np.array([1e-4, 1, 100, 1e4]), np.array([0, 1e3, -5, 1e6])
    plain = quick(max_iter=20).fit(images[:200], labels[:200]).score(images[200:], labels[200:])
    scaled = quick(max_iter=20).fit(images[:200] * scale + offset, labels[:200])
    assert scaled.score(images[200:] * scale + offset, labels[200:]) == pytest.approx(plain, abs=0.06)
    assert plain > 0.8
    images[..., 1] = 7  # a constant channel
    assert quick().fit(images, labels).weights_["input.spread"][1] == 0


def test_numbers_of_the_training_samples_alone():
    """Neither held-out samples, nor those of weight zero, nor validation data count."""
    outlying = np.concatenate([X, 1e6 * X[:50]])
    weight = np.r_[np.ones(400), np.zeros(50)]
    expected = quick().fit(X, Y)
    level, spread = (expected.weights_[f"input.{name}"] for name in ("level", "spread"))
    ring = np.ones((8, 8), bool)
    ring[1:-1, 1:-1] = False
    np.testing.assert_allclose(level, X.reshape(-1, 64)[:, ring.ravel()].mean())
    np.testing.assert_allclose(spread, np.sqrt(np.square(X - level).mean()))
    labels = np.r_[Y, Y[:50]]
    assert same_bits(quick().fit(outlying, labels, weight).weights_["input.spread"], spread)
    held = quick(early_stopping=True).fit(X, Y)
    assert not same_bits(held.weights_["input.spread"], spread)
    given = quick().fit(X, Y, X_val=outlying[400:], y_val=labels[400:])
    assert same_bits(given.weights_["input.spread"], spread)


def test_none_leaves_samples_as_they_are():
    model = quick(standardize=None, filters=(), hidden_layer_sizes=(), label_smoothing=0.0).fit(X, Y)
    weights = model.weights_
    assert "input.level" not in weights
    np.testing.assert_allclose(
        model.decision_function(X), X @ weights["dense1.weight"].T + weights["dense1.bias"], rtol=1e-4, atol=1e-4
    )


def test_features_each_by_itself():
    model = quick(standardize="feature").fit(X, Y)
    np.testing.assert_allclose(model.weights_["input.level"], X.mean(axis=0).reshape(8, 8, 1))
    np.testing.assert_allclose(model.weights_["input.spread"], X.std(axis=0).reshape(8, 8, 1), atol=1e-12)
    assert model.score(X_TEST, Y_TEST) > 0.9


def test_chunks_keep_the_numbers_of_the_first():
    model = quick().partial_fit(X[:100], Y[:100], classes=range(10))
    first = model.weights_["input.spread"].copy()
    model.partial_fit(X[100:200] * 9, Y[100:200])
    assert same_bits(model.weights_["input.spread"], first)
    model = quick(warm_start=True).fit(X, Y)
    first = model.weights_["input.spread"].copy()
    assert same_bits(model.fit(X * 9, Y).weights_["input.spread"], first)


def test_a_checkpoint_belongs_to_a_scaling(tmp_path):
    models = [quick(warm_start=True, max_iter=2).fit(factor * X, Y) for factor in (1, 1024)]  # all else has equal bits
    expected = deepcopy(models[1]).fit(X, Y).predict_proba(X_TEST)
    for model in models:
        model.set_params(checkpoint=tmp_path).fit(X, Y)
    assert same_bits(models[1].predict_proba(X_TEST), expected)


def test_weights_hand_the_numbers_over():
    model = quick().fit(X, Y)
    names = ("convolution1", "convolution2", "batchnorm1", "batchnorm2", "dense1", "dense2")
    again = quick(initial_weights=model.weights_, freeze=names).fit(X[:100] * 5 + 3, Y[:100])
    assert same_bits(again.predict_proba(X_TEST), model.predict_proba(X_TEST))
    wide = {"input.level": np.array([-3e38]), "input.spread": np.array([6e38])}  # a spread that float32 does not hold
    assert quick(initial_weights=wide, max_iter=1).fit(X, Y).weights_["input.spread"] == 6e38
    wrong = {**model.weights_, "input.spread": np.array([-1.0])}
    with pytest.raises(ValueError, match=r"initial_weights\['input.spread'\] must be zero or more, got -1"):
        quick(initial_weights=wrong).fit(X, Y)


def test_features_of_a_network_are_those_of_scaled_samples():
    images = X.reshape(-1, 8, 8)
    model = quick().fit(images, Y)
    level, spread = model.weights_["input.level"], model.weights_["input.spread"]
    plain = quick(standardize=None, max_iter=1).fit(images, Y)
    plain.network_.fill({name: values for name, values in model.weights_.items() if not name.startswith("input")})
    transformer = {"layer": "convolution1", "pool": None}
    found = ConvFeatures(model, **transformer).fit(images[:50]).transform(images[:50])
    expected = ConvFeatures(plain, **transformer).fit(images[:50]).transform((images[:50] - level) / spread)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    by_feature = quick(standardize="feature").fit(images, Y)
    larger = np.zeros((3, 9, 8, 1))
    with pytest.raises(ValueError, match=r"takes images \(8, 8, 1\), got \(9, 8, 1\), which the level and the spread"):
        ConvFeatures(by_feature, layer="convolution1").fit(larger)


def test_changed_copies_are_of_scaled_samples():
    model = quick(augment=[Noise(0.01)], n_augmented=2).fit(X + 1e9, Y)
    assert model.score(X_TEST + 1e9, Y_TEST) > 0.9


def test_regression():
    y = X[:, 20:44].mean(axis=1)
    scores = [
        ConvNetRegressor((4,), hidden_layer_sizes=(16,), max_iter=20, random_state=0).fit(f(X), y).score(f(X), y)
        for f in (lambda X: X, lambda X: X * 1e-6 + 3)
    ]
    assert min(scores) > 0.9


def test_what_standardize_may_be():
    with pytest.raises(ValueError, match="The 'standardize' parameter of ConvNetClassifier must be a str among"):
        quick(standardize=True).fit(X, Y)
