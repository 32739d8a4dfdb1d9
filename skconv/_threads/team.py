"""Blocks over threads, and one BLAS thread in each of them.

NumPy releases the GIL in its loops and in BLAS, so two Python threads that each work through whole blocks scale better
than two BLAS threads inside one product.  The number of threads is the number BLAS would use now: a joblib worker that
was told to use one gets one.
"""

from __future__ import annotations

from functools import cache
from math import ceil

import numpy as np
from joblib import effective_n_jobs

from .blas import one_blas_thread, single_blas
from .interrupt import protected
from .workers import Workers

__all__ = ["SPLIT", "Team", "thread_count"]

SPLIT = 1 << 22  # multiply-adds from which a product is worth a hand-off of about 60 us
_CHUNKS = 4  # fixed, so that the bits do not depend on the number of threads


@cache
def _touch_work_memory():
    """Fill OpenBLAS's work memory once, of the one thread that calls it.

    Its kernels fetch ahead of what they have packed.  Where those pages were never written each fetch looks for a page
    in vain: products of 64 x 512 by 512 x 32 take 200 us before this one and 65 us after it.
    """
    np.matmul(np.ones((64, 384), np.float32), np.ones((384, 1024), np.float32))


def thread_count(n_jobs=None) -> int:
    """Threads to use: ``n_jobs`` as joblib reads it, or as many as BLAS would use now."""
    return single_blas.threads() if n_jobs is None else effective_n_jobs(n_jobs)


class Team:
    """``threads`` workers, the calling thread among them, for the length of a ``with`` block, within a `guarded` call.

    Task ``i`` always runs on worker ``i % threads``: what a task computes must not depend on it.  Whatever ends the
    block, an exception from anywhere at any moment too, nobody works on after it, and BLAS has its limit again.
    """

    def __init__(self, threads: int):
        self.threads = max(1, threads)
        self._workers = None

    @protected
    def __enter__(self):
        try:
            single_blas.enter(self)
            _touch_work_memory()
        except BaseException:
            single_blas.leave(self)
            raise
        return self

    @protected
    def __exit__(self, kind, *_):
        try:
            if self._workers is not None:
                self._workers.end(wait=kind is not None or self._workers.busy)
        finally:
            try:
                single_blas.leave(self)
            except BaseException:  # thrown into it
                single_blas.leave(self)
                raise

    def orphan(self):
        """In a child of this process: there are no workers."""
        if self._workers is not None:
            self._workers.orphan()

    def _dismiss(self):
        """Wait until nobody works; new workers start when they are needed."""
        if self._workers is not None:
            self._workers.end(wait=True)
            self._workers = None

    def _hand(self, worker, function, tasks):
        """Have ``function(task)`` called for each of the tasks by a worker, from 1 on; 0 is the calling thread."""
        if self._workers is None:
            self._workers = Workers(one_blas_thread)
        self._workers.hand(worker, function, tasks)

    def run(self, function, count: int):
        """Call ``function(i)`` for each i below ``count``; the first error, in the workers' order, is raised."""
        self.finish()
        try:
            for worker in range(1, min(self.threads, count)):
                self._hand(worker, function, range(worker, count, self.threads))
            for i in range(0, count, self.threads):
                function(i)
        except BaseException:  # the workers must be idle before anybody goes on
            self._dismiss()
            raise
        self.finish()

    def aside(self, function, argument):
        """Start ``function(argument)`` on another worker, after what was put aside before; `finish` waits for it."""
        if self.threads == 1:
            function(argument)
        else:
            self._hand(1, function, (argument,))

    def finish(self):
        """Wait for what was handed to the workers; the first error, in their order, is raised."""
        if self._workers is None:
            return
        try:
            self._workers.wait()
        except BaseException:
            self._dismiss()
            raise

    def matmul(self, a, b, out):
        """``numpy.matmul`` of two matrices, in `_CHUNKS` groups of rows where that pays."""
        if a.shape[0] < 2 * _CHUNKS or a.shape[0] * a.shape[1] * b.shape[1] < SPLIT:
            return np.matmul(a, b, out=out)
        step = ceil(a.shape[0] / _CHUNKS)

        def rows(i):
            np.matmul(a[i * step : (i + 1) * step], b, out=out[i * step : (i + 1) * step])

        self.run(rows, _CHUNKS)
        return out
