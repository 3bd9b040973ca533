"""Tubes, trees and a slow truth for the tests of gating: everything in float64, every event, no short cuts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.gating.geometry import contains
from stromagate.model.gates import (
    Axis,
    Boolean,
    Ellipse,
    GateNode,
    GateTree,
    Geometry,
    Interval,
    Polygon,
    QuadrantPart,
    Rectangle,
    Spans,
)
from stromagate.model.panel import Binding, Compensation, Panel
from stromagate.model.sample import ABSENT, Channel, Sample, SourceRef
from stromagate.model.scales import Scale
from stromagate.prepare.prepared import Prepared
from stromagate.prepare.scales import forward
from stromagate.prepare.unmix import Unmix

LOGICLE = Scale("logicle", 262144.0, 0.5, 4.5, 0.0)
ASINH = Scale("asinh", 262144.0, 0.0, 4.5, 0.5)
LINEAR = Scale("linear")


@dataclass(frozen=True)
class Events:
    """Events that pretend to be an opened file."""

    values: NDArray[np.float32]
    pnn: tuple[str, ...]

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(Channel(i, name, "", 32, 262144.0) for i, name in enumerate(self.pnn))

    def blocks(self, rows: int = 1 << 15) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(self.values), rows):
            yield np.ascontiguousarray(self.values[start : start + rows])


def node(name: str, parent: str, geometry: Geometry | None) -> GateNode:
    return GateNode(name, parent, "fixed", geometry, "fixed" if geometry is not None else "not_evaluable", "")


def tree(*nodes: GateNode, axes: Mapping[str, Axis], compensation: Compensation | None = None) -> GateTree:
    return GateTree(nodes, axes, compensation)


def shown(events: NDArray[np.float32], pnn: Sequence[str], grown: GateTree, axis: str) -> NDArray[np.float64]:
    """Display values of an axis by the plainest road: everything in float64, every event transformed."""
    values = Unmix(pnn, grown.axes, grown.compensation)[axis].exact(events)
    return forward(grown.axes[axis].scale, values)


def truth(events: NDArray[np.float32], pnn: Sequence[str], grown: GateTree) -> dict[str, NDArray[np.intp]]:
    """Members by population, from the definition; a Boolean gate by sets of rows."""
    everyone = np.arange(len(events))
    found = {"all": set(everyone.tolist())}
    used: dict[str, set[str]] = {"all": set()}
    for item in grown.nodes:
        geometry = item.geometry
        assert geometry is not None
        used[item.name] = used[item.parent] | set(geometry.axes)
        if isinstance(geometry, Boolean):
            parts = [found[name] for name in geometry.of]
            used[item.name] |= {axis for name in geometry.of for axis in used[name]}
            inside = {
                "all": lambda parts=parts: set.intersection(found["all"], *parts),
                "any": lambda parts=parts: set().union(*parts),
                "none": lambda parts=parts: found["all"].difference(*parts),
            }[geometry.operation]()
            if geometry.operation == "none":
                axes = sorted({axis for name in geometry.of for axis in used[name]})
                for axis in axes:
                    inside &= set(everyone[np.isfinite(shown(events, pnn, grown, axis))].tolist())
        else:
            points = np.column_stack([shown(events, pnn, grown, axis) for axis in geometry.axes])
            inside = set(everyone[contains(geometry, points)].tolist())
        found[item.name] = found[item.parent] & inside
    return {name: np.array(sorted(rows), dtype=np.intp) for name, rows in found.items()}


class Grower:
    """Random trees that hold some events: corners and edges are drawn from the data's own range.

    Some edges lie exactly on an event, where an error of one last bit would show.
    """

    def __init__(
        self,
        seed: int,
        values: Mapping[str, NDArray[np.float64]],
        kinds: Sequence[str] | None = None,
        on_events: frozenset[str] | None = None,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.values = {axis: column[np.isfinite(column)] for axis, column in values.items()}
        self.on_events = frozenset(values) if on_events is None else on_events
        self.kinds = tuple(kinds or ("interval", "rectangle", "polygon", "ellipse", "quadrant", "spans", "boolean"))

    def nodes(self, n: int) -> tuple[GateNode, ...]:
        grown: list[GateNode] = []
        for index in range(n):
            names = ["all", *(item.name for item in grown)]
            parent = names[int(self.rng.integers(len(names)))]
            kind = str(self.rng.choice(self.kinds))
            if kind == "boolean" and not grown:
                kind = "interval"
            grown.append(node(f"p{index}", parent, getattr(self, kind)(names[1:])))
        return tuple(grown)

    def _axes(self, n: int) -> tuple[str, ...]:
        return tuple(str(axis) for axis in self.rng.choice(sorted(self.values), n, replace=False))

    def _edge(self, axis: str, low: float = 0.0, high: float = 1.0) -> float:
        column = self.values[axis]
        share = float(self.rng.uniform(low, high))
        event = float(np.quantile(column, share, method="nearest"))
        on_event = self.rng.random() < 0.3 and axis in self.on_events
        return event if on_event else event + float(self.rng.normal(0, 0.01)) * float(np.ptp(column))

    def _pair(self, axis: str) -> tuple[float | None, float | None]:
        low, high = self._edge(axis, 0, 0.4), self._edge(axis, 0.6, 1)
        if low >= high:
            low, high = high, low
        if low == high:
            high = low + 1.0
        sides = self.rng.random()
        return (None if sides < 0.25 else low), (None if sides > 0.75 else high)

    def interval(self, _names: list[str]) -> Interval:
        (axis,) = self._axes(1)
        return Interval(axis, *self._pair(axis), closed=bool(self.rng.random() < 0.5))

    def rectangle(self, _names: list[str]) -> Rectangle:
        axes = self._axes(2)
        lows, highs = zip(*(self._pair(axis) for axis in axes), strict=True)
        flags = self.rng.random(2) < 0.3
        return Rectangle((axes[0], axes[1]), lows, highs, closed=bool(flags[0]), inside=not flags[1])

    def polygon(self, _names: list[str]) -> Polygon:
        axes = self._axes(2)
        n = int(self.rng.integers(3, 9))
        vertices = tuple((self._edge(axes[0], 0.01, 0.99), self._edge(axes[1], 0.01, 0.99)) for _ in range(n))
        return Polygon((axes[0], axes[1]), vertices, inside=bool(self.rng.random() < 0.8))

    def ellipse(self, _names: list[str]) -> Ellipse:
        axes = self._axes(int(self.rng.integers(2, min(4, len(self.values)) + 1)))
        spread = np.array([float(np.std(self.values[axis])) or 1.0 for axis in axes])
        turn = self.rng.normal(0, 1, (len(axes), len(axes))) * spread
        covariance = turn.T @ turn + np.diag(spread**2) * 0.1
        covariance = (covariance + covariance.T) / 2
        mean = tuple(self._edge(axis, 0.2, 0.8) for axis in axes)
        rows = tuple(tuple(float(value) for value in row) for row in covariance)
        return Ellipse(axes, mean, rows, float(self.rng.uniform(0.3, 4)), inside=bool(self.rng.random() < 0.8))

    def quadrant(self, _names: list[str]) -> QuadrantPart:
        axes = self._axes(2)
        sides = tuple("above" if flag else "below" for flag in self.rng.random(2) < 0.5)
        return QuadrantPart((axes[0], axes[1]), (self._edge(axes[0]), self._edge(axes[1])), (sides[0], sides[1]))

    def spans(self, _names: list[str]) -> Spans:
        (axis,) = self._axes(1)
        borders = sorted({self._edge(axis) for _ in range(2 * int(self.rng.integers(1, 12)))})
        pairs = tuple(zip(borders[::2], borders[1::2], strict=False))
        return Spans(axis, pairs or ((borders[0], borders[0] + 1.0),))

    def boolean(self, names: list[str]) -> Boolean:
        n = int(self.rng.integers(1, min(3, len(names)) + 1))
        of = tuple(str(name) for name in self.rng.choice(names, n, replace=False))
        return Boolean(("all", "any", "none")[int(self.rng.integers(3))], of)


def stained(
    seed: int, n: int, dyes: int = 6
) -> tuple[NDArray[np.float32], tuple[str, ...], dict[str, Axis], Compensation]:
    """A made-up tube: two scatters, dyes with spillover in three kinds of scale, Time."""
    rng = np.random.default_rng(seed)
    names = tuple(f"FL{i}-A" for i in range(1, dyes + 1))
    matrix = np.eye(dyes) + rng.uniform(0, 0.2, (dyes, dyes)) * (1 - np.eye(dyes))
    area = rng.lognormal(11, 0.5, n)
    positive = rng.random((n, dyes)) < 0.4
    true = np.where(positive, rng.lognormal(8.5, 1.0, (n, dyes)), rng.normal(50, 250, (n, dyes)))
    values = np.column_stack([area, rng.lognormal(10, 0.7, n), true @ matrix, np.arange(n) / 100.0]).astype(np.float32)
    axes = {
        "FSC": Axis("FSC-A", LINEAR, False),
        "SSC": Axis("SSC-A", LINEAR, False),
        "Time": Axis("Time", LINEAR, False),
    }
    for index, name in enumerate(names):
        scale = (LOGICLE, ASINH, LINEAR)[index % 3]
        axes[f"dye{index}"] = Axis(name, scale, index != 4)
    spill = Compensation("test", names, tuple(tuple(float(v) for v in row) for row in matrix))
    return values, ("FSC-A", "SSC-A", *names, "Time"), axes, spill


def ready(
    values: NDArray[np.float32], pnn: tuple[str, ...], axes: dict[str, Axis], spill: Compensation | None = None
) -> Prepared:
    """Return a tube in memory, bound and compensated as told."""
    events = np.asfortranarray(values, dtype=np.float32)
    channels = tuple(Channel(i, name, "", 32, 262144.0) for i, name in enumerate(pnn))
    sample = Sample(events, channels, SourceRef("tube.fcs", 1), "3.1", {}, ABSENT, "repair", "apply")
    bindings = tuple(Binding(name, pnn.index(axis.pnn), axis.pnn, "", "$PnN") for name, axis in axes.items())
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max()) if finite.size else 0.0
    return Prepared(sample, Panel(bindings), axes, spill, Unmix(pnn, axes, spill), largest)
