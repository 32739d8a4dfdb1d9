"""Checks of parameters against the solver, the data and the network that a fit goes on with."""

from __future__ import annotations

import numpy as np

from .._input.constraints import InvalidParameterError, shown
from .._input.overflow import check_finite_array
from .._input.rows import LazyRows
from .given_network import network_in

__all__ = ["check_initial", "check_scaling", "check_solver", "check_steady", "trains_by_batches"]


def check_initial(weights, network):
    """Raise where a given array does not have the name and the shape of one of the network's, or is not finite."""
    known = network.named_arrays()
    for name, array in weights.items():
        if name not in known:
            raise InvalidParameterError(f"initial_weights has {shown(name)}, but the network has {', '.join(known)}")
        if np.shape(array) != known[name].shape:
            raise InvalidParameterError(
                f"initial_weights[{shown(name)}] has shape {np.shape(array)}, but the network's has {known[name].shape}"
            )
        array = np.asarray(array)
        check_finite_array(f"initial_weights[{shown(name)}]", array, known[name].dtype)
        if name.endswith((".variance", ".batches", ".spread")) and array.min() < 0:
            raise InvalidParameterError(f"initial_weights[{shown(name)}] must be zero or more, got {array.min()}")


def trains_by_batches(estimator):
    """Whether there is a `partial_fit`, for `available_if`; raises AttributeError where there is none."""
    if isinstance(estimator.solver, str) and estimator.solver == "lbfgs":  # other values are checked in the fit
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic; use 'adam' or 'sgd'."
        )
    if isinstance(estimator.early_stopping, (bool, np.bool_)) and estimator.early_stopping:
        raise AttributeError(
            "early_stopping=True is not supported for partial_fit, which holds out none of a chunk; set "
            "early_stopping=False and give X_val and y_val to partial_fit: then the model has the best weights so far"
        )
    return True


def check_solver(parameters, X, validated):
    """Raise for parameters and data that L-BFGS, which takes all samples at once, cannot use."""
    if parameters.solver != "lbfgs":
        return
    options = {"early_stopping=True": parameters.early_stopping, "X_val": validated}
    names = ("ema_decay", "clip_norm", "max_norm", "augment", "checkpoint")
    options |= {name: getattr(parameters, name) is not None for name in names}
    options["freeze"] = parameters.freeze != 0 and parameters.freeze != () and parameters.freeze != []
    options["learning_rate_decay"] = parameters.learning_rate_decay != 1
    options["an X in storage"] = isinstance(X, LazyRows)
    for name, wanted in options.items():
        if wanted:
            raise ValueError(
                f"{name} needs a stochastic solver, got solver='lbfgs'; use 'adam' or 'sgd', or leave {name} out"
            )


def check_scaling(parameters, network):
    """Raise where the fitted network scales samples in another way than the parameters say."""
    if network_in(parameters.layers) is not None:  # which scales samples in its own way
        return
    levels = None if network.moments is None else network.moments[0]
    fitted = None if levels is None else "channel" if levels.ndim == 1 else "feature"
    if parameters.standardize != fitted:
        raise ValueError(
            "partial_fit, and fit with warm_start=True, go on with the fitted network, but the parameters now describe "
            f"another one: it scales samples by standardize={shown(fitted)}, and would by "
            f"standardize={shown(parameters.standardize)}; set the parameters back, or call fit with warm_start=False"
        )


def check_steady(parameters, network):
    """Raise where a layer draws random numbers in training, so that the loss is no function of the weights."""
    for step in network.steps:
        if step.operation.random:
            given = step.operation.asked_by if parameters.layers is None else "layers"
            raise ValueError(
                f"{given}={shown(getattr(parameters, given))} needs a stochastic solver, got solver='lbfgs': "
                f"{step.name} draws random numbers in training; use 'adam' or 'sgd', or do without"
            )
