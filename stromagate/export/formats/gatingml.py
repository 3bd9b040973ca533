"""``gates.gatingml.xml``: the boundaries of one tube as Gating-ML 2.0, for other programs to show and apply.

Boundaries lie on the same scales, over the same matrix, as in the result; edges mean the same (lower in, upper out).
What Gating-ML has no gate for is put together of several: several stretches are an "or" of intervals, what lies outside
a boundary a "not". The parts are called after their population, such as ``time_ok.1``. Populations that were not
evaluable, and those that build on them, are not in the file, and it says which.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

from stromagate.export.exporter import Exporter
from stromagate.model.gates import (
    ROOT,
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
    axis_bounds,
)
from stromagate.model.result import SampleResult
from stromagate.model.scales import Scale

_SPACE = "http://www.isac-net.org/std/Gating-ML/v2.0/"
_ROOMS = {"gating": "gating", "transforms": "transformations", "data-type": "datatypes"}
_MATRIX = "spillover"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOWEST = "-1.7976931348623157e+308"  # an interval that is open on both sides must still name an edge
Sides = list[tuple[str, Bound, Bound]]


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the boundaries of the one tube given, as Gating-ML 2.0 in UTF-8."""
    (result,) = results
    return _Document(result).written()


class _Document:
    """A Gating-ML document as it grows: scales and matrix first, then gates, parents above children."""

    def __init__(self, result: SampleResult) -> None:
        self.tree: GateTree = result.tree
        self.root = ET.Element("gating:Gating-ML", {f"xmlns:{short}": _SPACE + long for short, long in _ROOMS.items()})
        self.left_out: set[str] = set()
        self.ids: dict[str, str] = {ROOT: ""}
        self.taken: set[str] = {_MATRIX}
        self.scales: dict[str, str] = {}
        kept = [node for node in self.tree.nodes if self._is_there(node)]
        self._about(result)
        self._add_scales(kept)
        self._add_matrix()
        for node in kept:
            self.ids[node.name] = self._free_id(node.name)
            if node.geometry is not None:
                self._add_gate(node, node.geometry)

    def written(self) -> bytes:
        """Return the document's bytes."""
        ET.indent(self.root)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(self.root, encoding="unicode")}\n'.encode()

    def _is_there(self, node: GateNode) -> bool:
        wordless = isinstance(node.geometry, Boolean) and not (node.geometry.of or self.tree.axes)
        if node.geometry is None or wordless or self.left_out & set(node.stands_on):
            self.left_out.add(node.name)
            return False
        return True

    def _about(self, result: SampleResult) -> None:
        gain = "divided by $PnG" if self.tree.gain == "apply" else "as stored, $PnG ignored"
        said = {
            "research_use": result.research_use,
            "sample_id": result.sample_id,
            "template": f"{result.template.name} {result.template.version}",
            "stromagate": result.record.stromagate,
            "boundaries_sha256": self.tree.digest(),
            "values": f"{gain}; time in seconds where the file has $TIMESTEP",
            "not_evaluable": " ".join(sorted(self.left_out)),
        }
        info = ET.SubElement(self.root, "data-type:custom_info")
        for name, text in said.items():
            ET.SubElement(info, name).text = _plain(text)

    def _free_id(self, name: str) -> str:
        """Return the name as an XML id that no other part of the document has."""
        made = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        made = made if re.match(r"[A-Za-z_]", made) else f"_{made}"
        tries = (f"{made}_{number}" for number in range(2, len(self.taken) + 3))
        made = made if made not in self.taken else next(one for one in tries if one not in self.taken)
        self.taken.add(made)
        return made

    def _add_scales(self, nodes: Iterable[GateNode]) -> None:
        used = dict.fromkeys(axis for node in nodes if node.geometry for axis in node.geometry.axes)
        for axis in used:
            scale = self.tree.axes[axis].scale
            if scale.kind == "linear":
                continue  # scale values as they are
            self.scales[axis] = self._free_id(f"scale_{axis}")
            outer = ET.SubElement(self.root, "transforms:transformation", {"transforms:id": self.scales[axis]})
            ET.SubElement(outer, *_scale(scale))

    def _add_matrix(self) -> None:
        spill = self.tree.compensation
        if spill is None:
            return
        matrix = ET.SubElement(self.root, "transforms:spectrumMatrix", {"transforms:id": _MATRIX})
        for part in ("fluorochromes", "detectors"):  # named alike: gates speak of channels
            listed = ET.SubElement(matrix, f"transforms:{part}")
            for channel in spill.channels:
                ET.SubElement(listed, "data-type:fcs-dimension", {"data-type:name": _plain(channel)})
        for row in spill.matrix:
            spectrum = ET.SubElement(matrix, "transforms:spectrum")
            for value in row:
                ET.SubElement(spectrum, "transforms:coefficient", {"transforms:value": _number(value)})

    def _add_gate(self, node: GateNode, geometry: Geometry) -> None:
        made, parent = self.ids[node.name], self.ids[node.parent]
        outside = not getattr(geometry, "inside", True)
        name = self._free_id(f"{made}.inside") if outside else made
        match geometry:
            case Boolean() if not geometry.of:
                self._of_nothing(name, parent, geometry)
            case Boolean():
                of = [self.ids[each] for each in geometry.of]
                if parent in of:
                    self._combine_with_parent(name, parent, geometry.operation, of)
                else:
                    self._combine(name, parent, geometry.operation, of)
            case Spans() if len(geometry.spans) > 1:
                parts = [self._free_id(f"{name}.{number}") for number in range(1, len(geometry.spans) + 1)]
                for part, span in zip(parts, geometry.spans, strict=True):
                    self._box(part, parent, [(geometry.axis, *span)])
                self._combine(name, parent, "any", parts)
            case Polygon():
                self._polygon(name, parent, geometry)
            case Ellipse():
                self._ellipse(name, parent, geometry)
            case Interval() | Spans() | Rectangle() | QuadrantPart():
                self._box(name, parent, _sides(geometry))
        if outside:
            self._combine(made, parent, "none", [name])

    def _gate(self, kind: str, name: str, parent: str) -> ET.Element:
        of = {"gating:parent_id": parent} if parent else {}
        return ET.SubElement(self.root, f"gating:{kind}", {"gating:id": name, **of})

    def _dimension(self, gate: ET.Element, axis: str, low: Bound = None, high: Bound = None) -> None:
        meant = self.tree.axes[axis]
        said = {"gating:min": low, "gating:max": high}
        attributes = {"gating:compensation-ref": _MATRIX if self._is_mixed(axis) else "uncompensated"}
        if axis in self.scales:
            attributes["gating:transformation-ref"] = self.scales[axis]
        attributes |= {name: _number(value) for name, value in said.items() if value is not None}
        dimension = ET.SubElement(gate, "gating:dimension", attributes)
        ET.SubElement(dimension, "data-type:fcs-dimension", {"data-type:name": _plain(meant.pnn)})

    def _is_mixed(self, axis: str) -> bool:
        """Whether a value of the axis is what the matrix gives: a channel that is not in it stays as it was."""
        meant, spill = self.tree.axes[axis], self.tree.compensation
        return meant.compensated and spill is not None and meant.pnn in spill.channels

    def _box(self, name: str, parent: str, sides: Sides) -> None:
        gate = self._gate("RectangleGate", name, parent)
        bounded = [side for side in sides if side[1:] != (None, None)]
        for axis, low, high in bounded or [(sides[0][0], float(_LOWEST), None)]:
            self._dimension(gate, axis, low, high)

    def _polygon(self, name: str, parent: str, geometry: Polygon) -> None:
        gate = self._gate("PolygonGate", name, parent)
        for axis in geometry.axes:
            self._dimension(gate, axis)
        for corner in geometry.vertices:
            _coordinates(ET.SubElement(gate, "gating:vertex"), "coordinate", corner)

    def _ellipse(self, name: str, parent: str, geometry: Ellipse) -> None:
        gate = self._gate("EllipsoidGate", name, parent)
        for axis in geometry.axes:
            self._dimension(gate, axis)
        _coordinates(ET.SubElement(gate, "gating:mean"), "coordinate", geometry.mean)
        matrix = ET.SubElement(gate, "gating:covarianceMatrix")
        for row in geometry.covariance:
            _coordinates(ET.SubElement(matrix, "gating:row"), "entry", row)
        ET.SubElement(gate, "gating:distanceSquare", {"data-type:value": _number(geometry.distance_squared)})

    def _of_nothing(self, name: str, parent: str, geometry: Boolean) -> None:
        """Add a gate that keeps the whole parent, as methods do that find nothing to remove, or none of it.

        A Boolean gate has operands in Gating-ML: an axis without a scale stands in, open on both sides or closed.
        """
        plain = sorted(
            self.tree.axes, key=lambda axis: (self._is_mixed(axis), self.tree.axes[axis].scale.kind != "linear")
        )
        self._box(name, parent, [(plain[0], 0.0, 0.0) if geometry.operation == "any" else (plain[0], None, None)])

    def _combine(self, name: str, parent: str, operation: str, of: Sequence[str]) -> None:
        """Add a Boolean gate: "and" and "or" take two operands at least, "not" exactly one."""
        if operation == "none" and len(of) == 1:
            self._boolean(name, parent, "not", [(of[0], False)])
        else:
            named = list(of) if len(of) > 1 else [*of, *of]
            how = "or" if operation == "any" else "and"
            self._boolean(name, parent, how, [(each, operation == "none") for each in named])

    def _combine_with_parent(self, name: str, parent: str, operation: str, of: Sequence[str]) -> None:
        """Add a Boolean gate that names its own parent: as an "and" below the root, the same events.

        FlowKit 1.3.2 loses the place of a gate that has one population for its parent and among its operands.
        """
        others = [
            (each, operation == "none") for each in of if operation != "any" and (each, operation) != (parent, "all")
        ]
        self._boolean(name, "", "and", [(parent, False), *(others or [(parent, False)])])

    def _boolean(self, name: str, parent: str, how: str, operands: Sequence[tuple[str, bool]]) -> None:
        outer = ET.SubElement(self._gate("BooleanGate", name, parent), f"gating:{how}")
        for each, complement in operands:
            turned = {"gating:use-as-complement": "true"} if complement else {}
            ET.SubElement(outer, "gating:gateReference", {"gating:ref": each, **turned})


def _sides(geometry: Interval | Spans | Rectangle | QuadrantPart) -> Sides:
    """Return the straight edges by axis; an upper edge that belongs to the gate moves up by the last bit."""
    sides = axis_bounds(geometry)
    if getattr(geometry, "closed", False):
        return [(axis, low, None if high is None else math.nextafter(high, math.inf)) for axis, low, high in sides]
    return sides


def _scale(scale: Scale) -> tuple[str, dict[str, str]]:
    said = {"T": scale.top, "M": scale.decades, "A": scale.negative_decades}
    if scale.kind == "logicle":
        said["W"] = scale.width_decades
    name = "transforms:logicle" if scale.kind == "logicle" else "transforms:fasinh"
    return name, {f"transforms:{key}": _number(value) for key, value in said.items()}


def _coordinates(outer: ET.Element, kind: str, values: Iterable[float]) -> None:
    for value in values:
        ET.SubElement(outer, f"gating:{kind}", {"data-type:value": _number(value)})


def _number(value: float) -> str:
    """Return a number that reads back as the same, in the words of XML Schema where it is not finite."""
    return repr(float(value)) if math.isfinite(value) else "-INF" if value < 0 else "INF"


def _plain(text: str) -> str:
    """Return text without the characters that no XML document may hold."""
    return _NOT_IN_XML.sub(" ", text)


EXPORTER = Exporter(
    filename="gates.gatingml.xml",
    summary="the boundaries of the tube as Gating-ML 2.0, for other programs",
    render=render,
    a_tube=True,
)
