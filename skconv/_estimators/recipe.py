"""The recipe of a fit, from the parameters and the sizes: layers, batches, epochs, learning rates, optimiser."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import ceil
from numbers import Integral
from typing import Any

import numpy as np

from .._input.constraints import shown
from .._input.memory import counted
from .._network.network import Network, named
from .._network.predict import session_bytes
from ..training._checkpoint import plain
from ..training._run import Run
from ..training._trainer import Trainer, weight_matrices
from ..training.optimizers import OPTIMIZERS, Optimizer
from ..training.schedules import SCHEDULES, Constant, Plateau, Schedule, falls, warmed
from .blocks import build_layers
from .defaults import is_series
from .given_network import fill_from, network_in
from .recipe_checks import check_initial

__all__ = ["Recipe", "batch_size", "chunk_recipe", "make_recipe"]

_EPOCHS, _SAMPLES, _MIN_UPDATES, _MIN_UPDATES_SERIES = (5, 10), 256_000, 600, 300
_SMALL_BATCH = (
    32  # few samples train better in small batches: digits have an accuracy of 0.9955 with 64, 0.9964 with 32
)
_BATCHES = ((40_000, 128), (2500, 64))  # (least samples, batch size)


@dataclass(frozen=True, eq=False, kw_only=True)
class Recipe:
    """All settings of a fit, known before there are weights.

    Parameters
    ----------
    layers : list of Layer
    input_shape : (int, int, int)
    dtype : dtype
        Dtype of a new network.
    given : Network or None
        Network whose first layers and weights a new network starts from.
    frozen : tuple of str
        Names of the layers that training does not change.
    batch_size, n_epochs : int
    shuffle : bool
    schedule : callable
        ``schedule(done)`` returns the learning rate at a share ``done`` of the training.
    cools : bool
        Whether the rate falls to zero at the end.
    plateau : Plateau or None
        Lowers the rate where the loss stalls.
    stop : tuple or None
        ``(tol, patience)``, by which a training without progress ends.
    optimizer : Optimizer or None
        None is scipy's L-BFGS.
    penalties : dict
        Arguments of `Trainer` for penalties, limits of norms and the running mean of the weights.
    """

    layers: list
    input_shape: tuple
    dtype: np.dtype
    given: Network | None
    frozen: tuple
    batch_size: int
    n_epochs: int
    shuffle: bool
    schedule: Callable
    cools: bool
    plateau: Plateau | None
    stop: tuple | None
    optimizer: Optimizer | None
    penalties: dict[str, Any]

    def new_network(self, rng, moments=None, initial_weights=None):
        """A network that scales samples by ``moments``, with random weights, except those given by name or network."""
        network = Network(self.layers, self.input_shape, self.dtype, trained=True)
        network.scale_by(moments)
        network.initialize(rng)
        if self.given is not None:
            fill_from(self.given, network)
        if initial_weights is not None:
            check_initial(initial_weights, network)
            network.fill(initial_weights)
        return self._frozen(network)

    def copied_network(self, network):
        """A copy of a fitted network; raises where the layers of the recipe are others."""
        for i, (old, new) in enumerate(zip_longest(network.layers, self.layers), 1):
            if plain(old) != plain(new):
                raise ValueError(
                    "partial_fit, and fit with warm_start=True, go on with the fitted network, but the parameters now "
                    f"describe another one: layer {i} is {shown(old)}, and would be {shown(new)}; set the parameters "
                    "back, or call fit with warm_start=False"
                )
        return self._frozen(deepcopy(network))

    def _frozen(self, network):
        if self.frozen:
            network.check_names(self.frozen)
        network.frozen = self.frozen
        return network

    def trainer(self, network, loss, team, augmenter, seed, n_validated=0):
        """`Trainer` of the network; checks of memory count the best weights and ``n_validated`` samples."""
        beside = 0
        if n_validated:
            best = network.parameters.nbytes + network.state.nbytes
            beside = best + session_bytes(network, n_validated, team.threads)
        optimizer = self.optimizer
        if optimizer is not None:
            optimizer = optimizer.start(len(network.parameters), network.dtype, weight_matrices(network))
        return Trainer(
            network,
            loss,
            optimizer,
            team,
            batch_size=self.batch_size,
            augmenter=augmenter,
            seed=seed,
            beside=beside,
            **self.penalties,
        )

    def run(self, trainer, history, rng, train, validate=None):
        """`Run` of the trainer on the samples ``train``."""
        return Run(
            trainer,
            history,
            rng,
            n_epochs=self.n_epochs,
            schedule=self.schedule,
            pieces=train.pieces(self.shuffle),
            total=len(train.rows),
            validate=validate,
            plateau=None if self.plateau is None else self.plateau.start(),
            stop=self.stop,
            cools=self.cools,
        )


def make_recipe(parameters, input_shape, targets, n, dtype, *, augments=False) -> Recipe:
    """The recipe of a fit.

    Parameters
    ----------
    parameters : Parameters
    input_shape : (int, int, int)
    targets : Targets
    n : int
        Number of samples with weight.
    dtype : dtype
        Dtype of the samples, float32 or float64.
    augments : bool, default=False
        Whether samples are changed in training.

    Returns
    -------
    Recipe
    """
    values, size = parameters.get_params(deep=False), batch_size(parameters, n)
    optimizer = _optimizer(parameters)
    steady = optimizer is None
    n_epochs = _n_epochs(parameters, n, input_shape, augments)
    factor = _factor(parameters)
    plateau = factor if isinstance(factor, Plateau) else None
    cools = plateau is None and falls(factor)
    stops = parameters.early_stopping or not (cools or plateau)
    # The gradient of a mini-batch is noise in its second digit: float64 would gain nothing and take twice as long.
    dtype = np.dtype(dtype if steady or size == n else np.float32)
    layers = build_layers(values, input_shape, targets.n_outputs, drops=not (targets.numeric or steady))
    return Recipe(
        layers=layers,
        input_shape=input_shape,
        dtype=dtype,
        given=network_in(parameters.layers),
        frozen=_frozen_names(parameters.freeze, layers, input_shape),
        batch_size=size,
        n_epochs=n_epochs,
        shuffle=parameters.shuffle,
        schedule=_schedule(parameters, Constant() if plateau else factor),
        cools=cools,
        plateau=plateau,
        stop=(parameters.tol, _patience(parameters, n_epochs)) if stops else None,
        optimizer=optimizer,
        penalties=_penalties(parameters, optimizer),
    )


def chunk_recipe(parameters, input_shape, targets, n, dtype, *, validated) -> Recipe:
    """The recipe of one pass over a chunk, at a constant learning rate."""
    rate = parameters.learning_rate_init
    return replace(
        make_recipe(parameters, input_shape, targets, n, dtype),
        n_epochs=1,
        schedule=lambda done: rate,
        cools=False,
        plateau=None,
        stop=(parameters.tol, parameters.n_iter_no_change) if validated else None,
    )


def batch_size(parameters, n) -> int:
    """Samples per update, of ``n`` in all."""
    if parameters.batch_size != "auto":
        return min(parameters.batch_size, n)
    if parameters.solver == "lbfgs":
        return min(1024, n)
    for many, size in _BATCHES:
        if n >= many:
            return size
    return n if n <= _SMALL_BATCH else max(8, min(n // 4, _SMALL_BATCH))


def _n_epochs(parameters, n, input_shape, augments) -> int:
    """Number of epochs: `max_iter`, or for "auto" enough for some updates, but few for many samples."""
    if parameters.max_iter != "auto":
        return parameters.max_iter
    series, (fewest, most) = is_series(input_shape), _EPOCHS
    fewest = most if parameters.early_stopping else fewest
    updates = ceil(n / batch_size(parameters, n))  # per epoch
    least = 0 if n == 1 else _MIN_UPDATES_SERIES if series else _MIN_UPDATES  # one sample is told from no other
    epochs = max(min(max(ceil(_SAMPLES / n), fewest), most), ceil(least / updates))
    return 2 * epochs if augments and not series else epochs


def _patience(parameters, n_epochs) -> int:
    """Number of epochs without progress after which to stop; with ``max_iter="auto"`` at most a quarter of all."""
    patience = parameters.n_iter_no_change
    return patience if parameters.max_iter != "auto" else min(patience, ceil(n_epochs / 4))


def _factor(parameters):
    """Factor of the learning rate as a function of the share of the training, without the warm-up."""
    schedule = parameters.learning_rate
    if schedule == "plateau":
        schedule = Plateau(patience=max(1, parameters.n_iter_no_change // 2), tol=parameters.tol)
    elif isinstance(schedule, str):
        schedule = SCHEDULES[schedule]()
    return schedule.start() if isinstance(schedule, Schedule) else schedule


def _schedule(parameters, factor):
    """The learning rate as a function of the share of the training."""
    rate, factor = parameters.learning_rate_init, warmed(factor, parameters.warm_up)
    return lambda done: rate * float(factor(done))


def _optimizer(parameters):
    """The solver as an `Optimizer`; None for scipy's L-BFGS."""
    solver = parameters.solver
    if not isinstance(solver, str):
        return solver
    if solver == "lbfgs":
        return None
    kind = OPTIMIZERS[solver]
    return kind(**{name: getattr(parameters, name) for name in kind.from_networks})


def _frozen_names(freeze, layers, shape) -> tuple:
    """Names of the frozen layers; of a number of layers those that have arrays."""
    if isinstance(freeze, str):
        return (freeze,)
    if not isinstance(freeze, Integral):
        return tuple(freeze)
    freeze = int(freeze)
    if abs(freeze) > len(layers):
        raise ValueError(
            f"freeze must be names of layers or a number from -{len(layers)} to {len(layers)}, since there are "
            f"{counted(len(layers), 'layer')}, got {freeze}"
        )
    names = []
    for name, layer in list(named(layers))[:freeze]:
        if layer.parameter_shapes(shape) or layer.state_shapes(shape):
            names.append(name)
        shape = layer.output_shape(shape)
    return tuple(names)


def _penalties(parameters, optimizer):
    return {
        "alpha": parameters.alpha,
        "l1_ratio": parameters.l1_ratio,
        "decoupled": optimizer is not None and optimizer.decoupled,
        "rate_decay": parameters.learning_rate_decay,
        "clip": parameters.clip_norm,
        "max_norm": parameters.max_norm,
        "ema_decay": parameters.ema_decay,
    }
