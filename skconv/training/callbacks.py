"""Reports of a fit while it runs: printed lines, the parameter ``callback``, and scikit-learn's callbacks."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import wraps
from time import perf_counter
from typing import Any

import numpy as np

from .._input.constraints import shown
from .._input.errstate import callers_errstate

__all__ = ["TrainingInfo"]

try:  # scikit-learn 1.9 and later
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Replacement for the class of scikit-learn 1.9."""

    def with_callbacks(method):
        """Replace the decorator of scikit-learn 1.9."""

        @wraps(method)
        def called(estimator, *args, **kwargs):
            return method(estimator, *args, **kwargs)

        return called


@dataclass(frozen=True)
class TrainingInfo:
    """State of a training after an epoch, the argument of ``callback(info)``.

    Attributes
    ----------
    epoch, n_epochs : int
        Number of epochs done, and of all epochs unless the training is stopped.
    loss : float
        Mean training loss of the epoch.
    validation_loss, validation_score : float or None
        Loss and score on the validation data; None without validation data.
    learning_rate : float
        Learning rate of the epoch's last update.
    seconds : float
        Seconds since the start of the fit.
    estimator : estimator
        A model that predicts with the current weights; use it within the call only, or copy it.

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
    """Reports the epochs of a run, for the length of a ``with`` block.

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
        """Report an epoch; return whether a callback wants to stop."""
        if self.estimator.verbose:
            self._print(run)
        try:
            with callers_errstate():
                stop = self.estimator.callback is not None and self._asked(run)
                return (self.context is not None and self._subtask()) or stop
        except StopIteration as error:  # from a `next` in the callback; scipy would take it as a request to stop
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

    def _task(self):
        """Arguments of scikit-learn's callbacks at the start and the end of a task."""
        X, y, sample_weight = self.data
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        return {"estimator": self.estimator, "X": X, "y": y, "metadata": metadata}

    def _fitted(self):
        """Argument of scikit-learn's callbacks with the attributes of a fitted estimator."""
        network = self.run.trainer.network
        return {"reconstruction_attributes": lambda: vars(self.estimator._view(network))}

    def _subtask(self):
        task = self.context.subcontext(task_name="epoch")
        task.call_on_fit_task_begin(**self._task())
        return task.call_on_fit_task_end(**self._task(), **self._fitted())


def _is_live(stream) -> bool:
    """Whether a line on ``stream`` can be overwritten: whether it is a terminal or a notebook."""
    return getattr(stream, "isatty", bool)() or type(stream).__module__.startswith("ipykernel")
