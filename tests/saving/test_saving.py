"""The state that all estimators have in a model file."""

import numpy as np
import pandas as pd
import pytest
from edited_files import GONE, assert_refused, setting

from skconv import StridedPooling

X = np.random.default_rng(0).random((6, 4, 4))


@pytest.fixture(scope="module")
def model():
    return StridedPooling().fit(pd.DataFrame(X.reshape(6, -1), columns=[f"x{i}" for i in range(16)]))


STATES = {
    "it holds no model that skconv can have saved: StridedPooling has no attribute 'x'": setting("model.state.x", 1),
    "StridedPooling has no attribute 'fit'": setting("model.state.fit", 1),
    "StridedPooling lacks the attribute 'n_features_in_'": setting("model.state.n_features_in_", GONE),
    "n_features_in_ must be an int in the range": setting("model.state.n_features_in_", -1),
    "n_features_in_=15 does not fit image_shape_": setting("model.state.n_features_in_", 15),
    r"image_shape_ must be \(height, width": setting("model.state.image_shape_", [4]),
    "feature_names_in_ has 15 names for 16 features": setting("model.state.feature_names_in_", {
        "is": "texts", "dtype": "object", "shape": [15], "values": ["a"] * 15
    }),
    "feature_names_in_ must be an array of names": setting("model.state.feature_names_in_", ["a"] * 16),
    "_sklearn_output_config must be a dict such as": setting("model.state._sklearn_output_config", 3),
    "_sklearn_output_config must be a dict": setting(
        "model.state._sklearn_output_config", {"is": "dict", "pairs": [["predict", "x"]]}
    ),
    "metadata_requests must be an instance of 'dict'": setting("model.state.metadata_requests", 3),
    "metadata_requests: fit has no argument 'x' with True": setting("model.state.metadata_requests", {
        "is": "dict", "pairs": [["fit", {"is": "dict", "pairs": [["x", True]]}]]
    }),
}  # fmt: skip


@pytest.mark.parametrize("match", STATES)
def test_states_that_no_fit_leaves(model, match, tmp_path):
    assert_refused(model, tmp_path, STATES[match], match)
