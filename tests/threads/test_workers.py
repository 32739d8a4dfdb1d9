"""Threads that wait for work: what they are handed is done in its order, and no error is lost."""

import threading
import time

import numpy as np
import pytest

from skconv._threads.workers import Workers


@pytest.fixture
def workers():
    made = Workers(lambda: None)
    yield made
    made.end(wait=True)


def test_each_worker_does_its_tasks_in_their_order(workers):
    done = {1: [], 2: [], 3: []}
    for worker in (3, 1, 2, 1):
        workers.hand(worker, done[worker].append, range(worker, worker + 3))
    assert workers.busy
    workers.wait()
    assert not workers.busy
    assert done == {1: [1, 2, 3, 1, 2, 3], 2: [2, 3, 4], 3: [3, 4, 5]}
    workers.wait()  # for nothing


def test_threads_start_when_first_needed_and_prepare_once():
    prepared, used = [], []
    workers = Workers(lambda: prepared.append(threading.get_ident()))
    assert prepared == []
    for _ in range(2):
        for worker in (1, 2):
            workers.hand(worker, lambda i: used.append(threading.get_ident()), (0, 1))
        workers.wait()
    workers.end(wait=True)
    assert len(prepared) == len(set(prepared)) == 2
    assert set(used) == set(prepared)
    assert threading.get_ident() not in used


def test_the_first_error_in_the_workers_order_is_raised(workers):
    def fail(worker):
        time.sleep(0.02 * (3 - worker))  # the last worker fails first
        raise ValueError(f"worker {worker}")

    done = []
    for worker in (1, 2, 3):
        workers.hand(worker, fail if worker > 1 else done.append, (worker, worker))
    with pytest.raises(ValueError, match="worker 2"):
        workers.wait()
    assert done == [1, 1]
    workers.hand(2, done.append, (7,))
    workers.wait()
    assert done == [1, 1, 7]


def test_an_error_ends_the_tasks_it_was_handed_with(workers):
    done = []

    def task(i):
        done.append(i)
        if i == 1:
            raise ZeroDivisionError

    workers.hand(1, task, range(5))
    with pytest.raises(ZeroDivisionError):
        workers.wait()
    assert done == [0, 1]


def test_who_waits_for_the_end_waits_for_the_task_at_work_alone():
    started, done, go = threading.Event(), [], threading.Event()

    def task(i):
        started.set()
        assert go.wait(60)
        done.append(i)

    workers = Workers(lambda: None)
    workers.hand(1, task, range(100))
    assert started.wait(60)
    threading.Timer(0.05, go.set).start()
    workers.end(wait=True)
    assert done == [0]


def test_an_error_before_the_first_task_is_raised_too():
    def prepare():
        raise OSError("no thread for you")

    workers = Workers(prepare)
    workers.hand(1, print, ())
    with pytest.raises(OSError, match="no thread"):
        workers.wait()


def test_errors_of_floats_are_off_in_the_threads(workers):
    seen = []
    workers.hand(1, lambda i: seen.append(np.geterr()), (0,))
    workers.wait()
    assert set(seen[0].values()) == {"ignore"}


def test_an_orphan_waits_for_nobody():
    """After a fork in the midst of a task the threads are only in the parent, and their tasks are errors."""
    workers = Workers(lambda: None)
    workers._handed = 2  # as in the child: handed out, and no thread that will answer
    workers.orphan()
    with pytest.raises(RuntimeError, match="this process was forked in the midst of a task"):
        workers.wait()
    assert not workers.busy
