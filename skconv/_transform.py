"""Transformers that are a network's forward pass, with parameters that nobody trains."""

from __future__ import annotations

from ._images import ImageTransformer
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

    def _check_working_memory(self, X, dtype):
        for network in self.networks_:
            width_within(network.cast(dtype), len(X), self._thread_memory())

    def _transform(self, X, out):
        self._run(self.networks_, X, out)

    def _run(self, networks, X, out):
        """Outputs of networks on images ``(n, H, W, C)``, side by side in ``out`` (n, ...)."""
        X, out = X.reshape(len(X), -1), out.reshape(len(out), -1)
        with Team(thread_count(self.n_jobs)) as team:
            start = 0
            for network in networks:
                stop = start + network.shapes[-1][0]
                twin = network.cast(out.dtype)
                width = width_within(twin, len(X), self._thread_memory())
                predict(twin, X, team, width, out[:, start:stop])
                start = stop
