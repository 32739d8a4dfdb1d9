"""A convolutional network in plain NumPy, forward and backward: whoever wants to understand one reads this file.

Images are ``(n, H, W, C)``.  A layer keeps in ``forward`` what its ``backward`` needs, which takes the gradient of the
loss with respect to the outputs and gives that of the inputs; those of its weights are then in ``gradients``.
"""

import numpy as np


def windows(X, kernel, stride, dilation=(1, 1)):
    """``(i, j)`` of each output, and the part of the images ``(n, rows, columns, C)`` that its window covers."""
    span = [step * (taps - 1) + 1 for taps, step in zip(kernel, dilation, strict=True)]
    for i in range((X.shape[1] - span[0]) // stride[0] + 1):
        for j in range((X.shape[2] - span[1]) // stride[1] + 1):
            top, left = i * stride[0], j * stride[1]
            yield i, j, np.s_[:, top : top + span[0] : dilation[0], left : left + span[1] : dilation[1]]


class Convolution:
    """Neurons that act locally and share their weights ``(filters, rows, columns, C)``: a cross-correlation."""

    def __init__(self, weight, bias, stride=(1, 1), dilation=(1, 1), border=((0, 0), (0, 0))):
        self.weight, self.bias, self.stride, self.dilation, self.border = weight, bias, stride, dilation, border

    def forward(self, X):
        self.X = np.pad(X, ((0, 0), *self.border, (0, 0)))
        parts = list(windows(self.X, self.weight.shape[1:3], self.stride, self.dilation))
        Y = np.empty((len(X), parts[-1][0] + 1, parts[-1][1] + 1, len(self.weight)))
        for i, j, part in parts:
            Y[:, i, j] = np.tensordot(self.X[part], self.weight, axes=([1, 2, 3], [1, 2, 3])) + self.bias
        return Y

    def backward(self, dY):
        dX, dweight = np.zeros_like(self.X), np.zeros_like(self.weight)
        for i, j, part in windows(self.X, self.weight.shape[1:3], self.stride, self.dilation):
            dX[part] += np.tensordot(dY[:, i, j], self.weight, axes=1)
            dweight += np.tensordot(dY[:, i, j], self.X[part], axes=(0, 0))
        self.gradients = [dweight, dY.sum(axis=(0, 1, 2))]
        (top, bottom), (left, right) = self.border
        return dX[:, top : dX.shape[1] - bottom, left : dX.shape[2] - right]


class MaxPool:
    """The largest number of each window and channel; the gradient goes to the first place that has it."""

    def __init__(self, size):
        self.size = size

    def forward(self, X):
        self.X = X
        Y = np.empty((len(X), X.shape[1] // self.size[0], X.shape[2] // self.size[1], X.shape[3]))
        for i, j, part in windows(X, self.size, self.size):
            Y[:, i, j] = X[part].max(axis=(1, 2))
        return Y

    def backward(self, dY):
        dX = np.zeros_like(self.X)
        for i, j, part in windows(self.X, self.size, self.size):
            flat = self.X[part].reshape(len(dX), -1, dX.shape[3])
            first = np.arange(flat.shape[1])[:, None] == flat.argmax(axis=1)[:, None]
            dX[part] = (first * dY[:, None, i, j]).reshape(dX[part].shape)
        return dX


class StridePool:
    """Sub-sampling: the top left number of each window."""

    def __init__(self, size):
        self.size = size

    def forward(self, X):
        self.shape = X.shape
        return X[:, :: self.size[0], :: self.size[1]]

    def backward(self, dY):
        dX = np.zeros(self.shape)
        dX[:, :: self.size[0], :: self.size[1]] = dY
        return dX


class Relu:
    """What is positive."""

    def forward(self, X):
        self.positive = X > 0
        return X * self.positive

    def backward(self, dY):
        return dY * self.positive


class Dense:
    """Fully connected neurons, ``(units, inputs)``, of the image laid flat."""

    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def forward(self, X):
        self.shape, self.flat = X.shape, X.reshape(len(X), -1)
        return self.flat @ self.weight.T + self.bias

    def backward(self, dY):
        self.gradients = [dY.T @ self.flat, dY.sum(axis=0)]
        return (dY @ self.weight).reshape(self.shape)


def cross_entropy(logits, classes):
    """Mean of minus the logarithm of the right class's probability, and its gradient."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    right = np.arange(logits.shape[1]) == classes[:, None]
    return -logarithms[right].mean(), (np.exp(logarithms) - right) / len(logits)


def loss_and_gradients(layers, X, classes):
    """The loss of a network on some images, and the gradients of the weights and biases of each layer that has some."""
    for layer in layers:
        X = layer.forward(X)
    loss, dX = cross_entropy(X, classes)
    for layer in reversed(layers):
        dX = layer.backward(dX)
    return loss, [layer.gradients for layer in layers if hasattr(layer, "gradients")]


def descend(layers, X, classes, rate):
    """One step of gradient descent; the loss before it."""
    loss, gradients = loss_and_gradients(layers, X, classes)
    trained = [layer for layer in layers if hasattr(layer, "gradients")]
    for layer, (dweight, dbias) in zip(trained, gradients, strict=True):
        layer.weight, layer.bias = layer.weight - rate * dweight, layer.bias - rate * dbias
    return loss
