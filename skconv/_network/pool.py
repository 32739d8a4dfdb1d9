"""What predictions of a network keep for the next ones, as long as its numbers stay as they are."""

from __future__ import annotations

from typing import Any

__all__ = ["Pool"]

_KEPT, _KEPT_ALONE = 2, 4  # sessions of a width; as many as a server has threads: twice the requests a second


class Pool:
    """Idle sessions of a network, and the network in other precisions.

    A network whose numbers change gets a new pool (`Network.changed`).  What was taken from the old one is given back
    there, and goes with it: no session outlives the numbers that it has prepared, whichever thread has it.  Each method
    does one thing to a dict or a list, which Python does not interrupt, so there is no lock for a fork to find taken.

    Attributes
    ----------
    runs_alone : bool or None
        Whether steps of the network run on a sample without a block; None where nobody has asked.
    twins : dict of Network
        By dtype.
    """

    def __init__(self):
        self.idle: dict[int, list] = {}
        self.runs_alone: bool | None = None
        self.twins: dict[Any, Any] = {}

    def take(self, width):
        """An idle session for blocks of this width, alone with the caller until `give`; None where there is none."""
        try:
            return self.idle[width].pop()
        except (KeyError, IndexError):
            return None

    def give(self, session):
        """Keep a session for the next prediction, or let it go where there are enough."""
        idle = self.idle.setdefault(session.width, [])
        if len(idle) < (_KEPT_ALONE if session.width == 1 else _KEPT):
            idle.append(session)
