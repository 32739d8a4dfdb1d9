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
    """Those that get and set the threads of BLAS libraries: where each Python thread has a limit of its own; others."""

    get_own: list[Callable[[], int]]
    set_own: list[Callable[[int], None]]
    get_shared: list[Callable[[], int]]
    set_shared: list[Callable[[int], None]]


@cache
def _calls() -> _Calls:
    """Looking for the libraries takes milliseconds, so only once."""
    calls = _Calls([], [], [], [])
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        own = library.internal_api == "mkl" or getattr(library, "threading_layer", None) == "openmp"
        (calls.get_own if own else calls.get_shared).append(library.get_num_threads)
        # threadpoolctl lets one Python thread at a time set OpenBLAS's
        set_threads = getattr(library, "_real_set_num_threads", library.set_num_threads)
        (calls.set_own if own else calls.set_shared).append(set_threads)
    return calls


def _limit(set_threads, limits):
    """Set the threads of each library."""
    for call, limit in zip(set_threads, limits, strict=False):
        call(limit)


def one_blas_thread():
    """Give the calling thread one BLAS thread, where the limit is the thread's."""
    _limit(_calls().set_own, repeat(1))


class _SingleBlas:
    """One BLAS thread while a team is inside.

    Where the limit is the process's, the first in sets and the last out restores it; where it is the thread's, each.
    `leave` may come at any moment, and again: it undoes what an `enter` that was cut short has done.  A team that is
    gone without it, since an exception came before its first line, leaves too.
    """

    def __init__(self):
        self.lock = RLock()  # a thread that has it may be made to collect a team
        self._inside, self._before = {}, []  # of each team, by its id: the limits before it, and a reference

    def threads(self) -> int:
        """Threads BLAS would use now, or would if nobody were inside."""
        calls = _calls()
        with self.lock:
            own, shared = self._before if self._inside else ((get() for get in each) for each in calls[::2])
            return max([*own, *shared], default=1)

    def enter(self, team):
        """Set the limit; what `leave` needs is written down before."""
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
        """Undo the team's `enter`, if there was one."""
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
        """In a child, which has one thread, the lock and the limits of a parent with teams: nobody is inside."""
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
        before=single_blas.lock.acquire,  # so that a child finds it free, and what it guards whole
        after_in_parent=single_blas.lock.release,
        after_in_child=single_blas.forked,
    )
