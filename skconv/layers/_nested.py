"""Base class of layers that are computed by other layers."""

from __future__ import annotations

from ._base import Layer

__all__ = ["Nested"]


class Nested(Layer):
    """Base class of layers that are computed by the layers of `inner`."""

    def inner(self, shape):
        """List of ``(name, layer, input shape)`` of the layers that compute this one, for an input of ``shape``."""
        raise NotImplementedError

    def named_steps(self, name, shape):
        return [step for own, layer, now in self.inner(shape) for step in layer.named_steps(f"{name}.{own}", now)]

    def lower(self, shape):
        return [step for _, step in self.named_steps("", shape)]

    def parameters(self, shape):
        return {f"{name}.{n}": p for name, each, now in self.inner(shape) for n, p in each.parameters(now).items()}

    def state_shapes(self, shape):
        return {f"{name}.{n}": s for name, each, now in self.inner(shape) for n, s in each.state_shapes(now).items()}

    def multiply_adds(self, shape):
        return sum(layer.multiply_adds(now) for _, layer, now in self.inner(shape))
