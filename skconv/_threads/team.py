"""Python threads that work through blocks, each with one BLAS thread.

NumPy releases the GIL in its loops and in BLAS, so two Python threads that each work through whole blocks scale better
than two BLAS threads inside one product.  The number of threads is the number that BLAS would use now: one in a joblib
worker that is limited to one.
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

SPLIT = 1 << 22  # least multiply-adds of a product that is worth a hand-off of about 60 us to other threads
_CHUNKS = 4  # parts of such a product; fixed, so that the bits do not depend on the number of threads


@cache
def _touch_work_memory():
    """Write to the calling thread's work memory in OpenBLAS, once.

    OpenBLAS's kernels prefetch beyond what they have packed, which is slow on pages that were never written: products
    of 64 x 512 by 512 x 32 take 200 us before this call and 65 us after it.
    """
    np.matmul(np.ones((64, 384), np.float32), np.ones((384, 1024), np.float32))


def thread_count(n_jobs=None) -> int:
    """Number of threads: ``n_jobs`` as joblib reads it, or for None as many as BLAS would use now."""
    return single_blas.threads() if n_jobs is None else effective_n_jobs(n_jobs)


class Team:
    """``threads`` workers, the calling thread as number 0, for the length of a ``with`` block within an `Interrupt`.

    Task ``i`` always runs on worker ``i % threads``; its result must not depend on the worker.  However the block ends,
    even by an exception at any moment, no worker runs after it, and the BLAS limit is restored.
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
            except BaseException:  # from another thread or a signal, during `leave`
                single_blas.leave(self)
                raise

    def orphan(self):
        """In a forked child: the workers are gone."""
        if self._workers is not None:
            self._workers.orphan()

    def _dismiss(self):
        """End the workers and wait for them; new workers start when they are needed."""
        if self._workers is not None:
            self._workers.end(wait=True)
            self._workers = None

    def _hand(self, worker, function, tasks):
        """Let worker ``worker``, 1 or more, call ``function(task)`` for each of ``tasks``."""
        if self._workers is None:
            self._workers = Workers(one_blas_thread)
        self._workers.hand(worker, function, tasks)

    def run(self, function, count: int):
        """Call ``function(i)`` for each i below ``count``; raise the error of the first worker that has one."""
        self.finish()
        try:
            for worker in range(1, min(self.threads, count)):
                self._hand(worker, function, range(worker, count, self.threads))
            for i in range(0, count, self.threads):
                function(i)
        except BaseException:  # the workers must be idle before the exception leaves this method
            self._dismiss()
            raise
        self.finish()

    def aside(self, function, argument):
        """Start ``function(argument)`` on worker 1, after earlier calls put aside; `finish` waits for its end."""
        if self.threads == 1:
            function(argument)
        else:
            self._hand(1, function, (argument,))

    def finish(self):
        """Wait for all that the workers were handed; raise the error of the first worker that has one."""
        if self._workers is None:
            return
        try:
            self._workers.wait()
        except BaseException:
            self._dismiss()
            raise

    def matmul(self, a, b, out):
        """``numpy.matmul`` of two matrices, in `_CHUNKS` groups of rows if the product is large."""
        if a.shape[0] < 2 * _CHUNKS or a.shape[0] * a.shape[1] * b.shape[1] < SPLIT:
            return np.matmul(a, b, out=out)
        step = ceil(a.shape[0] / _CHUNKS)

        def rows(i):
            np.matmul(a[i * step : (i + 1) * step], b, out=out[i * step : (i + 1) * step])

        self.run(rows, _CHUNKS)
        return out
