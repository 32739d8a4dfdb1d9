"""`ToImages` and `Flatten`: views, shapes there and back, data frames, and pipelines without a shape."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from skconv import Flatten, StridedPooling, ToImages
from skconv._estimators.image_transformer import ImageTransformer

# Shape of a sample, image_shape, shape of the image.
TO_IMAGES = {
    "square": ((16,), None, (4, 4, 1)),
    "one number": ((1,), None, (1, 1, 1)),
    "no square": ((6,), None, (6,)),
    "two numbers": ((2,), None, (2,)),
    "rectangle": ((6,), (2, 3), (2, 3, 1)),
    "channels": ((24,), [2, 3, 4], (2, 3, 4)),
    "series": ((6,), "series", (1, 6, 1)),
    "square series": ((64,), "series", (1, 64, 1)),
    "series by length": ((6,), (6,), (1, 6, 1)),
    "series by number": ((6,), 6, (1, 6, 1)),
    "images": ((2, 3), None, (2, 3, 1)),
    "one row": ((1, 3), None, (1, 3, 1)),
    "images with channels": ((2, 3, 4), None, (2, 3, 4)),
    "series with channels": ((5, 3), "series", (1, 5, 3)),
}


def numbers(shape, dtype=np.float64, n=3):
    return np.arange(n * np.prod(shape)).reshape(n, *shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int64, bool])
@pytest.mark.parametrize("name", TO_IMAGES)
def test_to_images_is_a_view(name, dtype):
    shape, image_shape, expected = TO_IMAGES[name]
    X = numbers(shape, dtype)
    to_images = ToImages(image_shape).fit(X)
    output = to_images.transform(X)
    assert output.dtype == dtype
    assert output.shape == (3, *expected)
    assert to_images.output_shape_ == expected
    assert np.shares_memory(output, X)
    np.testing.assert_array_equal(output.ravel(), X.ravel())
    back = to_images.inverse_transform(output)
    assert np.shares_memory(back, X)
    np.testing.assert_array_equal(back, X.reshape(3, -1))
    np.testing.assert_array_equal(to_images.inverse_transform(back), back)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int64, bool])
@pytest.mark.parametrize("name", TO_IMAGES)
def test_flatten_is_a_view_and_goes_back(name, dtype):
    shape, image_shape, image = TO_IMAGES[name]
    X = numbers(shape, dtype)
    flatten = Flatten(image_shape).fit(X)
    output = flatten.transform(X)
    assert output.dtype == dtype
    assert flatten.output_shape_ == (np.prod(shape),)
    assert flatten.image_shape_ == (image if len(image) == 3 else (1, *image, 1))
    assert np.shares_memory(output, X)
    np.testing.assert_array_equal(output, X.reshape(3, -1))
    back = flatten.inverse_transform(output)
    assert back.shape == X.shape
    assert np.shares_memory(back, X)
    np.testing.assert_array_equal(back, X)


def test_memory_in_another_order():
    X = np.asfortranarray(numbers((6,)))
    output = ToImages((2, 3)).fit_transform(X)
    assert np.shares_memory(output, X)
    np.testing.assert_array_equal(output[..., 0], numbers((2, 3)))
    images = numbers((2, 3, 2)).transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(Flatten().fit_transform(images), np.array([list(image.flat) for image in images]))


def test_lists():
    X = numbers((2, 3))
    np.testing.assert_array_equal(ToImages().fit_transform(X.tolist()), X[..., None])
    np.testing.assert_array_equal(Flatten().fit_transform(X.tolist()), X.reshape(3, 6))


def test_flat_samples_of_a_shape_that_was_fitted():
    X = numbers((2, 3))
    assert ToImages().fit(X).transform(X.reshape(3, 6)).shape == (3, 2, 3, 1)
    assert Flatten((2, 3)).fit(X.reshape(3, 6)).transform(X).shape == (3, 6)
    assert ToImages().fit(X.reshape(3, 6)).transform(X.reshape(3, 1, 6)).shape == (3, 6)


# Names and data frames


def pixels(height, width):
    return [f"row{p}_column{q}" for p in range(height) for q in range(width)]


@pytest.mark.parametrize("transformer", [ToImages, Flatten])
def test_names(transformer):
    def names(X, image_shape=None):
        return list(transformer(image_shape).fit(X).get_feature_names_out())

    assert names(numbers((2, 3))) == pixels(2, 3)
    assert names(numbers((6,)), (2, 3)) == pixels(2, 3)
    assert names(numbers((4,))) == pixels(2, 2)
    assert names(numbers((5,))) == [f"time{t}" for t in range(5)]
    assert names(numbers((2, 2)), "series") == [f"channel{c}_time{t}" for t in range(2) for c in range(2)]
    assert names(numbers((1, 2, 2)))[:2] == ["channel0_time0", "channel1_time0"]
    assert names(pd.DataFrame(numbers((4,)), columns=list("abcd"))) == list("abcd")


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("where", ["set_output", "config"])
@pytest.mark.parametrize("transformer", [ToImages, Flatten])
def test_data_frames_are_flat(transformer, where, library):
    X = numbers((16,))
    shaper = transformer()
    if where == "set_output":
        shaper.set_output(transform=library)
    with config_context(transform_output=library if where == "config" else "default"):
        for frame in (shaper.fit_transform(X), shaper.transform(X)):
            assert type(frame).__module__.startswith(library)
            assert list(frame.columns) == pixels(4, 4)
            np.testing.assert_array_equal(frame.to_numpy(), X)
        output = shaper.fit_transform(X.reshape(3, 4, 4))
    if transformer is Flatten:  # flat it fits in a data frame
        assert list(output.columns) == pixels(4, 4)
        np.testing.assert_array_equal(output.to_numpy(), X)
    else:
        assert isinstance(output, np.ndarray)
        assert output.shape == (3, 4, 4, 1)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_pipeline_of_data_frames(library):
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(ToImages(), StridedPooling("mean"), Flatten(), MaxAbsScaler())
    expected = model.fit_transform(X, y)
    model.set_output(transform=library)
    frame = model.fit_transform(X, y)
    assert list(frame.columns) == list(model.get_feature_names_out()) == pixels(4, 4)
    np.testing.assert_array_equal(frame.to_numpy(), expected)


def test_names_through_a_pipeline():
    model = make_pipeline(ToImages((4, 4, 2)), StridedPooling(), Flatten()).fit(numbers((32,)))
    expected = [f"channel{c}_{pixel}" for pixel in pixels(2, 2) for c in range(2)]
    assert list(model.get_feature_names_out()) == expected
    colors = [f"{color}_{pixel}" for pixel in pixels(4, 4) for color in ("red", "green")]
    model.fit(pd.DataFrame(numbers((32,)), columns=colors))
    assert list(model.get_feature_names_out()) == [f"{c}_{pixel}" for pixel in pixels(2, 2) for c in ("red", "green")]


# With the rest of scikit-learn


def test_digits_without_a_shape_anywhere():
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(ToImages(), StridedPooling(), Flatten(), LogisticRegression(C=100, max_iter=1000))
    grid = {"stridedpooling__pool": ["max", "mean", "median"], "stridedpooling__pool_size": [2, (1, 2), "global"]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X[::3] / 16, y[::3])
    assert search.best_params_["stridedpooling__pool_size"] in (2, (1, 2))
    assert search.best_score_ > 0.8
    assert search.score(X[1::3] / 16, y[1::3]) > 0.8


def test_in_a_column_transformer():
    X = numbers((20,))
    columns = ColumnTransformer(
        [
            ("left", make_pipeline(ToImages(), StridedPooling("stride"), Flatten()), slice(0, 16)),
            ("right", Flatten(), slice(16, 20)),
        ]
    )
    output = columns.fit_transform(X)
    np.testing.assert_array_equal(output, np.hstack([X[:, :16].reshape(3, 4, 4)[:, ::2, ::2].reshape(3, 4), X[:, 16:]]))
    assert list(columns.get_feature_names_out())[:2] == ["left__row0_column0", "left__row0_column1"]


@pytest.mark.parametrize("transformer", [ToImages((2, 3)), Flatten((2, 3))], ids=["ToImages", "Flatten"])
def test_clone_and_pickle(transformer):
    X = numbers((6,))
    expected = transformer.fit_transform(X)
    for copy in (clone(transformer).fit(X), pickle.loads(pickle.dumps(transformer))):
        assert copy.get_params() == transformer.get_params()
        np.testing.assert_array_equal(copy.transform(X), expected)
        np.testing.assert_array_equal(copy.inverse_transform(expected), transformer.inverse_transform(expected))


# Errors


@pytest.mark.parametrize("transformer", [ToImages, Flatten])
@pytest.mark.parametrize(
    ("image_shape", "message"),
    [
        ((2, 4), r"image_shape=\(2, 4\) has 8 numbers, but X has 6 features a sample"),
        ("square", "The 'image_shape' parameter of .* must be .* Got 'square'"),
        ((2, 3, 1, 1), r"'image_shape' .* must be a str among {'series'}, .*, \(H, W\) .* Got \(2, 3, 1, 1\)"),
    ],
)
def test_shapes_that_do_not_fit(transformer, image_shape, message):
    with pytest.raises(ValueError, match=message):
        transformer(image_shape).fit(numbers((6,)))


@pytest.mark.parametrize("transformer", [ToImages, Flatten])
def test_other_samples_than_were_fitted(transformer):
    shaper = transformer().fit(numbers((2, 3)))
    with pytest.raises(ValueError, match=r"X has 8 features, but .* is expecting 6 features"):
        shaper.transform(numbers((8,)))
    with pytest.raises(ValueError, match=r"samples of shape \(3, 2, 1\), but .* was fitted on \(2, 3, 1\)"):
        shaper.transform(numbers((3, 2)))


@pytest.mark.parametrize("transformer", [ToImages, Flatten])
@pytest.mark.parametrize("shape", [(5,), (3, 2, 1), (2, 3)])
def test_nothing_to_go_back_from(transformer, shape):
    shaper = transformer().fit(numbers((2, 3)))
    output_shape = {ToImages: r"\(2, 3, 1\)", Flatten: r"\(6,\)"}[transformer]
    message = rf"X has samples of shape \({', '.join(map(str, shape))},?\), but .* it gives the shape {output_shape}$"
    with pytest.raises(ValueError, match=message):
        shaper.inverse_transform(numbers(shape))


def test_the_base_leaves_the_work_to_others():
    base = ImageTransformer()
    for call in (lambda: base._fit_images(None, None), lambda: base._transform_images(None, None)):
        with pytest.raises(NotImplementedError):
            call()
    with pytest.raises(NotImplementedError):
        base._names([""])
    assert base._working_bytes(4) == 0
