"""Penalties, clipping, limits and averages against loops, closed forms and PyTorch."""

from math import fsum, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from skconv.training.regularizers import ClipNorm, L2Penalty, MaxNorm, WeightAverage

DTYPES = [np.float32, np.float64]


def normal(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# L2Penalty; the l1 penalty is in test_sparsity.py


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    values=st.lists(st.sampled_from([0.0, -0.5, 1.5, 3.0, -2.0]), min_size=1, max_size=8),
    alpha=st.sampled_from([0.1, 2.0]),
    seed=st.integers(0, 9),
)
def test_penalty_by_loops(values, alpha, seed):
    rng = np.random.default_rng(seed)
    mask, start = rng.integers(0, 2, len(values)), rng.standard_normal(len(values))
    gradient = start.copy()
    penalty = L2Penalty(alpha, mask, np.float64)
    penalty(np.array(values), gradient)
    value = penalty.value(np.array(values))
    weights = [w if kept else 0.0 for w, kept in zip(values, mask, strict=True)]
    assert value == pytest.approx(sum(alpha / 2 * w * w for w in weights))
    expected = [g + alpha * w for g, w in zip(start, weights, strict=True)]
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_of_the_penalty(dtype):
    parameters, start = normal((2, 1003), dtype)
    mask = (np.arange(1003) % 3 > 0).astype(dtype)
    gradient = start.copy()
    penalty = L2Penalty(0.03, mask, dtype)
    penalty(parameters, gradient)
    value = penalty.value(parameters)
    weights = parameters * mask
    assert value == 0.5 * 0.03 * float(np.dot(weights, weights))
    np.testing.assert_array_equal(gradient, start + weights * 0.03)
    assert gradient.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_shrinking_is_adamws(dtype):
    start = normal(1003, dtype)
    mask = (np.arange(1003) % 3 > 0).astype(dtype)
    parameters = start.copy()
    L2Penalty(0.03, mask, dtype).shrink(parameters, None, np.float64(0.2))
    np.testing.assert_array_equal(parameters, start + mask * (-0.2 * 0.03) * start)
    assert (parameters[mask == 0] == start[mask == 0]).all()


def test_penalty_allocates_nothing(allocated):
    parameters, gradient = normal((2, 50_000), np.float32)
    penalty = L2Penalty(0.1, np.ones(50_000), np.float32)

    def step():
        penalty(parameters, gradient)
        penalty.shrink(parameters, gradient, 0.1)
        penalty.value(parameters)

    assert allocated(step) < 1 << 12


# ClipNorm


def test_clip_norm_equals_pytorch():
    start = [0.3, -1.2, 4.0, 0.0, 2.5]
    gradient = np.array(start)
    assert ClipNorm(2.0)(None, gradient) == pytest.approx(4.876474136094644, abs=1e-14)
    expected = [0.12303969224797764, -0.4921587689919106, 1.6405292299730354, 0.0, 1.0253307687331472]
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-14)
    gradient = np.array(start)
    assert ClipNorm(7.0)(None, gradient) == pytest.approx(4.876474136094644, abs=1e-14)
    np.testing.assert_array_equal(gradient, start)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(n=st.integers(1, 20_000), limit=st.sampled_from([1e-3, 1.0, 1e6]), dtype=st.sampled_from(DTYPES))
def test_clipped_to_the_limit_in_the_same_direction(n, limit, dtype):
    start = normal(n, dtype)
    gradient = start.copy()
    norm = sqrt(fsum(float(g) ** 2 for g in start))
    assert ClipNorm(limit)(None, gradient) == pytest.approx(norm, rel=1e-6)
    expected = start * np.float64(min(1.0, limit / norm))
    np.testing.assert_allclose(gradient, expected, rtol=2e-6 + 1e-6 / norm, atol=1e-30)
    if norm <= limit:
        np.testing.assert_array_equal(gradient, start)


@pytest.mark.parametrize("dtype", DTYPES)
def test_norm_does_not_depend_on_threads(dtype):
    start = normal(300_001, dtype)
    results = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            gradient = start.copy()
            results.append((ClipNorm(1.0)(None, gradient), gradient.tobytes()))
    assert results[0] == results[1]


def test_squares_beyond_float32_are_clipped():
    gradient = np.full(20_000, 1e25, np.float32)
    gradient[:10_000] = 1
    assert ClipNorm(1.0)(None, gradient) == pytest.approx(1e27, rel=1e-6)
    np.testing.assert_allclose(gradient[10_000:], 0.01, rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_left_to_be_found(value):
    gradient = np.array([1.0, value, 2.0])
    with np.errstate(invalid="ignore"):
        assert not np.isfinite(ClipNorm(1.0)(None, gradient))
    assert not np.isfinite(gradient).all()


def test_clip_norm_allocates_nothing(allocated):
    gradient = normal(100_000, np.float32)
    assert allocated(lambda: ClipNorm(1.0)(None, gradient)) < 1 << 12


# MaxNorm


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 7), (6, 3, 3, 2), (4,), (1, 9)])
def test_max_norm_by_loops(shape, dtype):
    flat = normal(1 + int(np.prod(shape)), dtype)
    start = flat[1:].reshape(shape).copy()
    limit = float(np.median([np.linalg.norm(unit) for unit in start])) * 0.999
    MaxNorm([flat[1:].reshape(shape)], limit)()
    for before, after in zip(start, flat[1:].reshape(shape), strict=True):
        norm = sqrt(fsum(float(w) ** 2 for w in np.ravel(before)))
        if norm <= limit:
            np.testing.assert_array_equal(after, before)
        else:
            np.testing.assert_allclose(
                after, np.multiply(before, limit / norm), rtol=1e-6 if dtype == np.float32 else 1e-13
            )


def test_max_norm_of_several_views_leaves_the_rest():
    flat = np.full(30, 3.0)
    MaxNorm([flat[:10].reshape(2, 5), flat[20:].reshape(5, 2)], 2.0)()
    assert np.linalg.norm(flat[:5]) == pytest.approx(2)
    assert np.linalg.norm(flat[20:22]) == pytest.approx(2)
    assert (flat[10:20] == 3).all()


def test_max_norm_within_the_limit_changes_no_bit():
    weight = normal((50, 20), np.float32)
    start = weight.copy()
    MaxNorm([weight], 100.0)()
    np.testing.assert_array_equal(weight, start)


def test_max_norm_allocates_nothing(allocated):
    weight = normal((200, 500), np.float32)
    limit = MaxNorm([weight], 1.0)

    def step():
        weight[...] *= 2
        limit()

    assert allocated(step) < 1 << 13


def test_views_that_cannot_be_scaled_in_place():
    with pytest.raises(ValueError, match=r"weights must be contiguous, got shape \(4, 3\) with strides \(8, 32\)"):
        MaxNorm([np.zeros((3, 4)).T], 1.0)


# WeightAverage


def test_average_equals_pytorch():
    """AveragedModel with get_ema_multi_avg_fn(0.1): a decay that never has to rise."""
    parameters = np.array([0.5, -1.0, 2.0])
    average = WeightAverage(parameters, decay=0.1)
    for _ in range(4):
        parameters -= 0.1 * (np.array([1.0, 0.3, 2.0]) * parameters**3 - np.array([0.2, -0.7, 0.0]))
        average(parameters)
    np.testing.assert_allclose(
        average.values, [0.5260294341174611, -1.1346764873756914, 0.3663417454828122], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.999])
def test_average_is_the_weighted_mean_of_all_there_were(decay):
    points = normal((30, 4))
    average = WeightAverage(points[0], decay)
    shares = [1.0]
    for t, point in enumerate(points[1:]):
        average(point)
        d = min(decay, (1 + t) / (10 + t))
        shares = [share * d for share in shares] + [1 - d]
    assert sum(shares) == pytest.approx(1)
    np.testing.assert_allclose(average.values, np.array(shares) @ points, rtol=0, atol=1e-12)
    assert average.steps == 29


@pytest.mark.parametrize("dtype", DTYPES)
def test_average_goes_on_from_a_state(dtype):
    points = normal((9, 101), dtype)
    whole, other = WeightAverage(points[0]), WeightAverage(points[5])
    for point in points[1:4]:
        whole(point)
    state = whole.state()
    assert state["values"] is whole.values
    other.set_state({"values": state["values"].copy(), "steps": np.array(state["steps"])})
    for point in points[4:]:
        whole(point)
        other(point)
    np.testing.assert_array_equal(other.values, whole.values)
    assert other.state()["steps"] == whole.state()["steps"] == 8
    assert other.values.dtype == dtype


def test_states_of_other_sizes():
    average = WeightAverage(np.zeros(3))
    for values in (np.zeros(4), np.zeros(3, np.float32)):
        with pytest.raises(ValueError, match=r"state of WeightAverage must have shape \(3,\) and dtype float64, got"):
            average.set_state({"values": values, "steps": 1})
    assert average.steps == 0


def test_average_is_its_own_copy_and_allocates_nothing(allocated):
    parameters = normal(50_000, np.float32)
    average = WeightAverage(parameters)
    assert not np.shares_memory(average.values, parameters)
    assert allocated(lambda: average(parameters)) < 1 << 12
    np.testing.assert_array_equal(average.values, parameters)
