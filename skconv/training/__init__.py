"""Training: losses, optimisers, schedules, regularisers, what a callback is told, and what runs them."""

from .callbacks import TrainingInfo
from .optimizers import SGD, Adam, AdamW, Muon, Optimizer, RMSProp
from .schedules import Constant, Cosine, OneCycle, Plateau, Schedule, Steps

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "Muon",
    "OneCycle",
    "Optimizer",
    "Plateau",
    "RMSProp",
    "Schedule",
    "Steps",
    "TrainingInfo",
]
