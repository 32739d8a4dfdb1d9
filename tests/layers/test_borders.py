"""Borders as operations: noise, donors and modes of one's own, beside what the table of layers covers."""

import numpy as np
import pytest
from bordered import BORDER, INSIDE, SHAPE, images, new_network, predict, step, train
from cases.borders import REPEATING
from networks import check_gradient

from skconv._network.session import Session
from skconv.layers import Activation, Bias, NoisePadding, Pad, PaddingMode, PatternPadding

# Noise


def test_noise_is_drawn_anew_for_each_pass_block_and_layer():
    network = new_network([Pad(2, "noise"), Bias(), Pad(2, "noise")])
    X = np.broadcast_to(images(1), (32, *SHAPE))
    session = Session(network, 16, 2, training=True)
    first, second = step(session, X), step(session, X)
    again = train(network, X, blocks=2)
    other = train(network, X, blocks=2, seed=1)
    np.testing.assert_array_equal(first, again)
    border = np.pad(BORDER, 2, constant_values=True)
    for changed in (second, other, np.roll(first, 1, axis=0), np.roll(first, 16, axis=0), first[:, ::-1, ::-1]):
        assert (first != changed)[:, border].all()
    np.testing.assert_array_equal(first[:, ~border], second[:, ~border])


def test_noise_has_the_moments_of_its_image():
    X = images() * np.array([0.1, 3.0]) + np.array([5.0, -2.0])
    border = np.pad(np.zeros(SHAPE[:2], bool), 60, constant_values=True)
    for padded in (train(new_network([Pad(60, "noise")]), X), predict(new_network([Pad(60, "noise")]), X)):
        noise = padded[:, border]
        spread = X.std(axis=(1, 2))
        assert (abs(noise.mean(axis=1) - X.mean(axis=(1, 2))) < 4 * spread / border.sum() ** 0.5).all()
        np.testing.assert_allclose(noise.std(axis=1), spread, rtol=0.05)


def test_noise_in_prediction_is_one_field_and_depends_on_the_image_alone():
    network = new_network([Pad(2, "noise")], dtype=np.float32)
    X = images(16).astype(np.float32)
    whole = predict(network, X)
    np.testing.assert_array_equal(predict(network, X[::-1]), whole[::-1])
    np.testing.assert_array_equal(predict(network, X[3:4]), whole[3:4])
    field = (whole - X.mean(axis=(1, 2), keepdims=True)) / X.std(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(field[:, BORDER], np.broadcast_to(field[:1, BORDER], field[:, BORDER].shape), atol=1e-4)
    np.testing.assert_allclose(whole, predict(new_network([Pad(2, "noise")]), X), atol=1e-5)
    other = predict(new_network([Pad(2, NoisePadding(random_state=1))], dtype=np.float32), X)
    assert (other != whole)[:, BORDER].all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_of_a_constant_image_is_constant(dtype):
    network = new_network([Bias("position"), Pad(2, "noise")], dtype=dtype)
    X = np.full((3, *SHAPE), 7.0)
    output, gradient = train(network, X, gradient=np.ones((3, 8, 9, 2)))
    np.testing.assert_allclose(output, 7, atol=1e-4)
    assert np.isfinite(gradient).all()
    # A deviation of zero has no slope, so the gradient is that of the mean.
    np.testing.assert_allclose(gradient, 3 + 3 * BORDER.sum() / 20, rtol=1e-5)


# Donors


def donor_padded(X, donor):
    """Padded images, number by number."""
    y = np.empty((len(X), 8, 9, 2))
    for i, j in np.ndindex(8, 9):
        y[:, i, j] = donor[(i - 2) % 4, (j - 2) % 5]
    y[INSIDE] = X
    return y


def test_the_donor_is_the_first_image_with_a_weight_and_is_kept():
    X = images(40)
    for first in (0, 3, 16, 37):
        network = new_network([Pad(2, "donor")])
        weight = np.zeros(40)
        weight[first:] = 1 / (40 - first)
        output = train(network, X, weight, width=16, blocks=3)
        np.testing.assert_array_equal(output, donor_padded(X, X[first]))
        np.testing.assert_array_equal(network.named_arrays()["pad1.donor"], X[first])
        np.testing.assert_array_equal(predict(network, X[:5] + 1), donor_padded(X[:5] + 1, X[first]))


def test_a_batch_without_weights_takes_the_first_image():
    network, X = new_network([Pad(2, "donor")]), images(5)
    np.testing.assert_array_equal(train(network, X, np.zeros(5)), donor_padded(X, X[0]))


def test_prediction_before_training_has_a_border_of_zeros():
    X = images(3)
    np.testing.assert_array_equal(predict(new_network([Pad(2, "donor")]), X), donor_padded(X, np.zeros(SHAPE)))


def test_the_donor_s_gradient_where_the_first_columns_have_no_weight():
    X, R = images(40), images(40, (8, 9, 2), seed=2)
    weight = np.ones(40) / 20
    weight[:20] = 0
    R[:20] = 0
    results = []
    for part, width, blocks in ((slice(None), 16, 3), (slice(20, None), 32, 1)):
        network = new_network([Bias("position"), Activation("tanh"), Pad(2, "donor")])
        network.parameters[:] = np.random.default_rng(3).standard_normal(len(network.parameters))
        _, gradient = train(network, X[part], weight[part], width=width, blocks=blocks, gradient=R[part])
        results.append(gradient)
    np.testing.assert_allclose(*results, rtol=0, atol=1e-12)


def test_only_a_donor_needs_the_batch():
    for mode in (*REPEATING, "constant", PatternPadding([[1]]), "noise"):
        assert not Pad(1, mode).lower(SHAPE)[0].synchronous
    assert Pad(1, "donor").lower(SHAPE)[0].synchronous


# Modes of one's own


class Mean(PaddingMode):
    """A share of each channel's mean."""

    def __init__(self, share=1.0):
        self.share = share

    def fill(self, image, border):
        mean = self.share * image.mean(axis=(0, 1))
        for strip in border:
            strip[...] = mean

    def add_gradient(self, image, border, gradient):
        total = sum(strip.sum(axis=(0, 1)) for strip in border)
        gradient += self.share * total / (image.shape[0] * image.shape[1])


class Detached(Mean):
    detached = True

    def add_gradient(self, image, border, gradient):
        raise AssertionError


@pytest.mark.parametrize("padding", [2, ((1, 0), (0, 3)), 0])
def test_a_mode_of_one_s_own_fills_the_strips(padding):
    X = images()
    (top, bottom), (left, right) = {2: ((2, 2), (2, 2)), 0: ((0, 0), (0, 0))}.get(padding, padding)
    expected = np.empty((6, top + 4 + bottom, left + 5 + right, 2))
    expected[...] = 0.5 * X.mean(axis=(1, 2), keepdims=True)
    expected[:, top : top + 4, left : left + 5] = X
    for passed in (train, predict):
        np.testing.assert_allclose(passed(new_network([Pad(padding, Mean(0.5))]), X), expected, rtol=1e-12)


def test_the_gradient_of_a_mode_of_one_s_own():
    layers = [Bias("position"), Activation("tanh"), Pad(((1, 2), (0, 3)), Mean(0.7)), Bias("position")]
    network = new_network(layers)
    network.parameters[:] = np.random.default_rng(3).standard_normal(len(network.parameters))
    check_gradient(network)


def test_no_gradient_goes_into_a_detached_border():
    X, R = images(), images(6, (8, 9, 2), seed=2)
    _, gradient = train(new_network([Bias("position"), Pad(2, Detached())]), X, gradient=R)
    np.testing.assert_allclose(gradient, R[INSIDE].sum(axis=0).ravel(), rtol=1e-12)
    _, whole = train(new_network([Bias("position"), Pad(2, Mean())]), X, gradient=R)
    through = R[:, BORDER].sum(axis=(0, 1)) / 20
    np.testing.assert_allclose(whole.reshape(SHAPE), gradient.reshape(SHAPE) + through, rtol=1e-9)


class Returning(Mean):
    def fill(self, image, border):
        return image


class ReturningGradient(Mean):
    def add_gradient(self, image, border, gradient):
        return gradient


def test_a_mode_that_returns_an_array_is_refused():
    X, R = images(), images(6, (8, 9, 2), seed=2)
    with pytest.raises(TypeError, match=r"Returning\.fill must work in place and return None, got an array of shape"):
        train(new_network([Pad(2, Returning())]), X)
    with pytest.raises(TypeError, match=r"ReturningGradient\.add_gradient must work in place and return None, got"):
        train(new_network([Bias(), Pad(2, ReturningGradient())]), X, gradient=R)


def test_a_mode_without_methods_says_so():
    X, R = images(), images(6, (8, 9, 2), seed=2)
    with pytest.raises(NotImplementedError, match=r"PaddingMode needs a method fill\(image, border\)"):
        train(new_network([Pad(2, PaddingMode())]), X)

    class Fills(Mean):
        add_gradient = PaddingMode.add_gradient

    match = r"Fills needs a method add_gradient\(image, border, gradient\), or detached = True"
    with pytest.raises(NotImplementedError, match=match):
        train(new_network([Bias(), Pad(2, Fills())]), X, gradient=R)
