"""Purity evidence: what the gated cells are beside what they were gated by, from the statistics of the tube alone.

Mesenchymal cells should carry CD73, CD90 and CD105 and neither CD31 nor CD14, and scatter as stroma does. Erythroblasts
and blasts carry CD105 too, so that it confirms and never proves (doi:10.3109/10428194.2013.781167).
"""

from __future__ import annotations

from typing import Any

from stromagate.model.gates import ROOT, Boolean, GateNode, Interval, QuadrantPart, Rectangle
from stromagate.model.result import Finding, SampleResult, Statistic
from stromagate.report.lookup import STATE_OK, asked, find, label, role
from stromagate.report.section import Section
from stromagate.report.uncut import share_of
from stromagate.report.wording import NONE, estimate_text

_ABOVE, _BELOW, _BETWEEN = "above", "below", "between"
_FLIPPED = {_ABOVE: _BELOW, _BELOW: _ABOVE}
# Which side of each marker speaks for stroma: the ISCT's markers of culture (doi:10.1080/14653240600855905), of which
# native cells carry CD73, CD90 and CD105 too, and what endothelium and monocytes carry.
_EXPECTED = {"CD73": _ABOVE, "CD90": _ABOVE, "CD105": _ABOVE, "CD31": _BELOW, "CD14": _BELOW}
_SIGN = {_ABOVE: "+", _BELOW: "−"}
_SCATTER = "Q19"


def _build(result: SampleResult) -> dict[str, Any] | None:
    """Leave the section out of control tubes, whose counts are background, and where nothing is asked for."""
    name = next((name for name in asked(result) if name in {node.name for node in result.tree.nodes}), None)
    if name is None or role(result.labels).is_control or find(result, name, "count") is None:
        return None
    rows = [_row(result, name, marker, side) for marker, side in _EXPECTED.items()]
    return {
        "label": label(result, name),
        "rows": [*rows, _scatter(result, name)],
        "confidence": f"{100 * result.record.config.confidence:g} %",
    }


def _row(result: SampleResult, name: str, marker: str, expected: str) -> dict[str, Any]:
    """Return one marker: all by the gate, a share that was counted, or why there is none."""
    row = {"evidence": f"{marker}{_SIGN[expected]}", "share": NONE, "faint": False}
    nodes = {node.name: node for node in result.tree.nodes}
    if marker not in result.panel.axes:
        return row | {"how": "not stained"}
    side = _conditions_of(nodes[name], nodes).get(marker)
    if side is not None:
        words = "all of them, by their gate" if side == expected else f"gated on the {_words(side)} side of {marker}"
        return row | {"how": words}
    for child in result.tree.nodes:
        if child.parent == name and _alone(child, nodes) == (marker, expected):
            share = find(result, child.name, "fraction", name)
            return row | _counted(result, share) | {"how": f"counted as “{label(result, child.name)}”"}
    for child in result.tree.nodes:
        if child.parent == name and _alone(child, nodes) == (marker, _FLIPPED[expected]):
            share = find(result, child.name, "fraction", name)
            other = f"{marker}{_SIGN[_FLIPPED[expected]]}"
            return (
                row | _counted(result, share) | {"evidence": other, "how": f"“{label(result, child.name)}”: the rest"}
            )
    medians = [each for each in result.statistics if each.population == name and each.statistic == "median"]
    median = next((each for each in medians if each.marker == marker), None)
    seen = f"; median {estimate_text(median)}" if median is not None and median.value is not None else ""
    return row | {"how": f"stained, and not counted: the template has no such part of them{seen}"}


def _counted(result: SampleResult, share: Statistic | None) -> dict[str, Any]:
    faint = share is None or share.state != STATE_OK
    return {"share": share_of(result, share), "faint": faint}


def _words(side: str) -> str:
    return {_ABOVE: "positive", _BELOW: "negative"}.get(side, "middle")


def _alone(node: GateNode, nodes: dict[str, GateNode]) -> tuple[str, str] | None:
    """Return marker and side of a gate that looks at one marker and at nothing else."""
    found = _sides(node, nodes)
    return next(iter(found.items())) if len(found) == 1 else None


def _conditions_of(node: GateNode, nodes: dict[str, GateNode]) -> dict[str, str]:
    """Return on which side of which marker every event of a population lies, by its gate and those above it."""
    found: dict[str, str] = {}
    while True:
        found = {**_sides(node, nodes), **found}  # a gate further down is the narrower one
        if node.parent == ROOT or node.parent not in nodes:
            return found
        node = nodes[node.parent]


def _sides(node: GateNode, nodes: dict[str, GateNode]) -> dict[str, str]:
    """Return the sides that one gate keeps; nothing of gates that do not keep a side for certain."""
    match node.geometry:
        case Interval(axis=axis, low=low, high=high):
            return _side(axis, low, high)
        case Rectangle(axes=axes, low=lows, high=highs, inside=True):
            each = [_side(axis, low, high) for axis, low, high in zip(axes, lows, highs, strict=True)]
            return {axis: side for part in each for axis, side in part.items()}
        case QuadrantPart(axes=axes, sides=sides):
            return dict(zip(axes, sides, strict=True))
        case Boolean(operation="all", of=of):
            return {axis: side for name in of if name in nodes for axis, side in _sides(nodes[name], nodes).items()}
        case Boolean(operation="none", of=of):
            single = [_alone(nodes[name], nodes) for name in of if name in nodes]
            return {pair[0]: _FLIPPED[pair[1]] for pair in single if pair is not None and pair[1] in _FLIPPED}
    return {}


def _side(axis: str, low: float | None, high: float | None) -> dict[str, str]:
    if low is None and high is None:
        return {}
    return {axis: _ABOVE if high is None else _BELOW if low is None else _BETWEEN}


def _scatter(result: SampleResult, name: str) -> dict[str, Any]:
    """Return how many scatter as stroma does, as the check of that saw it."""
    row = {"evidence": "scatters like stroma", "share": NONE, "faint": False}
    found: Finding | None = next((each for each in result.findings if each.code == _SCATTER), None)
    if found is None or (found.population and found.population != name):
        return row | {"how": "not checked"}
    if found.measured is None:
        return row | {"how": found.sentence}
    return row | {"share": f"{100 - found.measured:.0f} %", "how": f"{found.sentence} ({found.code})"}


SECTION = Section(
    title="Purity evidence",
    order=58,
    fragment="purity.html.j2",
    build=_build,
    summary="What speaks for these cells being stroma, beside the gates that made them. Where they were gated by a "
    "marker it proves nothing more.",
    wide=True,
)
