"""What it means that a boundary moves: by how much each draw moves it, and which geometry it is then."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stromagate.model.gates import (
    Axis,
    Boolean,
    Bound,
    Ellipse,
    GateNode,
    GateTree,
    Geometry,
    Interval,
    Polygon,
    QuadrantPart,
    Rectangle,
    Spans,
    straight_edges,
)
from stromagate.model.sample import F64
from stromagate.prepare.scales import forward, inverse

# An ellipse that a draw would shrink to nothing keeps this much of its radius.
_SMALLEST_RADIUS_FRAC = 1e-3


def moved(geometry: Geometry, shift: tuple[float, ...]) -> Geometry:  # noqa: PLR0911  (one a kind of geometry)
    """Return a boundary moved by a draw of its error.

    - Interval, stretches: every edge moves by the shift. Rectangle, quadrant: the edges of an axis by that axis' shift.
    - Ellipse: it grows (shift above zero) or shrinks about its centre until it reaches that much further along its
      first axis.
    - Polygon: it slides along its first axis. At every height the edge of a band (single cells) is then off by the
      shift. Of a closed outline one side wins what the other loses: a method that outlines a cloud says more about its
      error with an ellipse.
    - Boolean: it has no boundary of its own and follows its populations.

    Parameters
    ----------
    geometry : Geometry
        The boundary as it was placed.
    shift : tuple of float
        By how much, in display units: one an axis of an interval, a rectangle or a quadrant; of the others the first
        counts.

    Returns
    -------
    Geometry
    """
    if not any(shift):
        return geometry
    match geometry:
        case Interval():
            return replace(geometry, low=_by(geometry.low, shift[0]), high=_by(geometry.high, shift[0]))
        case Spans():
            return replace(geometry, spans=tuple((low + shift[0], high + shift[0]) for low, high in geometry.spans))
        case Rectangle():
            low, high = (tuple(map(_by, bounds, shift)) for bounds in (geometry.low, geometry.high))
            return replace(geometry, low=low, high=high)
        case QuadrantPart():
            return replace(geometry, origin=(geometry.origin[0] + shift[0], geometry.origin[1] + shift[1]))
        case Ellipse():
            radius = math.sqrt(geometry.distance_squared)
            longer = radius + shift[0] / math.sqrt(geometry.covariance[0][0])
            return replace(geometry, distance_squared=max(longer, _SMALLEST_RADIUS_FRAC * radius) ** 2)
        case Polygon():
            return replace(geometry, vertices=tuple((x + shift[0], y) for x, y in geometry.vertices))
        case Boolean():
            return geometry


def is_uncertain(node: GateNode) -> bool:
    """Say whether a boundary was estimated, so that it could as well lie elsewhere."""
    placed = node.state in {"fitted", "fallback"} and not isinstance(node.geometry, Boolean | None)
    return placed and max(node.spread or 0.0, node.spread_second or 0.0) > 0


def redrawn_boundaries(tree: GateTree, n: int, seed: int) -> dict[str, list[Geometry]]:
    """Return every estimated boundary of a tree as it is in each of some redraws, by population.

    Boundaries err independently of each other, but for those that are one: gates of the same parent with the same edges
    (what is above a cut and what is below it, the four parts of a cross) move together, by the spreads of the first of
    them, so that no event is in both or in neither.
    """
    first: dict[object, GateNode] = {}
    redrawn: dict[str, list[Geometry]] = {}
    for node in tree.nodes:
        if node.geometry is not None and is_uncertain(node):
            one = first.setdefault((node.parent, node.geometry.axes, _edges(node.geometry)), node)
            errors = shifts(one, tree.axes, n, seed)
            redrawn[node.name] = [moved(node.geometry, tuple(error)) for error in errors.tolist()]
    return redrawn


def shifts(node: GateNode, axes: Mapping[str, Axis], n: int, seed: int) -> F64:
    """Draw the errors of one boundary: normal with its spread, each draw independent of those of other gates.

    The draws are a Latin hypercube (McKay, Beckman and Conover, doi:10.1080/00401706.1979.10489755): the ``n`` middle
    quantiles of the normal distribution in an order made of seed and population. A hundred of them then say as much of
    the spread of a count as several hundred free draws.

    Parameters
    ----------
    node : GateNode
        A boundary with a spread.
    axes : mapping of str to Axis
        Axes of its tree.
    n : int
        Number of draws.
    seed : int
        Seed of the run.

    Returns
    -------
    ndarray of float64, shape (n, n_axes)
        Display units. The spread is that of the first axis. A second edge has an error of its own: by its own spread
        where that is known, else of the same size on a scale of the same kind, and none on another kind of scale.
    """
    from scipy.special import ndtri

    assert node.geometry is not None
    digest = hashlib.sha256(f"draws of {node.name}".encode()).digest()
    rng = np.random.Generator(np.random.PCG64([seed, int.from_bytes(digest[:16], "big")]))
    normal = np.asarray(ndtri((np.arange(n) + 0.5) / n), dtype=np.float64)
    spread, (first, *others) = node.spread or 0.0, node.geometry.axes
    columns = [(spread * normal)[rng.permutation(n)]]
    for index, axis in enumerate(others):
        known = node.spread_second if index == 0 else None
        alike = axes[axis].scale.kind == axes[first].scale.kind
        size = known if known is not None else spread if alike else 0.0
        columns.append((size * normal)[rng.permutation(n)] if size else np.zeros(n))
    return np.column_stack(columns)


@dataclass(frozen=True, slots=True)
class EdgeMove:
    """One straight edge of a gate, and the gate with that edge a step lower and a step higher."""

    axis: str
    lower: Geometry
    higher: Geometry


def edge_moves(geometry: Geometry | None, axes: Mapping[str, Axis], decades: float) -> Iterator[EdgeMove]:
    """Yield the moves of every straight edge that lies above zero, by decades of the compensated value.

    Edges at or below zero have no decade to be moved by. The lower edge comes before the upper, the first axis before
    the second.
    """

    def step(axis: str, at: float, sign: int) -> float:
        scale = axes[axis].scale
        return float(forward(scale, inverse(scale, at) * 10.0 ** (sign * decades))[0])

    for index, side, at in _straight(geometry):
        assert geometry is not None
        axis = geometry.axes[index]
        if float(inverse(axes[axis].scale, at)[0]) > 0:
            lower, higher = (_with_edge(geometry, index, side, step(axis, at, sign)) for sign in (-1, 1))
            yield EdgeMove(axis, lower, higher)


def _edges(geometry: Geometry) -> object:
    """Return what two gates have in common that part their parent along the same line."""
    straight = frozenset((axis, at) for axis, _, at in straight_edges(geometry))
    if straight:
        return straight
    return replace(geometry, inside=True) if isinstance(geometry, Ellipse | Polygon) else geometry


def _straight(geometry: Geometry | None) -> Iterator[tuple[int, str, float]]:
    """Yield (axis index, side, place) of the edges that can be moved one at a time."""
    sides: list[tuple[int, str, Bound]] = []
    match geometry:
        case Interval():
            sides = [(0, "low", geometry.low), (0, "high", geometry.high)]
        case Rectangle():
            each = range(len(geometry.axes))
            sides = [(i, side, bounds[i]) for i in each for side, bounds in _bounds(geometry)]
        case QuadrantPart():
            sides = [(i, "origin", at) for i, at in enumerate(geometry.origin)]
    yield from ((index, side, at) for index, side, at in sides if at is not None)


def _bounds(geometry: Rectangle) -> tuple[tuple[str, tuple[Bound, ...]], ...]:
    return ("low", geometry.low), ("high", geometry.high)


def _with_edge(geometry: Geometry, index: int, side: str, at: float) -> Geometry:
    """Return a gate with one edge elsewhere."""
    changes: dict[str, Any] = {side: at}
    if not isinstance(geometry, Interval):
        pair = list(getattr(geometry, side))
        pair[index] = at
        changes = {side: tuple(pair)}
    return replace(geometry, **changes)


def _by(bound: Bound, shift: float) -> Bound:
    return None if bound is None else bound + shift
