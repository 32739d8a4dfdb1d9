"""State of a training between two updates."""

from __future__ import annotations

import numpy as np

__all__ = ["Stateful"]


class Stateful:
    """Base class of objects with a state: optimisers, penalties, running means."""

    kept: tuple[str, ...] = ()  # attributes that make up the state

    def state(self) -> dict:
        """Numbers and arrays of the state by name; arrays are not copied, and the next step changes them."""
        return {name: getattr(self, name) for name in self.kept}

    def set_state(self, state):
        """Set the state; arrays are copied.

        Parameters
        ----------
        state : dict
            Result of `state` of an object of the same class, for as many parameters in the same precision.

        Raises
        ------
        ValueError
            If names, shapes or dtypes differ; nothing is changed then.
        """
        kind = type(self).__name__
        if set(state) != set(self.kept):
            raise ValueError(f"the state of {kind} must have {sorted(self.kept)}, got {sorted(state)}")
        for name, own in self.state().items():
            got = np.asarray(state[name])
            if isinstance(own, np.ndarray) and (own.shape != got.shape or own.dtype != got.dtype):
                raise ValueError(
                    f"{name} in the state of {kind} must have shape {own.shape} and dtype {own.dtype}, "
                    f"got {got.shape} and {got.dtype}"
                )
        for name, own in self.state().items():
            if isinstance(own, np.ndarray):
                np.copyto(own, state[name])
            else:
                setattr(self, name, type(own)(state[name]))
