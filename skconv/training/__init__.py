"""Training: losses, optimisers, schedules, regularisers, what a callback is told, and what runs them."""

from .callbacks import TrainingInfo
from .optimizers import SGD, Adam, AdamW, Muon, Optimizer, RMSProp

__all__ = ["SGD", "Adam", "AdamW", "Muon", "Optimizer", "RMSProp", "TrainingInfo"]
