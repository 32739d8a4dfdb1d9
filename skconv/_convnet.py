"""What the classifier and the regressor share: parameters, data on their way in, the fit loop and predictions."""

from __future__ import annotations

from copy import deepcopy
from math import ceil
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from ._architecture import build_layers
from ._images import ImageInput
from ._network import Network
from ._parallel import Team, thread_count
from ._prediction import predict
from ._training import History, Trainer, run_epochs
from ._validation import at_least, between, one_of
from .inspection import summarize
from .optimizers import SGD, Adam
from .schedules import SCHEDULES

__all__ = ["BaseConvNet"]

_PER_LAYER = [tuple, list]
_MIN_EPOCHS, _MIN_UPDATES = 10, 300


class BaseConvNet(ImageInput, BaseEstimator):
    """Base of the convolutional networks; not for use."""

    _parameter_constraints: dict = {
        "filters": [at_least(1), *_PER_LAYER],
        "kernel_size": [at_least(1), *_PER_LAYER],
        "stride": [at_least(1), *_PER_LAYER],
        "dilation": [at_least(1), *_PER_LAYER],
        "padding": [one_of("same", "valid"), at_least(0), *_PER_LAYER],
        "padding_mode": [
            one_of("constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor"),
            *_PER_LAYER,
        ],
        "connectivity": [one_of("shared", "local", "full"), *_PER_LAYER],
        "bias": [one_of("shared", "position"), None, *_PER_LAYER],
        "pool": [one_of("auto", "max", "mean", "stride"), None, *_PER_LAYER],
        "pool_size": [at_least(1), *_PER_LAYER],
        "hidden_layer_sizes": [at_least(1), *_PER_LAYER],
        "activation": [
            one_of("relu", "leaky_relu", "elu", "gelu", "tanh", "logistic", "identity"),
            *_PER_LAYER,
        ],
        "batch_norm": ["boolean", *_PER_LAYER],
        "dropout": [between(0, 1), *_PER_LAYER],
        "layers": [list, tuple, None],
        "solver": [one_of("adam", "adamw", "sgd", "lbfgs")],
        "alpha": [at_least(0, Real)],
        "batch_size": [one_of("auto"), at_least(1)],
        "learning_rate": [one_of(*SCHEDULES)],
        "learning_rate_init": [at_least(0, Real, closed="neither")],
        "max_iter": [one_of("auto"), at_least(1)],
        "shuffle": ["boolean"],
        "tol": [at_least(0, Real)],
        "momentum": [between(0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "beta_1": [between(0, 1)],
        "beta_2": [between(0, 1)],
        "epsilon": [at_least(0, Real, closed="neither")],
        "early_stopping": ["boolean"],
        "validation_fraction": [between(0, 1, closed="neither")],
        "n_iter_no_change": [at_least(1)],
        "warm_start": ["boolean"],
        "image_shape": [one_of("series"), at_least(1), *_PER_LAYER, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "n_jobs": [Integral, None],
    }

    # What a subclass says

    def _loss(self):
        """The loss object."""
        raise NotImplementedError

    def _score_logits(self, logits, y, sample_weight):
        """Validation score of predictions."""
        raise NotImplementedError

    # Data

    def _compute_dtype(self, X):
        """float64 where X is and every update sees all samples; else float32.

        A mini-batch gradient is uncertain in its second digit, so there float64 buys nothing and takes twice as long.
        """
        double = X.dtype.kind == "f" and X.dtype.itemsize >= 8
        whole = self.solver == "lbfgs" or self._batch_size(len(X)) == len(X)
        return np.dtype(np.float64 if double and whole else np.float32)

    def _check_weight(self, sample_weight, X):
        """Weights, one per sample, at least one above zero; only their ratios count, so the largest becomes 1."""
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not weight.any():
            raise ValueError(
                "sample_weight: all weights are zero, so there is nothing to fit; at least one must be above"
            )
        return weight / weight.max()

    # Training

    def _new_network(self, X, shape, n_outputs, rng):
        network = Network(build_layers(self, shape, n_outputs), shape, self._compute_dtype(X))
        network.initialize(rng)
        return network

    def _new_optimizer(self, network):
        n, dtype = len(network.parameters), network.dtype
        if self.solver == "sgd":
            return SGD(n, dtype, momentum=self.momentum, nesterov=self.nesterovs_momentum)
        if self.solver == "lbfgs":
            return None
        return Adam(n, dtype, beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon)

    def _batch_size(self, n):
        size = 64 if self.batch_size == "auto" else self.batch_size
        if self.solver == "lbfgs" and self.batch_size == "auto":
            size = 1024
        return min(size, n)

    def _n_epochs(self, n):
        """Epochs: `max_iter`, or enough for `_MIN_UPDATES` updates and at least `_MIN_EPOCHS`."""
        if self.max_iter != "auto":
            return self.max_iter
        return max(_MIN_EPOCHS, ceil(_MIN_UPDATES / ceil(n / self._batch_size(n))))

    def _trainer(self, network, optimizer, team, n, rng):
        return Trainer(
            network,
            self._loss(),
            optimizer,
            team,
            batch_size=self._batch_size(n),
            alpha=self.alpha,
            decoupled=self.solver == "adamw",
            seed=int(rng.integers(2**32)),
        )

    def _train(self, network, X, y, weight, validation, rng):
        """Fit a network; returns the history, and the network holds its best or its last parameters."""
        history = History(learning_rate_init=self.learning_rate_init)
        with Team(thread_count(self.n_jobs)) as team:
            trainer = self._trainer(network, self._new_optimizer(network), team, len(X), rng)
            if self.solver == "lbfgs":
                self._train_lbfgs(trainer, X, y, weight, history)
                return history
            schedule, score = SCHEDULES[self.learning_rate], None
            if validation is not None:
                X_val, y_val, weight_val = validation

                def score(network):
                    return self._score_logits(predict(network, X_val, team), y_val, weight_val)

            stops = validation is not None or self.learning_rate == "constant"
            run_epochs(
                trainer,
                X,
                y,
                weight,
                history,
                n_epochs=self._n_epochs(np.count_nonzero(weight)),
                rate=lambda done: self.learning_rate_init * schedule(done),
                rng=rng,
                shuffle=self.shuffle,
                score=score,
                stop=(self.tol, self.n_iter_no_change) if stops else None,
                report=self._report,
            )
        return history

    def _train_lbfgs(self, trainer, X, y, weight, history):
        parameters = trainer.network.parameters

        def report(loss):
            history.add(loss, parameters)
            self._report(history)

        n_epochs = self._n_epochs(len(X))
        result = trainer.minimize(X, y, weight, max_iter=n_epochs, tol=self.tol, report=report)
        if not history.loss:  # already at a minimum
            history.add(float(result.fun), parameters)
        trainer.network.changed()

    def _report(self, history):
        if self.verbose:
            score = f", validation score {history.validation[-1]:.4f}" if history.validation else ""
            print(f"Epoch {len(history.loss)}: loss {history.loss[-1]:.5f}{score}", flush=True)

    def _fit_network(self, X, y, weight, shape, n_outputs, validation):
        """Everything between checked data and fitted attributes."""
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        if self.warm_start and hasattr(self, "network_"):
            network = deepcopy(self.network_)
            wanted = [repr(layer) for layer in build_layers(self, shape, n_outputs)]
            if network.input_shape != shape or [repr(layer) for layer in network.layers] != wanted:
                raise ValueError(
                    f"warm_start=True continues the fitted network, from {network.input_shape} through "
                    f"{len(network.layers)} layers; X and the parameters now describe another one, from {shape} "
                    f"through {len(wanted)} layers. Set warm_start=False"
                )
        else:
            network = self._new_network(X, shape, n_outputs, rng)
        history = self._train(network, X, y, weight, validation, rng)
        self.network_ = network
        self.image_shape_ = shape
        self._set_history(history)

    def _set_history(self, history):
        self.n_iter_ = len(history.loss)
        self.loss_curve_ = history.loss
        self.loss_ = history.loss[-1]
        self.best_loss_ = min(history.loss)
        self.validation_scores_ = history.validation or None
        self.best_validation_score_ = max(history.validation, default=None)

    def _partial_fit_network(self, X, y, weight, shape, n_outputs):
        """One more pass, at a constant learning rate, over a copy that replaces the network when all went well."""
        if self.solver == "lbfgs":
            raise ValueError("partial_fit needs a stochastic solver; solver='lbfgs' is not one, use 'adam' or 'sgd'")
        if hasattr(self, "network_"):
            network = deepcopy(self.network_)
            solver, optimizer, rng = deepcopy(getattr(self, "_progress", (self.solver, None, None)))
            optimizer = optimizer if solver == self.solver else None
            loss_curve = list(self.loss_curve_)
        else:
            network, optimizer, rng, loss_curve = None, None, None, []
        if rng is None:
            rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        if network is None:
            network = self._new_network(X, shape, n_outputs, rng)
        if optimizer is None:
            optimizer = self._new_optimizer(network)
        with Team(thread_count(self.n_jobs)) as team:
            trainer = self._trainer(network, optimizer, team, len(X), rng)
            order = np.flatnonzero(weight)
            if self.shuffle:
                order = rng.permutation(order)
            loss = trainer.epoch(X, y, weight, order, lambda i, n: self.learning_rate_init)
        history = History(loss_curve, learning_rate_init=self.learning_rate_init)
        history.add(loss, network.parameters)
        network.changed()
        self.network_, self.image_shape_, self._progress = network, shape, (self.solver, optimizer, rng)
        self._set_history(history)

    # Prediction

    def _logits(self, X):
        """Outputs of the network, ``(n, outputs)``."""
        check_is_fitted(self)
        X, _, _ = self._check_X(X, reset=False)
        double = X.dtype.kind == "f" and X.dtype.itemsize >= 8
        with Team(thread_count(self.n_jobs)) as team:
            logits = predict(self.network_, X, team)
        return logits.astype(np.float64 if double else np.float32, copy=False)

    # Inspection

    @property
    def weights_(self) -> dict[str, np.ndarray]:
        """Trained arrays by ``"layer.name"``, read-only: convolutions ``(filters, rows, columns, channels)``."""
        check_is_fitted(self)
        arrays = self.network_.named_parameters()
        for array in arrays.values():
            array.flags.writeable = False
        return arrays

    def summary(self) -> str:
        """Shapes, parameters and multiply-adds of each layer of the fitted network, as a table."""
        check_is_fitted(self)
        return summarize(self.network_)
