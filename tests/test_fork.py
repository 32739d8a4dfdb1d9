"""Children of a process in which teams are at work."""

import os
import signal
import threading
import time
import traceback
import warnings

import numpy as np
import pytest
from helpers import limits

from skconv._threads.blas import single_blas
from skconv._threads.interrupt import Interrupt
from skconv._threads.team import Team, thread_count

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


BEFORE = limits()


def fork():
    with warnings.catch_warnings():  # Python 3.12 and later warn where there are threads
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def exit_code(child):
    """Of a child that ends within a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "waits for ever"


def in_a_child(function):
    """Exit code of a child that calls it: 0 where it returns."""
    child = fork()
    if child == 0:
        try:
            function()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return exit_code(child)


def use():
    """What a child must find, and be able to do."""
    assert limits() == BEFORE
    assert thread_count() == max(BEFORE)
    done = []
    with Team(2) as team:
        assert set(limits()) == {1}
        team.run(done.append, 4)
        np.matmul(np.ones((300, 300)), np.ones((300, 300)))
    assert sorted(done) == [0, 1, 2, 3]
    assert limits() == BEFORE


def in_a_thread(function):
    """Exit code of a child of another thread."""
    codes = []
    thread = threading.Thread(target=lambda: codes.append(in_a_child(function)))
    thread.start()
    thread.join()
    return codes[0]


@pytest.mark.parametrize("fork_and_use", [in_a_child, in_a_thread])
def test_while_teams_of_this_thread_and_another_are_inside(fork_and_use):
    inside, leave = threading.Event(), threading.Event()

    def user():
        with Team(2) as team:
            team.run(lambda i: None, 2)
            inside.set()
            leave.wait(60)

    def use_and_fork():
        use()
        assert in_a_child(use) == 0

    thread = threading.Thread(target=user)
    thread.start()
    inside.wait(10)
    try:
        assert fork_and_use(use_and_fork) == 0
        with Team(2) as team:
            team.run(lambda i: None, 2)
            assert fork_and_use(use_and_fork) == 0
            team.run(lambda i: None, 2)
        assert set(limits()) == {1}
    finally:
        leave.set()
        thread.join()
    assert limits() == BEFORE


def test_while_another_thread_has_the_lock():
    taken = threading.Event()

    def user():
        with single_blas.lock:
            taken.set()
            time.sleep(0.2)

    thread = threading.Thread(target=user)
    thread.start()
    taken.wait(10)
    assert in_a_child(use) == 0
    thread.join()


def test_a_team_goes_on_in_the_child():
    done = []

    def go_on():
        team.run(done.append, 4)
        team.aside(done.append, 4)
        team.finish()
        assert sorted(done) == [0, 1, 2, 3, 4]

    with Team(2) as team:
        team.run(lambda i: None, 2)
        assert in_a_child(go_on) == 0
        go_on()


def test_what_was_handed_out_does_not_come_in_the_child():
    """The calling thread forks in its task; its copy in the child would wait for threads that are not there."""
    children = []

    def task(i):
        if i == 0:
            children.append(fork())
        elif not children:
            time.sleep(0.1)

    parent = os.getpid()
    try:
        with Team(2) as team:
            team.run(task, 2)
    except RuntimeError as error:
        os._exit(3 if os.getpid() != parent and "forked in the midst of a task" in str(error) else 1)
    finally:
        if os.getpid() != parent:
            os._exit(1)
    assert exit_code(children[0]) == 3


def test_a_worker_s_copy_ends():
    """A worker forks in its task; the child has only the copy of that worker, which ends."""
    children = []
    with Team(2) as team:
        team.run(lambda i: children.append(fork()) if i == 1 else None, 2)
    assert exit_code(children[0]) == 0


@pytest.mark.parametrize("fork_and_use", [in_a_child, in_a_thread])
def test_python_s_handler_is_back_in_the_child(fork_and_use):
    def look():
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Interrupt() as interrupt:
            interrupt.patience = 1
            assert fork_and_use(look) == 0
            assert signal.getsignal(signal.SIGINT) == interrupt._press
    finally:
        signal.signal(signal.SIGINT, before)
