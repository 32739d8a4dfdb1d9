"""Lists of augmentations: what the parameter means, and what they promise about seeds, parts, threads and copies."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest
from helpers import augmented, generator, random_images
from hypothesis import settings

from skconv import augmentation
from skconv.augmentation import (
    Augmentation,
    Brightness,
    Crop,
    Cutout,
    Flip,
    Jitter,
    Map,
    Mixup,
    Noise,
    Rotation,
    Scaling,
    Shear,
    Shift,
    TimeWarp,
    Zoom,
    auto,
    make_augmenter,
)
from skconv.augmentation._augmenter import NAMES, augmentations_of, is_auto

SETTINGS = settings(deadline=None, max_examples=60, derandomize=True)
SHAPES = {"image": (9, 12, 1), "colours": (10, 8, 3), "series": (1, 15, 1), "channels": (1, 15, 2)}


def takes(name, shape):
    """Whether an augmentation is for such samples."""
    try:
        make_augmenter(name, shape)
    except ValueError:
        return False
    return True


CASES = [
    (name, kind)
    for name in [*NAMES, "auto"]
    for kind, shape in SHAPES.items()
    if takes(name, shape) and (name != "auto" or auto(shape))
]


NOTHING = [
    (Shift(0), SHAPES["image"]),
    (Shift(0.0), SHAPES["colours"]),
    (Flip(horizontal=False), SHAPES["image"]),
    (Rotation(0), SHAPES["image"]),
    (Zoom(0), SHAPES["colours"]),
    (Shear(0), SHAPES["image"]),
    (Crop(1.0), SHAPES["series"]),
    (TimeWarp(0), SHAPES["channels"]),
    (Noise(0), SHAPES["image"]),
    (Jitter(0), SHAPES["series"]),
    (Scaling(0), SHAPES["channels"]),
    (Brightness(0), SHAPES["colours"]),
    (Cutout(0), SHAPES["image"]),
    (Cutout(0), SHAPES["series"]),
    ([Shift(0), Rotation(0), Zoom(0), Shear(0), Noise(0)], SHAPES["image"]),
]


@pytest.mark.parametrize(("augment", "shape"), NOTHING, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_strength_zero_changes_nothing(augment, shape, dtype):
    X = random_images(5, shape, dtype)
    np.testing.assert_array_equal(augmented(augment, X), X)


# Seeds, parts, threads, dtypes


def arrays_of(draws):
    """All arrays of the parameters."""
    values = [getattr(draws, field.name) for field in fields(draws)]
    return [v for v in (*values[:2], values[3], *(drawn for _, drawn in draws.changes)) if v is not None]


@pytest.mark.parametrize(("name", "kind"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parts_change_no_bit(name, kind, dtype):
    X = random_images(50, SHAPES[kind], dtype)
    augmenter = make_augmenter(name, X.shape[1:], np.full(X.shape[3], 0.5))
    parameters = augmenter.draw(50, generator())
    assert all(len(array) == 50 for array in arrays_of(parameters))
    whole = X.copy()
    augmenter.apply(whole, parameters)
    assert whole.dtype == dtype
    assert np.isfinite(whole).all()
    assert name == "mixup" or not np.array_equal(whole, X)
    for cuts in ([1, 2, 4, 30], range(1, 50)):
        out = X.copy()
        parts = [slice(a, b) for a, b in zip([0, *cuts], [*cuts, 50], strict=True)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part, out=out: augmenter.apply(out[part], parameters, part), parts))
        np.testing.assert_array_equal(out, whole)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_seed_decides(name, kind):
    X = random_images(20, SHAPES[kind])
    augmenter = make_augmenter(name, X.shape[1:])
    first, again, other = (augmenter.draw(20, generator(seed)) for seed in (1, 1, 2))
    for a, b in zip(arrays_of(first), arrays_of(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(arrays_of(first), arrays_of(other), strict=True))
    np.testing.assert_array_equal(augmented(name, X, 1), augmented(name, X, 1))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_float32_is_float64_rounded(name, kind):
    X = random_images(20, SHAPES[kind], np.float32)
    single, double = augmented(name, X), augmented(name, X.astype(np.float64))
    np.testing.assert_allclose(single, double, atol=1e-4)


def test_draws_do_not_depend_on_the_dtype_or_the_data():
    augmenter = make_augmenter("auto", (12, 12, 1))
    rng = generator()
    augmenter.draw(10, rng)
    after = rng.random()
    rng = generator()
    augmenter.apply(random_images(10, (12, 12, 1), np.float32), augmenter.draw(10, rng))
    assert rng.random() == after


def test_applying_allocates_no_more_than_a_chunk(allocated):
    X = random_images(2000, (28, 28, 1), np.float32)
    augmenter = make_augmenter("auto", (28, 28, 1))
    parameters = augmenter.draw(2000, generator())
    assert allocated(lambda: augmenter.apply(X, parameters)) < 1 << 20 < X.nbytes


# Averaging at prediction


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_copies_do_the_same_to_every_sample(name, kind):
    X = random_images(6, SHAPES[kind], np.float32)
    augmenter = make_augmenter(name, X.shape[1:])
    copies = list(augmenter.copies(4, 0))
    assert len(copies) == (4 if augmenter.averages else 0)
    for copy in copies:
        together = X.copy()
        augmenter.apply_to_all(together, copy)
        for k in range(6):
            alone = X[k : k + 1].copy()
            augmenter.apply_to_all(alone, copy)
            np.testing.assert_array_equal(alone[0], together[k])


def test_copies_leave_out_what_hides_or_adds_noise():
    augmenter = make_augmenter(["noise", "jitter", "cutout", "mixup"], (8, 8, 1))
    assert not augmenter.averages
    assert list(augmenter.copies(5, 0)) == []
    both = make_augmenter(["noise", "shift", "cutout", "brightness"], (8, 8, 1))
    assert [type(a) for a, _ in next(both.copies(1, 0)).changes] == [Brightness]
    assert next(both.copies(1, 0)).maps is not None


def test_more_copies_begin_with_those_of_fewer():
    augmenter = make_augmenter("auto", (12, 12, 1))
    for few, many in zip(augmenter.copies(3, 7), augmenter.copies(6, 7), strict=False):
        np.testing.assert_array_equal(few.maps, many.maps)


# From the parameter


def kinds(augmenter):
    return [type(augmentation_) for augmentation_ in augmenter.augmentations]


def test_what_stands_for_what():
    shape = (12, 12, 1)
    assert make_augmenter(None, shape) is None
    assert make_augmenter([], shape) is None
    assert kinds(make_augmenter(["shift", Rotation(3)], shape)) == [Shift, Rotation]
    assert kinds(make_augmenter(("auto", "mixup"), shape)) == [Flip, Flip, Shift, Rotation, Zoom, Mixup]
    assert [type(a) for a in augmentations_of(("auto", "mixup"), shape, [Zoom(0.1)])] == [Zoom, Mixup]
    assert augmentations_of("auto", shape, []) == []


def test_augmentations_are_copies():
    given = Rotation(3)
    (copy,) = augmentations_of(given, (12, 12, 1))
    given.degrees = 50
    assert copy.degrees == 3


@pytest.mark.parametrize(
    ("augment", "expected"),
    [(None, False), ("shift", False), ([], False), (Rotation(3), False), ("auto", True), (["mixup", "auto"], True)],
)
def test_what_contains_auto(augment, expected):
    assert is_auto(augment) is expected


def test_every_augmentation_has_a_name():
    known = {"flip": Flip, "shift": Shift, "time_warp": TimeWarp, "mixup": Mixup}
    assert {name: NAMES[name] for name in known} == known
    public = {kind for kind in map(vars(augmentation).get, augmentation.__all__) if isinstance(kind, type)}
    assert set(NAMES.values()) == {kind for kind in public if issubclass(kind, Augmentation)} - {Augmentation, Map}
    for name, kind in CASES:
        if name != "auto":
            assert kinds(make_augmenter(name, SHAPES[kind])) == [NAMES[name]]
    assert {name for name, _ in CASES} == {*NAMES, "auto"}  # each is for something
    assert not takes("time_warp", SHAPES["image"])
    assert not takes("rotation", SHAPES["series"])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((28, 28, 1), [Flip, Flip, Shift, Rotation, Zoom]),
        ((28, 28, 4), [Flip, Flip, Shift, Rotation, Zoom]),
        ((32, 32, 3), [Flip, Flip, Shift]),
        ((1, 150, 3), []),
        ((6, 128, 3), [Shift]),
        ((128, 6, 1), [Shift]),
        ((4, 4, 3), []),
    ],
)
def test_auto_depends_on_the_shape(shape, expected):
    assert [type(a) for a in auto(shape)] == expected
    augmenter = make_augmenter("auto", shape)
    assert augmenter is None if not expected else kinds(augmenter) == expected


def test_auto_is_small():
    for shape in ((28, 28, 1), (8, 8, 1), (200, 100, 1)):
        rng, corners = generator(), np.array([[i, j, 1] for i in (0, shape[0] - 1) for j in (0, shape[1] - 1)])
        maps = make_augmenter(auto(shape, flips=False), shape).draw(500, rng).maps
        moved = maps @ corners.T - corners.T[:2]
        assert np.abs(moved).max() < 0.35 * max(shape)
    assert auto((32, 48, 3))[2].size == (4, 6)
    assert [change.get_params() for change in auto((9, 9, 1))[:2]] == [
        {"horizontal": True, "vertical": False},
        {"horizontal": False, "vertical": True},
    ]
    assert [type(a) for a in auto((32, 32, 3), flips=False)] == [Shift]


def test_auto_moves_nothing_along_a_short_side():
    X = random_images(20, (6, 40, 1))
    X[:] = np.arange(6)[:, None, None]
    np.testing.assert_array_equal(augmented("auto", X), X)
    np.testing.assert_array_equal(augmented("auto", X.transpose(0, 2, 1, 3).copy()), X.transpose(0, 2, 1, 3))


@pytest.mark.parametrize("value", ["shfit", 3, Shift, ["shift", "nothing"], [["shift"]], {"shift": 2}, True])
def test_what_is_no_augmentation(value):
    with pytest.raises(
        ValueError, match=r"augment(\[\d\])? must be a str among {'auto', 'brightness', .*, 'zoom'}(,| or) an object of"
    ):
        make_augmenter(value, (8, 8, 1))


def test_bad_arrays():
    with pytest.raises(ValueError, match=r"spread has 2 numbers .* but the images have 3 channels"):
        make_augmenter("noise", (9, 9, 3), [1.0, 2.0])
    augmenter = make_augmenter("shift", (9, 12, 1))
    parameters = augmenter.draw(7, generator())
    with pytest.raises(ValueError, match="images must be C-contiguous float32 or float64, got int64"):
        augmenter.apply(np.zeros((7, 9, 12, 1), np.int64), parameters)
    with pytest.raises(ValueError, match="images must be C-contiguous"):
        augmenter.apply(np.zeros((7, 9, 24, 1))[:, :, ::2], parameters)
    with pytest.raises(ValueError, match=r"images must have shape .*\(9, 12, 1\).* got \(7, 12, 9, 1\)"):
        augmenter.apply(np.zeros((7, 12, 9, 1)), parameters)
