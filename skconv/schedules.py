"""Learning-rate schedules: a factor for each share of the training done, from 0 to 1."""

from __future__ import annotations

from math import cos, pi

__all__ = ["constant", "cosine", "one_cycle", "step"]


def constant(done: float) -> float:
    """Always 1."""
    return 1.0


def cosine(done: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, arXiv 1608.03983)."""
    return 0.5 * (1 + cos(pi * done))


def step(done: float) -> float:
    """1, then a tenth from half way, then a hundredth from three quarters (He et al., arXiv 1512.03385)."""
    return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01


def one_cycle(done: float, warm_up: float = 0.25, start: float = 0.04) -> float:
    """Up by half a cosine from ``start`` to 1, then down to 0 (Smith and Topin, arXiv 1708.07120)."""
    if done < warm_up:
        return start + (1 - start) * 0.5 * (1 - cos(pi * done / warm_up))
    return cosine((done - warm_up) / (1 - warm_up))


SCHEDULES = {"constant": constant, "cosine": cosine, "one_cycle": one_cycle, "step": step}
