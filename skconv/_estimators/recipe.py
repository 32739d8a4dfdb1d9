"""What the parameters of a network mean for its training: network, optimiser, batches, epochs, learning rate."""

from __future__ import annotations

from math import ceil

import numpy as np

from .._input.constraints import InvalidParameterError, shown
from .._input.images import output_dtype
from .._input.overflow import check_finite_array
from .._input.rows import LazyRows
from .._network.network import Network
from .._network.predict import session_bytes
from ..augmentation import make_augmenter
from ..layers import Dropout
from ..training._trainer import Trainer, weight_matrices
from ..training.optimizers import OPTIMIZERS
from ..training.schedules import SCHEDULES, Plateau, warmed
from .blocks import build_layers
from .defaults import is_series

__all__ = ["TrainingParts", "trains_by_batches"]

_EPOCHS, _SAMPLES, _MIN_UPDATES, _MIN_UPDATES_SERIES = (5, 10), 256_000, 600, 300
_SMALL_BATCH = 32  # few samples learn better in small batches: digits 0.9955 right in 64, 0.9964 in 32
_BATCHES = ((40_000, 128), (2500, 64))  # from so many samples on


def trains_by_batches(estimator):
    """Whether there is a `partial_fit`: condition of `available_if`."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic; use 'adam' or 'sgd'."
        )
    if estimator.early_stopping:
        raise AttributeError(
            "early_stopping=True is not supported for partial_fit, which holds out none of a chunk; set "
            "early_stopping=False and give X_val and y_val to partial_fit: then the model has the best weights so far"
        )
    return True


class TrainingParts:
    """Mixin of the estimators; their parameters are described in `parameters`."""

    def _compute_dtype(self, X, n):
        """float64 where X is and every update sees all samples; else float32.

        A mini-batch gradient is uncertain in its second digit, so there float64 buys nothing and takes twice as long.
        """
        whole = self.solver == "lbfgs" or self._batch_size(n) == n
        return output_dtype(X) if whole else np.dtype(np.float32)

    def _new_network(self, train, shape, rng):
        dtype = self._compute_dtype(train.X, len(train.rows))
        network = Network(build_layers(self, shape, self._targets.n_outputs), shape, dtype, trained=True)
        network.initialize(rng)
        if self.initial_weights is not None:
            _check_initial(self.initial_weights, network)
            network.fill(self.initial_weights)
        return network

    def _freeze(self, network):
        names = (self.freeze,) if isinstance(self.freeze, str) else tuple(self.freeze)
        if names:
            network.check_names(names)
        network.frozen = names

    def _new_optimizer(self, network):
        if self.solver == "lbfgs":
            return None
        optimizer = self.solver
        if isinstance(optimizer, str):
            kind, names = OPTIMIZERS[optimizer]
            optimizer = kind(**{name: getattr(self, name) for name in names})
        return optimizer.start(len(network.parameters), network.dtype, weight_matrices(network))

    def _batch_size(self, n):
        if self.batch_size != "auto":
            return min(self.batch_size, n)
        if self.solver == "lbfgs":
            return min(1024, n)
        for many, size in _BATCHES:
            if n >= many:
                return size
        return n if n <= _SMALL_BATCH else max(8, min(n // 4, _SMALL_BATCH))

    def _n_epochs(self, n):
        """Epochs: `max_iter`, or what gives enough updates and does not take too long on many samples."""
        if self.max_iter != "auto":
            return self.max_iter
        fewest, most = _EPOCHS
        fewest = most if self.early_stopping else fewest
        updates = ceil(n / self._batch_size(n))  # an epoch
        least = _MIN_UPDATES_SERIES if is_series(self.image_shape_) else _MIN_UPDATES
        return max(min(max(ceil(_SAMPLES / n), fewest), most), ceil(least / updates))

    def _patience(self, n_epochs):
        """Epochs without progress that are one too many: of few epochs, whose number nobody gave, a quarter."""
        return self.n_iter_no_change if self.max_iter != "auto" else min(self.n_iter_no_change, ceil(n_epochs / 4))

    def _new_augmenter(self, train, shape):
        if self.augment is None:
            return None
        return make_augmenter(self.augment, shape, train.spread(shape[2]), flips=not self._targets_kind.numeric)

    def _trainer(self, network, team, n, rng, validation=None):
        """What trains on ``n`` samples; with validation data, there is memory for them and the best weights too."""
        beside = 0
        if validation is not None:
            best = network.parameters.nbytes + network.state.nbytes
            beside = best + session_bytes(network, len(validation.encoded), team.threads)
        optimizer = self._new_optimizer(network)
        return Trainer(
            network,
            self._targets.loss,
            optimizer,
            team,
            batch_size=self._batch_size(n),
            alpha=self.alpha,
            l1_ratio=self.l1_ratio,
            decoupled=optimizer is not None and optimizer.decoupled,
            clip=self.clip_norm,
            max_norm=self.max_norm,
            ema_decay=self.ema_decay,
            augmenter=self._augmenter,
            seed=int(rng.integers(2**32)),
            beside=beside,
        )

    def _check_solver(self, X, validated):
        """L-BFGS sees all samples at once and moves as it likes."""
        if self.solver != "lbfgs":
            return
        options = {"early_stopping=True": self.early_stopping, "X_val": validated}
        options |= {name: getattr(self, name) is not None for name in ("ema_decay", "clip_norm", "max_norm")}
        options |= {name: getattr(self, name) is not None for name in ("augment", "checkpoint")}
        options["freeze"] = len(self.freeze) > 0
        options["an X in storage"] = isinstance(X, LazyRows)
        for name, wanted in options.items():
            if wanted:
                raise ValueError(
                    f"{name} needs a stochastic solver, got solver='lbfgs'; use 'adam' or 'sgd', or leave {name} out"
                )

    def _check_steady(self, network):
        """Raise where the loss of the same weights is another in each pass, which L-BFGS cannot follow."""
        for step in network.steps:
            if step.layer.random:
                given = "dropout" if isinstance(step.layer, Dropout) else "padding_mode"
                given = given if self.layers is None else "layers"
                raise ValueError(
                    f"{given}={shown(getattr(self, given))} needs a stochastic solver, got solver='lbfgs': {step.name} "
                    "draws random numbers in training; use 'adam' or 'sgd', or do without"
                )

    def _schedule(self):
        schedule = SCHEDULES["constant" if self.learning_rate == "plateau" else self.learning_rate]
        if self.warm_up:
            schedule = warmed(schedule, self.warm_up)
        return lambda done: self.learning_rate_init * schedule(done)

    def _plateau(self):
        if self.learning_rate != "plateau":
            return None
        return Plateau(patience=max(1, self.n_iter_no_change // 2), tol=self.tol)


def _check_initial(weights, network):
    """Every given array by the name of one that there is, of its shape, and finite."""
    known = network.named_arrays()
    for name, array in weights.items():
        if name not in known:
            raise InvalidParameterError(f"initial_weights has {shown(name)}, but the network has {', '.join(known)}")
        if np.shape(array) != known[name].shape:
            raise InvalidParameterError(
                f"initial_weights[{shown(name)}] has shape {np.shape(array)}, but the network's has {known[name].shape}"
            )
        array = np.asarray(array)
        check_finite_array(f"initial_weights[{shown(name)}]", array, network.dtype)
        if name.endswith((".variance", ".batches")) and array.min() < 0:
            raise InvalidParameterError(f"initial_weights[{shown(name)}] must be zero or more, got {array.min()}")
