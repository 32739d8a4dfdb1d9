"""The limit on BLAS's own threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from itertools import repeat
from threading import RLock
from typing import NamedTuple
from weakref import ref

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread", "single_blas"]


class _Calls(NamedTuple):
    """Functions that get and set the number of threads of each BLAS library.

    ``own`` are those of libraries with a limit per Python thread, ``shared`` of those with one limit per process.
    """

    get_own: list[Callable[[], int]]
    set_own: list[Callable[[int], None]]
    get_shared: list[Callable[[], int]]
    set_shared: list[Callable[[int], None]]


@cache
def _calls() -> _Calls:
    """Functions of all loaded BLAS libraries; the search takes milliseconds, so it is done once."""
    calls = _Calls([], [], [], [])
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        own = library.internal_api == "mkl" or getattr(library, "threading_layer", None) == "openmp"
        (calls.get_own if own else calls.get_shared).append(library.get_num_threads)
        # OpenBLAS's `set_num_threads` does nothing where threadpoolctl has let another Python thread set the limit.
        set_threads = getattr(library, "_real_set_num_threads", library.set_num_threads)
        (calls.set_own if own else calls.set_shared).append(set_threads)
    return calls


def _limit(set_threads, limits):
    """Call each function of ``set_threads`` with its limit."""
    for call, limit in zip(set_threads, limits, strict=False):
        call(limit)


def one_blas_thread():
    """Limit the calling thread to one BLAS thread, in libraries with a limit per Python thread."""
    _limit(_calls().set_own, repeat(1))


class _SingleBlas:
    """A limit of one BLAS thread for as long as a team has entered and not left.

    The first team to enter sets a limit per process and the last to leave restores it; every team sets and restores a
    limit per thread.  `leave` may be called at any moment and more than once: it undoes an `enter` that an exception
    cut short too.  A team that is deleted without a call of `leave`, as after an exception before its first line,
    leaves as well.
    """

    def __init__(self):
        self.lock = RLock()  # re-entrant, since a team may be garbage-collected in a thread that holds the lock
        # By id of a team: the thread's limits before it entered, a weak reference.  Limits before the first team.
        self._inside, self._before = {}, []

    def threads(self) -> int:
        """Number of threads that BLAS would use now if no team had entered."""
        calls = _calls()
        with self.lock:
            own, shared = self._before if self._inside else ((get() for get in each) for each in calls[::2])
            return max([*own, *shared], default=1)

    def enter(self, team):
        """Set the limit, after recording what `leave` restores."""
        calls = _calls()
        with self.lock:
            own = [get() for get in calls.get_own]
            if not self._inside:
                self._before = own, [get() for get in calls.get_shared]
            key = id(team)
            self._inside[key] = own, ref(team, lambda _: self._leave(key))
            _limit(calls.set_own, repeat(1))
            _limit(calls.set_shared, repeat(1))

    def leave(self, team):
        """Undo ``enter(team)``, if it was called."""
        self._leave(id(team))

    def _leave(self, key):
        calls = _calls()
        with self.lock:
            if key in self._inside:
                _limit(calls.set_own, self._inside[key][0])
                if len(self._inside) == 1:
                    _limit(calls.set_shared, self._before[1])
                del self._inside[key]

    def forked(self):
        """In a forked child, which has none of the teams' threads: restore the limits and release the lock."""
        inside, self._inside = self._inside, {}
        if inside:
            _limit(_calls().set_own, self._before[0])
            _limit(_calls().set_shared, self._before[1])
        for _, team in inside.values():
            if (alive := team()) is not None:
                alive.orphan()
        self.lock.release()


single_blas = _SingleBlas()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=single_blas.lock.acquire,  # so that no other thread holds the lock in the child
        after_in_parent=single_blas.lock.release,
        after_in_child=single_blas.forked,
    )
