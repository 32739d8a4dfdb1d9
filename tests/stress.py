"""Ctrl-C at any moment, and forks while threads are at work.

``python tests/stress.py presses 20000``, ``python tests/stress.py forks 2000``.  What waits for more than two minutes
is ended, with the stacks of all threads.
"""

import argparse
import faulthandler
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections import Counter

import numpy as np
from helpers import limits
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder

PATIENCE = 120  # seconds
PRESSES = """
import os, random, sys, time
pid, rng = int(sys.argv[1]), random.Random(int(sys.argv[2]))
while os.getppid() == pid:
    time.sleep(rng.uniform(0.001, 0.060))
    os.kill(pid, 2)
"""


def same(a, b):
    return np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype


class Fit:
    """A fit is whole, or has the last whole update, or has changed nothing; a whole one has the bits of the first."""

    def __init__(self, model, X, y, method="fit", **options):
        self.model, self.data, self.method, self.options = model, (X, y), method, options
        if method == "partial_fit":
            self.call()
        self.start = dict(vars(model))
        self.call()
        self.expected = model.network_.parameters

    def call(self):
        return getattr(self.model, self.method)(*self.data, **self.options)

    def __call__(self):
        self.model.__dict__ = dict(self.start)
        self.call()

    def whole(self):
        assert not self.model.interrupted_
        assert same(self.model.network_.parameters, self.expected)

    def cut(self, error):
        model, message = self.model, str(error)
        if vars(model) == self.start:
            assert not message
        elif model.interrupted_:
            assert "weights of its last whole update" in message or not message
            assert model.n_iter_ == len(model.loss_curve_)
            assert np.isfinite(model.network_.parameters).all()
            model.predict(self.data[0][:1])
        else:
            assert "the estimator is fitted" in message or not message
            self.whole()


class Use:
    """A prediction or a transformation, some times over; the model stays as it is."""

    def __init__(self, model, method, X, times=1):
        self.model, self.method, self.X, self.times = model, method, X, times
        self.attributes = dict(vars(model))
        self()
        self.expected = self.result

    def __call__(self):
        self.result = None
        for _ in range(self.times):
            self.result = getattr(self.model, self.method)(self.X)

    def whole(self):
        assert same(self.result, self.expected)

    def cut(self, error):
        assert vars(self.model) == self.attributes


class Search:
    """A search either ends, with the scores of whole fits, or has none."""

    def __init__(self, model, X, y):
        self.search, self.data = GridSearchCV(model, {"alpha": [0.0, 0.01]}, cv=2, error_score=-1.0), (X, y)
        self()
        self.expected = self.search.cv_results_["mean_test_score"]

    def __call__(self):
        self.search.__dict__.pop("cv_results_", None)
        self.search.fit(*self.data)

    def whole(self):
        assert same(self.search.cv_results_["mean_test_score"], self.expected)

    def cut(self, error):
        if hasattr(self.search, "cv_results_"):
            self.whole()


class Scores:
    """The scores of a cross-validation, those of whole fits."""

    def __init__(self, model, X, y):
        self.model, self.data = model, (X, y)
        self()
        self.expected = self.result

    def __call__(self):
        self.result = None
        self.result = cross_val_score(self.model, *self.data, cv=2, error_score=-1.0)

    def whole(self):
        assert same(self.result, self.expected)

    def cut(self, error):
        pass


def calls():
    """Calls by name, each on one and on two threads."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    small, small_y, found = X[:200], y[:200], {}
    for n_jobs in (1, 2):
        params = {"filters": 4, "hidden_layer_sizes": 8, "max_iter": 4, "random_state": 0, "n_jobs": n_jobs}
        model = ConvNetClassifier(**params).fit(X[:400], y[:400])
        wide = ConvNetClassifier(**params | {"filters": (32, 32), "max_iter": 1}).fit(small, small_y)
        short = ConvNetClassifier(**params | {"max_iter": 2})
        series = X[:300].reshape(300, 64)
        found |= {
            f"{name}, n_jobs={n_jobs}": call
            for name, call in {
                "fit": Fit(ConvNetClassifier(**params), small, small_y),
                "fit with early stopping": Fit(ConvNetClassifier(**params, early_stopping=True), small, small_y),
                "fit with lbfgs": Fit(ConvNetRegressor(**params | {"solver": "lbfgs"}), small[:60], small_y[:60]),
                "partial_fit": Fit(ConvNetClassifier(**params), X[:600], y[:600], "partial_fit", classes=range(10)),
                "predict": Use(model, "predict", X, 5),
                "predict one": Use(model, "predict", X[:1], 100),
                "predict_proba": Use(wide, "predict_proba", X),
                "transform": Use(ConvFeatures(n_jobs=n_jobs, random_state=0).fit(X), "transform", X[:500], 3),
                "minirocket": Use(
                    ConvFeatures("minirocket", n_filters=84, image_shape="series", n_jobs=n_jobs, random_state=0).fit(
                        series
                    ),
                    "transform",
                    series,
                    3,
                ),
                "pad": Use(ImagePadder(2, n_jobs=n_jobs).fit(X), "transform", X, 30),
                "search": Search(short, small[:100], small_y[:100]),
                "cross_val_score": Scores(short, small[:100], small_y[:100]),
            }.items()
        }
    return found


def attempt(call, counts):
    """One call with Python's own handler; outside it presses are ignored."""
    cut = None
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        call()
    except KeyboardInterrupt as error:
        cut = error
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert handler is signal.default_int_handler, handler
    counts["cut" if cut else "whole"] += 1
    return cut


def under_presses(n, seed):
    """Call by call, with a look at everything after each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    found, rng = calls(), random.Random(seed)
    before, counts = (limits(), np.geterr()), {name: Counter() for name in found}
    presser = subprocess.Popen([sys.executable, "-c", PRESSES, str(os.getpid()), str(seed)])
    try:
        for k in range(n):
            name = rng.choice(list(found))
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            while True:
                try:
                    cut = attempt(found[name], counts[name])
                    break
                except KeyboardInterrupt:  # between the call and its end here
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
            assert (limits(), np.geterr()) == before, (k, name, limits(), np.geterr())
            found[name].whole() if cut is None else found[name].cut(cut)
    finally:
        presser.kill()
    assert threading.active_count() < 20, threading.enumerate()
    for name, count in counts.items():
        print(f"{name:36} {count['whole']:6} whole {count['cut']:6} cut")
    print(f"{n} calls, {sum(count['cut'] for count in counts.values())} of them cut; nothing waited, all as before")


def child_s(found, before):
    """Exit code of a child that uses everything once."""
    if child := os.fork():
        return child
    try:
        faulthandler.dump_traceback_later(PATIENCE / 2, exit=True)
        assert limits() == before
        a = np.ones((200, 200))
        assert (a @ a)[0, 0] == 200
        call = random.choice(list(found.values()))
        call()
        call.whole()
        assert limits() == before
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def under_forks(n, seed):
    """Forks of two threads while three others fit, predict and transform."""
    random.seed(seed)
    before, end, failed = limits(), threading.Event(), []

    def use():
        try:
            own = list(calls().values())
            ready.release()
            while not end.is_set():
                call = random.choice(own)
                call()
                call.whole()
        except BaseException as error:
            failed.append(error)
            raise

    ready = threading.Semaphore(0)
    found = calls()
    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in threads:
        ready.acquire()

    def fork(times):
        for _ in range(times):
            child, start = child_s(found, before), time.monotonic()
            while not (status := os.waitpid(child, os.WNOHANG))[0]:
                if time.monotonic() - start > PATIENCE:
                    os.kill(child, signal.SIGKILL)
                time.sleep(0.002)
            if status[1]:
                failed.append(f"a child ended with {os.waitstatus_to_exitcode(status[1])}")

    forker = threading.Thread(target=fork, args=(n // 2,))
    forker.start()
    fork(n - n // 2)
    forker.join()
    end.set()
    for thread in threads:
        thread.join()
    assert not failed, (len(failed), failed[:3])
    assert limits() == before
    print(f"{n} forks; no child waited, all ended well")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["presses", "forks"])
    parser.add_argument("n", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of few iterations; of forks with threads
    {"presses": under_presses, "forks": under_forks}[options.what](options.n, options.seed)
