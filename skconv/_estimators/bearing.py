"""Which changes of samples the training data bear: asked of networks that know the samples as they are."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from math import ceil

import numpy as np
from sklearn.utils import check_random_state

from .._input.memory import working_memory
from .._input.rows import subset
from .._network.predict import predict
from .._threads.team import Team, thread_count
from ..augmentation import Augmentation, Augmenter
from ..augmentation._augmenter import auto_steps
from ..training._run import History
from .hold_out import held_out_rows
from .recipe import make_recipe
from .samples import Samples
from .scoring import Validator

__all__ = ["borne"]

_FEWEST, _MANY, _MOST = 40, 20_000, 4000  # least samples that say anything, those that need no more, most looked at
_HELD_OUT, _SHARE = 0.25, 0.25  # shares of these samples that is held out, and of the epochs of a fit
_JUDGED, _TRIALS = 200, 4  # held-out samples by which to judge, if so many trainings give them
_KNOWN = 0.2  # least score, beyond that of a guess, of a network that can tell what a change does
_LABELS, _NUMBERS = 0.03, 0.005  # by how much the score may fall, of labels and of numbers
_OF_KNOWN = 0.1  # and by what part of the score beyond that of a guess


def borne(model, train) -> list[Augmentation] | None:
    """The augmentations of `auto` by which held-out samples stay what they are.

    They are held against networks that are trained for a short time on other samples, as they are.  A network that has
    seen no mirrored photograph still knows a mirrored shirt, for the training samples have shirts of either side; it
    takes a mirrored road sign for another.  All classes count the same.  Then networks are trained with what was found,
    all together, and nothing is chosen if held-out samples, as they are, have both a higher loss and a lower score by
    them.  Nor is anything chosen by networks that know little, nor for many samples, which a fit visits a few times
    only.

    Parameters
    ----------
    model : BaseConvNet
        With shape and targets of the samples.
    train : Samples

    Returns
    -------
    list of Augmentation or None
        None where the samples cannot say: they are few, or of one class.
    """
    numeric = model._targets.numeric
    kinds = auto_steps(model.image_shape_, flips=not numeric)
    if not kinds or len(train.rows) >= _MANY:
        return []
    if len(train.rows) < _FEWEST:
        return None
    try:
        with Team(thread_count(model.n_jobs)) as team:
            trials = list(_trials(model, train, kinds, team))
            if not trials:
                return None
            chosen = _least_harmful(kinds, trials, _NUMBERS if numeric else _LABELS)
            gains = [trial.gains(chosen) for trial in trials] if chosen else [(0.0, 0.0)]
    except ValueError:  # a part of the samples cannot be trained on; the fit itself says if all cannot
        return None
    return chosen if np.mean(gains, axis=0).max() >= 0 else []


def _least_harmful(kinds, trials, most):
    """Of each kind the strongest change that costs no more than ``most``, or a part of what the networks know."""
    known = np.mean([trial.score - trial.guess for trial in trials])
    if not known >= _KNOWN:
        return []
    most = min(most, _OF_KNOWN * known)
    loss = iter(np.mean([trial.losses for trial in trials], axis=0))
    return [step for steps in kinds for step in [step for step in steps if next(loss) <= most][-1:]]


def _trials(model, train, kinds, team):
    """Trials that hold out other samples each, until enough are held out to judge by; none where none can be."""
    rng, judged = np.random.default_rng(0), 0
    rows = _looked_at(train, rng)
    for seed in range(_TRIALS):
        held_out = _held_out(model, train, rows, rng)
        if len(held_out) == 0:
            return
        trial = _Trial(model, train, np.setdiff1d(rows, held_out), held_out, seed, team)
        if trial.alike:
            return
        trial.ask(kinds)
        yield trial
        judged += len(held_out)
        if judged >= _JUDGED:
            return


def _looked_at(train, rng):
    """Rows of the samples with weight, or of some of them where there are many or large ones."""
    most = min(_MOST, max(_FEWEST, working_memory() // (train.X.shape[1] * train.X.dtype.itemsize)))
    rows = train.rows
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _strata(model, train):
    """Class of each sample; zeros for numbers and for several labels."""
    classes = train.encoded.ndim == 1 and not model._targets.numeric
    return train.encoded.astype(np.intp) if classes else np.zeros(len(train.weight), np.intp)


def _held_out(model, train, rows, rng):
    """Some of the rows, with the shares of the classes; at least one of each class is left."""
    weight = np.zeros(len(train.weight))
    weight[rows] = train.weight[rows]
    seed = check_random_state(int(rng.integers(2**31)))
    least = ceil(_HELD_OUT * _FEWEST)
    return held_out_rows(train.X, _strata(model, train), weight, _HELD_OUT, least, seed)


class _Trial:
    """A network that is trained on samples as they are, for a part of the epochs of a fit, and samples held out.

    Parameters
    ----------
    model : BaseConvNet
    train : Samples
    rows, held_out : ndarray of int
        Rows to train on, and those held out.
    seed : int
        Of all that is random.
    team : Team

    Attributes
    ----------
    alike : bool
        Whether all held-out samples have the same target.
    guess : float
        Score of the best constant prediction of the held-out samples.
    losses : list of float
        By how much the score falls when the held-out samples are changed, in order of kinds and strengths.
    loss, score : float
        Of the held-out samples as they are.
    """

    def __init__(self, model, train, rows, held_out, seed, team):
        self.model, self.held_out, self.seed, self.team = model, held_out, seed, team
        weight = np.zeros(len(train.weight))
        weight[rows] = train.weight[rows]
        self.train = replace(train, weight=weight)  # of no samples a copy
        stratum = _strata(model, train)[held_out]
        sums = np.bincount(stratum, train.weight[held_out])
        encoded, y = train.encoded[held_out], train.y[held_out]
        self.judged = Samples(None, encoded, train.weight[held_out] / sums[stratum], y)
        targets, counts = np.unique(encoded, axis=0, return_counts=True)
        self.alike = len(targets) == 1
        share = 1 / len(targets) if encoded.ndim == 1 else counts.max() / len(encoded)
        self.guess = 0.0 if model._targets.numeric else share

    def ask(self, kinds):
        """Train the network on samples as they are, and measure by the held-out samples, as they are and changed."""
        shape, rng, network = self.model.image_shape_, np.random.default_rng(self.seed), self._trained([])
        X = self._samples()
        self.loss, self.score = self._measured(network, X)
        self.losses = []
        for change in chain.from_iterable(kinds):
            augmenter = Augmenter([change], shape, 1.0)
            images = X.reshape(-1, *shape).copy()
            augmenter.apply(images, augmenter.draw(len(images), rng))
            self.losses.append(self.score - self._measured(network, images.reshape(len(images), -1))[1])

    def gains(self, changes):
        """By how much the loss of the held-out samples, as they are, falls, and their score rises, by the changes."""
        loss, score = self._measured(self._trained(changes), self._samples())
        return self.loss - loss, score - self.score

    def _samples(self):
        """The held-out samples (n, features), in float32 or float64."""
        X = subset(self.train.X, self.held_out)[:]
        return np.ascontiguousarray(X, np.float64 if X.dtype == np.float64 else np.float32)

    def _measured(self, network, X):
        """Loss and score of the held-out samples as they are in ``X``."""
        validator = Validator(self.judged, self.model._targets, None, network.dtype)
        return validator(predict(network, X, self.team), None)

    def _trained(self, changes):
        model, train, rng = self.model, self.train, np.random.default_rng(self.seed)
        recipe = make_recipe(model, *model._sizes(train))
        recipe = replace(recipe, n_epochs=ceil(_SHARE * recipe.n_epochs), stop=None)
        network = model._network(recipe, rng, False, train)
        augmenter = model._new_augmenter(changes, train, network)
        history = History(learning_rate_init=model.learning_rate_init)
        run = model._run(recipe, network, self.team, history, rng, train, None, augmenter)
        run.go(lambda run: False)
        if run.interrupted:
            raise KeyboardInterrupt
        run.finish()
        return network
