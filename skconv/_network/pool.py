"""Idle sessions that predictions of a network use again, until its parameters change."""

from __future__ import annotations

from typing import Any

__all__ = ["Pool"]

_KEPT, _KEPT_ALONE = 2, 4  # most idle sessions of a width, and for one sample, where a server has a thread per request


class Pool:
    """Idle sessions of a network, and the network in other dtypes.

    A network whose parameters change gets a new pool (`Network.changed`).  Sessions of the old pool are given back to
    the old pool and deleted with it, so no thread can use a session with old parameters.  Each method is one atomic
    operation on a dict or a list, so there is no lock that a fork could find taken.

    Attributes
    ----------
    runs_alone : bool or None
        Whether steps of the network run on a sample without a block; None if not yet known.
    twins : dict of Network
        The network in other dtypes, by dtype.
    tail : (Network or None,) or None
        The network of the steps after large images; None if not yet known.
    """

    def __init__(self):
        self.idle: dict[int, list] = {}
        self.runs_alone: bool | None = None
        self.twins: dict[Any, Any] = {}
        self.tail: tuple[Any] | None = None

    def take(self, width):
        """Remove and return an idle session for blocks of ``width`` samples; None if there is none."""
        try:
            return self.idle[width].pop()
        except (KeyError, IndexError):
            return None

    def give(self, session):
        """Add an idle session, unless there are enough of its width."""
        idle = self.idle.setdefault(session.width, [])
        if len(idle) < (_KEPT_ALONE if abs(session.width) == 1 else _KEPT):
            idle.append(session)
