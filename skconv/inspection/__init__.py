"""Looking at networks: tables, matrices, and plots where matplotlib is installed."""

from ._matrix import weight_matrix
from ._plots import plot_hardest, plot_kernels, plot_learning_curve
from ._summary import summarize

__all__ = ["plot_hardest", "plot_kernels", "plot_learning_curve", "summarize", "weight_matrix"]
