"""Which changes of samples the training data bear: asked of networks that know the samples as they are."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from math import ceil

import numpy as np
from sklearn.utils import check_random_state

from .._input.memory import working_memory
from .._input.rows import LazyRows, subset
from .._network.predict import predict
from .._threads.team import Team, thread_count
from ..augmentation import Augmentation, Augmenter, auto_steps
from ..training._run import History
from .hold_out import held_out_rows
from .recipe import make_recipe
from .samples import Samples
from .scoring import Validator

__all__ = ["borne"]

_FEWEST, _MANY, _MOST = 40, 20_000, 4000  # least samples that say anything, those that need no more, most looked at
_HELD_OUT, _SHARE = 0.25, 0.25  # shares of these samples that is held out, and of the epochs of a fit
_JUDGED, _TRIALS = 200, 4  # held-out samples by which to judge, if so many trainings give them
_LABELS, _NUMBERS = 0.03, 0.005  # by how much the score may fall, of labels and of numbers


def borne(model, train) -> list[Augmentation]:
    """The augmentations of `auto` by which held-out samples stay what they are.

    They are held against networks that are trained for a short time on other samples, as they are. A network that
    has seen no mirrored photograph still knows a mirrored shirt, for the training samples have shirts of either
    side; it takes a mirrored road sign for another. Then networks are trained with what was found, all together,
    and nothing is chosen if held-out samples, as they are, have both a higher loss and a lower score by them. Nor
    is anything chosen for few samples, which say little, nor for many, which a fit visits a few times only.

    Parameters
    ----------
    model : BaseConvNet
        With shape and targets of the samples.
    train : Samples

    Returns
    -------
    list of Augmentation
    """
    numeric = model._targets.numeric
    kinds = auto_steps(model.image_shape_, flips=not numeric)
    if not kinds or not _FEWEST <= len(train.rows) < _MANY:
        return []
    with Team(thread_count(model.n_jobs)) as team:
        trials = list(_trials(model, train, team))
        loss = iter(np.mean([trial.losses(kinds) for trial in trials], axis=0))
        most = _NUMBERS if numeric else _LABELS
        chosen = [step for steps in kinds for step in [step for step in steps if next(loss) <= most][-1:]]
        gains = [trial.gains(chosen) for trial in trials] if chosen else [(0.0, 0.0)]
    return chosen if np.mean(gains, axis=0).max() >= 0 else []


def _trials(model, train, team):
    """Trials that hold out other samples each, until enough are held out to judge by."""
    rng, judged = np.random.default_rng(0), 0
    rows = _looked_at(train, rng)
    for seed in range(_TRIALS):
        held_out = _held_out(model, train, rows, rng)
        yield _Trial(model, _part(train, np.setdiff1d(rows, held_out)), _part(train, held_out), seed, team)
        judged += len(held_out)
        if judged >= _JUDGED:
            return


def _looked_at(train, rng):
    """Rows of the samples with weight, or of some of them where there are many; of those in storage, what fits."""
    rows, most = train.rows, _MOST
    if isinstance(train.X, LazyRows):
        most = min(most, max(_FEWEST, working_memory() // (train.X.shape[1] * train.X.dtype.itemsize)))
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _held_out(model, train, rows, rng):
    """Some of the rows, with the shares of the classes; at least one of each class is left."""
    weight = np.zeros(len(train.weight))
    weight[rows] = train.weight[rows]
    seed = check_random_state(int(rng.integers(2**31)))
    least = ceil(_HELD_OUT * _FEWEST)
    return held_out_rows(train.X, model._targets.strata(train.y), weight, _HELD_OUT, least, seed)


def _part(train, rows) -> Samples:
    return Samples(subset(train.X, rows), train.encoded[rows], train.weight[rows], train.y[rows])


class _Trial:
    """A network that is trained on samples as they are, for a part of the epochs of a fit, and samples held out.

    Parameters
    ----------
    model : BaseConvNet
    train, held_out : Samples
    seed : int
        Of all that is random.
    team : Team
    """

    def __init__(self, model, train, held_out, seed, team):
        self.model, self.train, self.held_out, self.seed, self.team = model, train, held_out, seed, team
        self.network = self._trained([])
        self._validator = Validator(held_out, model._targets, None, self.network.dtype)
        self.loss, self.score = self._measured(self.network, held_out.X)

    def _trained(self, changes):
        model, train, rng = self.model, self.train, np.random.default_rng(self.seed)
        recipe = make_recipe(model, *model._sizes(train))
        recipe = replace(recipe, n_epochs=ceil(_SHARE * recipe.n_epochs), stop=None)
        network = model._network(recipe, rng, False, train)
        augmenter = model._new_augmenter(changes, train, network)
        history = History(learning_rate_init=model.learning_rate_init)
        run = model._run(recipe, network, self.team, history, rng, train, None, augmenter)
        run.go(lambda run: False)
        run.finish()
        return network

    def _measured(self, network, X):
        """Loss and score of the held-out samples as they are in ``X``."""
        return self._validator(predict(network, X, self.team), None)

    def losses(self, kinds):
        """By how much the score falls when the held-out samples are changed, in order of kinds and strengths."""
        X, shape, rng = self.held_out.X, self.model.image_shape_, np.random.default_rng(self.seed)
        samples = np.ascontiguousarray(X, np.float64 if X.dtype == np.float64 else np.float32)
        losses = []
        for change in chain.from_iterable(kinds):
            augmenter = Augmenter([change], shape, 1.0)
            images = samples.reshape(-1, *shape).copy()
            augmenter.apply(images, augmenter.draw(len(images), rng))
            losses.append(self.score - self._measured(self.network, images.reshape(len(images), -1))[1])
        return losses

    def gains(self, changes):
        """By how much the loss of the held-out samples, as they are, falls, and their score rises, by the changes."""
        loss, score = self._measured(self._trained(changes), self.held_out.X)
        return self.loss - loss, score - self.score
