"""The limit on BLAS's own threads: one inside a team, and as before when the last is out."""

import gc
import threading

import pytest
from helpers import blas_threads

from skconv._threads.blas import single_blas
from skconv._threads.team import Team, thread_count


def test_one_blas_thread_inside(many):
    with Team(1):
        assert blas_threads() == {1}
        with Team(2):
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {many}


def test_limit_is_restored_after_an_error(many):
    with pytest.raises(ZeroDivisionError), Team(1):
        raise ZeroDivisionError
    assert blas_threads() == {many}


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
@pytest.mark.parametrize("alive", [False, True])
def test_limit_of_overlapping_teams_of_several_threads(order, alive, many):
    """Threads enter one after the other and leave in some order; ``alive`` ones, as of a pool, live on."""
    inside, leave, left = [[threading.Event() for _ in range(3)] for _ in range(3)]
    end = threading.Event()

    def user(i):
        with Team(2) as team:
            team.run(lambda i: None, 2)
            inside[i].set()
            leave[i].wait(10)
        left[i].set()
        end.wait(10)

    users = [threading.Thread(target=user, args=(i,)) for i in range(3)]
    seen = []
    try:
        for i, thread in enumerate(users):
            thread.start()
            inside[i].wait(10)
            seen.append((blas_threads(), thread_count()))
        for i in order:
            seen.append((blas_threads(), thread_count()))
            leave[i].set()
            left[i].wait(10)
        if not alive:
            end.set()
            for thread in users:
                thread.join(10)
        after = blas_threads(), thread_count()
    finally:
        end.set()
        for event in leave:
            event.set()
        for thread in users:
            thread.join(10)
    assert seen == [({1}, many)] * 6
    assert after == ({many}, many)


def test_one_blas_thread_in_a_thread_after_a_team_in_another(many):
    seen = []

    def user():
        with Team(1):
            seen.append(blas_threads())
        seen.append(blas_threads())

    with Team(1):
        seen.append(blas_threads())
    for _ in range(2):
        thread = threading.Thread(target=user)
        thread.start()
        thread.join(10)
    assert seen == [{1}, {1}, {many}, {1}, {many}]


def test_limit_after_many_teams_at_once(many):
    def user():
        for _ in range(50):
            with Team(2) as team:
                team.run(lambda i: None, 2)

    users = [threading.Thread(target=user) for _ in range(4)]
    for thread in users:
        thread.start()
    for thread in users:
        thread.join(60)
    assert blas_threads() == {many}
    assert thread_count() == many


class Inside:
    """Stands for a team inside the limit, of which only weak references are needed."""


def test_who_leaves_twice_or_was_never_inside_changes_nothing(many):
    one, other = Inside(), Inside()
    single_blas.leave(one)
    assert blas_threads() == {many}
    single_blas.enter(one)
    single_blas.enter(other)
    single_blas.leave(one)
    single_blas.leave(one)
    assert blas_threads() == {1}
    assert single_blas.threads() == many
    single_blas.leave(other)
    assert blas_threads() == {many}


def test_who_is_gone_without_leaving_has_left(many):
    """Such as a team whose `__exit__` was cut short before its first line."""
    one = Inside()
    single_blas.enter(one)
    assert blas_threads() == {1}
    del one
    gc.collect()
    assert blas_threads() == {many}
    assert single_blas.threads() == many
