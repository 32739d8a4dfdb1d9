"""What the classifier and the regressor share: data on their way in, the fit and predictions."""

from __future__ import annotations

import warnings
from copy import copy, deepcopy
from inspect import signature
from math import ceil

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._architecture import build_layers
from ._checkpoint import Checkpoint, check_checkpoint
from ._constraints import check_parameters
from ._fitting import History, Run, deferred_interrupt
from ._images import ImageInput
from ._parallel import Team, thread_count
from ._parameters import CONSTRAINTS
from ._parts import TrainingParts
from ._prediction import predict
from ._sources import epoch_pieces, subset
from ._targets import check_weight
from .callbacks import CallbackSupportMixin, Watch, with_callbacks
from .inspection import summarize

__all__ = ["BaseConvNet"]


class BaseConvNet(CallbackSupportMixin, TrainingParts, ImageInput, BaseEstimator):
    """Base of the convolutional networks; not for use."""

    _parameter_constraints: dict = CONSTRAINTS
    _numeric_y = False

    # What a subclass says

    def _loss(self):
        """The loss object."""
        raise NotImplementedError

    def _fit_targets(self, y, weight):
        """Learn what the targets are, and encode them."""
        raise NotImplementedError

    def _check_y(self, y, name="y"):
        """Targets as an array; raises by the parameter's name where one is missing or of another kind."""
        raise NotImplementedError

    def _encode(self, y, name="y"):
        """Targets, as the loss encodes them, of what has been learned."""
        raise NotImplementedError

    def _n_outputs(self):
        """Units of the last layer."""
        raise NotImplementedError

    def _score_outputs(self, outputs, y, sample_weight):
        """Default validation score of the network's outputs, for encoded targets."""
        raise NotImplementedError

    def _weighted(self, weight, encoded):
        """Weights after those of the classes, if any."""
        return weight

    # Data

    def _check_data(self, X, y, *, reset):
        try:
            y = self._check_y(y)
        except ValueError:
            self._check_X(X, reset=reset)  # what is wrong with X is said first
            raise
        return self._check_X(X, y, reset=reset, multi_output=True, y_numeric=self._numeric_y)

    def _given_validation(self, X_val, y_val, sample_weight_val):
        """The user's validation data, ``(X, encoded, weight, y)``, or None."""
        if X_val is None:
            if y_val is not None or sample_weight_val is not None:
                raise ValueError("y_val and sample_weight_val need X_val, got X_val=None")
            return None
        if y_val is None:
            raise ValueError("X_val needs y_val, got y_val=None")
        y_val = self._check_y(y_val, "y_val")
        try:
            X, y, _ = self._check_X(X_val, y_val, reset=False, multi_output=True, y_numeric=self._numeric_y)
        except ValueError as error:
            raise ValueError(f"X_val, with y_val of shape {y_val.shape}: {error}") from error
        encoded = self._encode(y, "y_val")
        weight = self._weighted(check_weight(sample_weight_val, len(X), "sample_weight_val"), encoded)
        return X, encoded, weight, y

    def _hold_out(self, X, encoded, weight, y):
        """Validation data split off: their weights become zero in training."""
        rows = np.arange(len(X))
        stratify = self._strata(encoded)
        seed = np.random.RandomState(0) if self.random_state is None else self.random_state
        held_out = ceil(len(rows) * self.validation_fraction)
        if held_out >= len(rows):
            raise ValueError(
                f"validation_fraction={self.validation_fraction!r} of {len(rows)} samples leaves none to train on; "
                "change it, or set early_stopping=False"
            )
        _, rows = train_test_split(rows, test_size=self.validation_fraction, stratify=stratify, random_state=seed)
        rest = weight.copy()
        rest[rows] = 0
        if not (rest.any() and weight[rows].any()):
            raise ValueError(
                "sample_weight: early_stopping=True left only weights of zero on one side of its split; give weight to "
                "more samples, or set early_stopping=False"
            )
        rows.sort()
        return rest, (subset(X, rows), *(part[rows] for part in (encoded, weight, y)))

    def _strata(self, encoded):
        """What the validation split keeps the shares of, or None."""
        return None

    # The parts of a training

    def _initial_network(self, X, n, shape, rng):
        """A new network, or a copy of the last one with ``warm_start=True``."""
        if self.warm_start and hasattr(self, "network_"):
            network = deepcopy(self.network_)
            wanted = [repr(layer) for layer in build_layers(self, shape, self._n_outputs())]
            if network.input_shape != shape or [repr(layer) for layer in network.layers] != wanted:
                raise ValueError(
                    f"warm_start=True continues the fitted network, from {network.input_shape} through "
                    f"{len(network.layers)} layers; X and the parameters now describe another one, from {shape} "
                    f"through {len(wanted)} layers. Set warm_start=False"
                )
        else:
            network = self._new_network(X, n, shape, rng)
        self._freeze(network)
        return network

    # The fit

    @with_callbacks
    def _fit(self, X, y, sample_weight, X_val, y_val, sample_weight_val):
        """Check everything, train, and set the fitted attributes; nothing changes where something goes wrong."""
        with self._unchanged_on_error():
            check_parameters(self)
            check_checkpoint(self)
            given = X, y, sample_weight
            X, y, shape = self._check_data(X, y, reset=True)
            self._check_solver(X, X_val is not None)
            weight = check_weight(sample_weight, len(X))
            encoded = self._fit_targets(y, weight)
            weight = self._weighted(weight, encoded)
            if not (self.warm_start and hasattr(self, "network_")):
                self.image_shape_ = shape
            validation = self._given_validation(X_val, y_val, sample_weight_val)
            if validation is None and self.early_stopping:
                weight, validation = self._hold_out(X, encoded, weight, y)
            self._check_validation(validation)
            rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
            network = self._initial_network(X, np.count_nonzero(weight), shape, rng)
            self.image_shape_ = shape
            self._augmenter = self._new_augmenter(X, shape)
            with Team(thread_count(self.n_jobs)) as team:
                if self.solver == "lbfgs":
                    self._train_lbfgs(network, team, X, encoded, weight, rng, given)
                else:
                    self._train(network, team, X, encoded, weight, validation, rng, given)
                self.network_ = network
                self._after_fit(team, validation)
            self.__dict__.pop("_progress", None)
        return self

    def _check_validation(self, validation):
        """Raise where a subclass needs validation data that are not there."""

    def _after_fit(self, team, validation):
        """What a subclass learns from the validation data at the end."""

    def _train(self, network, team, X, y, weight, validation, rng, data):
        rows = np.flatnonzero(weight)
        trainer = self._trainer(network, team, len(rows), rng)
        stops = self.early_stopping or self.learning_rate == "constant"
        run = Run(
            trainer,
            History(learning_rate_init=self.learning_rate_init),
            rng,
            n_epochs=self._n_epochs(len(rows)),
            schedule=self._schedule(),
            pieces=_pieces(X, y, weight, rows, self.shuffle),
            total=len(rows),
            validate=self._validator(network, team, validation),
            plateau=self._plateau(),
            stop=(self.tol, self.n_iter_no_change) if stops else None,
        )
        checkpoint = None
        if self.checkpoint is not None:
            checkpoint = Checkpoint(self, trainer, X, y, weight, *(validation[:3] if validation else ()))
            checkpoint.resume(run)
        with Watch(self, run, data) as watch:
            run.go(watch, checkpoint)
            run.finish()
        self._set_history(run)

    def _validator(self, network, team, validation):
        """Loss and score on the validation data, or None where there are none."""
        if validation is None:
            return None
        X_val, encoded, weight, y_val = validation
        loss, share = self._loss(), weight / weight.sum()
        targets = np.empty((self._n_outputs(), len(encoded)), network.dtype)
        loss.encode(encoded, targets)
        scorer = get_scorer(self.scoring) if isinstance(self.scoring, str) and self.scoring != "loss" else self.scoring
        weights = {}
        if callable(scorer) and "sample_weight" in signature(scorer).parameters and (weight != weight[0]).any():
            weights["sample_weight"] = weight

        def validate():
            outputs = predict(network, X_val, team)
            value = loss(outputs.T, targets, share.astype(network.dtype))
            if scorer is None:
                return value, self._score_outputs(outputs, encoded, weight)
            if not callable(scorer):  # "loss"
                return value, -value
            view = self._view(network)
            view.__dict__.pop("feature_names_in_", None)  # X_val is an array now
            return value, float(scorer(view, X_val, y_val, **weights))

        return validate

    def _view(self, network):
        """The estimator as if fitted with this network."""
        view = copy(self)
        view.network_ = network
        return view

    def _train_lbfgs(self, network, team, X, y, weight, rng, data):
        history = History(learning_rate_init=self.learning_rate_init)
        trainer = self._trainer(network, team, np.count_nonzero(weight), rng)
        run = Run(trainer, history, rng, n_epochs=self._n_epochs(len(X)), schedule=None, pieces=None, total=0)
        with deferred_interrupt() as interrupt, Watch(self, run, data) as watch:

            def report(loss):
                history.add(loss, network.parameters)
                network.changed()
                run.epoch += 1
                try:
                    run.asked = watch(run)
                except KeyboardInterrupt:
                    run.interrupted = True
                run.interrupted = run.interrupted or interrupt.pressed
                if run.asked or run.interrupted:
                    raise StopIteration

            result = trainer.minimize(X, y, weight, max_iter=run.n_epochs, tol=self.tol, report=report)
        if not history.loss:  # already at a minimum
            history.add(float(result.fun), network.parameters)
        network.changed()
        self._set_history(run)

    def _set_history(self, run, level=6):
        history = run.history
        self.n_iter_ = len(history.loss)
        self.loss_curve_ = history.loss
        self.loss_ = history.loss[-1]
        self.best_loss_ = min(history.loss)
        self.validation_loss_curve_ = history.validation_loss or None
        self.validation_scores_ = history.scores or None
        self.best_validation_score_ = max(history.scores, default=None)
        self.interrupted_ = run.interrupted
        self.stopped_early_ = run.stopped or run.asked
        if run.interrupted:
            warnings.warn(
                f"Training was interrupted in epoch {self.n_iter_}; the model has the weights of its last whole update"
                f"{' or the best on the validation data' if history.scores else ''}",
                UserWarning,
                stacklevel=level,  # the caller of `fit`
            )

    def _history(self):
        """What the attributes tell of the epochs so far."""
        names = ("loss_curve_", "validation_loss_curve_", "validation_scores_")
        return History(*(list(getattr(self, name, None) or []) for name in names), self.learning_rate_init)

    # Chunk by chunk

    def _partial_fit(self, X, y, sample_weight, learn, X_val, y_val, sample_weight_val):
        """One more pass, at a constant learning rate, over a copy that replaces the network when all went well."""
        with self._unchanged_on_error():
            check_parameters(self)
            if self.solver == "lbfgs":
                raise ValueError(
                    "partial_fit needs a stochastic solver; solver='lbfgs' is not one, use 'adam' or 'sgd'"
                )
            first = not hasattr(self, "network_")
            X, y, shape = self._check_data(X, y, reset=first)
            weight = check_weight(sample_weight, len(X))
            learn(y, weight)
            encoded = self._encode(y)
            weight = self._weighted(weight, encoded)
            self.image_shape_ = shape
            validation = self._given_validation(X_val, y_val, sample_weight_val)
            self._check_validation(validation)
            self._train_part(X, encoded, weight, shape, validation)
        return self

    def _train_part(self, X, y, weight, shape, validation):
        key = (self.solver, self.ema_decay)
        progress = getattr(self, "_progress", None)
        progress = progress if progress is not None and progress[0] == key else None
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31) if progress is None else 0)
        if progress is not None:
            rng.bit_generator.state = progress[2]["rng"]
        rows = np.flatnonzero(weight)
        network = deepcopy(self.network_) if hasattr(self, "network_") else self._new_network(X, len(rows), shape, rng)
        self._augmenter = self._new_augmenter(X, shape)
        self._freeze(network)
        with Team(thread_count(self.n_jobs)) as team:
            run = Run(
                self._trainer(network, team, len(rows), rng),
                self._history(),
                rng,
                n_epochs=1,
                schedule=lambda done: self.learning_rate_init,
                pieces=_pieces(X, y, weight, rows, self.shuffle),
                total=len(rows),
                validate=self._validator(network, team, validation),
                stop=None if validation is None else (self.tol, self.n_iter_no_change),
            )
            if progress is not None:
                run.set_state(progress[1], {**progress[2], "rng": rng.bit_generator.state})
                run.epoch, run.stopped, run.asked = 0, False, False
            if run.best is None and run.history.scores:
                run.best = network.parameters.copy(), network.state.copy()  # those of `fit`, or of another solver
            with Watch(self, run) as watch:
                run.go(watch)
            arrays, values = run.state()
            arrays = {name: np.array(array) for name, array in arrays.items()}
            del values["history"]  # it is in the attributes
            run.finish()
            self.network_ = network
            self._after_fit(team, validation)
        self._set_history(run, 5)
        self._progress = key, arrays, values

    # Prediction

    def _outputs(self, X):
        """Outputs of the network, ``(n, outputs)``; with `n_augmented`, means over changed copies."""
        check_is_fitted(self)
        X, _, _ = self._check_X(X, reset=False)
        double = X.dtype.kind == "f" and X.dtype.itemsize >= 8
        with Team(thread_count(self.n_jobs)) as team:
            outputs = predict(self.network_, X, team)
            if self.n_augmented and self._augmenter is not None:
                copies = self._augmenter.copies(self.n_augmented, 0)
                for changes in copies:
                    outputs += predict(self.network_, X, team, change=self._changed(changes))
                outputs /= 1 + len(copies)
        return outputs.astype(np.float64 if double else np.float32, copy=False)

    def _changed(self, changes):
        """A block of samples, changed all alike."""
        network, augmenter = self.network_, self._augmenter

        def change(samples):
            images = samples.astype(network.dtype).reshape(-1, *network.input_shape)
            augmenter.apply_to_all(images, changes)
            return images.reshape(len(images), -1)

        return change

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


def _pieces(X, y, weight, rows, shuffle):
    """What an epoch visits, by its random numbers: the rows in a new order, or in the old one."""

    def pieces(rng):
        for samples, numbers, order in epoch_pieces(X, rows, rng, shuffle):
            yield samples, y[numbers], weight[numbers], order

    return pieces
