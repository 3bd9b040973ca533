"""Gating-ML 2.0 of the compliance suite as a tree, as far as our gates go; for tests only."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stromagate.model.gates import Axis, Boolean, Ellipse, GateNode, GateTree, Geometry, Interval, Polygon
from stromagate.model.panel import Compensation
from stromagate.model.scales import Scale
from tests.gating.tubes import node

_NS = {kind: f"{{http://www.isac-net.org/std/Gating-ML/v2.0/{kind}}}" for kind in ("gating", "transformations")}
_G, _T, _D = _NS["gating"], _NS["transformations"], "{http://www.isac-net.org/std/Gating-ML/v2.0/datatypes}"

Bounds = tuple[float | None, float | None]


class OtherGateError(Exception):
    """A gate of a kind that this program does not have: a ratio of channels, or a hyperlog scale."""


@dataclass
class Reader:
    """Nodes and axes found so far; ``other`` holds the gates that cannot be expressed, and those that build on them."""

    root: ET.Element
    nodes: list[GateNode] = field(default_factory=list)
    axes: dict[str, Axis] = field(default_factory=dict)
    other: set[str] = field(default_factory=set)

    def read(self) -> GateTree:
        for element in self.root:
            kind = element.tag.removeprefix(_G)
            build = {
                "RectangleGate": self._rectangle,
                "PolygonGate": self._polygon,
                "EllipsoidGate": self._ellipse,
                "QuadrantGate": self._quadrants,
                "BooleanGate": self._boolean,
            }.get(kind)
            if build is None:
                continue
            name, parent = element.get(f"{_G}id", ""), element.get(f"{_G}parent_id") or "all"
            try:
                build(element, name, parent)
            except OtherGateError:
                self.other.add(name)
        spill = _matrix(self.root)
        return GateTree(tuple(self.nodes), self.axes, spill)

    def _add(self, name: str, parent: str, geometry: Geometry) -> str:
        if parent in self.other:
            raise OtherGateError(parent)
        self.nodes.append(node(name, parent, geometry))
        return name

    def _axis(self, element: ET.Element) -> tuple[str, Callable[[str | None], float | None]]:
        """Return an axis and how its coordinates read: flin and flog are undone, the axis stays linear."""
        channel = element.find(f"{_D}fcs-dimension")
        if channel is None:
            raise OtherGateError("ratio")
        name, comp = channel.get(f"{_D}name", ""), element.get(f"{_G}compensation-ref")
        mixed = comp == "MySpill"
        matrix = self.root.find(f"{_T}spectrumMatrix")
        if mixed and matrix is not None:
            dyes, detectors = (
                [item.get(f"{_D}name") for item in matrix.find(f"{_T}{part}") or ()]
                for part in ("fluorochromes", "detectors")
            )
            name = detectors[dyes.index(name)] or ""
        scale, undo = _scale(self.root, element.get(f"{_G}transformation-ref"))
        axis = f"{comp if mixed else 'plain'} {name} {element.get(f'{_G}transformation-ref')}"
        self.axes[axis] = Axis(name, scale, mixed)
        return axis, lambda text: None if text is None else undo(float(text))

    def _rectangle(self, element: ET.Element, name: str, parent: str) -> None:
        sides = []
        for dimension in element.findall(f"{_G}dimension"):
            axis, number = self._axis(dimension)
            sides.append((axis, (number(dimension.get(f"{_G}min")), number(dimension.get(f"{_G}max")))))
        self._box(name, parent, sides)

    def _box(self, name: str, parent: str, sides: Sequence[tuple[str, Bounds]]) -> None:
        """Add one interval below the other: a box of any number of axes."""
        for index, (axis, bounds) in enumerate(sides):
            last = index == len(sides) - 1
            parent = self._add(name if last else f"{name}#{index}", parent, Interval(axis, *bounds))

    def _polygon(self, element: ET.Element, name: str, parent: str) -> None:
        axes = [self._axis(dimension) for dimension in element.findall(f"{_G}dimension")]
        corners = tuple(
            tuple(number(c.get(f"{_D}value")) for (_, number), c in zip(axes, vertex, strict=True))
            for vertex in element.findall(f"{_G}vertex")
        )
        self._add(name, parent, Polygon((axes[0][0], axes[1][0]), corners))

    def _ellipse(self, element: ET.Element, name: str, parent: str) -> None:
        axes = tuple(self._axis(dimension)[0] for dimension in element.findall(f"{_G}dimension"))
        mean = tuple(_values(element.find(f"{_G}mean")))
        rows = tuple(tuple(_values(row)) for row in element.findall(f"{_G}covarianceMatrix/{_G}row"))
        (distance,) = _values([element.find(f"{_G}distanceSquare")])
        self._add(name, parent, Ellipse(axes, mean, rows, distance))

    def _quadrants(self, element: ET.Element, _name: str, parent: str) -> None:
        dividers = {}
        for divider in element.findall(f"{_G}divider"):
            axis, number = self._axis(divider)
            borders = [number(value.text) for value in divider.findall(f"{_G}value")]
            dividers[divider.get(f"{_G}id")] = (axis, borders)
        for quadrant in element.findall(f"{_G}Quadrant"):
            sides = []
            for position in quadrant.findall(f"{_G}position"):
                axis, borders = dividers[position.get(f"{_G}divider_ref")]
                at = float(position.get(f"{_G}location", "nan"))
                below = [border for border in borders if border <= at]
                above = [border for border in borders if border > at]
                sides.append((axis, (max(below, default=None), min(above, default=None))))
            self._box(quadrant.get(f"{_G}id", ""), parent, sides)

    def _boolean(self, element: ET.Element, name: str, parent: str) -> None:
        (combination,) = [child for child in element if child.tag.startswith(_G)]
        named = []
        for index, reference in enumerate(combination):
            of = reference.get(f"{_G}ref", "")
            if of in self.other:
                raise OtherGateError(of)
            if reference.get(f"{_G}use-as-complement") == "true":
                of = self._add(f"{name}~{index}", "all", Boolean("none", (of,)))
            named.append(of)
        operation = {"and": "all", "or": "any", "not": "none"}[combination.tag.removeprefix(_G)]
        self._add(name, parent, Boolean(operation, tuple(named)))


def read_gatingml(path: Path) -> tuple[GateTree, set[str]]:
    """Return the tree, and the names of the gates that our geometry cannot express."""
    reader = Reader(ET.fromstring(path.read_bytes()))
    return reader.read(), reader.other


def _values(parts: ET.Element | list[ET.Element | None] | None) -> list[float]:
    assert parts is not None
    return [float(part.get(f"{_D}value", "nan")) for part in parts if part is not None]


def _scale(root: ET.Element, name: str | None) -> tuple[Scale, Callable[[float], float]]:
    if name is None:
        return Scale("linear"), lambda value: value
    (element,) = [t[0] for t in root.findall(f"{_T}transformation") if t.get(f"{_T}id") == name]
    t, w, m, a = (float(element.get(f"{_T}{key}", "0")) for key in "TWMA")
    kind = element.tag.removeprefix(_T)
    if kind == "logicle":
        return Scale("logicle", t, w, m, a), lambda value: value
    if kind == "fasinh":
        return Scale("asinh", t, 0.0, m, a), lambda value: value
    if kind == "flin":
        return Scale("linear"), lambda value: value * (t + a) - a
    if kind == "flog":
        return Scale("linear"), lambda value: t * 10 ** ((value - 1) * m)
    raise OtherGateError(kind)


def _matrix(root: ET.Element) -> Compensation | None:
    element = root.find(f"{_T}spectrumMatrix")
    if element is None:
        return None
    detectors = tuple(item.get(f"{_D}name", "") for item in element.find(f"{_T}detectors") or ())
    rows = tuple(
        tuple(float(c.get(f"{_T}value", "nan")) for c in spectrum) for spectrum in element.findall(f"{_T}spectrum")
    )
    return Compensation("MySpill", detectors, rows)
