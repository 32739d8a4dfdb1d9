"""Threads that wait for work."""

from __future__ import annotations

import os
from operator import itemgetter
from queue import SimpleQueue
from threading import Thread

import numpy as np

from .interrupt import protected

__all__ = ["Workers"]


class Workers:
    """Threads that run the tasks they are handed, until `end`; each starts when it is first needed.

    Results are in a list, and a queue only wakes the thread that waits: an exception there may lose an item of the
    queue, but no result.

    Parameters
    ----------
    prepare : callable
        Called by each thread at its start.
    """

    def __init__(self, prepare):
        self._prepare = prepare
        self._threads: list[tuple[Thread, SimpleQueue]] = []
        self._handed, self._results = 0, []  # calls of `hand`; for each that is done (worker, error or None)
        self._news: SimpleQueue = SimpleQueue()  # an item for each result, which wakes the thread in `wait`
        self._over = self._orphaned = False

    @property
    def busy(self) -> bool:
        """Whether there is a call of `hand` to `wait` for."""
        return self._handed > 0

    @protected
    def hand(self, worker, function, tasks):
        """Let worker ``worker``, 1 or more, call ``function(task)`` for each of ``tasks``."""
        while len(self._threads) < worker:
            inbox: SimpleQueue = SimpleQueue()
            thread = Thread(target=self._work, args=(len(self._threads) + 1, inbox), daemon=True)
            self._threads.append((thread, inbox))
            try:
                thread.start()
            except BaseException:  # the thread may have started
                inbox.put(None)
                self._threads.pop()
                raise
        self._threads[worker - 1][1].put((function, tasks))
        self._handed += 1

    def wait(self):
        """Wait for the results of all calls of `hand`; raise the error of the first worker that has one."""
        while len(self._results) < self._handed:
            self._news.get()
        while self._news.qsize():  # items of results that were there before this call
            self._news.get()
        errors = [result for result in self._results if result[1] is not None]
        self._results.clear()
        self._handed = 0
        if errors:
            raise min(errors, key=itemgetter(0))[1]

    @protected
    def end(self, wait=False):
        """End the threads after all their tasks; with ``wait`` before their next task, and wait for their end."""
        self._over = self._over or wait
        for _, inbox in self._threads:
            inbox.put(None)
        for thread, _ in self._threads if wait else ():
            if thread.is_alive():
                thread.join()

    def orphan(self):
        """In a forked child, which has one thread of its parent's: add an error for each result that will not come."""
        self._orphaned = True
        self.end()  # the thread that forked may be one of these
        self._threads.clear()
        error = RuntimeError("this process was forked in the midst of a task, and has none of its parent's threads")
        self._results += [(0, error)] * (self._handed - len(self._results))
        self._news.put(None)

    def _work(self, worker, inbox):
        try:
            self._prepare()
            with np.errstate(all="ignore"):
                while (job := inbox.get()) is not None:
                    self._add(worker, self._attempt(*job))
                    job = None  # so that an idle thread keeps no reference to arrays
        except BaseException as error:  # raised here by another thread: `wait` must not block for ever
            self._add(worker, error)
        if self._orphaned:  # a task on this thread has forked: no other thread would end the child
            os._exit(0)

    def _add(self, worker, error):
        self._results.append((worker, error))
        self._news.put(None)

    def _attempt(self, function, tasks):
        """Run the tasks; return the exception that ended them, or None."""
        try:
            for i in tasks:
                if self._over:
                    break
                function(i)
        except BaseException as error:
            return error
        return None
