"""An exception at any place in a team's code, of Ctrl-C or thrown in: nobody waits for ever, and all is as before."""

import contextlib
import ctypes
import dis
import faulthandler
import signal
import sys
import threading
import time
import traceback
from functools import cache, partial

import numpy as np
import pytest
from helpers import limits

from skconv._threads import blas as _blas
from skconv._threads import calls as _calls
from skconv._threads import interrupt as _interrupt
from skconv._threads import team as _parallel
from skconv._threads import workers as _workers
from skconv._threads.calls import fitting, predicting
from skconv._threads.interrupt import Interrupt, current
from skconv._threads.team import Team

MODULES = (_blas, _calls, _interrupt, _parallel, _workers)


class Crash(Exception):
    """What is thrown in."""


@pytest.fixture(autouse=True)
def handler():
    """Python's own handler, also where the tests run in the background; whoever waits for ever is ended."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
    signal.signal(signal.SIGINT, before)


def crash():
    raise Crash


def press():
    signal.raise_signal(signal.SIGINT)


@cache
def offsets(code):
    """Where Python looks up in a function beside its start: after each call, and where it goes back."""
    bytecode, found, call = dis.Bytecode(code), set(), None

    def handlers(offset):
        return [entry.target for entry in bytecode.exception_entries if entry.start <= offset < entry.end]

    for instruction in bytecode:
        offset = instruction.offset
        # An exception after a call is handled where the call is, which tracing cannot do where that is elsewhere.
        if call is not None and handlers(call) == handlers(offset):
            found.add(offset)
        call = offset if instruction.opname.startswith("CALL") else None
        if instruction.opname.startswith("JUMP_BACKWARD"):
            found.add(offset)
    return found


def at_place(number, do, modules, function):
    """Call ``function()``, with ``do()`` at one of the places where Python looks up; False where there are fewer."""
    files = {module.__file__ for module in modules}
    left = number

    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes = True
        if event == "call" or (event == "opcode" and frame.f_lasti in offsets(frame.f_code)):
            left -= 1
            if left == 0:
                do()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return left <= 0


class Model:
    """An estimator as the package's own, whose calls put a team to work."""

    @predicting
    def predict(self, done):
        with Team(3) as team:
            team.run(done.append, 5)
            team.aside(done.append, 5)
            with Team(2) as inner:
                inner.run(done.append, 2)
            team.finish()
            team.run(done.append, 1)

    @fitting
    def fit(self, done):
        self.size_ = self.n_ = None
        with Team(2) as team:
            team.run(done.append, 3)
            current().patience = 1
            team.run(done.append, 3)
        self.size_ = self.n_ = object()
        del self.gone_


def raised_at_each_place(do, method):
    """``(place, error)`` for each place, once the error came out of a call: nobody works on, no fit is half done."""
    for number in range(1, 10_000):
        done, model = [], Model()
        model.size_ = model.n_ = model.gone_ = first = object()
        try:
            call = partial(method, model, done)
            assert not at_place(number, do, MODULES, call), f"place {number} raised nothing"
            assert number > 50
            return
        except (Crash, KeyboardInterrupt) as error:
            yield number, error
            now = len(done)
        time.sleep(0)
        assert len(done) == now
        assert model.size_ is model.n_
        assert method is Model.predict or hasattr(model, "gone_") == (model.size_ is first)


@pytest.mark.parametrize("method", [Model.fit, Model.predict])
def test_ctrl_c_at_every_place(method):
    before = limits(), np.geterr(), signal.default_int_handler
    for number, error in raised_at_each_place(press, method):
        assert type(error) is KeyboardInterrupt
        assert (limits(), np.geterr(), signal.getsignal(signal.SIGINT)) == before, f"place {number}"


def test_ctrl_c_at_every_place_of_numpy_s_contexts():
    @predicting
    def predict(model):
        with np.printoptions(precision=3), np.errstate(all="raise"):
            seen.append(np.get_printoptions()["precision"])

    modules = [contextlib, *(sys.modules[f"numpy._core.{name}"] for name in ("_ufunc_config", "arrayprint"))]
    before, seen = (np.geterr(), np.get_printoptions()), []
    for number in range(1, 1000):
        try:
            if not at_place(number, press, modules, lambda: predict(Model())):
                break
            pytest.fail(f"place {number} raised nothing")
        except KeyboardInterrupt:
            assert (np.geterr(), np.get_printoptions()) == before, f"place {number}"
    assert number > 20
    assert 3 in seen


@pytest.mark.parametrize("method", [Model.fit, Model.predict])
def test_an_exception_thrown_into_a_thread_at_every_place(method):
    """Where it comes at the first instruction of `__exit__`, the limit is back once the traceback is gone."""
    before, failed, ended = (limits(), np.geterr()), [], []

    def throw():
        for number, error in raised_at_each_place(crash, method):
            place = traceback.extract_tb(error.__traceback__)[-3].name
            if place == "__exit__":
                traceback.clear_frames(error.__traceback__)
            if (limits(), np.geterr()) != before:
                failed.append((number, place))
        ended.append(True)

    thread = threading.Thread(target=throw)
    thread.start()
    thread.join()
    assert ended
    assert not failed


def throw(thread, error):
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(error)) == 1


def test_an_exception_thrown_into_a_worker_is_raised():
    workers = []

    def task(i):
        if i == 1:
            workers.append(threading.current_thread())
            while True:
                time.sleep(0.001)
        while not workers:
            time.sleep(0.001)
        throw(workers[0], Crash)

    with Team(2) as team:
        with pytest.raises(Crash):
            team.run(task, 2)
        team.run(workers.append, 2)
    assert sorted(workers[1:]) == [0, 1]


def test_an_exception_thrown_into_an_idle_worker_is_raised():
    workers = [None, None]

    def task(i):
        workers[i] = threading.current_thread()

    with Team(2) as team:
        team.run(task, 2)
        throw(workers[1], Crash)
        with pytest.raises(Crash):
            team.run(task, 2)
        team.run(task, 2)
    assert workers[0] is threading.current_thread()


def test_a_thread_that_does_not_start(monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    done = []
    with Team(3) as team:
        for do in (lambda: team.aside(done.append, 3), lambda: team.run(done.append, 3)):
            with monkeypatch.context() as patched:
                patched.setattr(threading.Thread, "start", start)
                with pytest.raises(RuntimeError, match="start new"):
                    do()
        team.run(done.append, 3)
    assert sorted(done) == [0, 1, 2]


def test_one_stops_the_workers_before_their_next_task():
    started = threading.Event()
    done = []

    def task(i):
        if i == 0:
            started.wait(10)
            press()
        started.set()
        time.sleep(0.01)
        done.append(i)

    with pytest.raises(KeyboardInterrupt), Interrupt(), Team(2) as team:
        team.run(task, 1000)
    assert len(done) < 100


def test_one_while_the_caller_waits():
    def task(i):
        if i == 1:
            time.sleep(0.05)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.05)
            done.append(i)

    done = []
    with Interrupt(theirs=True), Team(2) as team:
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                team.run(task, 2)
    assert done == [1, 1]


# Interrupt


def test_patience():
    with pytest.raises(KeyboardInterrupt), Interrupt() as interrupt:  # noqa: PT012
        interrupt.patience = 2
        press()
        press()
        assert interrupt.presses == 2
        assert interrupt.pending
        with pytest.raises(KeyboardInterrupt):
            press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_protected_is_not_cut():
    seen = []

    @_interrupt.protected
    def whole():
        press()
        press()
        seen.append("end")

    with pytest.raises(KeyboardInterrupt), Interrupt() as interrupt:  # noqa: PT012
        whole()
        seen.append("after")
        assert interrupt.pending
    assert seen == ["end", "after"]
    with pytest.raises(KeyboardInterrupt):
        whole()
    assert seen == ["end", "after"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_that_python_ignores_raises_at_the_end():
    class Deleted:
        def __del__(self):
            press()

    seen = []
    with pytest.raises(KeyboardInterrupt), Interrupt():  # noqa: PT012
        Deleted()
        seen.append("after")
    assert seen == ["after"]


def test_one_that_becomes_another_error_comes_out():
    """NumPy's comparison of structured arrays, for example, may turn the exception into a TypeError."""
    with pytest.raises(KeyboardInterrupt), Interrupt():  # noqa: PT012
        try:
            press()
        except KeyboardInterrupt:
            raise Crash from None


def test_one_that_was_counted_raises_at_the_end_in_place_of_an_error():
    with pytest.raises(KeyboardInterrupt) as caught, Interrupt() as interrupt:  # noqa: PT012
        interrupt.patience = 1
        press()
        raise Crash
    assert isinstance(caught.value.__context__, Crash)


def test_within_another_the_inner_one_says():
    with Interrupt() as outer:
        outer.patience = 1
        with pytest.raises(KeyboardInterrupt), Interrupt():
            press()
        assert outer.presses == 0
        assert signal.getsignal(signal.SIGINT) == outer._press


def test_one_that_a_user_catches_is_done_with():
    with Interrupt(theirs=True) as interrupt:
        with pytest.raises(KeyboardInterrupt):
            press()
        assert not interrupt.pending


def test_a_handler_that_is_set_within_stays():
    def own(signum, frame):
        pass

    with Interrupt():
        signal.signal(signal.SIGINT, own)
    assert signal.getsignal(signal.SIGINT) is own


@pytest.mark.parametrize("own", [signal.SIG_IGN, lambda signum, frame: None])
def test_a_handler_of_the_program_s_own_is_left_alone(own):
    signal.signal(signal.SIGINT, own)
    with Interrupt() as interrupt:
        assert signal.getsignal(signal.SIGINT) is own
        press()
    assert interrupt.presses == 0


def test_in_another_thread_nothing_is_changed():
    seen = []

    def user():
        with Interrupt():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=user)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
