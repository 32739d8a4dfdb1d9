"""What the classifier and the regressor share: data on their way in, the fit and predictions."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from itertools import zip_longest
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._input.constraints import check_parameters, shown
from .._input.images import ImageInput, output_dtype
from .._input.overflow import check_finite_training, check_outputs
from .._input.searchable import Searchable
from .._input.warnings import warn
from .._threads.team import Team, thread_count
from ..augmentation import names_of
from ..inspection import summarize
from ..layers.composite import named
from ..training._checkpoint import Checkpoint, check_checkpoint, plain
from ..training._lbfgs import warn_unless_converged
from ..training._run import History, Run
from ..training.callbacks import CallbackSupportMixin, Watch, with_callbacks
from .blocks import build_layers
from .parameters import Parameters
from .recipe import TrainingParts
from .samples import Samples
from .scoring import ValidationScoring
from .target_checks import check_weight
from .targets import Targets

__all__ = ["BaseConvNet"]


class BaseConvNet(
    CallbackSupportMixin, TrainingParts, ValidationScoring, ImageInput, Parameters, Searchable, BaseEstimator
):
    """Base of the convolutional networks; not for use."""

    _targets_kind: ClassVar[type[Targets]]  # what a subclass takes
    _warms_up = True
    _range = np.float32  # of X, also where it is computed in float64

    def _places(self):
        layers, augment = (value if isinstance(value, (list, tuple)) else () for value in (self.layers, self.augment))
        places = {f"layers__{name}": ("layers", i) for i, (name, _) in enumerate(named(layers))}
        return places | {f"augment__{name}": ("augment", i) for i, name in enumerate(names_of(augment))}

    # Data

    def _check_data(self, X, y, *, reset):
        try:
            y = self._targets_kind.check(y)
        except ValueError:
            self._check_X(X, reset=reset)  # what is wrong with X is said first
            raise
        return self._check_X(X, y, reset=reset, multi_output=True, y_numeric=self._targets_kind.numeric)

    # The parts of a training

    def _goes_on(self):
        """Whether `fit` goes on with the fitted network."""
        return self.warm_start and hasattr(self, "network_")

    def _fitted_network(self):
        """A copy of the fitted network, to go on with; raises where the parameters now describe another one."""
        network = deepcopy(self.network_)
        now = build_layers(self, network.input_shape, self._targets.n_outputs)
        for i, (old, new) in enumerate(zip_longest(network.layers, now), 1):
            if plain(old) != plain(new):
                raise ValueError(
                    "partial_fit, and fit with warm_start=True, go on with the fitted network, but the parameters now "
                    f"describe another one: layer {i} is {shown(old)}, and would be {shown(new)}; set the parameters "
                    "back, or call fit with warm_start=False"
                )
        return network

    # The fit

    @with_callbacks
    def _fit(self, X, y, sample_weight, learn, X_val, y_val, sample_weight_val):
        """Check everything, train, and set the fitted attributes; ``learn(y, known)`` says what the targets are."""
        check_parameters(self)
        check_checkpoint(self)
        given = X, y, sample_weight
        goes_on = self._goes_on()
        if goes_on:
            self._check_same_shape()
        X, y, shape = self._check_data(X, y, reset=not goes_on)
        self._check_solver(X, X_val is not None)
        weight = check_weight(sample_weight, len(X))
        targets = learn(y, self._targets if goes_on else None)
        held_out, trained = None, weight
        if X_val is None and self.early_stopping:
            held_out = self._held_out(X, y, weight, targets)
            trained = weight.copy()
            trained[held_out] = 0
        targets = targets.measured(y, trained)
        encoded = targets.encode(y)
        self._set_targets(targets)
        self.image_shape_ = shape
        validation = self._given_validation(X_val, y_val, sample_weight_val)
        if held_out is not None:
            validation = self._held_out_validation(held_out, X, encoded, weight, y)
        train = Samples(X, encoded, targets.weigh(trained, encoded), y)
        if targets.calibrates and validation is None:
            raise ValueError("temperature_scaling=True needs validation data: pass X_val, or set early_stopping=True")
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        network = self._fitted_network() if goes_on else self._new_network(train, shape, rng)
        self._freeze(network)
        self._augmenter = self._new_augmenter(train, shape)
        with Team(thread_count(self.n_jobs)) as team:
            if self.solver == "lbfgs":
                self._train_lbfgs(network, team, train, rng, given)
            else:
                self._train(network, team, train, validation, rng, given)
            self.network_ = network
            self._calibrate(team, validation)
        self.__dict__.pop("_progress", None)
        return self

    def _set_targets(self, targets):
        self._targets = targets
        vars(self).update(targets.attributes)

    def _calibrate(self, team, validation):
        """Let the targets learn from the validation data what predictions need of them."""
        if validation is not None:
            outputs = partial(self._network_outputs, self.network_, validation.X, team)
            self._set_targets(self._targets.calibrated(outputs, validation))

    def _train(self, network, team, train, validation, rng, data):
        n = len(train.rows)
        trainer = self._trainer(network, team, n, rng, validation)
        stops = self.early_stopping or self.learning_rate == "constant"
        n_epochs = self._n_epochs(n)
        margin = 0.0 if validation is None else validation.n_distinct**-0.5  # what chance brings
        run = Run(
            trainer,
            History(learning_rate_init=self.learning_rate_init, margin=margin),
            rng,
            n_epochs=n_epochs,
            schedule=self._schedule(),
            pieces=train.pieces(self.shuffle),
            total=n,
            validate=self._validator(network, team, validation),
            plateau=self._plateau(),
            stop=(self.tol, self._patience(n_epochs)) if stops else None,
            cools=self.learning_rate not in ("constant", "plateau"),
        )
        checkpoint = None
        if self.checkpoint is not None:
            checkpoint = Checkpoint(self, trainer, *train.arrays, *(validation.arrays if validation else ()))
            checkpoint.resume(run)
        with Watch(self, run, data) as watch:
            run.go(watch, checkpoint)
            run.finish()
        self._scored = None if validation is None else self._comparable(validation)
        self._set_history(run)

    def _train_lbfgs(self, network, team, train, rng, data):
        self._check_steady(network)
        history = History(learning_rate_init=self.learning_rate_init)
        trainer = self._trainer(network, team, len(train.rows), rng)
        run = Run(
            trainer, history, rng, n_epochs=self._n_epochs(len(train.weight)), schedule=None, pieces=None, total=0
        )
        run.interrupt.patience = 1
        with Watch(self, run, data) as watch:

            def report(loss):
                history.add(loss, network)
                network.changed()
                run.epoch += 1
                run.ask(watch)
                run.interrupted = run.interrupted or run.interrupt.pending
                if run.asked or run.interrupted:
                    raise StopIteration

            result = trainer.minimize(*train.arrays, max_iter=run.n_epochs, tol=self.tol, report=report)
        if not history.loss:  # already at a minimum
            history.add(float(result.fun), network)
        check_finite_training(history.loss[-1], network, len(history.loss), self.learning_rate_init)  # measured anew
        network.changed()
        self._set_history(run)
        if not (run.asked or run.interrupted):
            warn_unless_converged(result, run.n_epochs, self.tol)

    def _set_history(self, run):
        history = run.history
        self.n_iter_ = len(history.loss)
        self.loss_curve_ = history.loss
        self.loss_ = history.loss[-1]
        self.best_loss_ = min(history.loss)
        self.validation_loss_curve_ = history.validation_loss or None
        self.validation_scores_ = history.scores or None
        self.best_validation_score_ = history.scores[history.best] if history.scores else None
        self._best = history.best
        self.interrupted_ = run.interrupted
        self.stopped_early_ = run.stopped or run.asked or run.skipped > 0
        if history.scores and not np.isfinite(history.scores).any():
            warn(
                f"scoring={shown(self.scoring)} gave NaN or infinity in every epoch, so the model has the weights of "
                "the lowest validation loss; choose a score that is defined on the validation data, such as 'loss'"
            )

    def _history(self, comparable):
        """What the attributes tell of the epochs so far; of their scores, those that compare with what comes."""
        history = History(list(getattr(self, "loss_curve_", ())), learning_rate_init=self.learning_rate_init)
        if comparable and getattr(self, "validation_scores_", None):
            history.scores, history.best = list(self.validation_scores_), self._best
            history.validation_loss = list(self.validation_loss_curve_)
        return history

    # Chunk by chunk

    def _partial_fit(self, X, y, sample_weight, learn, X_val, y_val, sample_weight_val):
        """One more pass, at a constant learning rate, over a copy that replaces the network when all went well."""
        check_parameters(self)
        first = not hasattr(self, "network_")
        if not first:
            self._check_same_shape()
        X, y, shape = self._check_data(X, y, reset=first)
        weight = check_weight(sample_weight, len(X))
        targets = learn(y, None if first else self._targets).measured(y, weight)
        encoded = targets.encode(y)
        train = Samples(X, encoded, targets.weigh(weight, encoded), y)
        self._set_targets(targets)
        self.image_shape_ = shape
        validation = self._given_validation(X_val, y_val, sample_weight_val)
        self._train_part(train, shape, validation)
        return self

    def _train_part(self, train, shape, validation):
        frozen = (self.freeze,) if isinstance(self.freeze, str) else tuple(self.freeze)
        key = (plain(self.solver), self.ema_decay, frozen)  # of another one, the optimiser has no use
        progress = getattr(self, "_progress", None)
        progress = progress if progress is not None and progress[0] == key else None
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31) if progress is None else 0)
        if progress is not None:
            rng.bit_generator.state = progress[2]["rng"]
        n = len(train.rows)
        fitted = hasattr(self, "network_")
        network = self._fitted_network() if fitted else self._new_network(train, shape, rng)
        self._augmenter = self._new_augmenter(train, shape)
        self._freeze(network)
        scored = getattr(self, "_scored", None) if validation is None else self._comparable(validation)
        comparable = scored == getattr(self, "_scored", None)
        with Team(thread_count(self.n_jobs)) as team:
            run = Run(
                self._trainer(network, team, n, rng, validation),
                self._history(comparable),
                rng,
                n_epochs=1,
                schedule=lambda done: self.learning_rate_init,
                pieces=train.pieces(self.shuffle),
                total=n,
                validate=self._validator(network, team, validation),
                stop=None if validation is None else (self.tol, self.n_iter_no_change),
            )
            if progress is not None:
                run.set_state(progress[1], {**progress[2], "rng": rng.bit_generator.state})
                run.epoch, run.stopped, run.asked = 0, False, False
            if not comparable:
                run.best = None
            elif run.best is None and run.history.scores:  # those of another solver, or of `fit`
                kept = getattr(self, "_progress", (None, {}))[1]
                best = kept.get("best_parameters", network.parameters), kept.get("best_state", network.state)
                run.best = best[0].copy(), best[1].copy()
            with Watch(self, run) as watch:
                run.go(watch)
            arrays, values = run.state()
            arrays = {name: np.array(array) for name, array in arrays.items()}
            del values["history"]  # it is in the attributes
            run.finish()
            self.network_ = network
            self._calibrate(team, validation)
        self._set_history(run)
        self._progress, self._scored = (key, arrays, values), scored

    # Prediction

    def _outputs(self, X):
        """Outputs of the fitted network, ``(n, outputs)``."""
        if not hasattr(self, "network_"):
            check_is_fitted(self)  # it raises; to find that all is well it takes 7 us
        X, _, _ = self._check_X(X, reset=False)
        with Team(thread_count(self.n_jobs)) as team:
            outputs = self._network_outputs(self.network_, X, team)
        check_outputs(outputs)
        return outputs.astype(output_dtype(X), copy=False)

    # Inspection

    @property
    def weights_(self) -> dict[str, np.ndarray]:
        """All arrays of the network by ``"layer.name"``, read-only: the trained ones and running statistics."""
        check_is_fitted(self)
        arrays = self.network_.named_arrays()
        for array in arrays.values():
            array.flags.writeable = False
        return arrays

    def summary(self) -> str:
        """Shapes, parameters and multiply-adds of each layer of the fitted network, as a table."""
        check_is_fitted(self)
        return summarize(self.network_)
