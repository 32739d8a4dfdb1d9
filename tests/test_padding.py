"""ImagePadder against numpy.pad and loops, and as a transformer."""

import pickle
import tracemalloc

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skconv import ConvNetClassifier, ImagePadder
from skconv._estimators import image_transformer as _images
from skconv.layers import ConstantPadding, DonorPadding, NoisePadding, PaddingMode, PatternPadding

SETTINGS = settings(deadline=None, max_examples=60, derandomize=True)
REPEATING = ("edge", "reflect", "symmetric", "wrap")
MODES = (*REPEATING, "constant", "noise", "donor", "pattern")


def images(n=7, shape=(4, 5, 2), dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(dtype)


def padder(mode="constant", padding=((2, 1), (0, 3)), **options):
    """A padder of this mode, by its name or with a pattern or a seed."""
    modes = {
        "pattern": PatternPadding([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        "noise": NoisePadding(random_state=3),
        "donor": DonorPadding(random_state=3),
    }
    return ImagePadder(padding, modes.get(mode, mode) if isinstance(mode, str) else mode, **options)


class Mean(PaddingMode):
    """The mean of each channel."""

    def fill(self, image, border):
        for strip in border:
            strip[...] = image.mean(axis=(0, 1))


# numpy.pad


@st.composite
def cases(draw):
    """Images, in memory as they may come, and borders up to four times as wide."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 5), st.integers(1, 3)))
    dtype = draw(st.sampled_from([np.float64, np.float32, np.int64, np.uint8]))
    X = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    layout = draw(st.sampled_from(["C", "F", "reversed", "strided"]))
    if layout == "F":
        X = np.asfortranarray(X)
    elif layout == "reversed":
        X = X[::-1, ::-1, :, ::-1]
    elif layout == "strided":
        X = np.repeat(X, 2, axis=2)[:, :, ::2]
    sides = tuple((draw(st.integers(0, 4 * size)), draw(st.integers(0, 4 * size))) for size in shape[1:3])
    return X, sides


@SETTINGS
@given(case=cases(), mode=st.sampled_from([*REPEATING, "constant"]))
def test_equals_numpy_pad(case, mode):
    X, sides = case
    dtype = np.float64 if X.dtype == np.float64 else np.float32
    constant = {"constant_values": 2.5} if mode == "constant" else {}
    expected = np.pad(X.astype(dtype), ((0, 0), *sides, (0, 0)), mode, **constant)
    given = ConstantPadding(2.5) if mode == "constant" else mode
    padded = ImagePadder(sides, given).fit_transform(X)
    assert padded.dtype == dtype
    np.testing.assert_array_equal(padded, expected)
    flat = ImagePadder(sides, given, image_shape=X.shape[1:]).fit_transform(X.reshape(len(X), -1))
    np.testing.assert_array_equal(flat, expected.reshape(len(X), -1))


@SETTINGS
@given(case=cases(), mode=st.sampled_from(MODES))
def test_inverse_crops(case, mode):
    X, sides = case
    model = padder(mode, sides).fit(X)
    padded = model.transform(X)
    dtype = np.float64 if X.dtype == np.float64 else np.float32
    for form in (padded, padded.reshape(len(X), -1)):
        inverse = model.inverse_transform(form)
        assert inverse.dtype == dtype
        np.testing.assert_array_equal(inverse.reshape(X.shape), X)


@pytest.mark.parametrize(
    ("shape", "image_shape", "padding", "out"),
    [
        ((4, 5), None, 1, (6, 7)),
        ((4, 5, 3), None, (1, 2), (6, 9, 3)),
        ((4, 5, 1), None, 0, (4, 5, 1)),
        ((20,), (4, 5), ((1, 0), 0), (25,)),
        ((25,), None, 1, (49,)),
        ((20,), None, 2, (24,)),
        ((20,), "series", (0, 2), (24,)),
        ((20,), 20, ((0, 0), (3, 0)), (23,)),
        ((20, 3), "series", 2, (24, 3)),
        ((20, 3), "series", ((1, 0), (0, 0)), (2, 20, 3)),
        ((1, 20, 3), None, 2, (1, 24, 3)),
        ((60,), (1, 20, 3), 2, (72,)),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_the_output_has_the_form_of_the_input(mode, shape, image_shape, padding, out):
    X = images(3, shape)
    model = padder(mode, padding, image_shape=image_shape).fit(X)
    padded = model.transform(X)
    assert padded.shape == (3, *out)
    assert np.prod(model.output_shape_) == np.prod(out)
    inverse = model.inverse_transform(padded)
    assert inverse.size == X.size
    if len(out) == len(shape):
        assert inverse.shape == X.shape
    np.testing.assert_array_equal(inverse.reshape(X.shape), X)
    np.testing.assert_array_equal(model.transform(X.reshape(3, -1)), padded.reshape(3, -1))
    assert len(model.get_feature_names_out()) == np.prod(out)


# The other modes


def test_a_constant_for_each_channel():
    padded = padder(ConstantPadding([1.5, -2])).fit_transform(images())
    border = np.pad(np.zeros((4, 5), bool), ((2, 1), (0, 3)), constant_values=True)
    np.testing.assert_array_equal(padded[:, border], np.broadcast_to([1.5, -2], (7, border.sum(), 2)))


@pytest.mark.parametrize("channels", [False, True])
def test_a_pattern_lies_under_the_image(channels):
    pattern = images(1, (3, 2, 2), seed=1)[0]
    pattern = pattern if channels else pattern[..., 0]
    X = images()
    padded = padder(PatternPadding(pattern)).fit_transform(X)
    for i, j in np.ndindex(7, 8):
        inside = 2 <= i < 6 and j < 5
        expected = X[:, i - 2, j] if inside else np.broadcast_to(np.reshape(pattern[i % 3, j % 2], -1), (7, 2))
        np.testing.assert_array_equal(padded[:, i, j], expected)


def donors_of(model, padded, sides=((6, 3), (2, 9))):
    """The donor of each padded image, read off its border number by number."""
    H, W, _ = model.image_shape_
    numbers = []
    for image in padded:
        fits = []
        for donor in model.donors_:
            fits.append(
                all(
                    (image[i, j] == donor[(i - sides[0][0]) % H, (j - sides[1][0]) % W]).all()
                    for i, j in np.ndindex(image.shape[:2])
                    if not (sides[0][0] <= i < sides[0][0] + H and sides[1][0] <= j < sides[1][0] + W)
                )
            )
        assert sum(fits) == 1
        numbers.append(fits.index(True))
    return np.array(numbers)


def test_a_donor_is_another_image_of_the_training_set():
    X = images(30)
    model = padder("donor", ((6, 3), (2, 9))).fit(X)
    np.testing.assert_array_equal(model.donors_, X)
    numbers = donors_of(model, model.transform(X))
    assert (numbers != np.arange(30)).all()
    assert len(np.unique(numbers)) > 12
    other = clone(model).set_params(padding_mode__random_state=4).fit(X)
    assert (donors_of(other, other.transform(X)) != numbers).sum() > 20


def test_an_image_is_its_own_donor_only_where_there_is_no_other():
    X = images(2)
    model = padder("donor", ((6, 3), (2, 9))).fit(X)
    np.testing.assert_array_equal(donors_of(model, model.transform(X)), [1, 0])
    single = model.transform(X.astype(np.float32))  # in another precision too
    np.testing.assert_allclose(single, model.transform(X), rtol=1e-6)
    single = padder("donor", ((6, 3), (2, 9))).fit(X.astype(np.float32))
    np.testing.assert_array_equal(donors_of(single, single.transform(X).astype(np.float32)), [1, 0])
    same = padder("donor", ((6, 3), (2, 9))).fit(X[:1])
    np.testing.assert_array_equal(donors_of(same, same.transform(X[:1])), [0])
    np.testing.assert_array_equal(same.transform(X[:1]), np.pad(X[:1], ((0, 0), (6, 3), (2, 9), (0, 0)), "wrap"))


def test_donors_are_a_seeded_subset():
    X = images(50)
    kept = [padder(DonorPadding(10, random_state=seed)).fit(X).donors_ for seed in (0, 0, 1)]
    np.testing.assert_array_equal(kept[0], kept[1])
    assert not np.array_equal(kept[0], kept[2])
    assert len(kept[0]) == 10
    numbers = [np.flatnonzero((donor == X).all(axis=(1, 2, 3))).item() for donor in kept[0]]
    assert numbers == sorted(set(numbers))
    assert padder("donor").fit(X.astype(np.int8)).donors_.dtype == np.float32


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_noise_has_the_moments_of_each_image(distribution):
    X = images() * [0.1, 20] + [3, -5]
    padded = padder(NoisePadding(distribution), 40).fit_transform(X)
    border = padded[:, np.pad(np.zeros((4, 5), bool), 40, constant_values=True)]
    spread = X.std(axis=(1, 2))
    assert (abs(border.mean(axis=1) - X.mean(axis=(1, 2))) < 4 * spread / border.shape[1] ** 0.5).all()
    np.testing.assert_allclose(border.std(axis=1), spread, rtol=0.05)
    deviations = abs(border - X.mean(axis=(1, 2))[:, None]) / spread[:, None]
    if distribution == "uniform":
        assert 1.7 < deviations.max() < 3**0.5
    else:
        assert deviations.max() > 3


def test_noise_of_given_moments():
    X = images()
    padded = padder(NoisePadding(mean=100, scale=[1, 0]), 40).fit_transform(X)
    border = padded[:, np.pad(np.zeros((4, 5), bool), 40, constant_values=True)]
    np.testing.assert_allclose(border.mean(axis=1), 100, atol=0.05)
    np.testing.assert_allclose(border[..., 0].std(axis=1), 1, rtol=0.05)
    np.testing.assert_array_equal(border[..., 1], 100)
    assert len(np.unique(border[..., 0])) == border[..., 0].size


def test_noise_of_a_constant_image_is_constant():
    np.testing.assert_array_equal(padder("noise").fit_transform(np.full((2, 3, 3), 7.0)), 7)


@pytest.mark.parametrize("mode", ["noise", "donor"])
def test_an_image_s_border_depends_on_the_image_and_the_seed_alone(mode, monkeypatch):
    X = images(60)
    model = padder(mode).fit(X)
    whole = model.transform(X)
    order = np.random.default_rng(1).permutation(60)
    np.testing.assert_array_equal(model.transform(X[order]), whole[order])
    np.testing.assert_array_equal(model.transform(X[7:8]), whole[7:8])
    np.testing.assert_array_equal(model.transform(np.asfortranarray(X[::-1])), whole[::-1])
    np.testing.assert_array_equal(padder(mode).fit(X).transform(X), whole)
    zeros = np.zeros((1, 4, 5, 2))
    np.testing.assert_array_equal(model.transform(zeros), model.transform(-zeros))
    exact = X.astype(np.float32).astype(np.float64)
    single = model.transform(exact.astype(np.float32))
    np.testing.assert_allclose(single, model.transform(exact), rtol=1e-5, atol=1e-5)
    monkeypatch.setattr(_images, "_CHUNK_BYTES", 1)
    np.testing.assert_array_equal(model.transform(X), whole)
    other = padder(mode).set_params(padding_mode__random_state=4).fit(X).transform(X)
    assert (other != whole).any(axis=(1, 2, 3)).sum() > 40
    changed = X.copy()
    changed[:, 0, 0, 0] += 1e-9
    assert (model.transform(changed)[:, :2] != whole[:, :2]).any(axis=(1, 2, 3)).sum() > 40


def test_noise_differs_between_images():
    X = np.repeat(images(1), 5, axis=0)
    model = padder("noise").fit(X)
    same = model.transform(X)
    np.testing.assert_array_equal(same, same[:1].repeat(5, axis=0))
    X[:, 0, 0, 0] += np.arange(5)
    border = model.transform(X)[:, :2, :, 1]  # of the channel whose moments are the same
    assert len(np.unique(border)) == border.size


def test_a_mode_s_name_is_its_object():
    X = images(20)
    modes = {"constant": ConstantPadding(), "noise": NoisePadding(), "donor": DonorPadding()}
    for name, mode in modes.items():
        np.testing.assert_array_equal(ImagePadder(2, name).fit_transform(X), ImagePadder(2, mode).fit_transform(X))


def test_a_mode_of_one_s_own_sees_images_one_by_one(monkeypatch):
    X = images(20, (6, 5, 1))
    model = ImagePadder(2, Mean()).fit(X)
    whole = model.transform(X)
    border = np.pad(np.zeros((6, 5), bool), 2, constant_values=True)
    means = np.broadcast_to(X.mean(axis=(1, 2))[:, None], whole[:, border].shape)
    np.testing.assert_allclose(whole[:, border], means, rtol=1e-12)
    np.testing.assert_array_equal(whole[:, ~border], X.reshape(20, 30, 1))
    np.testing.assert_array_equal(model.transform(X[7:8]), whole[7:8])
    np.testing.assert_array_equal(model.transform(np.asfortranarray(X[::-1])), whole[::-1])
    monkeypatch.setattr(_images, "_CHUNK_BYTES", 1)
    np.testing.assert_array_equal(model.transform(X), whole)
    assert ImagePadder(1, Mean()).fit_transform(X.astype(np.float32)).dtype == np.float32


def test_a_mode_of_one_s_own_cannot_change_the_samples():
    class Doubling(PaddingMode):
        def fill(self, image, border):
            image *= 2

    X = np.ones((3, 4, 4))
    with pytest.raises(ValueError, match="read-only"):
        ImagePadder(1, Doubling()).fit_transform(X)
    assert (X == 1).all()


def test_the_fitted_mode_is_the_padder_s_own():
    X, mode = images(), PatternPadding(np.ones((2, 2)))
    model = ImagePadder(1, mode).fit(X)
    expected = model.transform(X)
    mode.values[...] = 7
    model.set_params(padding_mode__values=[[5]])
    np.testing.assert_array_equal(model.transform(X), expected)
    assert (model.fit_transform(X)[:, 0] == 5).all()


def test_a_search_over_modes_and_their_values():
    X, y = load_digits(return_X_y=True)
    X, y = X[:200] / 16, y[:200]
    pipeline = make_pipeline(ImagePadder(1), LogisticRegression())
    pipeline.set_params(imagepadder__padding_mode=ConstantPadding())
    grid = [
        {"imagepadder__padding_mode__values": [0, 0.5]},
        {"imagepadder__padding_mode": ["edge", NoisePadding(scale=0.1)]},
    ]
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 4


# As a transformer


@pytest.mark.parametrize("mode", MODES)
def test_threads_and_chunks_do_not_change_a_bit(mode, monkeypatch):
    X = images(50)
    monkeypatch.setattr(_images, "_CHUNK_BYTES", 5000)
    one, two, more = (padder(mode, n_jobs=n).fit_transform(X) for n in (1, 2, 5))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, more)


@pytest.mark.parametrize("mode", MODES)
def test_pickle_and_clone(mode):
    X = images()
    model = padder(mode).fit(X)
    expected = model.transform(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(X), expected)
    copy = clone(model)
    assert repr(copy) == repr(model)
    assert not hasattr(copy, "output_shape_")
    np.testing.assert_array_equal(copy.fit(X).transform(X), expected)


@pytest.mark.parametrize("mode", MODES)
def test_x_stays_as_it_is_and_the_output_is_new(mode):
    X = images()
    before = X.copy()
    model = padder(mode, 0).fit(X)
    padded = model.transform(X)
    np.testing.assert_array_equal(padded, X)
    padded[...] = 0
    model.inverse_transform(X)[...] = 0
    np.testing.assert_array_equal(X, before)


def test_names_of_the_features():
    X = images(2, (1, 2))
    model = ImagePadder(((1, 0), (0, 1))).fit(X)
    assert model.get_feature_names_out().tolist() == [f"row{r}_column{c}" for r in range(2) for c in range(3)]
    model = ImagePadder(1, image_shape=(1, 2, 2)).fit(images(2, (4,)))
    names = [f"channel{c}_time{t}" for t in range(4) for c in range(2)]
    assert model.get_feature_names_out().tolist() == names
    names = model.get_feature_names_out(["a_time0", "b_time0", "a_time1", "b_time1"])
    assert names.tolist() == [f"{c}_time{t}" for t in range(4) for c in "ab"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_hold_flat_samples_and_images_stay_arrays(library):
    frames = pytest.importorskip(library)
    X = images(4, (3, 3))
    model = padder("edge", 1).set_output(transform=library)
    for result in (model.fit_transform(X), model.fit(X).transform(X)):
        np.testing.assert_array_equal(result, np.pad(X, ((0, 0), (1, 1), (1, 1)), "edge"))
    flat = X.reshape(4, -1)
    for result in (model.fit_transform(flat), model.fit(flat).transform(flat)):
        assert isinstance(result, frames.DataFrame)
        assert list(result.columns) == model.get_feature_names_out().tolist()
        np.testing.assert_array_equal(result.to_numpy(), np.pad(X, ((0, 0), (1, 1), (1, 1)), "edge").reshape(4, -1))
    back = model.inverse_transform(model.transform(flat))
    np.testing.assert_array_equal(back, flat)
    with sklearn.config_context(transform_output=library):
        assert padder("edge", 1).fit_transform(X).shape == (4, 5, 5)
        assert isinstance(padder("edge", 1).fit_transform(flat), frames.DataFrame)


def test_lists_and_every_number_type():
    X = images(3, (2, 2)) * 10
    expected = padder("reflect", 1).fit_transform(X)
    np.testing.assert_array_equal(padder("reflect", 1).fit_transform(X.tolist()), expected)
    for dtype in (np.int8, np.uint16, np.int64, bool, np.float16, np.float32):
        padded = padder("reflect", 1).fit_transform(X.astype(dtype))
        assert padded.dtype == np.float32
        np.testing.assert_array_equal(padded, padder("reflect", 1).fit_transform(X.astype(dtype).astype(np.float32)))
    assert padder().fit_transform(X.astype(np.longdouble)).dtype == np.float64


def test_in_a_pipeline():
    X, y = load_digits(return_X_y=True)
    X, y = X[:200], y[:200]
    pipeline = make_pipeline(ImagePadder(1, "edge"), ConvNetClassifier(max_iter=2, random_state=0))
    assert pipeline.fit(X, y).predict(X).shape == (200,)
    assert pipeline[-1].image_shape_ == (10, 10, 1)
    images_too = clone(pipeline).fit(X.reshape(-1, 8, 8), y)
    np.testing.assert_array_equal(images_too.predict_proba(X.reshape(-1, 8, 8)), pipeline.predict_proba(X))


def test_memory_is_bounded():
    X = images(400, (30, 30, 3), np.float32)
    for mode in MODES:
        model = padder(mode, 5, n_jobs=1).fit(X)
        model.transform(X)
        tracemalloc.start()
        try:
            padded = model.transform(X)
            assert tracemalloc.get_traced_memory()[1] < padded.nbytes + (1 << 22)
        finally:
            tracemalloc.stop()


# Errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding_mode": "mirror"}, "'padding_mode' .* or a padding mode of skconv.layers. Got 'mirror' instead"),
        ({"padding_mode": ConstantPadding}, "'padding_mode' .* Got the class ConstantPadding instead"),
        ({"padding": -1}, r"The 'padding' parameter of ImagePadder must be an int in the range \[0, inf\)"),
        ({"padding": ((1, -1), 0)}, r"'padding' .* two pairs .* Got \(\(1, -1\), 0\) instead"),
        ({"padding": (1, 2, 3)}, r"'padding' .* must be .* \(\(top, bottom\), \(left, right\)\). Got \(1, 2, 3\)"),
        *(
            ({"padding_mode": mode}, f"^{type(mode).__name__}: {message}")
            for mode, message in [
                (ConstantPadding([1, 2, 3]), "values has 3 numbers .*, but the images have 2 channels"),
                (ConstantPadding([[1, 2]]), r"values has 2 numbers in an array of shape \(1, 2\), but .* 2 channels"),
                (ConstantPadding(np.nan), "values must be a finite number .* got nan"),
                (PatternPadding(0), r"values must be an array of shape \(h, w\) .*, got shape \(\)"),
                (PatternPadding([1, 2]), r"values must be an array of shape \(h, w\) .*, got shape \(2,\)"),
                (PatternPadding([["a"]]), r"values must be a finite number or .* got \[\['a'\]\]"),
                (PatternPadding(np.ones((2, 2, 3))), "values has 3 channels, but the images have 2"),
                (PatternPadding(np.ones((0, 2))), r"values must be .* got an array of shape \(0, 2\)"),
                (NoisePadding("pink"), "distribution must be a str among {'normal', 'uniform'}, got 'pink'"),
                (NoisePadding(mean=[1, 2, 3]), "mean has 3 numbers .*, but the images have 2 channels"),
                (NoisePadding(scale=[1, 2, 3]), "scale has 3 numbers .*, but the images have 2 channels"),
                (NoisePadding(scale=[1, -2]), r"scale must be at least 0, got \[1, -2\]"),
                (NoisePadding(random_state=-3), r"random_state must be an int in the range \[0, 4294967295\], got -3"),
                (NoisePadding(random_state=2**32), r"random_state must be .*\], got 4294967296"),
                (DonorPadding(random_state=2**32), r"random_state must be .*\], got 4294967296"),
                (DonorPadding(0), r"n_donors must be an int in the range \[1, inf\), got 0"),
            ]
        ),
        (
            {"padding": 10**9},
            r"an output of 1 x 2,000,000,004 x 2,000,000,005 x 2 numbers would take .* this machine's mem",
        ),
        ({"image_shape": (4, 4)}, r"image_shape=\(4, 4\) has 16 numbers, but X has 40 features a sample"),
    ],
)
def test_errors_at_fit_leave_the_padder_as_it_was(options, message):
    X = images()
    model = ImagePadder(**options)
    before = dict(model.__dict__)
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    assert model.__dict__ == before
    model = ImagePadder(2, ConstantPadding(1)).fit(X)
    expected = model.transform(X)
    model.set_params(**options)
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    np.testing.assert_array_equal(
        model.set_params(**ImagePadder(2, ConstantPadding(1)).get_params()).transform(X), expected
    )


@pytest.mark.parametrize("shape", [(3, 0), (3, 0, 4), (3, 4, 0, 1)])
@pytest.mark.parametrize("mode", ["edge", "constant"])
def test_an_empty_axis_has_nothing_to_pad(mode, shape):
    with pytest.raises(ValueError, match=r"Found array with 0 feature\(s\)"):
        ImagePadder(1, mode).fit(np.ones(shape))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((2, 41)), "X has 41 features, but ImagePadder is expecting 40"),
        (np.ones((2, 5, 4, 2)), r"X has samples of shape \(5, 4, 2\), but ImagePadder was fitted on \(4, 5, 2\)"),
        (np.full((2, 4, 5, 2), np.nan), "Input X contains NaN"),
    ],
)
def test_errors_at_transform(X, message):
    with pytest.raises(ValueError, match=message):
        ImagePadder().fit(images()).transform(X)


@pytest.mark.parametrize("shape", [(83,), (7, 6, 2), (6, 14), (6, 7, 2, 1)])
def test_errors_of_the_inverse(shape):
    with pytest.raises(ValueError, match=r"X has samples of shape \(.*\), but padded images have shape \(6, 7, 2\)"):
        ImagePadder().fit(images()).inverse_transform(np.ones((2, *shape)))


def test_before_fit():
    for method in ("transform", "inverse_transform"):
        with pytest.raises(NotFittedError, match="This ImagePadder instance is not fitted yet"):
            getattr(ImagePadder(), method)(images())


def test_working_memory_too_small_for_a_sample():
    X = images(2, (100, 100, 3))
    model = padder("noise", n_jobs=1).fit(X)
    with (
        sklearn.config_context(working_memory=0.5),
        pytest.raises(ValueError, match=r"one sample's working arrays would take .* scikit-learn's working_memory"),
    ):
        model.transform(X)


def test_an_output_larger_than_memory(machine_memory):
    model = ImagePadder().fit(images())
    machine_memory(1000)
    with pytest.raises(ValueError, match=r"an output of 7 x 6 x 7 x 2 numbers would take 0.0 MiB, more than the 0.0"):
        model.transform(images())
