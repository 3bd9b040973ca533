"""Gates as geometry: what a method fits, a person draws, an importer reads. Membership is made in ``gating.geometry``.

All coordinates are display units of the axis' scale in the tree (a linear axis: its scale values). Edges follow
Gating-ML 2.0: the lower edge belongs to the gate, the upper does not, borders of polygons and ellipses do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from stromagate.model.panel import Compensation
from stromagate.model.sample import GainConvention
from stromagate.model.scales import Scale

Point = tuple[float, float]
Bound = float | None
Side = Literal["above", "below"]

ROOT = "all"
"""Name of the population of all events: every tree's root, which is no node of it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Events with ``low <= x < high``; None leaves a side open. ``closed`` counts the upper edge in."""

    axis: str
    low: Bound
    high: Bound
    closed: bool = False
    kind: Literal["interval"] = "interval"

    @property
    def axes(self) -> tuple[str, ...]:
        """The one axis."""
        return (self.axis,)


@dataclass(frozen=True, slots=True)
class Rectangle:
    """An interval on each of two axes or more."""

    axes: tuple[str, ...]
    low: tuple[Bound, ...]
    high: tuple[Bound, ...]
    closed: bool = False
    inside: bool = True
    kind: Literal["rectangle"] = "rectangle"


@dataclass(frozen=True, slots=True)
class Polygon:
    """Inside by the crossing rule, border included; ``inside=False`` keeps the rest of the parent."""

    axes: tuple[str, str]
    vertices: tuple[Point, ...]
    inside: bool = True
    kind: Literal["polygon"] = "polygon"


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Squared Mahalanobis distance to ``mean`` under ``covariance`` at most ``distance_squared``; two axes or more."""

    axes: tuple[str, ...]
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    distance_squared: float
    inside: bool = True
    kind: Literal["ellipse"] = "ellipse"


@dataclass(frozen=True, slots=True)
class QuadrantPart:
    """One part of a cross at ``origin``; the value on a divider counts as above."""

    axes: tuple[str, str]
    origin: Point
    sides: tuple[Side, Side]
    kind: Literal["quadrant"] = "quadrant"


@dataclass(frozen=True, slots=True)
class Spans:
    """Any of several intervals on one axis, ascending and disjoint: the kept stretches of Time."""

    axis: str
    spans: tuple[Point, ...]
    kind: Literal["spans"] = "spans"

    @property
    def axes(self) -> tuple[str, ...]:
        """The one axis."""
        return (self.axis,)


@dataclass(frozen=True, slots=True)
class Boolean:
    """Events of the parent that are in all of, any of, or none of the named populations."""

    operation: Literal["all", "any", "none"]
    of: tuple[str, ...]
    kind: Literal["boolean"] = "boolean"

    @property
    def axes(self) -> tuple[str, ...]:
        """A boolean gate looks at populations, not at axes."""
        return ()


Geometry = Interval | Spans | Rectangle | Polygon | Ellipse | QuadrantPart | Boolean


def axis_bounds(geometry: Geometry) -> list[tuple[str, Bound, Bound]]:
    """Return what straight edges a gate has by axis: each stretch with its lower and upper end, None where it is open.

    Display units. Gates without straight edges have none.
    """
    sides: list[tuple[str, Bound, Bound]] = []
    match geometry:
        case Interval():
            sides = [(geometry.axis, geometry.low, geometry.high)]
        case Spans():
            sides = [(geometry.axis, low, high) for low, high in geometry.spans]
        case Rectangle():
            sides = list(zip(geometry.axes, geometry.low, geometry.high, strict=True))
        case QuadrantPart():
            cross = zip(geometry.axes, geometry.origin, geometry.sides, strict=True)
            sides = [(axis, at, None) if side == "above" else (axis, None, at) for axis, at, side in cross]
    return sides


def straight_edges(geometry: Geometry) -> Iterator[tuple[str, Literal["from", "below"], float]]:
    """Yield every straight edge of a gate: its axis, what of the axis it bounds, and where it lies (display units).

    The lower edge comes before the upper, the first axis before the second, stretches in order. Open sides have none,
    and neither have gates without straight edges.
    """
    for axis, low, high in axis_bounds(geometry):
        if low is not None:
            yield axis, "from", low
        if high is not None:
            yield axis, "below", high


def combined(geometry: Geometry | None) -> tuple[str, ...]:
    """Return the populations that a gate combines; of any but a Boolean one, none."""
    return geometry.of if isinstance(geometry, Boolean) else ()


GateState = Literal["fitted", "fixed", "fallback", "edited", "not_evaluable"]

Doubt = Literal["not separable", "second opinion"]
NOT_SEPARABLE: Doubt = "not separable"
"""Two populations that cannot be parted: sentences use these words, and only these."""
SECOND_OPINION: Doubt = "second opinion"
"""Another rule would put the boundary elsewhere, by more than the boundary's own uncertainty."""


@dataclass(frozen=True, slots=True)
class GateNode:
    """One population: its parent, the boundary that makes it, and how that boundary came about.

    ``spread`` is the standard deviation of the boundary in display units of its (first) axis, None where the boundary
    was not estimated; ``spread_second`` that of the edge on the second axis, where it was estimated on its own.
    ``geometry`` is None exactly where the state is ``not_evaluable``. ``doubts`` say in fixed words
    what the sentence says of the boundary in its own.
    """

    name: str
    parent: str
    method: str
    geometry: Geometry | None
    state: GateState
    sentence: str
    spread: float | None = None
    source: str = ""
    edited_by: str | None = None
    doubts: tuple[Doubt, ...] = ()
    spread_second: float | None = None

    @property
    def stands_on(self) -> tuple[str, ...]:
        """Its parent, and the populations its gate combines."""
        return (self.parent, *combined(self.geometry))


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis of the tree means on a file: its channel, whether it is compensated, its scale."""

    pnn: str
    scale: Scale
    compensated: bool


MEASURED = " as measured"
"""Ends the name of the axis that shows what the detector of another one wrote, with nothing taken out: that of
``CD271`` is ``CD271 as measured``. A tube has it only where a gate looks at it."""


@dataclass(frozen=True, slots=True)
class GateTree:
    """A whole fitted tree: replaying it on the same sample gives the same members, event for event.

    Parents stand above their children; the root (`ROOT`) is not a node. ``gain`` is how the values that the boundaries
    were placed on were read: divided by ``$PnG``, or not.
    """

    nodes: tuple[GateNode, ...]
    axes: Mapping[str, Axis] = field(default_factory=dict)
    compensation: Compensation | None = None
    gain: GainConvention = "apply"

    def node(self, name: str) -> GateNode:
        """Return the node called ``name``; KeyError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def digest(self) -> str:
        """SHA-256 of the tree's canonical JSON: what edits and signatures are bound to."""
        import hashlib
        import json

        tree = asdict(self)
        for node in tree["nodes"]:
            # Most boundaries have no second spread: their trees keep the digest that edits were bound to before.
            if node["spread_second"] is None:
                del node["spread_second"]
        text = json.dumps(tree, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()
