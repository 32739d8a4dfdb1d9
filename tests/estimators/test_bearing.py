"""Which changes of samples `augment="auto"` takes: those that leave held-out samples what they are."""

import numpy as np
import pytest
from helpers import generator

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.augmentation import Flip, Mixup, Rotation, Shift

SIZE = 10


def classifier(augment="auto", image_shape=(SIZE, SIZE, 1), **params):
    params = {"max_iter": 12, "hidden_layer_sizes": (), "random_state": 0, **params}
    params.setdefault("filters", 8)
    return ConvNetClassifier(augment=augment, image_shape=image_shape, **params)


def names(model):
    return [repr(change) for change in model.augmentations_]


def noise(n, seed=0):
    return generator(seed).normal(0, 0.2, (n, SIZE, SIZE, 1)).astype(np.float32)


def stripes(n=120):
    """Stripes down or across, at any place: the same in a mirror."""
    X, y, rng = noise(n), np.arange(n) % 2, generator(1)
    for image, label in zip(X, y, strict=True):
        wave = np.sin(np.arange(SIZE) * np.pi / 2 + rng.uniform(0, 7))
        image[..., 0] += wave[:, None] if label else wave
    return X, y


def ramps(n=120):
    """Images that grow lighter to the right, or to the left: others in a mirror."""
    X, y = noise(n), np.arange(n) % 2
    X[..., 0] += np.linspace(-1, 1, SIZE) * (2 * y - 1)[:, None, None]
    return X, y


def test_stripes_bear_both_mirrors():
    assert {"Flip()", "Flip(horizontal=False, vertical=True)", "Shift()"} <= set(names(classifier().fit(*stripes())))


def test_ramps_bear_one_mirror():
    found = names(classifier().fit(*ramps()))
    assert "Flip()" not in found
    assert "Flip(horizontal=False, vertical=True)" in found


def test_colours_are_mirrored_and_shifted_by_whole_pixels():
    X, y = stripes()
    found = classifier(image_shape=(SIZE, SIZE, 3)).fit(np.repeat(X, 3, axis=3), y).augmentations_
    assert [type(change) for change in found] == [Flip, Flip, Shift]
    assert found[2].size == (1, 1)


def test_numbers_that_say_where_something_is_bear_no_large_shift():
    rng, X = generator(2), noise(160)
    y = rng.uniform(0, SIZE - 1, 160)
    X[..., 0] += 3 * np.exp(-((np.arange(SIZE) - y[:, None, None]) ** 2))
    model = ConvNetRegressor(
        8, hidden_layer_sizes=(), max_iter=60, augment="auto", image_shape=(SIZE, SIZE, 1), random_state=0
    ).fit(X, y)
    assert not {"Shift()", "Flip()", "Flip(horizontal=False, vertical=True)"} & set(names(model))


def test_the_choice_is_what_is_trained_with():
    X, y = ramps()
    chosen = classifier().fit(X, y)
    named = classifier(chosen.augmentations_).fit(X, y)
    np.testing.assert_array_equal(chosen.predict_proba(X), named.predict_proba(X))
    assert names(chosen) == names(named)


def test_threads_and_seeds_choose_the_same():
    X, y = ramps()
    models = [classifier(n_jobs=n).set_params(random_state=seed).fit(X, y) for n, seed in ((1, 0), (2, 1))]
    assert names(models[0]) == names(models[1])


@pytest.mark.parametrize("shape", [(39, SIZE, SIZE, 1), (80, 5, 5, 1), (80, 60, 2)], ids=["few", "small", "series"])
def test_nothing_is_chosen_for(shape):
    X = generator(0).standard_normal(shape)
    model = classifier(image_shape=shape[1:] if len(shape) == 4 else "series").fit(X, np.arange(len(X)) % 2)
    assert model.augmentations_ == []


def test_auto_among_others():
    model = classifier([Mixup(), "auto", Rotation(3)]).fit(*ramps())
    assert [type(change) for change in model.augmentations_][:: len(model.augmentations_) - 1] == [Mixup, Rotation]
    assert "Flip()" not in names(model)
    assert "Shift()" in names(model)


def test_many_samples_need_no_change():
    X = np.zeros((20_000, 8, 8, 1), np.float32)
    model = classifier(image_shape=(8, 8, 1), filters=(), max_iter=1, batch_size=2000, batch_norm=False)
    assert model.fit(X, np.arange(len(X)) % 2).augmentations_ == []


@pytest.mark.parametrize(("augment", "expected"), [(None, []), ([], []), ("zoom", ["Zoom()"])])
def test_augmentations_of_other_values(augment, expected):
    assert names(classifier(augment).set_params(max_iter=1).fit(*ramps(40))) == expected


def test_samples_of_weight_zero_are_not_asked():
    X, y = ramps()
    mirrored = X[:, :, ::-1]
    weight = np.repeat([1.0, 0.0], len(X))
    model = classifier().fit(np.concatenate([X, mirrored]), np.concatenate([y, y]), sample_weight=weight)
    assert "Flip()" not in names(model)


def test_the_first_chunk_decides():
    (X, y), other = ramps(), stripes()
    model = classifier().partial_fit(X, y, classes=[0, 1])
    first = names(model)
    assert names(model.partial_fit(*other)) == first
    assert names(model.set_params(augment="flip").partial_fit(X, y)) == ["Flip()"]


def test_the_choice_is_printed(capsys):
    model = classifier(verbose=2).fit(*ramps())
    assert capsys.readouterr().out.splitlines()[0] == f"augment='auto' is {model.augmentations_}"


def test_callbacks_see_the_fit_alone():
    epochs = []
    model = classifier(callback=lambda info: epochs.append(info.epoch)).fit(*ramps())
    assert epochs == list(range(1, model.n_iter_ + 1))


def test_several_labels():
    X, y = ramps()
    labels = np.column_stack([y, np.ones_like(y)])
    labels[0, 1] = 0
    assert "Flip()" not in names(classifier().fit(X, labels))
