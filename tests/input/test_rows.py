"""Arrays that are larger than memory: what is read, how often, in which order, and what it takes."""

import tracemalloc
from copy import copy
from itertools import pairwise

import dask.array as da
import h5py
import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn import config_context
from storage import Counting, numbers, stored

from skconv import ConvNetClassifier, StridedPooling, ToImages
from skconv._input.epochs import epoch_pieces
from skconv._input.rows import LazyRows, is_lazy, lazy_rows, subset
from skconv._network.predict import predict
from skconv._threads.team import Team

SMALL = {"filters": 4, "hidden_layer_sizes": 8, "max_iter": 2, "random_state": 0}
KINDS = ["h5py", "h5py contiguous", "zarr", "dask", "dask uneven", "memmap"]


# What is lazy


def test_what_has_to_be_read():
    X = numbers(4, 3)
    assert is_lazy(da.from_array(X))
    assert is_lazy(zarr.array(X))
    assert is_lazy(Counting(X))
    assert is_lazy(LazyRows(Counting(X)))


@pytest.mark.parametrize(
    "X",
    [
        numbers(4, 3),
        numbers(4, 3)[0, 0],
        [[1.0, 2.0]],
        ((1.0, 2.0),),
        csr_array(numbers(4, 3)),
        pd.DataFrame(numbers(4, 3)),
        pd.Series(numbers(4)),
        None,
        "no_validation",
    ],
    ids=lambda X: type(X).__name__,
)
def test_what_is_in_memory(X):
    assert not is_lazy(X)


def test_a_memmap_is_lazy_only_where_it_would_be_converted(tmp_path):
    assert not is_lazy(stored("memmap", numbers(4, 3), tmp_path))
    assert is_lazy(stored("memmap", numbers(4, 3, dtype=np.float16), tmp_path))


# Reading


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sample", [(12,), (3, 4), (2, 2, 3)])
def test_rows_are_those_of_the_array(kind, sample, tmp_path):
    X = numbers(60, *sample)
    flat = X.reshape(60, 12)
    rows = LazyRows(stored(kind, X, tmp_path), limit_bytes=20 * 48)
    assert (len(rows), rows.shape, rows.ndim, rows.dtype) == (60, (60, 12), 2, np.float32)
    assert rows.sample_shape == sample
    assert rows.nbytes == X.nbytes
    keys = [slice(None), slice(3, 41), slice(58, 90), slice(5, 5), slice(-3, None), slice(1, 50, 9), slice(50, 2, -6)]
    keys += [[4], [59, 0, 17, 17, 3], np.arange(60) % 3 == 1, np.array([], int), np.arange(60)[::-1]]
    for key in keys:
        found = rows[key]
        assert type(found) is np.ndarray
        assert found.dtype == np.float32
        assert np.array_equal(found, flat[key])
    assert np.array_equal(np.concatenate([rows[part] for part in rows.pieces()]), flat)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("given", "wanted"),
    [("u1", "u1"), ("i4", "i4"), ("f2", "f4"), ("f8", "f8"), (">f4", "f4"), (">i2", "i2"), ("?", "?")],
)
def test_types_of_numbers(kind, given, wanted, tmp_path):
    X = np.abs(numbers(60, 5)).astype(given)
    rows = LazyRows(stored(kind, X, tmp_path))
    assert rows.dtype == np.dtype(wanted)
    assert rows[:].dtype == np.dtype(wanted)
    assert np.array_equal(rows[:], X)
    assert rows.row_bytes == 5 * np.dtype(wanted).itemsize


def test_slices_are_read_only():
    rows = LazyRows(Counting(numbers(20, 3)))
    with pytest.raises(ValueError, match="read-only"):
        rows[2:4][0] = 0


def test_take_goes_where_it_is_told():
    X = numbers(20, 3)
    out = np.empty((3, 3), np.float32)
    assert LazyRows(Counting(X, 4)).take(np.array([19, 2, 7]), out) is out
    assert np.array_equal(out, X[[19, 2, 7]])


@pytest.mark.parametrize("rows", [[3, 20], [-1], [25, 2]])
def test_rows_that_are_not_there(rows):
    with pytest.raises(IndexError, match=r"rows -?\d+ to -?\d+ of 20 samples"):
        LazyRows(Counting(numbers(20, 3)))[rows]


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    n=st.integers(1, 200),
    chunk=st.one_of(st.none(), st.integers(1, 60)),
    fits=st.integers(1, 250),
    some=st.booleans(),
    data=st.data(),
)
def test_pieces_and_epochs_read_every_chunk_once(n, chunk, fits, some, data):
    X = np.arange(2.0 * n).reshape(n, 2)
    source = Counting(X, chunk)
    rows = whole = LazyRows(source, limit_bytes=fits * 16)
    if some:
        kept = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1))))
        rows, X = whole.subset(kept), X[kept]
    parts = rows.pieces()
    assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]
    assert (parts[0].start, parts[-1].stop) == (0, len(X))
    assert all(0 < part.stop - part.start <= fits for part in parts)
    visited, shuffled = np.zeros(len(X), int), np.random.default_rng(0)
    asked = np.array(sorted(data.draw(st.sets(st.integers(0, len(X) - 1), min_size=1))))
    for samples, rows_here, order in epoch_pieces(rows, asked, shuffled):
        assert np.array_equal(samples, X[rows_here])
        assert np.array_equal(np.sort(order), np.arange(len(rows_here)))
        assert len(samples) <= fits
        visited[rows_here] += 1
    assert np.array_equal(np.flatnonzero(visited == 1), asked)
    assert visited.sum() == len(asked)
    assert source.reads.max() == 1
    if chunk is not None and chunk * 4 <= fits:  # no chunk is read in two parts
        chunks = [(part.start // chunk, (part.stop - 1) // chunk) for part in source.slices]
        touched = np.concatenate([np.arange(first, last + 1) for first, last in chunks])
        assert len(touched) == len(set(touched))


def test_pieces_end_where_chunks_do():
    rows = LazyRows(Counting(numbers(100, 4), 8), limit_bytes=40 * 16)
    assert [(part.start, part.stop) for part in rows.pieces()] == [(0, 40), (40, 80), (80, 100)]
    assert [(part.start, part.stop) for part in rows.pieces(25 * 16)] == [
        (0, 24),
        (24, 48),
        (48, 72),
        (72, 96),
        (96, 100),
    ]
    uneven = LazyRows(da.from_array(numbers(30, 4), chunks=((11, 5, 14), 4)), limit_bytes=60 * 16)
    assert [(part.start, part.stop) for part in uneven.pieces(20 * 16)] == [(0, 16), (16, 30)]


def test_small_chunks_are_read_together():
    source = Counting(numbers(1000, 4), 3)
    LazyRows(source, limit_bytes=640 * 16).check_finite()
    assert [part.stop - part.start for part in source.slices] == [12] * 83 + [4]


def test_a_chunk_larger_than_the_limit_is_read_in_parts():
    source = Counting(numbers(100, 4), 100)
    rows = LazyRows(source, limit_bytes=40 * 16)
    assert np.array_equal(rows[:], source.X)
    assert {part.stop - part.start for part in source.slices} == {10}  # a quarter of the limit


# Views


def test_a_subset_reads_only_its_own_chunks():
    source = Counting(numbers(100, 4), 10)
    rows = LazyRows(source, limit_bytes=400 * 16)
    part = rows.subset(np.array([3, 5, 42, 44, 45]))
    assert source.reads.sum() == 0
    assert part.shape == (5, 4)
    assert np.array_equal(part[:], source.X[[3, 5, 42, 44, 45]])
    assert set(np.flatnonzero(source.reads) // 10) == {0, 4}
    again = part.subset(np.array([0, 3]))
    assert np.array_equal(again[[1, 0, 1]], source.X[[44, 3, 44]])
    assert len(part.subset(np.array([], int))[:]) == 0


def test_subset_of_either_kind():
    X, rows = numbers(20, 3), np.array([1, 7, 19])
    assert np.array_equal(subset(X, rows), X[rows])
    part = subset(LazyRows(Counting(X)), rows)
    assert isinstance(part, LazyRows)
    assert np.array_equal(part[:], X[rows])


@pytest.mark.parametrize("rows", [[3, 2], [1, 1]])
def test_rows_of_a_subset_increase(rows):
    with pytest.raises(ValueError, match="rows of a subset must increase; sort them first"):
        LazyRows(Counting(numbers(20, 3))).subset(rows)


def test_rows_are_not_wrapped_twice():
    rows = lazy_rows(Counting(numbers(20, 3)))
    assert lazy_rows(rows) is rows


# Memory


def peak(function):
    """Bytes that a call takes at most beyond what it finds; the less of two, as Python's own tables may grow in one."""
    return min(one_peak(function), one_peak(function))


def one_peak(function):
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["h5py", "h5py contiguous", "zarr", "dask"])
def test_memory_stays_within_the_limit(kind, tmp_path):
    X = numbers(4000, 2000)  # 32 MB
    y, limit = np.zeros(4000), 4_000_000
    rows = LazyRows(stored(kind, X, tmp_path, chunk=25), limit_bytes=limit)
    assert rows.nbytes == 8 * limit
    rows[:1]  # whatever its library sets up once

    def epoch():
        for samples, found, order in epoch_pieces(rows, np.arange(4000), np.random.default_rng(0)):
            assert len(samples) == len(y[found]) == len(order)

    def windows():
        for start in range(0, 4000, 100):
            rows[start : start + 100]

    assert peak(epoch) < 1.25 * limit
    assert peak(windows) < limit
    assert peak(lambda: [len(rows[part]) for part in rows.pieces(limit // 4)]) < limit
    assert peak(rows.check_finite) < limit / 2
    assert peak(rows.outline) < 10_000


@pytest.mark.parametrize("sample", [(2000,), (40, 50), (20, 20, 5)])
def test_a_memmap_is_used_as_it_lies(sample, tmp_path):
    X = stored("memmap", numbers(2000, *sample), tmp_path)
    model, found = ConvNetClassifier(), []
    taken = peak(lambda: found.append(model._check_X(X, np.arange(2000) % 2, reset=True)))
    checked = found[0][0]
    assert checked.shape == (2000, 2000)
    assert np.shares_memory(checked, X)
    assert taken < 2_000_000  # of 16 MB, for a look at what the samples are


def test_fewer_reads_than_blocks(tmp_path):
    X = numbers(2000, 64)
    source = Counting(X, 100)
    model = ConvNetClassifier(**SMALL).fit(X[:40], np.arange(40) % 2)
    with Team(2) as team:
        outputs = predict(model.network_, LazyRows(source), team, width=16)
        assert np.array_equal(outputs, predict(model.network_, X, team, width=16))
    assert source.reads.max() == 1


# Estimators


@pytest.fixture(scope="module")
def fitted():
    X, y = numbers(300, 8, 8) / 50, np.arange(300) % 3
    return ConvNetClassifier(**SMALL).fit(X[:60], y[:60]), X, y


@pytest.mark.parametrize("kind", [*KINDS, "small dask"])
def test_predictions_are_those_in_memory(kind, fitted, tmp_path):
    model, X, y = fitted
    source = stored(kind.removeprefix("small "), X, tmp_path, chunk=16)
    memory = 1 if kind == "small dask" else 0.02  # MiB, of an array of 77 kB
    with config_context(working_memory=memory):
        checked, _, shape = model._check_X(source, reset=False)
        assert isinstance(checked, LazyRows) == (kind not in ("memmap", "small dask"))
        assert shape == (8, 8, 1)
        for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
            assert np.array_equal(getattr(model, method)(source), getattr(model, method)(X))
        assert model.score(source, y) == model.score(X, y)
        assert np.array_equal(model.predict_proba(checked), model.predict_proba(X))  # what scorers are given


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_share_what_is_read(threads, fitted, tmp_path):
    model, X, _ = fitted
    source, model = stored("zarr", X, tmp_path, chunk=16), copy(model).set_params(n_jobs=threads)
    with config_context(working_memory=0.02):
        assert np.array_equal(model.predict_proba(source), model.predict_proba(X))


@pytest.mark.parametrize("memory", [0.02, 10])
def test_a_source_runs_with_the_caller_s_error_state(memory, fitted):
    """What it computes is the caller's own, as a callback is; a call around it is quiet."""
    model, X, y = fitted
    states = []

    class Watched(Counting):
        def __getitem__(self, rows):
            states.append(np.geterr()["divide"])
            return super().__getitem__(rows)

    calls = {
        "fit": lambda source: ConvNetClassifier(**SMALL, n_jobs=2).fit(source, y),
        "predict": lambda source: copy(model).set_params(n_jobs=2).predict(source),
        "rows": lambda source: LazyRows(source)[:3],
    }
    for call in calls.values():
        with np.errstate(divide="raise"), config_context(working_memory=memory):
            call(Watched(X, 16))
        assert set(states) == {"raise"}
        states.clear()


@pytest.mark.parametrize("kind", KINDS)
def test_what_fits_in_memory_is_trained_as_ever(kind, fitted, tmp_path):
    _, X, y = fitted
    model = ConvNetClassifier(**SMALL).fit(stored(kind, X, tmp_path), y)
    assert np.array_equal(model.network_.parameters, ConvNetClassifier(**SMALL).fit(X, y).network_.parameters)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sample", [(64,), (8, 8)])
def test_transformers_read_it_whole(kind, sample, fitted, tmp_path):
    X = fitted[1].reshape(300, *sample)
    source = stored(kind, X, tmp_path)
    with config_context(working_memory=1):
        for transformer in (ToImages(), StridedPooling()):
            assert np.array_equal(transformer.fit_transform(source), transformer.fit_transform(X))


# Training


@pytest.fixture(scope="module")
def shapes():
    """Noisy images, sorted by which quarter is bright."""
    y = np.repeat(np.arange(4), 150)
    X = np.random.default_rng(0).normal(0, 0.5, (600, 8, 8)).astype(np.float32)
    for image, label in zip(X, y, strict=True):
        image[4 * (label // 2) :, 4 * (label % 2) :][:4, :4] += 1
    return X, y


@pytest.mark.parametrize("kind", ["h5py", "h5py contiguous", "zarr", "dask", "dask uneven"])
def test_training_from_storage(kind, shapes, tmp_path):
    X, y = shapes
    source = stored(kind, X, tmp_path, chunk=5)
    with config_context(working_memory=0.03):  # MiB, of 0.15
        model = ConvNetClassifier(**{**SMALL, "max_iter": 5}).fit(source, y)
        again = ConvNetClassifier(**{**SMALL, "max_iter": 5}).fit(source, y)
        threads = ConvNetClassifier(**{**SMALL, "max_iter": 5}, n_jobs=3).fit(source, y)
        assert model.score(source, y) > 0.95  # sorted by class: batches of the storage's order would not do
    assert np.array_equal(model.network_.parameters, again.network_.parameters)
    assert np.array_equal(model.network_.parameters, threads.network_.parameters)


@pytest.mark.parametrize("memory", [0.03, 1])
def test_validation_and_chunks_from_storage(memory, shapes, tmp_path):
    X, y = shapes
    source, settings = stored("h5py", X, tmp_path, chunk=5), {**SMALL, "max_iter": 5, "early_stopping": True}
    with config_context(working_memory=memory):
        held_out = ConvNetClassifier(**settings, validation_fraction=0.5).fit(source, y)
        given = ConvNetClassifier(**SMALL).fit(source, y, X_val=source, y_val=y)
        stepwise = ConvNetClassifier(**SMALL).partial_fit(source, y, classes=np.unique(y)).partial_fit(source, y)
    assert held_out.validation_scores_[-1] > 0.9
    assert given.validation_scores_[-1] == given.score(X, y)
    assert len(stepwise.loss_curve_) == 2
    assert stepwise.loss_curve_[1] < stepwise.loss_curve_[0]


def test_weights_go_with_their_samples(shapes):
    # With a learning rate as good as zero, an epoch's loss is the weighted mean over all samples, whatever the order.
    X, y = shapes
    settings = {**SMALL, "max_iter": 1, "batch_norm": False, "learning_rate_init": 1e-12, "alpha": 0.0}
    weight = np.random.default_rng(0).uniform(0, 2, 600) * (np.arange(600) % 7 > 0)
    losses = []
    for memory in (0.03, 1):
        with config_context(working_memory=memory):
            model = ConvNetClassifier(**settings).fit(Counting(X, 5), y, sample_weight=weight)
            losses.append(model.loss_)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_training_takes_no_more_memory_than_allowed(tmp_path):
    X, y = numbers(4000, 2000), np.arange(4000) % 2  # 32 MB
    source = stored("zarr", X, tmp_path, chunk=25)
    model = ConvNetClassifier((), hidden_layer_sizes=2, max_iter=1, image_shape="series", random_state=0)
    model.fit(source[:200], y[:200])
    with config_context(working_memory=4):
        taken = peak(lambda: model.fit(source, y))
    assert taken < peak(lambda: model.fit(X, y)) + 1.25 * 2**22


# Errors


def both_limits(function):
    """A check for arrays that are read whole, and for those that stay in storage."""
    return pytest.mark.parametrize("memory", [1, 0.01])(function)


@both_limits
@pytest.mark.parametrize("kind", ["h5py", "zarr", "dask"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_not_finite_in_a_late_chunk(memory, kind, value, fitted, tmp_path):
    model, X, y = fitted
    broken = X.copy()
    broken[290, 3, 2] = value
    source, before = stored(kind, broken, tmp_path), dict(model.__dict__)
    with config_context(working_memory=memory):
        message = "(?s)Input X contains NaN.*ConvNetClassifier" if np.isnan(value) else "Input X contains infinity"
        for call in (model.fit, model.partial_fit):
            with pytest.raises(ValueError, match=message):
                call(source, y)
        with pytest.raises(ValueError, match=message):
            model.predict(source)
    assert model.__dict__ == before


def test_nobody_looks_where_scikit_learn_is_told_not_to(fitted):
    _, X, _ = fitted
    source = Counting(np.where(X > 1e9, X, np.nan).astype(np.float32), 16)
    with config_context(assume_finite=True):
        rows = LazyRows(source)
    rows.check_finite()
    assert source.reads.sum() == 0
    assert np.isnan(rows[:]).all()


@both_limits
def test_features_and_samples_that_do_not_match(memory, fitted):
    model, X, y = fitted
    with config_context(working_memory=memory):
        with pytest.raises(ValueError, match="X has 63 features, but ConvNetClassifier is expecting 64 features"):
            model.predict(da.from_array(X.reshape(300, 64)[:, :63]))
        with pytest.raises(ValueError, match=r"X has samples of shape \(4, 16, 1\), but ConvNetClassifier was fitted"):
            model.predict(da.from_array(X.reshape(300, 4, 16)))
        with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[300, 299\]"):
            ConvNetClassifier().fit(da.from_array(X), y[:299])
        with pytest.raises(ValueError, match=r"requires y to be passed, but the target y is None"):
            ConvNetClassifier().fit(da.from_array(X), None)
        with pytest.raises(ValueError, match=r"minimum of 1 is required"):
            model.predict(da.from_array(X[:0]))


def test_shapes_are_checked_before_anything_is_read(fitted):
    model, X, y = fitted
    source = Counting(X[:, :7], 16)
    for call in (lambda: model.predict(source), lambda: ConvNetClassifier().fit(source, y[:299])):
        with pytest.raises(ValueError, match=r"features|inconsistent"):
            call()
    assert not source.slices


@pytest.mark.parametrize("dtype", [object, "S3", "c8", "M8[s]"])
def test_what_is_not_a_number(dtype):
    with pytest.raises(ValueError, match=r"X must hold real numbers, got data of type \w+\.Counting and dtype"):
        ConvNetClassifier().fit(Counting(np.zeros((20, 4), dtype)), np.arange(20) % 2)


def test_strings_in_a_file(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        names = file.create_dataset("x", data=np.full((4, 4), b"abc", object), dtype=h5py.string_dtype())
        with pytest.raises(
            ValueError, match=r"X must hold real numbers, got data of type h5py\.Dataset and dtype object"
        ):
            ConvNetClassifier().fit(names, [0, 1, 0, 1])


@pytest.mark.parametrize("shape", [(20,), (20, 2, 2, 2, 2), ()])
def test_dimensions(shape):
    with pytest.raises(ValueError, match=r"X must have 2 dimensions, .* got data of type dask.Array and shape \("):
        ConvNetClassifier().fit(da.zeros(shape), np.arange(20) % 2)


def test_dask_has_to_know_its_rows(fitted):
    _, X, y = fitted
    rows = da.from_array(X, chunks=50)
    kept = rows[rows[:, 0, 0] > 0]
    with pytest.raises(
        ValueError, match=r"X is of type dask.Array, which does not know its shape, .* compute_chunk_sizes\(\)"
    ):
        ConvNetClassifier().fit(kept, y)
    wanted = X[X[:, 0, 0] > 0]
    assert np.array_equal(LazyRows(kept.compute_chunk_sizes())[:], wanted.reshape(len(wanted), 64))


def test_a_sample_larger_than_the_limit():
    with (
        config_context(working_memory=0.001),
        pytest.raises(ValueError, match=r"one sample of X would take .* MiB of scikit-learn's working_memory"),
    ):
        ConvNetClassifier().fit(da.zeros((20, 40, 40)), np.arange(20) % 2)


def test_edges_of_units_lie_on_chunks():
    for chunk, limit in ((3, 400), (50, 1000), (400, 800)):
        rows = LazyRows(Counting(numbers(1000, 4), chunk), limit_bytes=limit * 16)
        widths = [stop - start for start, stop in pairwise(rows._edges)]
        assert sum(widths) == 1000
        assert max(widths) <= max(limit // 4, 1)
        for edge in range(0, 1000, chunk):
            assert edge in rows._edges or chunk < limit // 64
