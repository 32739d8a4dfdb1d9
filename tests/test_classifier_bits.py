"""What is promised to the bit: seeds, threads, neighbours."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import numpy as np
import pytest
from helpers import first_digits, same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import Parallel, delayed
from sklearn.base import clone
from threadpoolctl import OpenBLASController, threadpool_info, threadpool_limits

from skconv import ConvNetClassifier, layers
from skconv._network.widths import training_width
from skconv._threads.team import Team
from skconv.layers import Activation, BatchNorm, Convolution, Dense, Flatten, GlobalMeanPool, MaxPool, Residual

BRANCHES = [
    Convolution(4),
    Residual([Convolution(4), BatchNorm(), Activation(), Convolution(4)]),
    Activation(),
    layers.Parallel([[Convolution(2)], [Convolution(2, 5), BatchNorm()], []]),
    Flatten(),
]


def same_model(a, b):
    """Weights, running statistics and losses."""
    assert a.weights_.keys() == b.weights_.keys()
    return (
        all(same_bits(a.weights_[name], b.weights_[name]) for name in a.weights_)
        and same_bits(a.network_.state, b.network_.state)
        and same_bits(a.loss_curve_, b.loss_curve_)
    )


def noise(n, *shape, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, *shape)).astype(dtype), rng.integers(0, 10, n)


@pytest.fixture(autouse=True)
def _blas_as_it_was():
    """No test inherits the BLAS limit of another, nor the thread that holds on to it (threadpoolctl 3.8)."""
    before = max(blas_threads())
    yield
    getattr(OpenBLASController, "clear_controlling_thread", lambda force: None)(force=True)
    threadpool_limits(before, user_api="blas")
    getattr(OpenBLASController, "clear_controlling_thread", lambda force: None)(force=True)


@pytest.fixture(scope="module")
def digits():
    return first_digits(200)


# The same seed


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"dropout": 0.3},
        {"solver": "sgd"},
        {"solver": "lbfgs", "max_iter": 3},
        {"early_stopping": True, "validation_fraction": 0.2},
        {"batch_size": 200},
    ],
    ids=str,
)
def test_same_seed_same_model(digits, params):
    X, y = digits
    model = ConvNetClassifier((4, 8), hidden_layer_sizes=16, random_state=7, max_iter=3).set_params(**params)
    first, second = clone(model).fit(X, y), clone(model).fit(X, y)
    assert same_model(first, second)
    assert same_bits(first.predict_proba(X), second.predict_proba(X))
    other = clone(model).set_params(random_state=8).fit(X, y)
    assert not same_model(first, other)


def test_seed_as_number_and_as_state(digits):
    X, y = digits
    model = ConvNetClassifier((4,), hidden_layer_sizes=(), max_iter=2)
    by_number = clone(model).set_params(random_state=3).fit(X, y)
    by_state = clone(model).set_params(random_state=np.random.RandomState(3)).fit(X, y)
    assert same_model(by_number, by_state)


def test_fit_again_forgets_the_first_fit(digits):
    X, y = digits
    model = ConvNetClassifier((4,), hidden_layer_sizes=(), max_iter=2, random_state=0).fit(X, y)
    again = clone(model).fit(X[:50], y[:50]).fit(X, y)
    assert same_model(model, again)


def test_partial_fit_is_repeatable(digits):
    X, y = digits
    models = [ConvNetClassifier((4, 8), dropout=0.2, random_state=0) for _ in range(2)]
    for model in models:
        for start in (0, 100):
            model.partial_fit(X[start : start + 100], y[start : start + 100], classes=np.arange(10))
    assert same_model(*models)


def test_global_random_state_is_left_alone(digits):
    X, y = digits
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    ConvNetClassifier((4,), dropout=0.5, max_iter=1, random_state=0).fit(X, y).predict(X)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


# Threads


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "params",
    [
        {"batch_norm": True},
        {"batch_norm": False, "dropout": 0.3},
        {"batch_norm": True, "dropout": (0.2, 0.1, 0.5), "pool": "mean"},
        {"filters": 64, "kernel_size": 5, "batch_norm": True, "hidden_layer_sizes": 128},
    ],
    ids=str,
)
def test_n_jobs_changes_no_bit(params, dtype):
    X, y = noise(256 if dtype == np.float32 else 128, 28, 28, dtype=dtype)
    base = ConvNetClassifier((16, 32), batch_size=128, max_iter=2, random_state=0).set_params(**params)
    one, two, three = (clone(base).set_params(n_jobs=n).fit(X, y) for n in (1, 2, 3))
    assert one.network_.dtype == dtype
    assert training_width(one.network_, 128) <= 64  # several blocks, or the threads had nothing to share
    assert same_model(one, two)
    assert same_model(one, three)
    for method in ("predict_proba", "decision_function", "predict_log_proba"):
        assert same_bits(getattr(one, method)(X), getattr(two, method)(X))


@pytest.mark.parametrize(
    "params",
    [{}, {"filters": (8, 8), "global_pool": "mean", "dropout": 0.2}, {"layers": "lenet5"}, {"layers": BRANCHES}],
    ids=["defaults", "mean", "lenet5", "branches"],
)
def test_n_jobs_changes_no_bit_of_a_single_block(params, digits, monkeypatch):
    monkeypatch.setattr("skconv._network.layout._ASIDE", 0)  # gradients of weights beside the rest, however small
    aside = Team.aside

    def later(team, function, argument):
        """So late that the backward pass is over first: nothing it leaves behind may be missing."""
        aside(team, lambda frame: (sleep(0.002), function(frame)), argument)

    monkeypatch.setattr(Team, "aside", later)
    base = ConvNetClassifier(batch_size=32, max_iter=4, random_state=0).set_params(**params)
    one, two = (clone(base).set_params(n_jobs=n).fit(*digits) for n in (1, 2))
    assert training_width(two.network_, 32) == 32
    assert same_model(one, two)


def test_n_jobs_changes_no_bit_of_lbfgs_and_partial_fit():
    X, y = noise(128, 28, 28, dtype=np.float64)
    base = ConvNetClassifier((16, 32), batch_size=128, max_iter=2, random_state=0, solver="lbfgs")
    assert same_model(*(clone(base).set_params(n_jobs=n).fit(X, y) for n in (1, 2)))
    base.set_params(solver="adam")
    assert same_model(*(clone(base).set_params(n_jobs=n).partial_fit(X, y, classes=range(10)) for n in (1, 2)))


def test_blas_limit_changes_no_bit():
    X, y = noise(128, 28, 28)
    models = []
    for limit in (1, 2):
        with threadpool_limits(limit, user_api="blas"):
            models.append(ConvNetClassifier((16, 32), batch_size=128, max_iter=1, random_state=0).fit(X, y))
            proba = models[-1].predict_proba(X)
            assert same_bits(proba, models[0].predict_proba(X))
    assert same_model(*models)


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_blas_limit_is_put_back(limit, digits):
    X, y = digits
    with threadpool_limits(limit, user_api="blas"):
        before = blas_threads()
        model = ConvNetClassifier((4,), max_iter=1, random_state=0, n_jobs=2).fit(X, y)
        assert blas_threads() == before
        model.predict_proba(X)
        assert blas_threads() == before
        model.partial_fit(X, y)
        assert blas_threads() == before
        diverging = ConvNetClassifier((4,), batch_norm=False, solver="sgd", learning_rate_init=1e30, n_jobs=2)
        with pytest.raises(ValueError, match="diverged"):
            diverging.fit(X, y)
        assert blas_threads() == before


# Neighbours

PREDICTORS = {
    "images": ({"filters": (16, 32)}, (8, 8)),
    "large images": ({"filters": (8, 16), "hidden_layer_sizes": 32}, (28, 28)),
    "colours": ({"filters": (6, 12), "kernel_size": 5, "pool": "mean"}, (12, 10, 3)),
    "odd sizes": ({"filters": (5, 7, 13), "kernel_size": ((3, 5), 3, 2), "padding": "valid"}, (17, 13)),
    "strides": ({"filters": (9, 20), "stride": 2, "dilation": (1, 2), "pool": "stride", "pool_size": 2}, (16, 16)),
    "series": ({"filters": (8, 16), "kernel_size": 7, "image_shape": "series"}, (90,)),
    "channels in time": ({"filters": (12,), "image_shape": "series", "batch_norm": False}, (50, 3)),
    "dense": ({"filters": (), "hidden_layer_sizes": (50, 30)}, (8, 8)),
    "linear": ({"filters": (), "hidden_layer_sizes": ()}, (37,)),
    "activations": ({"filters": (8, 8), "activation": ("gelu", "tanh", "elu"), "dropout": 0.2}, (8, 8)),
    "list": (
        {
            "layers": [
                Convolution(16, 3),
                Activation("logistic"),
                MaxPool(3, stride=2, padding=1),
                Convolution(24, 3),
                Activation("leaky_relu"),
                GlobalMeanPool(),
                Dense(12),
            ]
        },
        (14, 14),
    ),
    "list of dense": ({"layers": [Flatten(), Dense(70), Activation()]}, (8, 8)),
}


@pytest.fixture(scope="module", params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture(scope="module", params=PREDICTORS, ids=lambda name: name.replace(" ", "-"))
def predictor(request, dtype):
    params, shape = PREDICTORS[request.param]
    X, y = noise(70, *shape, dtype=dtype)
    model = ConvNetClassifier(max_iter=1, batch_size=70, random_state=0).set_params(**params).fit(X, y)
    assert model.network_.dtype == dtype
    samples, _ = noise(150, *shape, dtype=dtype, seed=1)
    return model, samples


METHODS = ("predict_proba", "decision_function", "predict_log_proba")


@pytest.mark.parametrize("method", METHODS)
def test_a_row_does_not_depend_on_its_neighbours(predictor, method):
    model, X = predictor
    predict = getattr(model, method)
    whole = predict(X)
    assert np.isfinite(whole).all()
    for i in range(len(X)):
        assert same_bits(predict(X[i : i + 1])[0], whole[i]), i


def test_a_row_does_not_depend_on_order_or_chunks(predictor):
    model, X = predictor
    whole = model.predict_proba(X)
    order = np.random.default_rng(0).permutation(len(X))
    assert same_bits(model.predict_proba(X[order]), whole[order])
    assert same_bits(model.predict_proba(X[::-1]), whole[::-1])
    for size in (3, 7, 16, 17, 63, 65, 149):
        chunks = [model.predict_proba(X[i : i + size]) for i in range(0, len(X), size)]
        assert same_bits(np.concatenate(chunks), whole), size
    many = model.predict_proba(np.concatenate([X] * 5))
    assert same_bits(many, np.concatenate([whole] * 5))


def test_a_row_does_not_depend_on_wild_neighbours(predictor):
    model, X = predictor
    wild = X.copy()
    wild[1::2] *= 1e15
    assert same_bits(model.predict_proba(wild)[::2], model.predict_proba(X)[::2])


def test_layout_changes_no_bit(predictor):
    model, X = predictor
    flat = X.reshape(len(X), -1)
    whole = model.predict_proba(X)
    if model.image_shape_[0] > 1 or model.image_shape == "series":
        assert same_bits(model.predict_proba(np.asfortranarray(X)), whole)
    spread = np.zeros((2 * len(X), 2 * flat.shape[1]), X.dtype)
    spread[::2, ::2] = flat
    assert same_bits(model.predict_proba(spread[::2, ::2].reshape(X.shape)), whole)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.lists(st.integers(0, 149), min_size=1, max_size=140))
def test_any_selection_of_rows(rows):
    model, X, whole = _selection_model()
    assert same_bits(model.predict_proba(X[rows]), whole[rows])


def _selection_model(cache=[]):  # noqa: B006 - one model for all examples
    if not cache:
        X, y = noise(150, 8, 8)
        model = ConvNetClassifier((16, 32), max_iter=1, random_state=0).fit(X, y)
        cache[:] = model, X, model.predict_proba(X)
    return cache


# Callers side by side


@pytest.mark.parametrize("limit", [None, 1, 2])
def test_another_thread_computes_the_bits_of_the_first(limit):
    # The hidden layer's product, 64 x 576, is one that OpenBLAS sums differently with two threads.  threadpoolctl 3.8
    # lets one thread at a time set OpenBLAS's limit: the others' calls do nothing, silently.
    X, y = noise(128, 12, 12)
    model = ConvNetClassifier((8, 16), max_iter=1, random_state=0, n_jobs=1)
    with threadpool_limits(limit, user_api="blas"):
        here = clone(model).fit(X, y)
        expected = here.predict_proba(X)
        with ThreadPoolExecutor(1) as pool:
            assert same_bits(pool.submit(here.predict_proba, X).result(), expected)
            assert same_model(pool.submit(clone(model).fit, X, y).result(), here)


def test_blas_limit_is_put_back_by_whichever_thread_is_last():
    X, y = noise(64, 12, 12)
    before = blas_threads()
    inside, leave = Barrier(2), Barrier(2)

    def first():
        with Team(1):
            inside.wait()
            leave.wait()

    def second():
        inside.wait()
        with Team(1):
            leave.wait()
            done.result()  # the thread that came first has left

    with ThreadPoolExecutor(2) as pool:
        done = pool.submit(first)
        pool.submit(second).result()
    assert blas_threads() == before
    model = ConvNetClassifier((4,), max_iter=1, random_state=0).fit(X, y)
    assert blas_threads() == before
    assert np.isfinite(model.loss_)


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_four_threads_call_one_model(n_jobs):
    X, y = noise(300, 12, 12)
    model = ConvNetClassifier((8, 16), max_iter=1, random_state=0, n_jobs=n_jobs).fit(X, y)
    parts = [X[:300], X[:77], X[100:101], X[40:290]]
    expected = [model.predict_proba(part) for part in parts]
    model.network_.changed()  # so that the threads also race for the first session
    barrier = Barrier(4)
    before = blas_threads()

    def call(i):
        barrier.wait()
        return [model.predict_proba(parts[(i + k) % 4]) for k in range(8)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(call, range(4)))
    for i, outputs in enumerate(results):
        for k, output in enumerate(outputs):
            assert same_bits(output, expected[(i + k) % 4])
    assert blas_threads() == before


def test_four_threads_fit_at_once(digits):
    X, y = digits
    base = ConvNetClassifier((4, 8), max_iter=2, dropout=0.2, n_jobs=2)
    expected = [clone(base).set_params(random_state=i).fit(X, y) for i in range(4)]
    before = blas_threads()
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda i: clone(base).set_params(random_state=i).fit(X, y), range(4)))
    assert blas_threads() == before
    assert all(same_model(a, b) for a, b in zip(expected, models, strict=True))


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_inside_joblib(backend, digits):
    X, y = digits
    model = ConvNetClassifier((8, 16), max_iter=2, random_state=0)
    here = clone(model).fit(X, y)
    expected = here.predict_proba(X)
    parallel = Parallel(n_jobs=2, backend=backend)
    fitted = parallel(delayed(clone(model).fit)(X, y) for _ in range(2))
    assert all(same_model(here, other) for other in fitted)
    outputs = parallel(delayed(here.predict_proba)(X[i : i + 50]) for i in range(0, 200, 50))
    assert same_bits(np.concatenate(outputs), expected)
