"""Base class of classifier and regressor: checks of data, the fit and predictions."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._input.constraints import check_parameters, shown
from .._input.images import ImageInput, output_dtype
from .._input.memory import counted
from .._input.overflow import check_finite_training, check_outputs
from .._input.rows import subset
from .._input.searchable import Searchable
from .._network.preprocessing import warn_of_range
from .._threads.team import Team, thread_count
from ..augmentation import Augmenter, names_of
from ..augmentation._augmenter import augmentations_of, is_auto
from ..inspection import summarize
from ..layers.composite import named
from ..training._checkpoint import CheckpointFile, checkpoint_of, fingerprint, plain
from ..training._lbfgs import warn_unless_converged
from ..training._run import History
from ..training.callbacks import CallbackSupportMixin, Watch, with_callbacks
from .bearing import borne
from .given_network import network_in
from .hold_out import hold_out
from .model_state import ModelState
from .parameters import Parameters
from .progress import Progress, best_weights, history_of, set_history
from .recipe import chunk_recipe, make_recipe
from .recipe_checks import check_scaling, check_solver, check_steady
from .samples import Samples
from .scoring import Validator, averaged_outputs
from .target_checks import check_weight
from .targets import Targets

__all__ = ["BaseConvNet"]


class BaseConvNet(CallbackSupportMixin, ModelState, ImageInput, Parameters, Searchable, BaseEstimator):
    """Base class of the convolutional networks."""

    _targets_kind: ClassVar[type[Targets]]  # class of the targets of an estimator
    _warms_up = True
    _range = np.float32  # range of X, even where computations are in float64

    def _places(self):
        places: dict[str, tuple] = {}
        for parameter in ("layers", "augment", "padding_mode", "activation"):
            entries = getattr(self, parameter)
            if isinstance(entries, (list, tuple)):
                names = [name for name, _ in named(entries)] if parameter == "layers" else names_of(entries)
                places |= {f"{parameter}__{name}": (parameter, i) for i, name in enumerate(names)}
        return places

    @with_callbacks
    def _fit(self, X, y, sample_weight, learn, *given_validation):
        """Check everything, train, and set the fitted attributes; ``learn(y, known)`` returns the `Targets`."""
        check_parameters(self)
        checkpoint_of(self)
        data = X, y, sample_weight
        goes_on = self.warm_start and hasattr(self, "network_")
        train, validation = self._learned(X, y, sample_weight, learn, given_validation, goes_on=goes_on)
        if self._targets.calibrates and validation is None:
            raise ValueError("temperature_scaling=True needs validation data: pass X_val, or set early_stopping=True")
        self._choose_augmentations(train)
        recipe = make_recipe(self, *self._sizes(train), augments=bool(self.augmentations_))
        rng = self._new_rng()
        network = self._network(recipe, rng, goes_on, train)
        self._augmenter = self._new_augmenter(self.augmentations_, train, network)
        with Team(thread_count(self.n_jobs)) as team:
            margin = 0.0 if validation is None else validation.n_distinct**-0.5  # a difference that chance can make
            history = History(learning_rate_init=self.learning_rate_init, margin=margin)
            run = self._run(recipe, network, team, history, rng, train, validation, self._augmenter)
            if self.solver == "lbfgs":
                self._minimize(run, train, data)
            else:
                self._train(run, train, validation, data)
            self.network_ = network
            self._calibrate(team, validation)
            self._targets.warn_of_missed(
                lambda rows: self._network_outputs(network, subset(train.X, rows), team), train
            )
        self._scored = None if validation is None else self._comparable(validation)
        self.__dict__.pop("_progress", None)
        return self

    def _learned(self, X, y, sample_weight, learn, given_validation, *, goes_on):
        """Samples for training, and for validation or None; sets the shape and the targets from the former."""
        if goes_on:
            self._check_same_shape()
        X, y, self.image_shape_ = self._check_data(X, y, reset=not goes_on)
        check_solver(self, X, given_validation[0] is not None)
        weight = trained = check_weight(sample_weight, len(X))
        targets = learn(y, self._targets if goes_on else None)
        held_out = None
        if given_validation[0] is None and self.early_stopping:
            least = targets.fewest_scored(self.scoring)
            held_out = hold_out(X, y, weight, targets, self.validation_fraction, least, self.random_state)
            trained = weight.copy()
            trained[held_out] = 0
        targets = targets.measured(y, trained)
        encoded = targets.encode(y)
        self._set_targets(targets)
        validation = self._given_validation(*given_validation)
        if held_out is not None:
            validation = self._samples(subset(X, held_out), encoded[held_out], weight[held_out], y[held_out])
        return self._samples(X, encoded, trained, y), validation

    def _check_data(self, X, y, *, reset):
        try:
            y = self._targets_kind.check(y)
        except ValueError:
            self._check_X(X, reset=reset)  # an error of X comes before that of y
            raise
        return self._check_X(X, y, reset=reset, multi_output=True, y_numeric=self._targets_kind.numeric)

    def _given_validation(self, X_val, y_val, sample_weight_val):
        """The user's validation data, or None."""
        if X_val is None:
            if y_val is not None or sample_weight_val is not None:
                raise ValueError("y_val and sample_weight_val need X_val, got X_val=None")
            return None
        if y_val is None:
            raise ValueError("X_val needs y_val, got y_val=None")
        y_val = self._targets_kind.check(y_val, "y_val")
        try:
            X, y, _ = self._check_X(X_val, y_val, reset=False, multi_output=True, y_numeric=self._targets_kind.numeric)
        except ValueError as error:
            raise ValueError(f"X_val, with y_val of shape {y_val.shape}: {error}") from error
        weight = check_weight(sample_weight_val, len(X), "sample_weight_val")
        validation = self._samples(X, self._targets.encode(y, "y_val"), weight, y, "y_val")
        n, least = len(validation.rows), self._targets.fewest_scored(self.scoring)
        if n < least:
            raise ValueError(
                f"The validation set is too small: X_val has {counted(n, 'sample')} with weight, but R² needs "
                f"{least}; give more, or set scoring='loss'"
            )
        return validation

    def _samples(self, X, encoded, weight, y, name="y"):
        """`Samples`, with the weights of classes multiplied into ``weight``."""
        return Samples(X, encoded, self._targets.weigh(weight, encoded, name), y)

    def _set_targets(self, targets):
        self._targets = targets
        vars(self).update(targets.attributes)

    def _new_rng(self):
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31))

    def _network(self, recipe, rng, goes_on, train):
        if goes_on:
            check_scaling(self, self.network_)
            network = recipe.copied_network(self.network_)
        else:
            network = recipe.new_network(rng, self._scales(train), self.initial_weights)
        if self.solver == "lbfgs":
            check_steady(self, network)
        return network

    def _scales(self, train):
        """Level and spread by which samples are scaled, (C,) or (H, W, C), or None."""
        given = network_in(self.layers)
        if given is not None:
            warn_of_range(given, train.X)
            return given.moments
        if self.standardize is None:
            return None
        moments = train.moments(self.image_shape_)
        return moments.of_channels() if self.standardize == "channel" else moments.of_features()

    def _sizes(self, train):
        """Arguments of `make_recipe`: shape of a sample, targets, number and dtype of the samples."""
        return self.image_shape_, self._targets, len(train.rows), output_dtype(train.X)

    def _choose_augmentations(self, train):
        """Set `augmentations_`: those of `augment`, in which "auto" is what the training samples bear."""
        self.augmentations_ = augmentations_of(self.augment, self.image_shape_, [])
        self._augmentations_key = plain(self.augment)
        if not is_auto(self.augment):
            return
        chosen = borne(self, train)
        if chosen is None:  # the next chunk may say more
            self._augmentations_key = None
        self.augmentations_ = augmentations_of(self.augment, self.image_shape_, chosen or [])
        if self.verbose:
            print(f"augment={shown(self.augment)} is {shown(self.augmentations_)}", flush=True)

    def _new_augmenter(self, augmentations, train, network):
        if not augmentations:
            return None
        spread = network.scaled_spread(train.moments(self.image_shape_).deviations())
        return Augmenter(augmentations, self.image_shape_, spread)

    def _run(self, recipe, network, team, history, rng, train, validation, augmenter):
        """The `Run` of a network, with loss and score on the validation data after each epoch."""
        validate, n_validated = None, 0 if validation is None else len(validation.weight)
        if validation is not None:
            validator = Validator(validation, self._targets, self.scoring, network.dtype)

            def validate():
                return validator(self._network_outputs(network, validation.X, team), partial(self._view, network))

        seed, loss = int(rng.integers(2**32)), self._targets.loss
        trainer = recipe.trainer(network, loss, team, augmenter, seed, n_validated)
        return recipe.run(trainer, history, rng, train, validate)

    def _train(self, run, train, validation, data):
        file, checkpoint = None, checkpoint_of(self)
        if checkpoint is not None:
            arrays = *train.arrays, *(validation.arrays if validation else ())
            file = CheckpointFile(checkpoint, self, run.trainer, *arrays)
            file.resume(run)
        with Watch(self, run, data) as watch:
            run.go(watch, file)
            run.finish()
        set_history(self, run)

    def _minimize(self, run, train, data):
        history, network = run.history, run.trainer.network
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

            result = run.trainer.minimize(*train.arrays, max_iter=run.n_epochs, tol=self.tol, report=report)
        if not history.loss:  # the first weights were a minimum
            history.add(float(result.fun), network)
        # Again, since `minimize` has set the running statistics.
        check_finite_training(history.loss[-1], network, len(history.loss), self.learning_rate_init)
        network.changed()
        set_history(self, run)
        if not (run.asked or run.interrupted):
            warn_unless_converged(result, run.n_epochs, self.tol)

    def _calibrate(self, team, validation):
        """Calibrate the targets by the validation data, if there are any."""
        if validation is not None:
            outputs = partial(self._network_outputs, self.network_, validation.X, team)
            self._set_targets(self._targets.calibrated(outputs, validation))

    def _comparable(self, validation):
        """Key of scores that can be compared: hash of data, loss and way of predicting, and the scorer."""
        way = plain((self._targets.loss, self.augment, self.n_augmented))
        return fingerprint(way, *validation.arrays), self.scoring

    def _partial_fit(self, X, y, sample_weight, learn, *given_validation):
        """One pass over a chunk, at a constant learning rate; a copy of the network replaces the network at the end."""
        check_parameters(self)
        goes_on = hasattr(self, "network_")
        train, validation = self._learned(X, y, sample_weight, learn, given_validation, goes_on=goes_on)
        if not goes_on or self._augmentations_key != plain(self.augment):
            self._choose_augmentations(train)
        recipe = chunk_recipe(self, *self._sizes(train), validated=validation is not None)
        self._train_chunk(recipe, train, validation, goes_on)
        return self

    def _train_chunk(self, recipe, train, validation, goes_on):
        key = (plain(self.solver), self.ema_decay, recipe.frozen)  # the optimiser's state is valid for equal keys only
        last = getattr(self, "_progress", None)
        resumes = last is not None and last.key == key
        rng = last.rng() if resumes else self._new_rng()
        network = self._network(recipe, rng, goes_on, train)
        self._augmenter = self._new_augmenter(self.augmentations_, train, network)
        scored = getattr(self, "_scored", None) if validation is None else self._comparable(validation)
        comparable = scored == getattr(self, "_scored", None)
        with Team(thread_count(self.n_jobs)) as team:
            run = self._run(
                recipe, network, team, history_of(self, comparable), rng, train, validation, self._augmenter
            )
            if resumes:
                last.resume(run)
            if not comparable:
                run.best = None
            elif run.best is None and run.history.scores:  # scores of another solver, or of `fit`
                run.best = best_weights(last, network)
            with Watch(self, run) as watch:
                run.go(watch)
            self._progress = Progress.of(run, key)
            run.finish()
            self.network_ = network
            self._calibrate(team, validation)
        set_history(self, run)
        self._scored = scored

    def _outputs(self, X):
        """Outputs of the fitted network, ``(n, outputs)``."""
        if not hasattr(self, "network_"):
            check_is_fitted(self)  # raises; not called on fitted estimators, where it takes 7 us
        X, _, _ = self._check_X(X, reset=False)
        with Team(thread_count(self.n_jobs)) as team:
            outputs = self._network_outputs(self.network_, X, team)
        check_outputs(outputs)
        return outputs.astype(output_dtype(X), copy=False)

    def _network_outputs(self, network, X, team):
        return averaged_outputs(network, X, team, self._augmenter, self.n_augmented)

    def _view(self, network):
        """A copy of the estimator that is fitted with ``network``."""
        view = copy(self)
        view.network_ = network
        return view

    @property
    def weights_(self) -> dict[str, np.ndarray]:
        """All arrays of the network by ``"layer.name"``, read-only: parameters and running statistics."""
        check_is_fitted(self)
        arrays = self.network_.named_arrays()
        for array in arrays.values():
            array.flags.writeable = False
        return arrays

    def summary(self) -> str:
        """Table of the shapes, parameters and multiply-adds of each layer of the fitted network."""
        check_is_fitted(self)
        return summarize(self.network_)
