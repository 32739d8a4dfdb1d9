"""A convolution and the operations after it as one operation, for prediction."""

from __future__ import annotations

from dataclasses import dataclass

from .._kernels.memory import Arrays
from ..layers import Frame, Operation, Plan
from ..layers._windowed import WindowedPlan

__all__ = ["Band", "FusedConvolution"]

_BAND_BYTES = 1 << 21  # most bytes of a band: 10 to 15 % less time with two threads on 28 x 28 and 32 x 32 images


@dataclass(kw_only=True)
class _FusedPlan(WindowedPlan):
    """Plan with the rows of a tile and, by height of a band, plans of the later parts; the last band may be lower."""

    tile: int
    bands: dict[int, list[Plan]]


class FusedConvolution(Operation):
    """Convolution and the operations after it, band by band of rows, so that arrays in between stay in the cache.

    In prediction it replaces its parts, with the same bits.

    Parameters
    ----------
    parts : list of Operation
        A convolution, then operations with an `Operation.tile`, of which the last may end the bands.
    """

    def __init__(self, parts):
        self.parts = parts

    def _placed(self, shape, first=0):
        """Yield ``(index, part, input shape)`` from the ``first`` part on, whose input has ``shape``."""
        for i, part in enumerate(self.parts[first:], first):
            yield i, part, shape
            shape = part.output_shape(shape)

    def output_shape(self, shape):
        *_, (_, part, now) = self._placed(shape)
        return part.output_shape(now)

    def parameters(self, shape):
        return {f"{i}.{n}": each for i, part, s in self._placed(shape) for n, each in part.parameters(s).items()}

    def state_shapes(self, shape):
        return {f"{i}.{n}": size for i, part, s in self._placed(shape) for n, size in part.state_shapes(s).items()}

    def multiply_adds(self, shape):
        return sum(part.multiply_adds(s) for _, part, s in self._placed(shape))

    def placed_parts(self, shape, *arrays):
        return [(part, now, *(_of(each, i) for each in arrays)) for i, part, now in self._placed(shape)]

    def least_bytes(self, shape, width, dtype, **options):
        return self.parts[0].least_bytes(shape, width, dtype, **options)

    def plan(self, shape, width, dtype, *, training, input_gradient) -> _FusedPlan:
        options = {"training": training, "input_gradient": input_gradient}
        first = self.parts[0].plan(shape, width, dtype, **options)
        *_, (_, last, now) = self._placed(shape)
        P, Q, F = self.parts[0].output_shape(shape)
        algorithm, tile = first.algorithm, last.tile(now)
        band = min(P, algorithm.fit_bands(_BAND_BYTES // (Q * F * width * dtype.itemsize), tile))
        plan = _FusedPlan(**vars(first), tile=tile, bands={})
        plan.shared = {"0.weight": first.shared["weight"]}
        plan.scratch = {"forward": {**algorithm.scratch, "0.y": (band, Q, F, width)}}
        for height in {band, P - (P - 1) // band * band}:
            if height < tile:
                continue
            plan.bands[height] = []
            for i, part, inside in self._placed((height, Q, F), 1):
                own = part.plan(inside, width, dtype, **options)
                plan.bands[height].append(own)
                plan.shared.update({f"{i}.{name}": entry for name, entry in own.shared.items()})
                for group in own.scratch.keys() - {"backward"}:
                    scratch = {f"{i}.{height}.{group}.{n}": entry for n, entry in own.scratch[group].items()}
                    plan.scratch["forward"].update(scratch)
                if not part.in_place and height == band:
                    plan.scratch["forward"][f"{i}.y"] = (*part.output_shape(inside), width)
        return plan

    def prepare(self, parameters, state, plan: _FusedPlan, shared):
        plans = [plan, *next(iter(plan.bands.values()))]
        for i, (part, own) in enumerate(zip(self.parts, plans, strict=True)):
            part.prepare(_of(parameters, i), _of(state, i), own, _of(shared, i))

    def forward(self, frame: Frame[_FusedPlan], training):
        algorithm, weight = frame.plan.algorithm, frame.shared["0.weight"]
        for band, frames in frame.bound:
            algorithm.run([band], weight)
            for each in frames:
                each.operation.forward(each, training)

    def bind(self, frame: Frame[_FusedPlan]):
        """List of ``(bound band of the convolution, frames of the later parts)``."""
        algorithm, tile, scratch = frame.plan.algorithm, frame.plan.tile, frame.scratch.forward
        moved = [i for i, part in enumerate(self.parts) if i and not part.in_place]
        inside = algorithm.bind(frame.x_storage, scratch, Band(scratch["0.y"], algorithm.P) if moved else frame.y)
        bound = []
        for i, band in enumerate(inside):
            start = i * algorithm.rows_per_band
            height = min(algorithm.rows_per_band, algorithm.P - start)
            if height >= tile:
                out = frame.y[start // tile : (start + height) // tile]
                x = scratch["0.y"][:height] if moved else out
                bound.append((band, self._frames(frame, frame.plan.bands[height], height, x, out, moved)))
        return bound

    def _frames(self, frame, plans, height, x, out, moved):
        frames = []
        for i, (part, plan) in enumerate(zip(self.parts[1:], plans, strict=True), 1):
            y = x
            if not part.in_place:
                y = out if i == moved[-1] else frame.scratch.forward[f"{i}.y"][: x.shape[0]]
            scratch = {group: _of(frame.scratch.forward, f"{i}.{height}.{group}") for group in plan.scratch}
            frames.append(
                Frame(
                    operation=part, plan=plan, x=x, x_storage=x, y=y, parameters=_of(frame.parameters, i),
                    state=_of(frame.state, i), shared=_of(frame.shared, i), scratch=Arrays(scratch), buffers=Arrays(),
                    matmul=frame.matmul,
                )
            )  # fmt: skip
            x = y
        return frames


def _of(arrays, prefix):
    """Arrays of the part with the index ``prefix``, by their names in the part."""
    prefix = f"{prefix}."
    return Arrays({name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)})


class Band:
    """Rows of an image of which one band is stored at a time: every slice is a view of the same memory."""

    def __init__(self, rows, total):
        self.rows, self.total = rows, total

    def __getitem__(self, rows):
        return self.rows[: min(rows.stop, self.total) - rows.start]
