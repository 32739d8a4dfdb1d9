"""Teams of threads."""

import threading
import time

import joblib
import numpy as np
import pytest
import threadpoolctl

from skconv._threads.team import Team, thread_count


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 3, 20])
def test_every_task_runs_once(threads, count):
    done, where = [], {}

    def task(i):
        done.append(i)
        where[i] = threading.get_ident()

    with Team(threads) as team:
        for _ in range(3):
            done.clear()
            team.run(task, count)
            assert sorted(done) == list(range(count))
            for i in range(count):
                assert where[i] == where[i % team.threads]
            assert len(set(where.values())) == min(team.threads, count)


def test_tasks_run_at_the_same_time():
    barrier = threading.Barrier(3, timeout=10)
    with Team(3) as team:
        team.run(lambda i: barrier.wait(), 3)
    assert not barrier.broken


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("bad", [0, 1, 4])
def test_an_error_is_raised_and_the_team_goes_on(threads, bad):
    def task(i):
        if i == bad:
            raise KeyError(f"task {i}")

    with Team(threads) as team:
        for _ in range(2):
            with pytest.raises(KeyError, match=f"task {bad}"):
                team.run(task, 5)
        done = []
        team.run(done.append, 5)
        assert sorted(done) == list(range(5))


def test_the_first_error_in_the_order_of_the_workers_is_raised():
    last = threading.Event()

    def task(i):
        if i == 2:
            last.set()
        elif i == 1:
            last.wait(10)
            time.sleep(0.05)
        else:
            return
        raise ValueError(f"task {i}")

    with Team(3) as team, pytest.raises(ValueError, match="task 1"):
        team.run(task, 3)


def test_the_callers_error_comes_first():
    def task(i):
        raise ValueError(f"task {i}")

    with Team(3) as team, pytest.raises(ValueError, match="task 0"):
        team.run(task, 3)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_what_is_put_aside_is_done_in_its_order(threads):
    done, where = [], set()

    def task(i):
        time.sleep(0.02 / i)
        where.add(threading.get_ident())
        done.append(i)

    with Team(threads) as team:
        team.finish()  # nothing yet
        for _ in range(2):
            done.clear()
            for i in (1, 2, 3):
                team.aside(task, i)
            team.finish()
            assert done == [1, 2, 3]
        assert len(where) == 1
        assert (threading.get_ident() in where) == (threads == 1)


def test_the_caller_goes_on_beside_what_is_put_aside():
    barrier = threading.Barrier(2, timeout=10)
    with Team(2) as team:
        team.aside(lambda _: barrier.wait(), None)
        barrier.wait()
        team.finish()
    assert not barrier.broken


def test_run_waits_for_what_was_put_aside():
    done = []

    def slow(_):
        time.sleep(0.05)
        done.append("aside")

    with Team(2) as team:
        team.aside(slow, None)
        team.run(done.append, 2)
    assert done[0] == "aside"
    assert sorted(done[1:]) == [0, 1]


def test_an_error_aside_is_raised_at_the_end_and_the_team_goes_on():
    def task(i):
        raise ValueError(f"task {i}")

    with Team(2) as team:
        team.aside(task, 1)
        team.aside(task, 2)
        with pytest.raises(ValueError, match="task 1"):
            team.finish()
        team.finish()
        done = []
        team.run(done.append, 4)
        assert sorted(done) == [0, 1, 2, 3]


def test_an_error_waits_for_what_was_put_aside():
    done, started = [], threading.Event()

    def slow(_):
        started.set()
        time.sleep(0.1)
        done.append("aside")

    with pytest.raises(ZeroDivisionError), Team(2) as team:  # noqa: PT012
        team.aside(slow, None)
        started.wait(10)
        raise ZeroDivisionError
    assert done == ["aside"]


def test_threads_end_with_the_team():
    before = set(threading.enumerate())
    with Team(4) as team:
        team.run(lambda i: None, 4)
        started = set(threading.enumerate()) - before
        assert len(started) == 3
    for thread in started:
        thread.join(10)
        assert not thread.is_alive()


def test_threads_end_after_an_error():
    before = set(threading.enumerate())
    started = set()
    with pytest.raises(ZeroDivisionError), Team(3):  # noqa: PT012
        started = set(threading.enumerate()) - before
        raise ZeroDivisionError
    for thread in started:
        thread.join(10)
        assert not thread.is_alive()


def test_thread_count(many):
    assert thread_count() == many
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        assert thread_count() == 1
    with Team(1):
        assert thread_count() == many
    assert thread_count(1) == 1
    assert thread_count(3) == 3
    assert thread_count(-1) == joblib.cpu_count()
    with pytest.raises(ValueError, match="n_jobs == 0"):
        thread_count(0)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("rows", [3, 7, 8, 9, 10, 31, 32, 33, 1000])
def test_matmul(rows, threads, monkeypatch):
    import skconv._threads.team as module

    monkeypatch.setattr(module, "SPLIT", 1)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((rows, 20)), rng.standard_normal((20, 17))
    out = np.full((rows, 17), np.nan)
    with Team(threads) as team:
        assert team.matmul(a, b, out=out) is out
        np.testing.assert_allclose(out, np.matmul(a, b), rtol=0, atol=1e-13)
        expected = out.copy()
    with Team(1) as team:
        np.testing.assert_array_equal(team.matmul(a, b, out=out), expected)


def test_matmul_of_transposed_and_strided_matrices():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((300, 260)).T, rng.standard_normal((90, 300)).T
    whole = np.full((260, 180), np.nan)
    with Team(2) as team:
        team.matmul(a, b, out=whole[:, ::2])
    np.testing.assert_allclose(whole[:, ::2], np.matmul(a, b), rtol=0, atol=1e-11)
    assert np.isnan(whole[:, 1::2]).all()


def test_floating_point_warnings_of_workers_are_off():
    def overflow(i):
        if i > 0:
            np.exp(np.array([1e4]))

    with Team(3) as team:
        team.run(overflow, 3)
