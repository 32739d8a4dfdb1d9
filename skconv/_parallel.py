"""Blocks over threads, and one BLAS thread in each of them.

NumPy releases the GIL in its loops and in BLAS, so two Python threads that each work through whole blocks scale better
than two BLAS threads inside one product.  The number of threads is the number BLAS would use now: a joblib worker that
was told to use one gets one.
"""

from __future__ import annotations

from functools import cache
from math import ceil
from queue import SimpleQueue
from threading import Lock, Thread

import numpy as np
from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController

__all__ = ["Team", "thread_count"]

_SPLIT = 1 << 22  # multiply-adds from which a product is worth a hand-off of about 60 us
_CHUNKS = 4  # fixed, so that the bits do not depend on the number of threads


@cache
def _blas():
    """The BLAS libraries of this process; looking for them takes milliseconds, so only once."""
    return ThreadpoolController().select(user_api="blas")


class _SingleBlas:
    """One BLAS thread while anybody is inside; the limit is the process's: the first in sets, the last restores it."""

    def __init__(self):
        self._lock, self._inside, self._limit, self._before = Lock(), 0, None, 1

    def threads(self) -> int:
        """Threads BLAS would use now, or would if nobody were inside."""
        with self._lock:
            return self._before if self._inside else self._current()

    @staticmethod
    def _current() -> int:
        return max([library["num_threads"] for library in _blas().info()], default=1)

    def __enter__(self):
        with self._lock:
            if not self._inside:
                self._before = self._current()
                self._limit = _blas().limit(limits=1)
            self._inside += 1

    def __exit__(self, *exc):
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


_single_blas = _SingleBlas()


def thread_count(n_jobs=None) -> int:
    """Threads to use: ``n_jobs`` as joblib reads it, or as many as BLAS would use now."""
    return _single_blas.threads() if n_jobs is None else effective_n_jobs(n_jobs)


class Team:
    """``threads`` workers, the calling thread among them, for the length of a ``with`` block.

    Task ``i`` always runs on worker ``i % threads``: what a task computes must not depend on it.
    """

    def __init__(self, threads: int):
        self.threads = max(1, threads)

    def __enter__(self):
        _single_blas.__enter__()
        self._errors = np.errstate(all="ignore")  # a loss that is not finite is found and named by the trainer
        self._errors.__enter__()
        self._inboxes = [SimpleQueue() for _ in range(self.threads - 1)]
        self._done = SimpleQueue()
        for inbox in self._inboxes:
            Thread(target=self._work, args=(inbox,), daemon=True).start()
        return self

    def __exit__(self, *exc):
        for inbox in self._inboxes:
            inbox.put(None)
        self._errors.__exit__(*exc)
        _single_blas.__exit__(*exc)

    def _work(self, inbox):
        with np.errstate(all="ignore"):
            while (job := inbox.get()) is not None:
                self._done.put(_attempt(*job))

    def run(self, function, count: int):
        """Call ``function(i)`` for each i below ``count``; the first error, in the workers' order, is raised."""
        busy = min(self.threads, count)
        for worker in range(1, busy):
            self._inboxes[worker - 1].put((function, range(worker, count, self.threads)))
        error = _attempt(function, range(0, count, self.threads))
        errors = [error]
        while len(errors) < busy:
            try:
                errors.append(self._done.get())
            except BaseException as interrupt:  # the workers must be idle before anybody goes on
                error = interrupt
        for raised in (error, *errors):
            if raised is not None:
                raise raised

    def matmul(self, a, b, out):
        """``numpy.matmul`` of two matrices, in `_CHUNKS` groups of rows where that pays."""
        if a.shape[0] < 2 * _CHUNKS or a.shape[0] * a.shape[1] * b.shape[1] < _SPLIT:
            return np.matmul(a, b, out=out)
        step = ceil(a.shape[0] / _CHUNKS)

        def rows(i):
            np.matmul(a[i * step : (i + 1) * step], b, out=out[i * step : (i + 1) * step])

        self.run(rows, _CHUNKS)
        return out


def _attempt(function, tasks):
    """Run the tasks of one worker; the error, if any, is returned so that nobody waits in vain."""
    try:
        for i in tasks:
            function(i)
    except BaseException as error:
        return error
    return None
