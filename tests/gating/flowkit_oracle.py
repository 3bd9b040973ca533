"""What FlowKit says about the same gates on the same events: each gate alone over all events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import flowkit as fk
import numpy as np
from numpy.typing import NDArray

from stromagate.model.gates import (
    Boolean,
    Ellipse,
    GateTree,
    Geometry,
    Interval,
    Polygon,
    QuadrantPart,
    Rectangle,
    Spans,
)

Mask = NDArray[np.bool_]


def memberships(events: NDArray[np.float32], pnn: Sequence[str], tree: GateTree) -> dict[str, Mask]:
    """Membership over all events by population; sets are combined here, gates are applied by FlowKit."""
    alone = _each_alone(events, pnn, tree)
    found = {"all": np.ones(len(events), dtype=bool)}
    for node in tree.nodes:
        geometry = node.geometry
        if isinstance(geometry, Boolean):
            named = [found[name] for name in geometry.of]
            inside = np.logical_and.reduce(named) if geometry.operation == "all" else np.logical_or.reduce(named)
            inside = ~inside if geometry.operation == "none" else inside
        elif isinstance(geometry, Spans):
            inside = np.logical_or.reduce([alone[f"{node.name}.{i}"] for i in range(len(geometry.spans))])
        else:
            inside = alone[node.name]
            # FlowKit knows no complement of an ellipse.
            inside = ~inside if isinstance(geometry, Ellipse) and not geometry.inside else inside
        found[node.name] = found[node.parent] & inside
    return found


def _each_alone(events: NDArray[np.float32], pnn: Sequence[str], tree: GateTree) -> dict[str, Mask]:
    strategy = fk.GatingStrategy()
    if tree.compensation is not None:
        strategy.add_comp_matrix(
            "spill", fk.Matrix(np.array(tree.compensation.matrix), list(tree.compensation.channels))
        )
    names: dict[str, str | None] = {}
    for axis, meant in tree.axes.items():
        s = meant.scale
        names[axis] = None if s.kind == "linear" else f"scale {axis}"
        if s.kind == "logicle":
            transform = fk.transforms.LogicleTransform(s.top, s.width_decades, s.decades, s.negative_decades)
            strategy.add_transform(f"scale {axis}", transform)
        elif s.kind == "asinh":
            strategy.add_transform(f"scale {axis}", fk.transforms.AsinhTransform(s.top, s.decades, s.negative_decades))
    gates = [
        gate
        for node in tree.nodes
        if node.geometry is not None
        for gate in _gates(node.name, node.geometry, tree, names)
    ]
    for gate in gates:
        strategy.add_gate(gate, gate_path=("root",))
    # Other $PnN than scatter, time and fluorescence are all the same to a gate.
    sample = fk.Sample(events.astype(np.float64), sample_id="tube", channel_labels=list(pnn))
    result = strategy.gate_sample(sample)
    return {gate.gate_name: np.asarray(result.get_gate_membership(gate.gate_name)) for gate in gates}


def _gates(name: str, geometry: Geometry, tree: GateTree, scales: dict[str, str | None]) -> list[Any]:
    def dimension(axis: str, low: float | None = None, high: float | None = None, *, closed: bool = False) -> Any:
        meant = tree.axes[axis]
        return fk.Dimension(
            meant.pnn,
            compensation_ref="spill" if meant.compensated else "uncompensated",
            transformation_ref=scales[axis],
            range_min=low,
            range_max=math.nextafter(high, math.inf) if closed and high is not None else high,
        )

    sides = [dimension(axis) for axis in geometry.axes]
    if isinstance(geometry, Polygon):
        vertices = [list(vertex) for vertex in geometry.vertices]
        return [fk.gates.PolygonGate(name, sides, vertices, use_complement=not geometry.inside)]
    if isinstance(geometry, Ellipse):
        matrix = [list(row) for row in geometry.covariance]
        return [fk.gates.EllipsoidGate(name, sides, list(geometry.mean), matrix, geometry.distance_squared)]
    if isinstance(geometry, Spans):
        return [
            fk.gates.RectangleGate(f"{name}.{i}", [dimension(geometry.axis, *span)])
            for i, span in enumerate(geometry.spans)
        ]
    if isinstance(geometry, Boolean):
        return []
    if isinstance(geometry, QuadrantPart):
        pairs = zip(geometry.origin, geometry.sides, strict=True)
        bounds = [(at, None) if side == "above" else (None, at) for at, side in pairs]
    elif isinstance(geometry, Interval):
        bounds = [(geometry.low, geometry.high)]
    else:
        bounds = list(zip(geometry.low, geometry.high, strict=True))
    closed = getattr(geometry, "closed", False)
    sides = [dimension(axis, *pair, closed=closed) for axis, pair in zip(geometry.axes, bounds, strict=True)]
    complement = isinstance(geometry, Rectangle) and not geometry.inside
    return [fk.gates.RectangleGate(name, sides, use_complement=complement)]
