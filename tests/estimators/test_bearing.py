"""Which changes of samples `augment="auto"` takes: those that leave held-out samples what they are."""

import signal

import numpy as np
import pytest
from helpers import generator
from sklearn import config_context
from sklearn.exceptions import DataConversionWarning

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.augmentation import Flip, Mixup, Rotation, Shift
from skconv.augmentation._augmenter import auto_steps
from skconv.layers import BatchNorm, Convolution, GlobalMaxPool

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


def wedges(n, share=0.5, scale=0.2, seed=3):
    """Wedges that point to the left, or to the right in a share of the images, at any place."""
    rng = generator(seed)
    X, y = rng.normal(0, scale, (n, 16, 16, 1)).astype(np.float32), (rng.random(n) < share).astype(int)
    for image, label in zip(X, y, strict=True):
        row, column = rng.integers(0, 8, 2)
        for k in range(7):
            across = abs(k - 3) if label == 0 else 3 - abs(k - 3)
            image[row + k, column + across : column + across + 2] += 1
    return X, y


def fit_wedges(X, y, **params):
    model = classifier(image_shape=(16, 16, 1), filters=(8, 16), **{"max_iter": "auto", **params})
    return model.fit(X, y)


def test_a_rare_class_counts_as_much():
    assert not {"Flip()"} & set(names(fit_wedges(*wedges(1200, share=0.06))))


def test_who_knows_nothing_bears_nothing():
    X, y = wedges(120, scale=3.0)
    assert fit_wedges(X, y, max_iter=4).augmentations_ == []


def test_a_first_chunk_of_one_class_decides_nothing():
    X, y = ramps(240)
    model = classifier()
    for few in (y == 0, slice(0, 30)):
        assert model.partial_fit(X[few], y[few], classes=[0, 1]).augmentations_ == []
    found = names(model.partial_fit(X, y))
    assert "Flip()" not in found
    assert "Flip(horizontal=False, vertical=True)" in found


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize("y", [np.arange(60), np.zeros(60)], ids=["a class each", "one class"])
def test_nothing_can_be_held_out_or_told(y):
    assert classifier(max_iter=1).fit(noise(60), y).augmentations_ == []


def test_copies_of_one_sample():
    X, y = np.repeat(noise(1), 60, axis=0), np.arange(60) % 2
    assert classifier(max_iter=1).fit(X, y).augmentations_ == []


def test_numbers_that_are_all_the_same():
    model = ConvNetRegressor(8, max_iter=1, augment="auto", image_shape=(SIZE, SIZE, 1)).fit(noise(60), np.ones(60))
    assert model.augmentations_ == []


def test_a_part_that_cannot_be_trained_on():
    layers = [Convolution(2), GlobalMaxPool(), BatchNorm()]
    X, y = ramps(42)  # 31 in batches of two leave one alone
    assert classifier(layers=layers, batch_size=2, max_iter=1).fit(X, y).augmentations_ == []


def test_samples_in_storage_beyond_the_working_memory(tmp_path):
    X, y = ramps(400)
    path = tmp_path / "X.npy"
    np.save(path, X.repeat(3, axis=1).repeat(3, axis=2))
    stored = np.load(path, mmap_mode="r")
    model = classifier(image_shape=(30, 30, 1))
    whole = names(model.fit(np.asarray(stored), y))
    with config_context(working_memory=1):
        assert names(model.fit(stored, y)) == names(model.fit(np.asarray(stored), y))
    assert "Flip()" not in whole


def test_what_is_no_augmentation_beside_auto_is_refused_first(monkeypatch):
    monkeypatch.setattr("skconv._estimators.convnet.borne", None)  # is not called
    with pytest.raises(ValueError, match=r"augment\[1\] must be a str among"):
        classifier(["auto", "nonsense"]).fit(*ramps())


def test_small_colour_images_are_shifted_by_a_pixel():
    assert [repr(step) for step in auto_steps((8, 8, 3))[-1]] == ["Shift(size=(1, 1))", "Shift(size=(1, 1))"]


def test_ctrl_c_in_the_choice_leaves_the_model_as_it_was():
    (X, y), pressed = ramps(), []
    model = classifier("flip").fit(X, y)
    before = model.predict_proba(X)

    def rate(done):
        if not pressed:
            pressed.append(done)
            signal.raise_signal(signal.SIGINT)
        return 1.0

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background has not
    try:
        with pytest.raises(KeyboardInterrupt):
            model.set_params(augment="auto", learning_rate=rate).fit(X, y)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert pressed
    assert names(model) == ["Flip()"]
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_a_column_of_labels_is_warned_of_once():
    X, y = ramps(80)
    with pytest.warns(DataConversionWarning) as caught:
        classifier(max_iter=1).fit(X, y[:, None])
    assert len(caught) == 1
