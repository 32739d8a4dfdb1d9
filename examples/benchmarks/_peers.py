"""The peers of ``peers.py``: the same networks in PyTorch, compiled and not, in JAX, and MLPClassifier.

Every builder gives ``(training steps, predictions)``, each a dict of name to callable.
"""

from __future__ import annotations

import os
import warnings
from functools import partial
from itertools import pairwise

import numpy as np
from sklearn.neural_network import MLPClassifier

try:
    import torch
except ImportError:
    torch = None

__all__ = ["jax", "limit_jax", "mlp", "pytorch", "pytorch_compiled", "torch"]


def pytorch(channels, side, filters, hidden, X, y):
    """Training steps and predictions of PyTorch, in both memory formats."""
    return _torch_tasks("torch", lambda function: function, channels, side, filters, hidden, X, y)


def pytorch_compiled(channels, side, filters, hidden, X, y):
    """The same with what goes forward, and so its backward, through `torch.compile`, already compiled.

    Where that fails, for want of a C++ compiler say, it tells and gives no tasks.
    """
    torch._dynamo.reset()  # each network is compiled afresh, or the last ones hit the limit of recompilations
    steps, predictions = _torch_tasks("compiled", torch.compile, channels, side, filters, hidden, X, y)
    try:
        for task in (*steps.values(), *predictions.values()):
            task()
    except Exception as error:
        print(f"torch.compile does not work here: {type(error).__name__}: {str(error).strip().splitlines()[0]}")
        return {}, {}
    return steps, predictions


def _torch_tasks(prefix, transform, channels, side, filters, hidden, X, y):
    steps, predictions = {}, {}
    for name, layout in (("nchw", torch.contiguous_format), ("channels_last", torch.channels_last)):
        parts, before = [], channels
        for count in filters:
            parts += [torch.nn.Conv2d(before, count, 3, padding=1), torch.nn.MaxPool2d(2), torch.nn.ReLU()]
            before = count
        inputs = before * (side // 2 ** len(filters)) ** 2
        parts += [torch.nn.Flatten()]
        parts += [torch.nn.Linear(inputs, hidden), torch.nn.ReLU()] if hidden else []
        network = torch.nn.Sequential(*parts, torch.nn.Linear(hidden or inputs, 10)).to(memory_format=layout)
        images = torch.from_numpy(X.reshape(-1, side, side, channels).transpose(0, 3, 1, 2).copy())
        images, labels = images.to(memory_format=layout), torch.from_numpy(y)
        optimizer = torch.optim.Adam(network.parameters(), fused=True)
        steps[f"{prefix} {name}"] = _torch_step(transform, network, images, labels, optimizer)
        predictions[f"{prefix} {name}"] = _torch_prediction(transform, network, images)
    return steps, predictions


def _torch_step(transform, network, images, labels, optimizer):
    criterion = torch.nn.CrossEntropyLoss()
    loss = transform(lambda images, labels: criterion(network(images), labels))

    def step():
        optimizer.zero_grad()
        loss(images, labels).backward()
        optimizer.step()

    return step


def _torch_prediction(transform, network, images):
    forward = transform(network)

    def infer():
        with torch.inference_mode():
            forward(images)

    return infer


def limit_jax(threads):
    """Limit JAX to so many threads: XLA reads this number when its first array is made, and only then.

    There is no public setting; without it XLA takes a thread for each core that the process may run on.
    """
    os.environ["PJRT_NPROC"] = os.environ["NPROC"] = str(threads)


def jax(channels, side, filters, hidden, X, y):
    """Training steps and predictions of JAX, in both orders of the axes: jitted, parameters donated, Adam in one."""
    import jax

    steps, predictions = {}, {}
    images, labels = X.reshape(-1, side, side, channels), jax.device_put(y.astype(np.int32))
    for name, axes in (("nhwc", ("NHWC", "HWIO", "NHWC")), ("nchw", ("NCHW", "OIHW", "NCHW"))):
        forward = partial(_jax_forward, axes=axes)
        x = jax.device_put(images if name == "nhwc" else images.transpose(0, 3, 1, 2).copy())
        parameters = _jax_parameters(channels, side, filters, hidden, axes[1])
        steps[f"jax {name}"] = _jax_step(partial(forward, pool=_jax_pair_maxima), parameters, x, labels)
        predictions[f"jax {name}"] = _jax_prediction(partial(forward, pool=_jax_window_maxima), parameters, x)
    return steps, predictions


def _jax_parameters(channels, side, filters, hidden, order):
    """``(weights and biases of the convolutions, those of the dense layers)``."""
    rng = np.random.default_rng(0)

    def uniform(*shape, inputs):
        return rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(inputs) ** 0.5

    convolutions, before = [], channels
    for count in filters:
        sizes = {"H": 3, "W": 3, "I": before, "O": count}
        weight = uniform(*(sizes[axis] for axis in order), inputs=9 * before)
        bias = uniform(*((count,) if order[-1] == "O" else (count, 1, 1)), inputs=9 * before)
        convolutions.append((weight, bias))
        before = count
    units = [before * (side // 2 ** len(filters)) ** 2, *([hidden] if hidden else []), 10]
    dense = [(uniform(a, b, inputs=a), uniform(b, inputs=a)) for a, b in pairwise(units)]
    return convolutions, dense


def _jax_forward(parameters, x, axes, pool):
    """Logits; ``pool(x, rows, columns)`` takes the maxima of tiles, given the numbers of these axes."""
    from jax import lax, nn

    convolutions, dense = parameters
    for weight, bias in convolutions:
        x = lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=axes) + bias
        x = nn.relu(pool(x, axes[0].index("H"), axes[0].index("W")))
    x = x.reshape(len(x), -1)
    for i, (weight, bias) in enumerate(dense):
        x = (nn.relu(x) if i else x) @ weight + bias
    return x


def _jax_window_maxima(x, *axes):
    """Without a gradient, half the time of the other; its own gradient takes fifteen times as long."""
    from jax import lax

    tile = tuple(2 if i in axes else 1 for i in range(x.ndim))
    return lax.reduce_window(x, -np.inf, lax.max, tile, tile, "VALID")


def _jax_pair_maxima(x, *axes):
    from jax import lax
    from jax import numpy as jnp

    for axis in axes:
        first, second = (lax.slice_in_dim(x, start, None, 2, axis) for start in (0, 1))
        x = jnp.maximum(first, second)
    return x


def _jax_step(forward, parameters, images, labels):
    import jax
    from jax import numpy as jnp

    def loss(parameters, images, labels):
        logits = forward(parameters, images)
        chosen = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
        return (jax.nn.logsumexp(logits, axis=1) - chosen).mean()

    def adam(p, g, m, v, rate, correction):
        m, v = m + 0.1 * (g - m), v + 0.001 * (g * g - v)
        return p - rate * m / (jnp.sqrt(v) * correction + 1e-8), m, v

    @partial(jax.jit, donate_argnums=0)
    def update(state, images, labels):
        (*vectors, steps), structure = state, jax.tree.structure(parameters)
        gradient = jax.grad(loss)(vectors[0], images, labels)
        steps += 1
        move = partial(adam, rate=1e-3 / (1 - 0.9**steps), correction=1 / jnp.sqrt(1 - 0.999**steps))
        p, m, v = (jax.tree.leaves(vector) for vector in vectors)
        moved = [move(*arrays) for arrays in zip(p, jax.tree.leaves(gradient), m, v, strict=True)]
        return *(jax.tree.unflatten(structure, leaves) for leaves in zip(*moved, strict=True)), steps

    zeros = jax.tree.map(np.zeros_like, parameters)
    state = jax.device_put((parameters, zeros, zeros, np.float32(0)), may_alias=False)

    def step():
        nonlocal state
        state = jax.block_until_ready(update(state, images, labels))

    return step


def _jax_prediction(forward, parameters, images):
    import jax

    run, parameters = jax.jit(forward), jax.device_put(parameters)
    return lambda: jax.block_until_ready(run(parameters, images))


def mlp(n_parameters, X, y):
    """A training step and a prediction of MLPClassifier with one hidden layer and as many parameters."""
    units = max(1, round(n_parameters / (X.shape[1] + 11)))
    model = MLPClassifier((units,), batch_size=len(X), max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.partial_fit(X, y, classes=np.arange(10))
    return {"mlp": lambda: model.partial_fit(X, y)}, {"mlp": lambda: model.predict_proba(X)}
