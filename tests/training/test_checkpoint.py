"""Checkpoints: whatever ends a training, the next one goes on with the bits of one that was not interrupted.

By hand, ``python tests/training/test_checkpoint.py KILLS SEED`` kills trainings at random moments and resumes them.
"""

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, ParameterGrid

import skconv
from skconv import ConvNetClassifier, ConvNetRegressor
from skconv._input.rows import LazyRows
from skconv.augmentation import Mixup, Shift
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Flatten,
    Pad,
    PatternPadding,
    Residual,
    SpatialDropout,
)
from skconv.training import Checkpoint
from skconv.training._checkpoint import fingerprint, plain, read, remove_parts, write

SMALL = {"filters": 4, "hidden_layer_sizes": 8, "max_iter": 6, "batch_size": 32, "random_state": 0}


def digits(n=150):
    X, y = load_digits(return_X_y=True)
    return X[:n] / 16, y[:n]


X, Y = digits()
X_VAL, Y_VAL = digits(400)[0][300:], digits(400)[1][300:]


class Crash(Exception):
    """What a callback of these tests raises."""


def crash_at(epoch):
    """A callback that ends the fit after that epoch, before its checkpoint."""

    def callback(info):
        if info.epoch == epoch:
            raise Crash

    return callback


def watched(seen):
    """A callback that keeps the numbers of the epochs."""
    return lambda info: seen.append(info.epoch)


CURVES = ("loss_curve_", "validation_loss_curve_", "validation_scores_", "best_validation_score_", "n_iter_")


def differences(a, b):
    """Names of what differs between two fitted models, bit for bit."""
    wrong = [name for name in (*CURVES, "stopped_early_", "interrupted_") if getattr(a, name) != getattr(b, name)]
    for name in ("parameters", "state"):
        first, second = getattr(a.network_, name), getattr(b.network_, name)
        if first.dtype != second.dtype or first.tobytes() != second.tobytes():
            wrong.append(name)
    if getattr(a, "temperature_", 1) != getattr(b, "temperature_", 1):
        wrong.append("temperature_")
    return wrong


def only_file(directory):
    (path,) = Path(directory).iterdir()
    return path


# Resuming

LAYERS = [Residual([Convolution(3), BatchNorm(), SpatialDropout(0.2)]), Activation(), Pad(1, "donor"), Flatten()]
CASES = {
    "adam": {},
    "adamw": {"solver": "adamw", "alpha": 1e-2},
    "sgd": {"solver": "sgd"},
    "rmsprop": {"solver": "rmsprop"},
    "muon": {"solver": "muon", "filters": (8, 8)},
    "dropout": {"dropout": 0.3},
    "noise": {"padding_mode": "noise", "padding": 2},
    "donor": {"padding_mode": "donor"},
    "average": {"ema_decay": 0.9},
    "average and validation": {"ema_decay": 0.9, "early_stopping": True},
    "plateau": {"learning_rate": "plateau", "n_iter_no_change": 2, "tol": 0.3},
    "plateau and validation": {"learning_rate": "plateau", "early_stopping": True, "n_iter_no_change": 5, "tol": 0.9},
    "cosine after a warm-up": {"learning_rate": "cosine", "warm_up": 0.3, "clip_norm": 1.0, "max_norm": 2.0},
    "constant": {"learning_rate": "constant", "l1_ratio": 0.5},
    "augmentation": {"augment": [Shift(1), "rotation", "noise", "mixup", "cutout"], "n_augmented": 2},
    "early stopping": {"early_stopping": True, "scoring": "balanced_accuracy"},
    "the last quarter after three": {"early_stopping": True, "n_iter_no_change": 2, "tol": 9.0, "max_iter": 12},
    "temperature": {"early_stopping": True, "temperature_scaling": True, "scoring": "loss"},
    "full batch in float64": {"batch_size": 200, "dropout": 0.2},
    "layers": {"layers": LAYERS},
    "frozen": {"freeze": "convolution1", "initial_weights": {"convolution1.bias": np.arange(4.0)}, "batch_norm": False},
    "in order": {"shuffle": False, "class_weight": "balanced", "label_smoothing": 0.2},
    "focal": {"loss": "focal"},
}


@pytest.mark.parametrize("name", CASES)
def test_resumed_is_bit_for_bit_the_uninterrupted_fit(name, tmp_path):
    model = ConvNetClassifier(**{**SMALL, **CASES[name]})
    whole, seen = model.fit(X, Y), []
    resumed = ConvNetClassifier(**{**model.get_params(deep=False), "checkpoint": tmp_path})
    for epoch in (1, 3, 5):  # of three processes, say, none goes on for long
        with pytest.raises(Crash):
            resumed.set_params(callback=crash_at(epoch)).fit(X, Y)
    resumed.set_params(callback=watched(seen)).fit(X, Y)
    assert seen == [5, 6]
    assert differences(resumed, whole) == []
    np.testing.assert_array_equal(resumed.predict_proba(X_VAL), whole.predict_proba(X_VAL))


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson"])
@pytest.mark.parametrize("targets", [1, 2])
def test_regressor_resumes(loss, targets, tmp_path):
    y = np.stack([Y, 9.0 - Y], axis=1)[:, :targets]
    y = y[:, 0] if targets == 1 else y
    params = {**SMALL, "loss": loss, "early_stopping": True, "scoring": "neg_mean_absolute_error"}
    whole = ConvNetRegressor(**params).fit(X, y)
    resumed = ConvNetRegressor(**params, checkpoint=tmp_path)
    with pytest.raises(Crash):
        resumed.set_params(callback=crash_at(4)).fit(X, y)
    resumed.set_params(callback=None).fit(X, y)
    assert differences(resumed, whole) == []
    np.testing.assert_array_equal(resumed.predict(X_VAL), whole.predict(X_VAL))


def test_multilabel_and_validation_data_resume(tmp_path):
    bits, bits_val = ((labels[:, None] >> np.arange(4)) & 1 for labels in (Y, Y_VAL))
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    data = {"sample_weight": weight, "X_val": X_VAL, "y_val": bits_val, "sample_weight_val": np.arange(100)}
    whole = ConvNetClassifier(**SMALL).fit(X, bits, **data)
    resumed = ConvNetClassifier(**SMALL, checkpoint=tmp_path)
    with pytest.raises(Crash):
        resumed.set_params(callback=crash_at(4)).fit(X, bits, **data)
    resumed.set_params(callback=None).fit(X, bits, **data)
    assert len(whole.validation_scores_) == 6
    assert differences(resumed, whole) == []


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 2)])
def test_threads_and_verbosity_do_not_matter(before, after, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("skconv._network.widths.MIN_BLOCK_WORK", 1)  # so that there is a block for each thread
    params = {**SMALL, "batch_size": 128, "dropout": 0.3, "augment": [Shift(1), Mixup()], "padding_mode": "noise"}
    whole = ConvNetClassifier(**params, n_jobs=1).fit(X, Y)
    resumed = ConvNetClassifier(**params, checkpoint=tmp_path, n_jobs=before, verbose=2)
    with pytest.raises(Crash):
        resumed.set_params(callback=crash_at(4)).fit(X, Y)
    resumed.set_params(callback=None, n_jobs=after, verbose=0).fit(X, Y)
    assert differences(resumed, whole) == []
    assert capsys.readouterr().out.count("Epoch") == 4
    assert only_file(tmp_path)


def test_every_third_epoch(tmp_path):
    params = {**SMALL, "max_iter": 8}
    whole, seen = ConvNetClassifier(**params).fit(X, Y), []
    resumed = ConvNetClassifier(**params, checkpoint=Checkpoint(tmp_path, every=3))
    with pytest.raises(Crash):
        resumed.set_params(callback=crash_at(3)).fit(X, Y)
    assert read(only_file(tmp_path))[1]["epoch"] == 0
    with pytest.raises(Crash):
        resumed.set_params(callback=crash_at(6)).fit(X, Y)
    assert read(only_file(tmp_path))[1]["epoch"] == 3
    resumed.set_params(callback=watched(seen), checkpoint__every=2).fit(X, Y)
    assert seen == [4, 5, 6, 7, 8]
    assert differences(resumed, whole) == []
    assert read(only_file(tmp_path))[1]["epoch"] == 8


def test_a_directory_that_is_not_there_is_made(tmp_path):
    ConvNetClassifier(**{**SMALL, "max_iter": 1}, checkpoint=str(tmp_path / "a" / "b")).fit(X, Y)
    assert only_file(tmp_path / "a" / "b").suffix == ".npz"


def test_data_larger_than_memory_resume(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "X.h5", "w") as file:
        file["X"] = np.tile(X, (150, 1)).astype(np.float32)  # 5.5 MiB
        y = np.tile(Y, 150)
        params = {**SMALL, "max_iter": 3, "batch_size": 1000}
        with config_context(working_memory=2):
            whole = ConvNetClassifier(**params).fit(file["X"], y)
            resumed = ConvNetClassifier(**params, checkpoint=tmp_path / "state")
            with pytest.raises(Crash):
                resumed.set_params(callback=crash_at(3)).fit(file["X"], y)
            resumed.set_params(callback=None).fit(file["X"], y)
    assert differences(resumed, whole) == []


# Finished fits


def test_a_finished_fit_is_read_back(tmp_path):
    model = ConvNetClassifier(**SMALL, checkpoint=tmp_path)
    first, seen = model.fit(X, Y), []
    again = ConvNetClassifier(**SMALL, checkpoint=tmp_path, callback=watched(seen)).fit(X, Y)
    assert seen == []
    assert differences(first, again) == []


def test_a_fit_that_stopped_early_is_read_back(tmp_path):
    params = {**SMALL, "max_iter": 50, "early_stopping": True, "n_iter_no_change": 2}
    first, seen = ConvNetClassifier(**params, checkpoint=Checkpoint(tmp_path, every=100)).fit(X, Y), []
    assert first.stopped_early_
    assert first.n_iter_ < 50
    again = ConvNetClassifier(**params, checkpoint=tmp_path, callback=watched(seen)).fit(X, Y)
    assert seen == []
    assert differences(first, again) == []
    assert differences(first, ConvNetClassifier(**params).fit(X, Y)) == []


def test_where_a_callback_stopped_it_is_asked_again(tmp_path):
    whole, seen = ConvNetClassifier(**SMALL).fit(X, Y), []
    model = ConvNetClassifier(**SMALL, checkpoint=tmp_path)
    stopped = model.set_params(callback=lambda info: info.epoch >= 3).fit(X, Y)
    curve = list(stopped.loss_curve_)
    assert stopped.stopped_early_
    again = model.set_params(callback=lambda info: seen.append(info) or info.epoch >= 3).fit(X, Y)  # as before
    assert again.stopped_early_
    assert [info.epoch for info in seen] == [3]
    assert again.loss_curve_ == curve == whole.loss_curve_[:3]
    assert 0 < seen[0].learning_rate < 1e-2
    more_time = model.set_params(callback=None).fit(X, Y)
    assert differences(more_time, whole) == []


# Names


def file_of(directory, estimator, *args, **kwargs):
    """Name of the file that a fit leaves."""
    before = set(directory.iterdir())
    estimator.set_params(checkpoint=directory).fit(*args, **kwargs)
    (new,) = set(directory.iterdir()) - before
    return new.name


def test_other_fits_have_another_file(tmp_path):
    quick = {**SMALL, "max_iter": 1}
    model = partial(ConvNetClassifier, **quick)
    other = X.copy()
    other[77, 5] += 1e-9
    fits = [
        (model(), X, Y),
        (model(alpha=1e-3), X, Y),
        (model(alpha=1e-3, l1_ratio=0.5), X, Y),
        (model(augment="auto"), X, Y),
        (model(augment=[Shift(1)]), X, Y),
        (model(augment=[Shift(2)]), X, Y),
        (model(layers=[Pad(1, PatternPadding(X[0].reshape(8, 8))), Flatten()]), X, Y),
        (model(layers=[Pad(1, PatternPadding(other[77].reshape(8, 8))), Flatten()]), X, Y),
        (model(initial_weights={"convolution1.weight": np.ones((4, 3, 3, 1))}), X, Y),
        (model(initial_weights={"convolution1.weight": np.zeros((4, 3, 3, 1))}), X, Y),
        (ConvNetClassifier(**{**quick, "random_state": 1}), X, Y),
        (model(), other, Y),
        (model(), X.astype(np.float32), Y),
        (model(), X[:-1], Y[:-1]),
        (model(), X.reshape(-1, 4, 16), Y),
        (model(), X.reshape(-1, 16, 4), Y),
        (model(), X, Y[::-1].copy()),
        (model(), X, Y + 1),  # a scorer may care
        (model(), X, Y, np.arange(150)),
        (ConvNetRegressor(**quick), X, Y),
        (ConvNetRegressor(**quick), X, 2 * Y),
        (ConvNetRegressor(**quick), X, Y + 1),
    ]
    for estimator, *data in fits:
        file_of(tmp_path, estimator, *data)
    for changed in ({}, {"X_val": X_VAL[::-1]}, {"sample_weight_val": np.arange(100)}):
        file_of(tmp_path, model(), X, Y, **{"X_val": X_VAL, "y_val": Y_VAL, **changed})
    assert len(list(tmp_path.iterdir())) == len(fits) + 3


def test_what_has_no_effect_is_not_in_the_name(tmp_path):
    quick = {**SMALL, "max_iter": 1}
    ConvNetClassifier(**quick, checkpoint=tmp_path).fit(X, Y)
    options = {"n_jobs": 2, "verbose": 0, "callback": print}
    ConvNetClassifier(**quick, checkpoint=Checkpoint(str(tmp_path), every=7), **options).fit(X.tolist(), Y.astype(str))
    assert len(list(tmp_path.iterdir())) == 2  # another type of labels
    ConvNetClassifier(**quick, checkpoint=str(tmp_path), **options).fit(X.tolist(), Y.tolist())
    assert len(list(tmp_path.iterdir())) == 2


def test_warm_starts_have_files_of_their_own(tmp_path):
    params = {**SMALL, "max_iter": 2, "warm_start": True}
    plain_one, kept = ConvNetClassifier(**params), ConvNetClassifier(**params, checkpoint=tmp_path)
    for n in (1, 2, 3):
        assert differences(kept.fit(X, Y), plain_one.fit(X, Y)) == []
        assert len(list(tmp_path.iterdir())) == n


def test_random_state_must_be_found_again(tmp_path):
    with pytest.raises(ValueError, match=r"checkpoint needs a random_state .* got random_state=None; use an integer"):
        ConvNetClassifier(checkpoint=tmp_path).fit(X, Y)
    assert list(tmp_path.iterdir()) == []


def test_random_state_object(tmp_path):
    params = {**SMALL, "early_stopping": True}

    def two_fits(**options):
        rng = np.random.RandomState(3)
        model = ConvNetClassifier(**{**params, "random_state": rng, **options})
        return [ConvNetClassifier(**model.get_params(deep=False)).fit(X, Y) for _ in range(2)]

    for _ in range(2):
        for kept, alone in zip(two_fits(checkpoint=tmp_path), two_fits(), strict=True):
            assert differences(kept, alone) == []
        assert len(list(tmp_path.iterdir())) == 2


NAMED = """
import sys
from contextlib import suppress
from functools import partial
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score, make_scorer
from skconv import ConvNetClassifier
from skconv.augmentation import Mixup, Shift
from skconv.layers import Activation, Convolution, Flatten, Pad, PatternPadding

class Scorer:
    def __init__(self, parts):
        self.parts, self.itself = parts, self
    def __call__(self, model, X, y):
        return model.score(X, y) * len(self.parts)

def scale(model, X, y, factor):
    return factor * model.score(X, y)

def scaled(factor):
    return lambda model, X, y: factor * model.score(X, y)

X, y = load_digits(n_class=3, return_X_y=True)
X, y = X[:90] / 16, y[:90]
layers = [Pad(1, PatternPadding(X[0].reshape(8, 8))), Convolution(4), Activation(), Flatten()]
scorings = [
    "accuracy", make_scorer(f1_score, average="macro"), make_scorer(lambda y, p: np.mean(y == p)),
    Scorer({"one", "two", "three"}), partial(scale, factor=2), scaled(2), scaled(3),
]
for scoring in scorings:
    seen = []
    model = ConvNetClassifier(
        layers=layers, augment=[Shift((1, 0)), Mixup()], scoring=scoring, max_iter=1, checkpoint=sys.argv[1],
        class_weight={0: 1, 1: 1, 2: 1}, callback=seen.append, early_stopping=True, random_state=0,
    )
    model.fit(X, y)
    print(len(seen), repr(model.network_.parameters.sum()))
"""


def child(*command, **environment):
    """A Python process that finds the package under test, installed or not."""
    search = os.pathsep.join(filter(None, [str(Path(skconv.__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        env={**os.environ, "PYTHONPATH": search, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_objects_and_functions_are_found_again_by_another_process(tmp_path, monkeypatch, capsys):
    script, directory = tmp_path / "named.py", tmp_path / "state"
    script.write_text(NAMED)
    monkeypatch.setattr(sys, "argv", [str(script), str(directory)])
    run_path(str(script), run_name="__main__")
    process = child(script, directory, PYTHONHASHSEED="1")
    printed = capsys.readouterr().out, process.communicate(timeout=300)[0]
    assert process.returncode == 0
    first, second = (each.split("\n")[:-1] for each in printed)
    assert [line[0] for line in first] == ["1"] * 7
    assert [line[0] for line in second] == ["0"] * 7
    assert [line[2:] for line in first] == [line[2:] for line in second]
    assert len(list(directory.iterdir())) == 7


def test_plain_tells_apart_what_is_different():
    def scaled(factor):
        return lambda model, X, y: factor

    def repeated(model, X, y):
        return repeated

    large = np.zeros((300, 300))
    changed = large.copy()
    changed[150, 150] = 1
    values = [
        *(None, 1, 1.5, "1", b"1", (), ((),), {"a": 1}, {"a": 2}, {"b": 1}, {1, 2}, {1, 3}, [1, "2"], [1, 2]),
        *(
            large,
            changed,
            large.astype(np.float32),
            large.reshape(-1),
            np.array(["a"], object),
            np.array(["b"], object),
        ),
        *(Convolution(3), Convolution(4), [Convolution(3)] * 40, [Convolution(3)] * 41, Pad(1, PatternPadding(large))),
        *(scaled(1), scaled(2), repeated, accuracy_score, len, np.add, ConvNetClassifier, ConvNetClassifier(alpha=0)),
        *(make_scorer(accuracy_score), make_scorer(accuracy_score, normalize=False), partial(scaled, 1), X[0].mean),
        *(np.random.RandomState(0), np.random.RandomState(1), iter(()), (k for k in "a")),
    ]
    known = [plain(value) for value in values]
    assert len({repr(each) for each in known}) == len(values)
    assert plain(np.float64(0.5)) == plain(0.5)
    assert plain({"a": 1, 2: 3}) == plain({2: 3, "a": 1})
    assert plain([1, 2]) == plain((1, 2)) == plain((np.int32(1), np.int64(2)))
    assert plain(scaled(1)) == plain(scaled(1))
    assert not any("0x" in repr(each) for each in known)


def test_fingerprint_looks_at_all_of_an_array_and_at_rows_of_one_in_storage(monkeypatch):
    monkeypatch.setattr("skconv.training._checkpoint._SAMPLED", 800)
    array = np.zeros((40, 10))  # 3200 bytes: every fourth row
    odd, fourth = array.copy(), array.copy()
    odd[1], fourth[4] = 1, 1
    assert len({fingerprint((), each) for each in (array, odd, fourth)}) == 3
    lazy = [fingerprint((), LazyRows(each)) for each in (array, odd, fourth)]
    assert lazy[0] == lazy[1] != lazy[2]
    assert fingerprint((), array[::2]) == fingerprint((), array[::2].copy())
    assert fingerprint((), np.zeros((0, 3))) != fingerprint((), np.zeros((3, 0)))


def test_a_search_in_two_processes_shares_a_directory(tmp_path):
    grid = {"filters": [(2,), (4,)], "scoring": [None, lambda model, X, y: model.score(X, y)]}
    params = {**SMALL, "max_iter": 3, "early_stopping": True, "validation_fraction": 0.2}
    expected = GridSearchCV(ConvNetClassifier(**params), grid, cv=2, error_score="raise").fit(X, Y)
    model = ConvNetClassifier(**params, checkpoint=tmp_path)
    for _ in range(2):  # the second finds every file
        search = GridSearchCV(model, grid, cv=2, n_jobs=2, error_score="raise").fit(X, Y)
        np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
        assert differences(search.best_estimator_, expected.best_estimator_) == []
        files = {path.name for path in tmp_path.iterdir()}
        assert len(files) == len(ParameterGrid(grid)) * 2 + 1
        assert all(name.endswith(".npz") for name in files)


# Files


def test_a_file_holds_arrays_and_text_alone(tmp_path):
    model = ConvNetClassifier(**SMALL, early_stopping=True, ema_decay=0.9, checkpoint=tmp_path).fit(X, Y)
    with np.load(only_file(tmp_path), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    assert all(array.dtype != object for array in arrays.values())
    values = json.loads(arrays["json"].tobytes())
    assert values["history"]["loss"] == model.loss_curve_
    assert values["epoch"] == 6
    names = {"optimizer.first", "optimizer.second", "optimizer.steps", "average.values", "best_parameters", "random"}
    assert names < set(arrays)
    assert only_file(tmp_path).stat().st_size < 12 * model.network_.parameters.nbytes + 20_000  # no data


def test_write_replaces_and_read_gives_back(tmp_path):
    path = tmp_path / "a" / "state.npz"
    assert read(path) is None
    for k in range(3):
        arrays = {"x": np.arange(k, dtype=np.float32), "optimizer.steps": np.asarray(k)}
        write(path, arrays, {"k": k, "nothing": None, "inf": float("inf"), "large": 2**100, "third": 1 / 3})
        found, values = read(path)
        assert values == {"k": k, "nothing": None, "inf": float("inf"), "large": 2**100, "third": 1 / 3}
        assert {name: (a.dtype, a.tolist()) for name, a in found.items()} == {
            name: (a.dtype, a.tolist()) for name, a in arrays.items()
        }
    assert only_file(path.parent) == path


@pytest.mark.parametrize("where", ["numpy.savez", "os.fsync", "os.replace"])
@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_an_error_while_writing_leaves_the_old_file(where, error, tmp_path, monkeypatch):
    model = ConvNetClassifier(**SMALL, checkpoint=tmp_path)
    with pytest.raises(Crash):
        model.set_params(callback=crash_at(3)).fit(X, Y)
    path, attributes = only_file(tmp_path), dict(vars(model))
    before = path.read_bytes()

    def fail(*args, **kwargs):
        if where == "numpy.savez":
            args[0].write(b"half")
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(where, fail)
        with pytest.raises(type(error)):
            model.set_params(callback=None).fit(X, Y)
    assert only_file(tmp_path) == path  # and no part
    assert path.read_bytes() == before
    assert vars(model) == {**attributes, "callback": None}
    assert differences(model.fit(X, Y), ConvNetClassifier(**SMALL).fit(X, Y)) == []


def test_no_name_of_a_checkpoint_directory():
    model = ConvNetClassifier(**SMALL, checkpoint="")
    with pytest.raises(ValueError, match=r"checkpoint must be a directory, got ''; '\.' is the one"):
        model.fit(X, Y)


def test_a_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    seen = []
    model = ConvNetClassifier(**SMALL, callback=watched(seen))
    match = r"checkpoint must be a directory, got '.*', and '.*(file|null)' is a file"
    for path in (tmp_path / "file", str(tmp_path / "file" / "below" / "lower"), "/dev/null"):
        with pytest.raises(ValueError, match=match):
            model.set_params(checkpoint=Checkpoint(path, every=5)).fit(X, Y)
    assert seen == []


def test_what_cannot_be_written_is_said_before_the_first_epoch(tmp_path, monkeypatch):
    seen = []
    model = ConvNetClassifier(**SMALL, checkpoint=Checkpoint(tmp_path, every=5), callback=watched(seen))

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("numpy.savez", full)
        with pytest.raises(
            OSError, match=r"checkpoint cannot be written \(No space left on device\): '.*npz'"
        ) as caught:
            model.fit(X, Y)
    assert caught.value.errno == errno.ENOSPC
    assert Path(caught.value.filename).parent == tmp_path
    assert list(tmp_path.iterdir()) == seen == []

    def refuse(*arguments):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr("os.open", refuse)
        with pytest.raises(PermissionError, match=r"checkpoint cannot be written \(Permission denied\): '.*npz'"):
            model.fit(X, Y)
    assert seen == []
    assert differences(model.fit(X, Y), ConvNetClassifier(**SMALL).fit(X, Y)) == []


def test_a_finished_fit_is_read_back_where_nothing_can_be_written(tmp_path, monkeypatch):
    model = ConvNetClassifier(**SMALL, checkpoint=tmp_path)
    first = model.fit(X, Y)
    monkeypatch.setattr("numpy.savez", None)
    assert differences(ConvNetClassifier(**SMALL, checkpoint=tmp_path).fit(X, Y), first) == []


def test_parts_that_a_kill_left_are_removed(tmp_path):
    model = ConvNetClassifier(**SMALL, checkpoint=tmp_path)
    with pytest.raises(Crash):
        model.set_params(callback=crash_at(2)).fit(X, Y)
    path = only_file(tmp_path)
    parts = [tmp_path / f"{path.stem}{end}.part" for end in ("x1", "_y2")]
    for part in parts:
        part.write_bytes(path.read_bytes()[:1000])
    other = tmp_path / "convnetclassifier-0.part"  # of a fit of another name
    other.write_bytes(b"")
    model.set_params(callback=None).fit(X, Y)
    assert sorted(tmp_path.iterdir()) == sorted([path, other])


def test_a_part_that_the_same_fit_elsewhere_removes_is_written_again(tmp_path, monkeypatch):
    path, replace, tries = tmp_path / "state.npz", os.replace, []

    def removed(part, to, often=1):
        tries.append(part)
        if len(tries) <= often:
            remove_parts(path)
        replace(part, to)

    monkeypatch.setattr("os.replace", removed)
    write(path, {"x": np.arange(3)}, {"k": 1})
    assert len(tries) == 2
    assert read(path)[1] == {"k": 1}
    assert only_file(tmp_path) == path
    monkeypatch.setattr("os.replace", partial(removed, often=9))
    with pytest.raises(FileNotFoundError, match=r"checkpoint cannot be written \(No such file or directory\): '.*npz'"):
        write(path, {"x": np.arange(3)}, {"k": 2})


def edited(path, change):
    """Write a file again after ``change(arrays, values)``; nothing in it is damaged."""
    arrays, values = read(path)
    change(arrays, values)
    write(path, arrays, values)


def put(name, value, *inside):
    """A change of one array, or of one value in the parts named ``inside``."""

    def change(arrays, values):
        for part in inside:
            values = values[part]
        (values if inside or name in values else arrays)[name] = value

    return change


def shorten(name):
    def change(arrays, values):
        arrays[name] = arrays[name][:-1]

    return change


def first(name, value):
    def change(arrays, values):
        arrays[name][0] = value

    return change


EDITS = [
    (put("epoch", "x"), "epoch must be of type int, got 'x'"),
    (put("epoch", 1.5), "epoch must be of type int, got 1.5"),
    (put("epoch", True), "epoch must be of type int, got True"),
    (put("epoch", -1), "epoch must be in 0 to 6, .* got -1 and 0,"),
    (put("epoch", 7), "epoch must be in 0 to 6, .* got 7 and 0,"),
    (put("epoch", 2), "loss must have 2 numbers after 2 epochs, got 3"),
    (put("skipped", 4), "epoch must be in 0 to 6, those skipped included, .* got 3 and 4,"),
    (put("skipped", -1), "epoch must be in 0 to 6, .* got 3 and -1,"),
    (put("updates", -3), "updates at least 0"),
    (put("seed", 5), "and seed .*, got 3 and 0, .* and 5"),
    (put("rate", float("nan")), "rate must be of type float, got nan"),
    (put("rate", "fast"), "rate must be of type float, got 'fast'"),
    (put("stopped", 1), "stopped must be of type bool, got 1"),
    (put("rng", "PCG64"), r"rng must have \['bit_generator', .*\], got 'PCG64'"),
    (put("state", "0", "rng", "state"), "state must be of type int, got '0'"),
    (put("bit_generator", "MT19937", "rng"), "state must be for a PCG64 RNG"),
    (put("plateau", {"value": 1.0}), "plateau must be of type NoneType"),
    (put("history", {"loss": [1.0] * 3}), "history must have"),
    (put("loss", [0.5, "a", 0.5], "history"), r"loss must be a list of numbers, got \[0.5, 'a', 0.5\]"),
    (put("loss", [0.5, True, 0.5], "history"), r"loss must be a list of numbers, got \[0.5, True, 0.5\]"),
    (put("loss", [0.5, float("nan"), 0.5], "history"), r"loss must be finite, got \[0.5, nan, 0.5\]"),
    (put("scores", [0.5], "history"), "scores must have 3 numbers after 3 epochs, got 1"),
    *((put("best", n, "history"), f"best must be the number of one of 3 scores, got {n}") for n in (-1, 3)),
    (put("validation_loss", None, "history"), "validation_loss must be a list of numbers, got None"),
    (lambda arrays, values: values.pop("updates"), "the state must have .*'updates'"),
    (lambda arrays, values: values.update(more=1), "the state must have .*, got .*'more': 1"),
    (lambda arrays, values: arrays.pop("parameters"), "it must have the arrays .*'parameters'"),
    (lambda arrays, values: arrays.pop("best_state"), "it must have the arrays .*'best_state'"),
    (lambda arrays, values: arrays.update(more=np.zeros(1)), "it must have the arrays .* got .*'more'"),
    (lambda arrays, values: arrays.update(parameters=arrays["parameters"].astype(float)), "and dtype float32, got"),
    *((shorten(name), f"{name} must have shape") for name in ("parameters", "best_parameters", "optimizer.second")),
    (shorten("random"), r"random must have shape \(.*, 6\) and dtype uint64"),
    *(
        (first(name, value), f"{name} has NaN or infinity")
        for name in ("parameters", "state", "best_state", "optimizer.first", "average.values")
        for value in (np.nan, np.inf)
    ),
    (put("optimizer.steps", np.array(-1)), "optimizer.steps must be at least 0, got -1"),
    (put("optimizer.steps", np.array(1.5)), "optimizer.steps must have shape .* and dtype int64, got"),
]


@pytest.fixture(scope="module")
def third_epoch(tmp_path_factory):
    """A model, and its file after three epochs."""
    folder = tmp_path_factory.mktemp("third")
    model = ConvNetClassifier(**SMALL, early_stopping=True, ema_decay=0.9, checkpoint=folder)
    with pytest.raises(Crash):
        model.set_params(callback=crash_at(4)).fit(X, Y)
    return model.set_params(callback=None), only_file(folder)


@pytest.mark.parametrize(("change", "match"), EDITS)
def test_an_edited_file_is_refused(change, match, third_epoch, tmp_path):
    model, path = third_epoch
    shutil.copy(path, tmp_path)
    edited(tmp_path / path.name, change)
    attributes = dict(vars(model.set_params(checkpoint=tmp_path)))
    match = rf"checkpoint: .*{path.name} cannot be read \(.*{match}.*\); remove it to train from the start"
    with pytest.raises(ValueError, match=match):
        model.fit(X, Y)
    assert vars(model) == attributes


def test_a_file_of_pickled_objects_is_never_loaded(third_epoch, tmp_path):
    model, path = third_epoch
    arrays = dict.fromkeys(read(path)[0], np.array([print], object))
    np.savez(tmp_path / path.name, **arrays, json=np.frombuffer(b"{}", np.uint8), allow_pickle=True)
    with pytest.raises(ValueError, match=r"cannot be read .*Object arrays cannot be loaded when allow_pickle=False"):
        model.set_params(checkpoint=tmp_path).fit(X, Y)


def damaged(content):
    """What may have become of a file's bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("json.npy", b"no array")
    without = {"state": np.zeros(1)}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "other.npz", without, {"epoch": 1})
        other = (Path(folder) / "other.npz").read_bytes()
        np.save(Path(folder) / "array.npy", np.zeros(3))
        array = (Path(folder) / "array.npy").read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    return {
        "nothing": b"", "text": b"some text", "half": content[:middle], "end": content[:-1], "flipped": flipped,
        "zeros": bytes(len(content)), "no array": buffer.getvalue(), "another": other, "an array": array,
    }  # fmt: skip


@pytest.mark.parametrize(
    "damage", ["nothing", "text", "half", "end", "flipped", "zeros", "no array", "another", "an array"]
)
def test_an_unreadable_file_is_named(damage, tmp_path):
    model = ConvNetClassifier(**SMALL, checkpoint=tmp_path).fit(X, Y)
    path, attributes = only_file(tmp_path), dict(vars(model))
    path.write_bytes(damaged(path.read_bytes())[damage])
    with pytest.raises(ValueError, match=r"cannot be read .*; remove it to train from the start") as caught:
        model.fit(X, Y)
    assert str(path) in str(caught.value)
    assert vars(model) == attributes
    path.unlink()
    assert differences(model.fit(X, Y), ConvNetClassifier(**SMALL).fit(X, Y)) == []


def test_no_flipped_bit_goes_unseen(tmp_path):
    path, arrays = tmp_path / "state.npz", {"x": np.arange(50.0), "y": np.ones((2, 3), np.float32)}
    write(path, arrays, {"epoch": 3})
    content, rng, messages = path.read_bytes(), np.random.default_rng(0), []
    for _ in range(300):
        place, bit = rng.integers(len(content)), 1 << rng.integers(8)
        path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        try:
            found, values = read(path)
        except ValueError as error:
            messages.append(str(error))
        else:  # a date, say, or a name
            assert all(array.tobytes() in {a.tobytes() for a in arrays.values()} for array in found.values())
            assert values == {"epoch": 3}
    assert len(messages) > 200
    assert all(str(path) in message for message in messages)


# Kills

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
KILLED = {
    **{"filters": (4, 8), "hidden_layer_sizes": 16, "max_iter": 40, "batch_size": 32, "dropout": 0.2},
    **{"augment": ["shift", "mixup"], "ema_decay": 0.9, "early_stopping": True, "n_iter_no_change": 100},
    **{"random_state": 0, "n_jobs": 1},
}


def killed_fit(directory):
    """The training that gets killed."""
    return ConvNetClassifier(**KILLED, checkpoint=directory).fit(*digits(200))


def serve():
    """Fork a training for each line, the directory; say its number, and how it ended."""
    for line in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)
            print(os.waitpid(pid, 0)[1], flush=True)
        else:
            killed_fit(line.rstrip("\n"))
            os._exit(0)


def kill_and_resume(directory, kills, seed):
    """Kill trainings at random moments, resume each, and compare with one that was left in peace.

    Two kills hit the same training, one after the other.  All are forks of one process, which has imported everything.

    Returns
    -------
    list of (int, bool)
        Epochs that were done when a kill came, and whether the training was still running then.
    """
    killed_fit(directory / "first")  # imports, caches
    start = time.perf_counter()
    whole = killed_fit(directory / "whole")
    seconds, rng, found = time.perf_counter() - start, np.random.default_rng(seed), []
    with child(__file__, "--serve") as server:
        for k in range(kills):
            folder = directory / f"training{k // 2}"
            server.stdin.write(f"{folder}\n")
            server.stdin.flush()
            training = int(server.stdout.readline())
            time.sleep(rng.uniform(0, seconds * (1 if k % 2 == 0 else 0.5)))
            with suppress(ProcessLookupError):  # it is over
                os.kill(training, signal.SIGKILL)
            killed = int(server.stdout.readline()) != 0
            found.append((resume(directory, folder, k, whole), killed))
        server.stdin.close()
    return found


def resume(directory, folder, k, whole):
    """Go on with a copy of what a kill left; the epochs that were done."""
    files = list(folder.glob("*.npz"))
    epochs = [read(file)[1]["epoch"] for file in files]  # readable, or this raises
    assert len(files) <= 1
    copy = directory / f"copy{k}"
    if folder.exists():
        shutil.copytree(folder, copy)
    resumed = killed_fit(copy)
    assert differences(resumed, whole) == [], (k, epochs)
    return max(epochs, default=0)


def check_kills(found):
    """Most kills came in time, at different moments."""
    assert sum(running for _, running in found) >= len(found) / 2
    assert len({epochs for epochs, _ in found}) >= len(found) / 4


@needs_fork
def test_killed_at_4_random_moments(tmp_path):
    check_kills(kill_and_resume(tmp_path, 4, seed=0))


@pytest.mark.slow
@needs_fork
def test_killed_at_50_random_moments(tmp_path):
    check_kills(kill_and_resume(tmp_path, 50, seed=1))


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve()
    else:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            outcome = kill_and_resume(Path(folder), int(sys.argv[1]), int(sys.argv[2]))
            check_kills(outcome)
        print("epochs done at each kill:", *(f"{epochs}{'' if running else ' (over)'}" for epochs, running in outcome))
        print(f"{len(outcome)} kills, every resume with the bits of the whole: {time.perf_counter() - begun:.0f} s")
