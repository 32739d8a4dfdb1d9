"""What a fit tells while it runs: lines, a function of yours, and scikit-learn's callbacks."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import wraps
from time import perf_counter
from typing import Any

import numpy as np

from .._input.constraints import shown
from .._threads.calls import callers_errstate

__all__ = ["TrainingInfo"]

try:  # scikit-learn 1.9 and later
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for that of scikit-learn 1.9."""

    def with_callbacks(method):
        """Stand in for that of scikit-learn 1.9."""

        @wraps(method)
        def called(estimator, *args, **kwargs):
            return method(estimator, *args, **kwargs)

        return called


@dataclass(frozen=True)
class TrainingInfo:
    """What ``callback(info)`` is given after each epoch.

    Attributes
    ----------
    epoch, n_epochs : int
        Epochs done, and epochs that the training lasts unless it is stopped.
    loss : float
        Mean training loss of the epoch.
    validation_loss, validation_score : float or None
        On the validation data, where there are any.
    learning_rate : float
        Of the epoch's last update.
    seconds : float
        Since the start of the fit.
    estimator : estimator
        A model that predicts with the weights of now; use it within the call only, or copy it.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconv import ConvNetClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> def enough(info):
    ...     return info.loss < 1.0
    >>> model = ConvNetClassifier(callback=enough, random_state=0).fit(X / 16, y)
    >>> model.n_iter_ < 10
    True
    """

    epoch: int
    n_epochs: int
    loss: float
    validation_loss: float | None
    validation_score: float | None
    learning_rate: float
    seconds: float
    estimator: Any = field(repr=False)


class Watch:
    """Tells of a run's epochs; for the length of a ``with`` block.

    Parameters
    ----------
    estimator : BaseConvNet
    run : Run
    data : tuple, default=None
        ``(X, y, sample_weight)`` for scikit-learn's callbacks; None leaves them out.
    """

    def __init__(self, estimator, run, data=None):
        self.estimator, self.run, self.data = estimator, run, data
        self.context = None

    def __enter__(self):
        self.start, self.resumed_at = perf_counter(), self.run.epoch
        self.live = self.estimator.verbose == 1 and _is_live(sys.stdout)
        if self.data is not None and hasattr(self.estimator, "_init_callback_context"):
            with callers_errstate():
                self.context = self.estimator._init_callback_context(max_subtasks=self.run.n_epochs)
                self.context.call_on_fit_task_begin(**self._task())
        return self

    def __exit__(self, kind, *_):
        if self.live:
            print(flush=True)
        if self.context is not None and kind is None:
            with callers_errstate():
                self.context.call_on_fit_task_end(**self._task(), **self._fitted())

    def __call__(self, run) -> bool:
        """Tell of an epoch; whether somebody wants to stop."""
        if self.estimator.verbose:
            self._print(run)
        try:
            with callers_errstate():
                stop = self.estimator.callback is not None and self._asked(run)
                return (self.context is not None and self._subtask()) or stop
        except StopIteration as error:  # of a `next` within it; scipy would take it for ours, and end the fit
            raise RuntimeError("callback raised StopIteration; return True to end the training") from error

    def _asked(self, run) -> bool:
        """Whether the estimator's callback returns True."""
        answer = self.estimator.callback(self._info(run))
        if answer is None or isinstance(answer, (bool, np.bool_)):
            return bool(answer)
        raise TypeError(
            "callback must return True to end the training, or None or False to go on, got "
            f"{shown(answer)} of type {type(answer).__name__}"
        )

    def _info(self, run):
        history = run.history
        return TrainingInfo(
            run.epoch,
            run.n_epochs,
            history.loss[-1],
            history.validation_loss[-1] if history.validation_loss else None,
            history.scores[-1] if history.scores else None,
            run.rate,
            perf_counter() - self.start,
            self.estimator._view(run.trainer.network),
        )

    def _print(self, run):
        history = run.history
        score = f", validation score {history.scores[-1]:.4f}" if history.scores else ""
        line = f"Epoch {len(history.loss)}: loss {history.loss[-1]:.5f}{score}"
        if self.live:
            done = max(1, run.epoch - self.resumed_at)
            left = (perf_counter() - self.start) / done * (run.n_epochs - run.epoch)
            print(f"\r{line}, {left:.0f} s left   ", end="", flush=True)
        else:
            print(line, flush=True)

    # scikit-learn's callbacks

    def _task(self):
        X, y, sample_weight = self.data
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        return {"estimator": self.estimator, "X": X, "y": y, "metadata": metadata}

    def _fitted(self):
        """What makes the estimator a fitted one."""
        network = self.run.trainer.network
        return {"reconstruction_attributes": lambda: vars(self.estimator._view(network))}

    def _subtask(self):
        task = self.context.subcontext(task_name="epoch")
        task.call_on_fit_task_begin(**self._task())
        return task.call_on_fit_task_end(**self._task(), **self._fitted())


def _is_live(stream) -> bool:
    """Whether a line can be overwritten: in a terminal and a notebook."""
    return getattr(stream, "isatty", bool)() or type(stream).__module__.startswith("ipykernel")
