"""Training: losses, optimisers, schedules, regularisers, what a callback is told, and what runs them."""

from .callbacks import TrainingInfo

__all__ = ["TrainingInfo"]
