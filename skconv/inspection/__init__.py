"""Looking at networks: tables here, plots where matplotlib is installed."""

from ._summary import summarize

__all__ = ["summarize"]
