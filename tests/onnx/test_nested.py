"""Estimators within estimators."""

import numpy as np
import pytest
from exported import assert_close, run
from helpers import first_digits, quick_model
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconv.onnx import to_onnx
from skconv.onnx._nested import last_step

X, y = first_digits(60)
X = X.astype(np.float32)
NET = quick_model(max_iter=1)


def test_the_last_step():
    inner = make_pipeline(StandardScaler(), NET)
    assert last_step(NET) is NET
    assert last_step(make_pipeline(StandardScaler(), FrozenEstimator(inner))) is NET


@pytest.mark.parametrize("last", [NET, LogisticRegression(C=0.1), GaussianNB()], ids=str)
@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("outer", [False, True])
def test_calibrated_pipelines(last, n, outer):
    model = CalibratedClassifierCV(make_pipeline(StandardScaler(), last), cv=2)
    model = make_pipeline(StandardScaler(), model) if outer else model
    model.fit(X, y % n)
    found = run(to_onnx(model, X), X)
    assert_close(found["probabilities"], model.predict_proba(X), within=2e-5)
    np.testing.assert_array_equal(found["label"], model.predict(X))


def test_calibrations_that_skl2onnx_has_otherwise():
    model = make_pipeline(StandardScaler(), CalibratedClassifierCV(NET, cv=2, method="isotonic")).fit(X, y % 3)
    with pytest.raises(ValueError, match=r"CalibratedClassifierCV\(method='isotonic'\): skl2onnx computes method='sig"):
        to_onnx(model, X)
