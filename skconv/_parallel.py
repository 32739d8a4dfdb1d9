"""Blocks over threads, and one BLAS thread in each of them.

NumPy releases the GIL in its loops and in BLAS, so two Python threads that each work through whole blocks scale better
than two BLAS threads inside one product.  The number of threads is the number BLAS would use now: a joblib worker that
was told to use one gets one.
"""

from __future__ import annotations

from functools import cache
from math import ceil
from operator import itemgetter
from queue import SimpleQueue
from threading import Lock, Thread

import numpy as np
from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController

__all__ = ["SPLIT", "Team", "quiet_arithmetic", "thread_count"]

SPLIT = 1 << 22  # multiply-adds from which a product is worth a hand-off of about 60 us
_CHUNKS = 4  # fixed, so that the bits do not depend on the number of threads

# Decorator: within, nothing is raised or warned of as it is computed, whatever the caller's `numpy.errstate`.  That an
# exponential is zero is no error, and what is one, such as a loss that is not finite, is looked for and named.
quiet_arithmetic = np.errstate(all="ignore")


@cache
def _blas():
    """The BLAS libraries of this process; looking for them takes milliseconds, so only once."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _set_threads(library, threads):
    """Set a library's limit from any thread; threadpoolctl lets one Python thread at a time set OpenBLAS's."""
    getattr(library, "_real_set_num_threads", library.set_num_threads)(threads)


def _is_local(library) -> bool:
    """Whether each Python thread has a limit of its own."""
    return library.internal_api == "mkl" or getattr(library, "threading_layer", None) == "openmp"


class _SingleBlas:
    """One BLAS thread while anybody is inside.

    Where the limit is the process's, the first in sets and the last out restores it; where it is the thread's, each.
    """

    def __init__(self):
        self._lock, self._inside, self._before = Lock(), 0, []

    def threads(self) -> int:
        """Threads BLAS would use now, or would if nobody were inside."""
        with self._lock:
            limits = self._before if self._inside else [library.num_threads for library in _blas()]
            return max(limits, default=1)

    def enter(self):
        """Set the limit; returns what `leave` needs."""
        with self._lock:
            limits = [library.num_threads for library in _blas()]
            if not self._inside:
                self._before = limits
            self._inside += 1
            for library in _blas():
                _set_threads(library, 1)
            return limits

    def leave(self, limits):
        """Undo the `enter` that returned these limits."""
        with self._lock:
            self._inside -= 1
            for library, own, shared in zip(_blas(), limits, self._before, strict=True):
                if _is_local(library):
                    _set_threads(library, own)
                elif not self._inside:
                    _set_threads(library, shared)


_single_blas = _SingleBlas()


@cache
def _touch_work_memory():
    """Fill OpenBLAS's work memory once, of the one thread that calls it.

    Its kernels fetch ahead of what they have packed.  Where those pages were never written each fetch looks for a page
    in vain: products of 64 x 512 by 512 x 32 take 200 us before this one and 65 us after it.
    """
    np.matmul(np.ones((64, 384), np.float32), np.ones((384, 1024), np.float32))


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
        self._limits = _single_blas.enter()
        _touch_work_memory()
        self._errors = np.errstate(all="ignore")  # see `quiet_arithmetic`
        self._errors.__enter__()
        self._inboxes: list[SimpleQueue] = []  # of the workers so far: each starts when first needed
        self._done: SimpleQueue = SimpleQueue()
        self._aside = 0  # calls that `finish` waits for
        return self

    def __exit__(self, *exc):
        while self._aside:  # left there by an error: nobody writes on after the team is gone
            self._done.get()
            self._aside -= 1
        for inbox in self._inboxes:
            inbox.put(None)
        self._errors.__exit__(*exc)
        _single_blas.leave(self._limits)

    def _work(self, worker, inbox):
        for library in filter(_is_local, _blas()):
            _set_threads(library, 1)
        with np.errstate(all="ignore"):
            while (job := inbox.get()) is not None:
                self._done.put((worker, _attempt(*job)))

    def _start(self, worker, function, tasks):
        """Hand ``function(task)`` for each of the tasks to a worker, from 1 on; number 0 is the calling thread."""
        while len(self._inboxes) < worker:
            self._inboxes.append(SimpleQueue())
            arguments = (len(self._inboxes), self._inboxes[-1])
            Thread(target=self._work, args=arguments, daemon=True).start()
        self._inboxes[worker - 1].put((function, tasks))

    def _wait(self, count, error=None):
        """Wait for ``count`` results; the first error, in the workers' order, is raised."""
        results = []
        while len(results) < count:
            try:
                results.append(self._done.get())
            except BaseException as interrupt:  # the workers must be idle before anybody goes on
                error = interrupt
        for raised in (error, *(result for _, result in sorted(results, key=itemgetter(0)))):
            if raised is not None:
                raise raised

    def run(self, function, count: int):
        """Call ``function(i)`` for each i below ``count``; the first error, in the workers' order, is raised."""
        self.finish()
        busy = min(self.threads, count)
        for worker in range(1, busy):
            self._start(worker, function, range(worker, count, self.threads))
        self._wait(busy - 1, _attempt(function, range(0, count, self.threads)))

    def aside(self, function, argument):
        """Start ``function(argument)`` on another worker, after what was put aside before; `finish` waits for it."""
        if self.threads == 1:
            function(argument)
            return
        self._start(1, function, (argument,))
        self._aside += 1

    def finish(self):
        """Wait for what was put aside; the first error is raised."""
        count, self._aside = self._aside, 0
        if count:
            self._wait(count)

    def matmul(self, a, b, out):
        """``numpy.matmul`` of two matrices, in `_CHUNKS` groups of rows where that pays."""
        if a.shape[0] < 2 * _CHUNKS or a.shape[0] * a.shape[1] * b.shape[1] < SPLIT:
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
