"""Looking at networks: tables, and plots where matplotlib is installed."""

from ._plots import plot_hardest, plot_kernels, plot_learning_curve
from ._summary import summarize

__all__ = ["plot_hardest", "plot_kernels", "plot_learning_curve", "summarize"]
