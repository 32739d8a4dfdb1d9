"""What goes on around the calls of an estimator's methods."""

import signal
import warnings

import numpy as np
import pytest

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, Flatten, ImagePadder, StridedPooling, ToImages
from skconv._threads.calls import fitting, predicting, snapshot
from skconv._threads.interrupt import Interrupt
from skconv._threads.team import Team

SMALL = {"filters": 4, "hidden_layer_sizes": 8, "max_iter": 2, "random_state": 0}
RNG = np.random.default_rng(0)
X, Y = RNG.random((60, 8, 8)), np.arange(60) % 3
CALLS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "inverse_transform",
    "score",
)
ESTIMATORS = {
    "classifier": ConvNetClassifier(**SMALL),
    "classifier with validation": ConvNetClassifier(**SMALL, early_stopping=True, temperature_scaling=True),
    "lbfgs": ConvNetClassifier(**SMALL | {"solver": "lbfgs", "max_iter": 3}),
    "regressor": ConvNetRegressor(**SMALL),
    "random": ConvFeatures(random_state=0),
    "kmeans": ConvFeatures("kmeans", n_filters=4, random_state=0),
    "minirocket": ConvFeatures("minirocket", n_filters=84, image_shape=(64,), random_state=0),
    "pad": ImagePadder(1),
    "pool": StridedPooling(pool_size=2),
    "images": ToImages(),
    "flat": Flatten(),
}


class Model:
    """An estimator."""

    @fitting
    def fit(self, X):
        self.__dict__.pop("old_", None)
        self.new_ = X
        if X is None:
            raise ValueError("no X")
        return "not the estimator"

    @predicting
    def predict(self, X):
        self.seen = X
        return np.exp(np.float64(-1e4)) + np.geterr()["over"].count("ignore")


@pytest.mark.parametrize("name", ESTIMATORS)
def test_teams_work_within_calls_alone(name, monkeypatch):
    """Where Ctrl-C does not cut what must not be cut."""
    handlers = []

    def enter(team):
        handlers.append(signal.getsignal(signal.SIGINT))
        return original(team)

    original = Team.__enter__
    monkeypatch.setattr(Team, "__enter__", enter)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    model, samples = ESTIMATORS[name], X.reshape(60, 64) if name in ("minirocket", "images") else X
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few iterations, of samples whose shape is a guess
        try:
            assert model.fit(samples, Y) is model
            if hasattr(model, "partial_fit"):
                assert model.partial_fit(samples, Y) is model
            for call in CALLS:
                if hasattr(model, call):
                    out = model.transform(samples) if call == "inverse_transform" else samples
                    getattr(model, call)(*((out, Y) if call == "score" else (out,)))
        finally:
            signal.signal(signal.SIGINT, before)
    assert all(type(getattr(handler, "__self__", None)) is Interrupt for handler in handlers)
    assert handlers or name in ("pad", "images", "flat")


def test_a_fit_gives_and_takes_attributes():
    model = Model()
    model.old_, model.own = 1, 2
    held = vars(model)
    with pytest.raises(ValueError, match="no X"):
        model.fit(None)
    assert vars(model) is held
    assert vars(model) == {"old_": 1, "own": 2}
    assert model.fit(3) is model
    assert vars(model) == {"own": 2, "new_": 3}
    assert held == {"old_": 1, "own": 2}


def test_what_somebody_else_sets_during_a_fit_stays():
    class Busy(Model):
        @fitting
        def fit(self, other):
            other.own = 5
            self.new_ = 1

    model = Busy()
    model.own = 2
    model.fit(model)
    assert vars(model) == {"own": 5, "new_": 1}


def test_a_model_is_of_one_fit_where_two_threads_fit_it():
    """A number that is the same before and after a fit is its own none the less."""

    class Shared(Model):
        @fitting
        def fit(self, size, meanwhile=None):
            self.size_, self._private = size, size
            if meanwhile:
                meanwhile.own = "kept"
                meanwhile.fit(size + 1)
                meanwhile.more_, meanwhile._sklearn_output_config = 1, {}

    model = Shared()
    model.fit(3)
    model.fit(3, meanwhile=model)
    assert vars(model) == {"size_": 3, "_private": 3, "own": "kept", "_sklearn_output_config": {}}


def test_a_prediction_changes_nothing_and_is_quiet():
    model = Model()
    with np.errstate(all="raise"):
        assert model.predict(1) == 1
        assert np.geterr()["over"] == "raise"
    assert vars(model) == {}


def test_a_snapshot_is_of_now():
    model = Model().fit(1)
    copy = snapshot(model)
    model.fit(2)
    assert type(copy) is Model
    assert copy.new_ == 1
