"""What a model file keeps of `ConvFeatures` fits together, or the file is refused."""

import numpy as np
import pytest
from edited_files import array, assert_refused, both, setting

from skconv import ConvFeatures, ImagePadder, ImageResizer, StridedPooling

X = np.random.default_rng(0).random((12, 5, 5))
SERIES = np.random.default_rng(0).random((12, 30, 2))
S = "model.state"


def sizes(*values):
    return {"is": "tuple", "values": list(values)}


FEATURES = {
    "the names of features do not fit output_shape_": setting(f"{S}.filter_names_", ["a"]),
    "filter_names_ must be a list of names": setting(f"{S}.filter_names_", [1, 2]),
    "filters_ must be an array of four axes, in float64": array("filters_", np.zeros((2, 3, 3))),
    r"output_shape_=\(5, 4, 2\) does not have 50 numbers": setting(f"{S}.output_shape_", sizes(5, 4, 2)),
    "output_shape_ must be a tuple of one to three ints": setting(f"{S}.output_shape_", sizes(5, 5, -2)),
    r"samples \(5, 4\) do not have 25 features": setting(f"{S}._sample_shape", sizes(5, 4)),
    r"a network from \(5, 5, 1\) does not fit images \(25, 1, 1\)": setting(f"{S}.image_shape_", sizes(25, 1, 1)),
    "networks_ must be a list of networks": setting(f"{S}.networks_", [3]),
    "rocket must be an instance of 'dict' or None": setting(f"{S}.rocket", 3),
    "can have saved: 'rocket'": lambda config, _: config["model"]["state"].pop("rocket"),
    "minirocket do not fit images or networks": setting(f"{S}.rocket", {"is": "dict", "pairs": []}),
}
ROCKET = {
    "minirocket must have n_features, sizes, channels": setting(f"{S}.rocket", {"is": "dict", "pairs": []}),
    "the numbers of minirocket must be whole": array("rocket.sizes", np.ones(10)),
    "minirocket must be whole, its biases float64": array("rocket.biases", np.ones(10)),
    "the channels of minirocket do not fit the sizes": array("rocket.sizes", np.ones(3, int)),
    "minirocket has channels 0 to 1, but there are 1": both(
        setting(f"{S}.image_shape_", sizes(1, 60, 1)), setting("model.parameters.image_shape", None)
    ),
    "7 lists of channels and 84 features do not fit minirocket": both(
        array("rocket.sizes", np.ones(7, int)), array("rocket.channels", np.zeros(7, int))
    ),
}  # fmt: skip


@pytest.mark.parametrize("match", FEATURES)
def test_features_that_no_fit_gives(match, tmp_path):
    assert_refused(ConvFeatures("sobel").fit(X), tmp_path, FEATURES[match], match)


@pytest.mark.parametrize("match", ROCKET)
def test_minirocket_that_no_fit_gives(match, tmp_path):
    model = ConvFeatures("minirocket", 84, random_state=0, image_shape="series").fit(SERIES)
    assert_refused(model, tmp_path, ROCKET[match], match)


def test_too_many_lists_of_channels(tmp_path):
    model = ConvFeatures("minirocket", 84, random_state=0, image_shape="series").fit(SERIES)
    model._rocket.subsets[0][0].append((0,))
    assert_refused(model, tmp_path, lambda *_: None, r"\d+ lists of channels and 84 features do not fit minirocket")


PADDERS = {
    r"a seed and donors do not fit DonorPadding": lambda config, arrays: (
        config["model"]["state"].pop("donors_"), arrays.pop("donors_")
    ),
    r"donors of shape \(3, 4, 5, 1\) do not fit images": array("donors_", np.zeros((3, 4, 5, 1))),
    "donors_ must be an array of images": array("donors_", np.zeros((3, 5, 5, 1), int)),
    r"output_shape_=\(7, 7, 2\) does not fit a border of 1": setting(f"{S}.output_shape_", sizes(7, 7, 2)),
    "_seed must be an int": setting(f"{S}._seed", -1),
    "_mode must be a padding mode": setting(f"{S}._mode", "donor"),
    "_border must be": setting(f"{S}._border", -1),
}  # fmt: skip


@pytest.mark.parametrize("match", PADDERS)
def test_padders_that_no_fit_gives(match, tmp_path):
    assert_refused(ImagePadder(1, "donor").fit(X[:3]), tmp_path, PADDERS[match], match)


def test_resizers_keep_the_channels(tmp_path):
    change = setting(f"{S}.output_shape_", sizes(4, 4, 2))
    assert_refused(
        ImageResizer(4).fit(X), tmp_path, change, r"output_shape_=\(4, 4, 2\) does not fit images \(5, 5, 1\)"
    )


def test_operations_have_parameters_that_fit(tmp_path):
    model = ConvFeatures("kmeans", 3, random_state=0).fit(X)
    layers = f"{S}.networks_.0.layers"
    for place, value, match in (
        ("1.parameters.taps", 0, r"\(Whitening\): taps must be an int"),
        ("1.parameters.epsilon", -1.0, "epsilon must be a float"),
        ("3.parameters.encode", 3, r"\(Triangle\): encode must be"),
    ):
        assert_refused(model, tmp_path, setting(f"{layers}.{place}", value), match)
    model = ConvFeatures("sobel", global_pool="max").fit(X)
    match = r"\(Summary\): kinds must be a tuple of names of summaries"
    assert_refused(model, tmp_path, setting(f"{layers}.1.parameters.kinds", sizes("least")), match)
    model = StridedPooling("median").fit(X)
    assert_refused(model, tmp_path, setting(f"{layers}.0.parameters.pool_size", 0), r"\(MedianPool\): pool_size must")
