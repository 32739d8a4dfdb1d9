"""Training: losses, optimisers, schedules, regularisers, what a callback is told, and what runs them."""

from ._checkpoint import Checkpoint
from .callbacks import TrainingInfo
from .losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    BinaryFocal,
    Focal,
    Huber,
    Loss,
    Poisson,
    SoftmaxCrossEntropy,
    SquaredError,
)
from .optimizers import SGD, Adam, AdamW, Muon, Optimizer, RMSProp
from .regularizers import ClipNorm, L1Penalty, L2Penalty, MaxNorm, WeightAverage
from .schedules import Constant, Cosine, OneCycle, Plateau, Schedule, Steps

__all__ = [
    "SGD",
    "AbsoluteError",
    "Adam",
    "AdamW",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Checkpoint",
    "ClipNorm",
    "Constant",
    "Cosine",
    "Focal",
    "Huber",
    "L1Penalty",
    "L2Penalty",
    "Loss",
    "MaxNorm",
    "Muon",
    "OneCycle",
    "Optimizer",
    "Plateau",
    "Poisson",
    "RMSProp",
    "Schedule",
    "SoftmaxCrossEntropy",
    "SquaredError",
    "Steps",
    "TrainingInfo",
    "WeightAverage",
]
