"""The step of an optimiser in training: by slices on threads, and with smaller rates for the first layers."""

from __future__ import annotations

from math import ceil

import numpy as np

from .._input.own import in_place

__all__ = ["Update", "rate_factors"]

_PARTS = 4  # slices of the optimiser's vectors; fixed, so that no bit depends on the threads
_PART_SIZE = 1 << 16  # least parameters of a slice


class Update:
    """A step of an optimiser, for a large vector of parameters by slices on several threads.

    With ``factors`` (n,) each parameter moves by its factor of what the optimiser would move it.
    """

    def __init__(self, optimizer, team, factors=None):
        self.optimizer, self.team, self.factors = optimizer, team, factors
        self._before = None if factors is None else np.empty_like(factors)

    def __call__(self, parameters, gradient, rate):
        """Update the parameters."""
        if self.factors is None:
            self._step(parameters, gradient, rate)
            return
        np.copyto(self._before, parameters)
        self._step(parameters, gradient, rate)
        np.subtract(parameters, self._before, out=parameters)
        np.multiply(parameters, self.factors, out=parameters)
        np.add(parameters, self._before, out=parameters)

    def _step(self, parameters, gradient, rate):
        optimizer = self.optimizer
        optimizer.begin()
        if len(parameters) < _PARTS * _PART_SIZE or not optimizer.by_parts:
            in_place(optimizer, "update", parameters, gradient, rate)
            return
        size = ceil(len(parameters) / _PARTS)

        def part(i):
            in_place(optimizer, "update", parameters, gradient, rate, slice(i * size, (i + 1) * size))

        self.team.run(part, _PARTS)


def rate_factors(network, decay) -> np.ndarray | None:
    """Factor of the learning rate of each parameter, (n,); None where all are 1.

    The factor of the last layer with weights is 1, that of each other one is ``decay`` times that of the next.  A layer
    that has a bias, scales or shifts alone goes with the layer with weights before it, and layers within a composite
    share one factor.
    """
    if decay == 1:
        return None
    tops = [step.name.partition(".")[0] for step in network.steps]
    weighted = {
        top for top, step in zip(tops, network.steps, strict=True) if any(p.decays for p in step.parameters.values())
    }
    order = [top for top in dict.fromkeys(tops) if top in weighted]
    factors, place = np.ones_like(network.parameters), 0
    for top, views in zip(tops, network.views(factors)[0], strict=True):
        place = order.index(top) if top in weighted else place
        for view in views.values():
            view.fill(float(decay) ** max(0, len(order) - 1 - place))
    return factors
