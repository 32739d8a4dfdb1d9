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
    """Threads that work through what they are handed, until they are told to end; each starts when first needed.

    What counts is the list of results: an exception in him who waits, as a queue gives one to him, loses nothing.

    Parameters
    ----------
    prepare : callable
        Called by each thread at its start.
    """

    def __init__(self, prepare):
        self._prepare = prepare
        self._threads: list[tuple[Thread, SimpleQueue]] = []
        self._handed, self._results = 0, []  # (worker, error or None)
        self._news: SimpleQueue = SimpleQueue()  # something for each result, which wakes him who waits
        self._over = self._orphaned = False

    @property
    def busy(self) -> bool:
        """Whether there is something to wait for."""
        return self._handed > 0

    @protected
    def hand(self, worker, function, tasks):
        """Have ``function(task)`` called for each of the tasks by a worker, from 1 on."""
        while len(self._threads) < worker:
            inbox: SimpleQueue = SimpleQueue()
            thread = Thread(target=self._work, args=(len(self._threads) + 1, inbox), daemon=True)
            self._threads.append((thread, inbox))
            try:
                thread.start()
            except BaseException:  # it may have started
                inbox.put(None)
                self._threads.pop()
                raise
        self._threads[worker - 1][1].put((function, tasks))
        self._handed += 1

    def wait(self):
        """Wait for all that was handed out; the first error, in the workers' order, is raised."""
        while len(self._results) < self._handed:
            self._news.get()
        while self._news.qsize():  # of results that were there before anybody waited
            self._news.get()
        errors = [result for result in self._results if result[1] is not None]
        self._results.clear()
        self._handed = 0
        if errors:
            raise min(errors, key=itemgetter(0))[1]

    @protected
    def end(self, wait=False):
        """Let the threads end, after their tasks or, where somebody waits for it, before the next."""
        self._over = self._over or wait
        for _, inbox in self._threads:
            inbox.put(None)
        for thread, _ in self._threads if wait else ():
            if thread.is_alive():
                thread.join()

    def orphan(self):
        """In a child of this process, which has one thread of its parent's: what was handed to others will not come."""
        self._orphaned = True
        self.end()  # that thread may be one of these
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
                    job = None  # what it refers to is not kept while there is nothing to do
        except BaseException as error:  # thrown into this thread from outside: nobody waits in vain
            self._add(worker, error)
        if self._orphaned:  # the child of this thread, which nobody waits for but BLAS's threads
            os._exit(0)

    def _add(self, worker, error):
        self._results.append((worker, error))
        self._news.put(None)

    def _attempt(self, function, tasks):
        """Run the tasks; the error, if any, is returned."""
        try:
            for i in tasks:
                if self._over:
                    break
                function(i)
        except BaseException as error:
            return error
        return None
