"""Transformers that are a network's forward pass, with parameters that nobody trains."""

from __future__ import annotations

from ._images import ImageTransformer, working_memory
from ._network import Network
from ._parallel import Team, thread_count
from ._prediction import predict, width_within
from .layers import Flatten

__all__ = ["NetworkTransformer"]


class NetworkTransformer(ImageTransformer):
    """Base of the transformers that run `networks_`, float64 networks whose outputs stand side by side."""

    def _new_network(self, layers) -> Network:
        """A network of these layers on images, flattened at its end."""
        return Network([*layers, Flatten()], self.image_shape_, "float64")

    def _transform(self, X, out):
        X, out = X.reshape(len(X), -1), out.reshape(len(out), -1)
        with Team(thread_count(self.n_jobs)) as team:
            start = 0
            for network in self.networks_:
                stop = start + network.shapes[-1][0]
                twin = network.cast(out.dtype)
                width = width_within(twin, len(X), working_memory() // team.threads)
                predict(twin, X, team, width, out[:, start:stop])
                start = stop
