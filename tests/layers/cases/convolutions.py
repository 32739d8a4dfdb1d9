"""Layers with windows and weights."""

import numpy as np

from cases.borders import REPEATING, padded
from cases.case import IMAGE, SERIES, Case, Rows, border_sides, each_way, image_of, windows_of, within
from skconv.layers import *


def convolved(layer, x, values, weight):
    shape = x.shape[1:]
    kernel, stride, dilation = [each_way(v, shape[0]) for v in (layer.kernel_size, layer.stride, layer.dilation)]
    if layer.padding == "same":  # as many windows as start in the image, centred on its first sample
        sides = []
        for size, k, s, d in zip(shape, kernel, stride, dilation, strict=False):
            before = (k - 1) * d // 2
            last = max(range(0, size, s)) - before + (k - 1) * d
            sides += [before, max(0, last - size + 1)]
    elif layer.padding == "valid":
        sides = [0] * 4
    else:
        sides = border_sides(layer.padding, shape[0])
    if layer.padding_mode != "constant":
        border = Pad((tuple(sides[:2]), tuple(sides[2:])), layer.padding_mode)
        x, sides = padded(border, x, values, weight), [0] * 4
        shape = x.shape[1:]
    width = x.shape[3] // layer.groups
    pixels = {}
    for p, q, taps in windows_of(shape, kernel, stride, dilation, sides):
        total = np.zeros((len(x), layer.filters))
        kernels = values["weight"][p, q] if isinstance(layer, LocallyConnected) else values["weight"]
        for i, j, r, s in taps:
            for f in range(layer.filters):
                group = f // (layer.filters // layer.groups) * width
                total[:, f] += (x[:, i, j, group : group + width] * kernels[f, r, s]).sum(axis=1)
        pixels[p, q] = total
    return image_of(pixels) + values.get("bias", 0)


CONVOLUTION = Rows(
    convolved,
    {
        "convolution": Case(Convolution(3), IMAGE, (5, 6, 3)),
        "convolution without bias": Case(Convolution(3, bias=False), IMAGE, (5, 6, 3)),
        "convolution 1x1": Case(Convolution(3, 1), IMAGE, (5, 6, 3)),
        "convolution rectangle": Case(Convolution(2, (2, 5)), IMAGE, (5, 6, 2)),
        "convolution even kernel": Case(Convolution(2, 4), IMAGE, (5, 6, 2)),
        "convolution valid": Case(Convolution(3, (3, 2), padding="valid"), IMAGE, (3, 5, 3)),
        "convolution of the whole": Case(Convolution(3, (5, 6), padding="valid"), IMAGE, (1, 1, 3)),
        "convolution padding": Case(Convolution(2, 3, padding=2), IMAGE, (7, 8, 2)),
        "convolution padding pair": Case(Convolution(2, 3, padding=(0, 2)), IMAGE, (3, 8, 2)),
        "convolution asymmetric": Case(Convolution(2, 3, padding=((2, 0), (1, 3))), IMAGE, (5, 8, 2)),
        "convolution border beyond span": Case(Convolution(2, 2, padding=((3, 4), (2, 5))), IMAGE, (11, 12, 2)),
        "convolution border beyond span, strided": Case(
            Convolution(2, 2, stride=(2, 3), padding=((3, 4), (5, 2))), IMAGE, (6, 4, 2)
        ),
        "convolution stride": Case(Convolution(3, stride=2), IMAGE, (3, 3, 3)),
        "convolution stride pair": Case(Convolution(3, stride=(1, 3)), IMAGE, (5, 2, 3)),
        "convolution stride beyond kernel": Case(Convolution(3, 2, stride=3, padding="valid"), IMAGE, (2, 2, 3)),
        "convolution stride leaves some out": Case(Convolution(2, 3, stride=(2, 2), padding="valid"), IMAGE, (2, 2, 2)),
        "convolution dilation": Case(Convolution(2, 2, dilation=(2, 3), padding="valid"), IMAGE, (3, 3, 2)),
        "convolution dilation same": Case(Convolution(2, 3, dilation=2), IMAGE, (5, 6, 2)),
        "convolution dilation and stride": Case(
            Convolution(2, (2, 3), dilation=(3, 2), stride=(1, 2), padding=1), IMAGE, (4, 2, 2)
        ),
        "convolution winograd": Case(Convolution(8), (6, 4, 8), (6, 4, 8)),
        "convolution winograd, tall": Case(Convolution(9, (5, 2), padding="valid"), (9, 3, 8), (5, 2, 9)),
        "convolution winograd, short last tile": Case(
            Convolution(8, (3, 1), padding=((2, 0), (0, 1))), (7, 3, 8), (7, 4, 8)
        ),
        "convolution by tap": Case(Convolution(3, (2, 3)), (3, 4, 16), (3, 4, 3)),
        "convolution glorot": Case(Convolution(3, initializer="glorot_uniform"), IMAGE, (5, 6, 3)),
        "convolution of a series": Case(Convolution(4, 5), SERIES, (1, 11, 4)),
        "convolution of a series, strided": Case(Convolution(4, 3, stride=2, dilation=2, padding=1), SERIES, (1, 5, 4)),
        "convolution of a series, valid": Case(Convolution(4, 4, padding="valid"), SERIES, (1, 8, 4)),
        "convolution of a series, bordered above": Case(
            Convolution(2, (1, 3), padding=((1, 1), (0, 0))), SERIES, (3, 9, 2)
        ),
        "convolution, bias per position": Case(Convolution(3, (2, 3), bias="position"), IMAGE, (5, 6, 3)),
        "convolution dilated, winograd": Case(Convolution(8, dilation=2), (7, 5, 8), (7, 5, 8)),
        "convolution strided, winograd of its steps": Case(Convolution(8, 5, stride=2), (9, 7, 8), (5, 4, 8)),
        "convolution, seven rows": Case(Convolution(8, (7, 1)), (9, 2, 8), (9, 2, 8)),
        "convolution of a series in blocks": Case(Convolution(16, 9), (1, 11, 16), (1, 11, 16)),
        "convolution of a series in blocks, strided": Case(
            Convolution(16, 20, stride=2, padding=9), (1, 17, 16), (1, 8, 16)
        ),
        "convolution of a series in blocks, dilated": Case(Convolution(16, 9, dilation=3), (1, 31, 16), (1, 31, 16)),
        "convolution in groups": Case(Convolution(6, groups=2), (5, 6, 4), (5, 6, 6)),
        "convolution in groups, strided": Case(Convolution(4, 3, stride=(2, 3), groups=2), (5, 6, 4), (3, 2, 4)),
        "convolution in groups, dilated": Case(
            Convolution(3, (2, 3), dilation=(3, 2), stride=(1, 2), padding=1, groups=3), (5, 6, 6), (4, 2, 3)
        ),
        "convolution in groups, asymmetric": Case(
            Convolution(4, 2, padding=((2, 0), (1, 3)), groups=2), (5, 6, 2), (6, 9, 4)
        ),
        "convolution in groups, border beyond span, strided": Case(
            Convolution(2, 2, stride=(2, 3), padding=((3, 4), (5, 2)), groups=2), IMAGE, (6, 4, 2)
        ),
        "convolution in groups, 1x1": Case(Convolution(6, 1, groups=2), (5, 6, 4), (5, 6, 6)),
        "convolution in groups, one row": Case(Convolution(4, (1, 3), groups=2), (5, 6, 4), (5, 6, 4)),
        "convolution in groups, winograd": Case(Convolution(16, groups=2), (6, 4, 16), (6, 4, 16)),
        "convolution in groups, winograd, strided": Case(
            Convolution(16, 5, stride=2, groups=2), (9, 7, 16), (5, 4, 16)
        ),
        "convolution in groups, many filters": Case(Convolution(26, (3, 2), groups=2), (3, 4, 4), (3, 4, 26)),
        "convolution in groups on reflect": Case(
            Convolution(4, groups=2, padding_mode="reflect"), (5, 6, 4), (5, 6, 4)
        ),
        "convolution in groups, glorot": Case(
            Convolution(4, groups=2, initializer="glorot_uniform"), (5, 6, 4), (5, 6, 4)
        ),
        "convolution in groups of a series": Case(Convolution(6, 5, groups=3), SERIES, (1, 11, 6)),
        "depthwise convolution": Case(Convolution(2, groups=2), IMAGE, (5, 6, 2)),
        "depthwise convolution, strided": Case(Convolution(2, stride=2, groups=2), IMAGE, (3, 3, 2)),
        "depthwise convolution, many taps, strided": Case(Convolution(2, 5, stride=(2, 3), groups=2), IMAGE, (3, 2, 2)),
        "depthwise convolution, dilated": Case(Convolution(2, 2, dilation=(2, 3), groups=2), IMAGE, (5, 6, 2)),
        "depthwise convolution, many taps": Case(Convolution(2, 4, groups=2, bias="position"), IMAGE, (5, 6, 2)),
        "depthwise convolution, several filters a channel": Case(Convolution(6, groups=2), IMAGE, (5, 6, 6)),
        "depthwise convolution, several filters a channel, strided": Case(
            Convolution(4, (3, 2), stride=(3, 2), groups=2, padding="valid"), IMAGE, (1, 3, 4)
        ),
        "depthwise convolution of a series": Case(Convolution(3, 5, groups=3), SERIES, (1, 11, 3)),
        "depthwise convolution of a series, long": Case(
            Convolution(3, 15, dilation=2, groups=3, padding=14), SERIES, (1, 11, 3)
        ),
        **{
            f"convolution on {mode}": Case(Convolution(3, padding_mode=mode), IMAGE, (5, 6, 3))
            for mode in (*REPEATING, "noise", "donor")
        },
        "convolution on a constant, strided": Case(
            Convolution(3, (4, 3), stride=(2, 3), padding_mode=ConstantPadding((0.7, -0.4))), IMAGE, (3, 2, 3)
        ),
        "convolution on a pattern": Case(
            Convolution(2, 3, padding=(0, 3), padding_mode=PatternPadding(((1.0, -1.0),))), IMAGE, (3, 10, 2)
        ),
        "convolution on wrap, strided and dilated": Case(
            Convolution(3, stride=2, dilation=2, padding_mode="wrap"), IMAGE, (3, 3, 3)
        ),
        "convolution on reflect, winograd": Case(Convolution(8, padding_mode="reflect"), (6, 4, 8), (6, 4, 8)),
        "convolution on reflect, valid": Case(
            Convolution(2, padding="valid", padding_mode="reflect"), IMAGE, (3, 4, 2)
        ),
        "convolution on edge, series": Case(Convolution(4, 5, padding_mode="edge"), SERIES, (1, 11, 4)),
        "convolution on edge, series, bordered above": Case(
            Convolution(2, 3, stride=2, dilation=2, padding=((1, 1), (3, 0)), padding_mode="edge"), SERIES, (3, 5, 2)
        ),
    },
)


LOCALLY_CONNECTED = Rows(
    convolved,
    {
        "locally connected": Case(LocallyConnected(3), IMAGE, (5, 6, 3)),
        "locally connected without bias": Case(LocallyConnected(3, bias=False), IMAGE, (5, 6, 3)),
        "locally connected, bias per position": Case(LocallyConnected(2, bias="position"), IMAGE, (5, 6, 2)),
        "locally connected 1x1": Case(LocallyConnected(3, 1), IMAGE, (5, 6, 3)),
        "locally connected rectangle": Case(LocallyConnected(2, (2, 5)), IMAGE, (5, 6, 2)),
        "locally connected even kernel": Case(LocallyConnected(2, 4), IMAGE, (5, 6, 2)),
        "locally connected valid": Case(LocallyConnected(3, (3, 2), padding="valid"), IMAGE, (3, 5, 3)),
        "locally connected to the whole": Case(LocallyConnected(3, (5, 6), padding="valid"), IMAGE, (1, 1, 3)),
        "locally connected asymmetric": Case(LocallyConnected(2, 3, padding=((2, 0), (1, 3))), IMAGE, (5, 8, 2)),
        "locally connected border beyond span, strided": Case(
            LocallyConnected(2, 2, stride=(2, 3), padding=((3, 4), (5, 2))), IMAGE, (6, 4, 2)
        ),
        "locally connected stride": Case(LocallyConnected(3, stride=2), IMAGE, (3, 3, 3)),
        "locally connected stride beyond kernel": Case(
            LocallyConnected(3, 2, stride=3, padding="valid"), IMAGE, (2, 2, 3)
        ),
        "locally connected dilation and stride": Case(
            LocallyConnected(2, (2, 3), dilation=(3, 2), stride=(1, 2), padding=1), IMAGE, (4, 2, 2)
        ),
        "locally connected, many filters and channels": Case(LocallyConnected(13, (3, 2)), (3, 4, 12), (3, 4, 13)),
        "locally connected, many filters of few terms": Case(LocallyConnected(13, (1, 2)), (3, 4, 2), (3, 4, 13)),
        "locally connected, glorot": Case(LocallyConnected(3, initializer="glorot_uniform"), IMAGE, (5, 6, 3)),
        "locally connected series": Case(LocallyConnected(4, 5), SERIES, (1, 11, 4)),
        "locally connected series, strided": Case(
            LocallyConnected(4, 3, stride=2, dilation=2, padding=1), SERIES, (1, 5, 4)
        ),
        **{
            f"locally connected on {mode}": Case(LocallyConnected(3, padding_mode=mode), IMAGE, (5, 6, 3))
            for mode in ("reflect", "noise", "donor")
        },
        "locally connected on a constant, strided": Case(
            LocallyConnected(2, (4, 3), stride=(2, 3), padding_mode=ConstantPadding((0.7, -0.4)), bias="position"),
            IMAGE,
            (3, 2, 2),
        ),
        "locally connected on wrap, series, strided and dilated": Case(
            LocallyConnected(2, 3, stride=2, dilation=2, padding_mode="wrap"), SERIES, (1, 6, 2)
        ),
    },
)


def _fully_connected(layer, x, values, weight):
    y = np.zeros((len(x), *values["weight"].shape[:3]))
    for p, q, f in np.ndindex(y.shape[1:]):
        for i, j, c in np.ndindex(x.shape[1:]):
            y[:, p, q, f] += values["weight"][p, q, f, i, j, c] * x[:, i, j, c]
    return y + values.get("bias", 0)


FULLY_CONNECTED = Rows(
    _fully_connected,
    {
        "fully connected": Case(FullyConnected(3), IMAGE, (5, 6, 3)),
        "fully connected without bias": Case(FullyConnected(1, bias=False), IMAGE, (5, 6, 1)),
        "fully connected, bias per position": Case(FullyConnected(2, 4, bias="position"), IMAGE, (5, 6, 2)),
        "fully connected valid, strided": Case(FullyConnected(2, 2, stride=(2, 3), padding="valid"), IMAGE, (2, 2, 2)),
        "fully connected asymmetric, dilated": Case(
            FullyConnected(2, 2, dilation=(1, 2), padding=((2, 0), (0, 1)), initializer="glorot_uniform"),
            IMAGE,
            (6, 5, 2),
        ),
        "fully connected series": Case(FullyConnected(2, 4, stride=3, padding=1), SERIES, (1, 4, 2)),
    },
)


def _separable(layer, x, values, weight):
    options = {name: getattr(layer, name) for name in ("stride", "dilation", "padding", "padding_mode")}
    channels = x.shape[-1]
    first = Convolution(channels * layer.multiplier, layer.kernel_size, groups=channels, **options)
    between = convolved(first, x, within(values, "depthwise"), weight)
    return convolved(Convolution(layer.filters, (1, 1)), between, within(values, "pointwise"), weight)


SEPARABLE_CONVOLUTION = Rows(
    _separable,
    {
        "separable": Case(SeparableConvolution(5), IMAGE, (5, 6, 5), 30 * (9 * 2 + 2 * 5)),
        "separable without bias": Case(SeparableConvolution(3, 1, bias=False), IMAGE, (5, 6, 3), 30 * (2 + 6)),
        "separable of one channel": Case(SeparableConvolution(3), (5, 6, 1), (5, 6, 3), 30 * (9 + 3)),
        "separable, several filters a channel, strided": Case(
            SeparableConvolution(3, (3, 2), stride=(2, 3), padding=1, multiplier=2), IMAGE, (3, 3, 3), 9 * (24 + 12)
        ),
        "separable, dilated, bias per position": Case(
            SeparableConvolution(2, 2, dilation=(2, 3), bias="position", initializer="glorot_uniform"),
            IMAGE,
            (5, 6, 2),
            30 * (8 + 4),
        ),
        "separable on a constant": Case(
            SeparableConvolution(2, padding_mode=ConstantPadding((0.7, -0.4))), IMAGE, (5, 6, 2), 30 * (18 + 4)
        ),
        "separable on reflect": Case(SeparableConvolution(2, padding_mode="reflect"), IMAGE, (5, 6, 2), 30 * (18 + 4)),
        "separable of a series": Case(SeparableConvolution(4, 5, stride=2), SERIES, (1, 6, 4), 6 * (15 + 12)),
        "separable of a series that becomes an image": Case(
            SeparableConvolution(4, (1, 3), padding=((1, 1), (0, 0))), SERIES, (3, 9, 4), 27 * (9 + 12)
        ),
    },
)


def _transposed(layer, x, values, weight):
    shape = x.shape[1:]
    kernel, stride, dilation = [each_way(v, shape[0]) for v in (layer.kernel_size, layer.stride, layer.dilation)]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    more = layer.output_padding
    more = ((0, more) if shape[0] == 1 else (more, more)) if isinstance(more, int) else more
    whole = np.zeros((len(x), *((n - 1) * s + span + s for n, s, span in zip(shape, stride, spans, strict=False)),
                      layer.filters))  # fmt: skip
    for i, j, r, s in np.ndindex(*shape[:2], *kernel):
        products = x[:, i, j] @ values["weight"][:, r, s].T
        whole[:, i * stride[0] + r * dilation[0], j * stride[1] + s * dilation[1]] += products
    if layer.padding == "same":
        firsts = [(span - 1) // 2 for span in spans]
        sizes = [n * s for n, s in zip(shape, stride, strict=False)]
    else:
        top, bottom, left, right = [0] * 4 if layer.padding == "valid" else border_sides(layer.padding, shape[0])
        firsts = [top, left]
        ends = [(n - 1) * s + span for n, s, span in zip(shape, stride, spans, strict=False)]
        sizes = [ends[0] - top - bottom + more[0], ends[1] - left - right + more[1]]
    rows, columns = [slice(first, first + size) for first, size in zip(firsts, sizes, strict=True)]
    return whole[:, rows, columns] + values.get("bias", 0)


TRANSPOSED_CONVOLUTION = Rows(
    _transposed,
    {
        "transposed convolution": Case(TransposedConvolution(3), IMAGE, (5, 6, 3), 30 * 54),
        "transposed convolution, strided": Case(TransposedConvolution(3, stride=2), IMAGE, (10, 12, 3), 30 * 54),
        "transposed convolution, bias per position": Case(
            TransposedConvolution(2, 2, bias="position"), IMAGE, (5, 6, 2), 30 * 16
        ),
        "transposed convolution, stride beyond kernel": Case(
            TransposedConvolution(2, 2, stride=3), IMAGE, (15, 18, 2), 30 * 16
        ),
        "transposed convolution, valid": Case(
            TransposedConvolution(2, (2, 3), stride=(3, 2), padding="valid", bias=False), IMAGE, (14, 13, 2), 30 * 24
        ),
        "transposed convolution, valid, gaps": Case(
            TransposedConvolution(2, 1, stride=2, padding="valid"), (2, 3, 2), (3, 5, 2), 6 * 4
        ),
        "transposed convolution, cut": Case(
            TransposedConvolution(2, 4, stride=2, padding=((1, 0), (2, 3)), output_padding=(1, 0)),
            IMAGE,
            (12, 9, 2),
            30 * 64,
        ),
        "transposed convolution, cut beyond the kernel": Case(
            TransposedConvolution(2, 2, padding=2), IMAGE, (2, 3, 2), 30 * 16
        ),
        "transposed convolution, dilated": Case(
            TransposedConvolution(2, 2, stride=2, dilation=(2, 3), padding=1, initializer="glorot_uniform"),
            IMAGE,
            (9, 12, 2),
            30 * 16,
        ),
        "transposed convolution, winograd": Case(TransposedConvolution(9), (6, 4, 8), (6, 4, 9), 24 * 648),
        "transposed convolution, winograd of its steps": Case(
            TransposedConvolution(8, 6, stride=2), (6, 5, 9), (12, 10, 8), 30 * 36 * 72
        ),
        "transposed convolution, many filters": Case(
            TransposedConvolution(26, (3, 2), stride=(1, 2)), (3, 4, 13), (3, 8, 26), 12 * 6 * 13 * 26
        ),
        "transposed convolution, long kernel": Case(
            TransposedConvolution(3, 21), (21, 21, 3), (21, 21, 3), 441 * 441 * 9
        ),
        "transposed convolution of a series": Case(TransposedConvolution(4, 5, stride=2), SERIES, (1, 22, 4), 11 * 60),
        "transposed convolution of a series, more at the end": Case(
            TransposedConvolution(2, 3, stride=3, padding=0, output_padding=2), SERIES, (1, 35, 2), 11 * 18
        ),
        "transposed convolution of a series in blocks": Case(
            TransposedConvolution(16, 20, stride=2, padding=9), (1, 9, 16), (1, 18, 16), 9 * 20 * 256
        ),
    },
)
