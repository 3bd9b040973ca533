"""Every gate as a picture and as a table that says the same."""

from __future__ import annotations

import math
from typing import Any

from stromagate.model.gates import Boolean, Ellipse, GateNode, Geometry, Polygon, straight_edges
from stromagate.model.result import AxisView, DensityView, SampleResult
from stromagate.model.scales import Scale
from stromagate.report.borders import borders, drawable, own_parts, parts_of
from stromagate.report.control_outlines import control_words
from stromagate.report.figures import density_figure
from stromagate.report.folded import folded, folded_title
from stromagate.report.lookup import find, label, reason
from stromagate.report.outlines import is_shadow
from stromagate.report.section import Section
from stromagate.report.uncertainty import moved_edges
from stromagate.report.wording import below_lloq, count_text, number_text, percent_text

_POINTS_SHOWN = 40


def _build(result: SampleResult) -> dict[str, Any] | None:
    nodes = {node.name: node for node in result.tree.nodes}
    cards = [
        _card(result, view, nodes, f"gate-{i}")
        for i, view in enumerate(result.views, start=1)
        if view.population in nodes
    ]
    apart = folded(result)
    return (
        {
            "cards": [card for card in cards if card["population"] not in apart],
            "folded": [card for card in cards if card["population"] in apart],
            "folded_title": folded_title(result) if apart else "",
        }
        if cards
        else None
    )


def _card(result: SampleResult, view: DensityView, nodes: dict[str, GateNode], figure_id: str) -> dict[str, Any]:
    node = nodes[view.population]
    parts = parts_of(node, nodes)
    share, name = find(result, view.population, "fraction", view.parent), label(result, view.population)
    count = find(result, view.population, "count")
    kept = percent_text(share.value if share else None)
    events = count_text(count.value if count else None)
    across = view.x.axis if view.y is None else f"{view.x.axis} vs {view.y.axis}"
    parent = label(result, view.parent)
    alt = f"{across} of {parent}, {count_text(view.n_parent)} events; {name} keeps {events} of them, {kept}."
    controls = [control_words(result, view, control) for control in view.controls]
    alt += "".join(f" Dashed outline: {words}." for words in controls)
    return {
        "population": node.name,
        "made_of": _made_of(result, view, node, nodes),
        "title": across,
        "of": parent,
        "n_parent": count_text(view.n_parent),
        "name": name,
        "share": kept,
        "mark": below_lloq(count),
        "events": events,
        "state": node.state,
        "word": "manually adjusted" if node.state == "edited" else node.state.replace("_", " "),
        "figure": density_figure(
            view,
            figure_id,
            gate=borders(view, node, nodes),
            share=kept if share and share.value is not None else "",
            alt=alt,
        ),
        "facts": _facts(result, view, node, nodes),
        "edges": [edge for part in parts for edge in _edges(result, part.geometry)],
        "points": _points(node.geometry),
        "controls": controls,
        "hidden": view.n_parent - view.n_shown,
    }


def _made_of(result: SampleResult, view: DensityView, node: GateNode, nodes: dict[str, GateNode]) -> str:
    """Return what a combination is made of, and whether the plot has no line of it."""
    if not isinstance(node.geometry, Boolean):
        return ""
    drawn = drawable(view, own_parts(node, nodes))
    return reason(result, node) + ("" if drawn else "; no line of its own lies on these axes")


def _facts(
    result: SampleResult, view: DensityView, node: GateNode, nodes: dict[str, GateNode]
) -> list[tuple[str, str]]:
    parts = parts_of(node, nodes)
    facts = [("Gate", _shape(result, node.geometry)), ("Method", node.method), ("State", node.state.replace("_", " "))]
    facts.append(("Why here", reason(result, node) or "no reason given"))
    if node.source:
        facts.append(("Taken from", node.source))
    if node.edited_by:
        facts.append(("Moved by", node.edited_by))
    if node.name in {old.name for old in result.replaced}:
        facts.append(("Events before the edits", count_text(result.fitted_counts.get(node.name))))
    if isinstance(node.geometry, Boolean):
        facts += _combined(result, view, parts, own_parts(node, nodes))
    else:
        facts.append(("Boundary spread", _spread(node)))
    facts += moved_edges(result, node.name)
    facts.append(("Events shown", _shown(view)))
    facts += [(f"{axis.title} scale", _scale(axis)) for axis in (view.x, view.y) if axis is not None]
    facts.append(("Fullest bin", f"{count_text(view.peak)} events"))
    return facts


def _combined(
    result: SampleResult, view: DensityView, parts: list[GateNode], own: list[GateNode]
) -> list[tuple[str, str]]:
    """Say which boundaries of a combination the plot draws, and which it does not and why."""
    drawn = {part.name for part in drawable(view, own)}
    alone = {part.name for part in own}

    def named(which: list[GateNode]) -> str:
        return ", ".join(f"{label(result, part.name)} ({_spread(part)})" for part in which)

    on = named([part for part in parts if part.name in drawn])
    off = named([part for part in parts if part.name in alone - drawn])
    beside = named([part for part in parts if part.name not in alone])
    facts = [("Boundaries drawn", on or "none of its own lies on these axes")]
    if off:
        facts.append(("On other axes", off))
    return [*facts, ("Not drawn, since other gates decide as well", beside)] if beside else facts


def _spread(node: GateNode) -> str:
    if node.spread is None:
        return "spread not estimated"
    second = "" if node.spread_second is None else f" and {number_text(node.spread_second)} on the second axis"
    return f"{number_text(node.spread)} display units{second}, 1 s.d."


def _shown(view: DensityView) -> str:
    text = f"{count_text(view.n_shown)} of {count_text(view.n_parent)}"
    beyond = view.n_parent - view.n_shown
    return text + (f"; {count_text(beyond)} lie beyond the edges of the plot" if beyond else "")


def _shape(result: SampleResult, gate: Geometry | None) -> str:
    if gate is None:
        return "none: the boundary could not be placed"
    if isinstance(gate, Boolean):
        named = ", ".join(label(result, name) for name in gate.of)
        return {"all": "in all of", "any": "in any of", "none": "in none of"}[gate.operation] + f": {named}"
    text = f"{gate.kind} on {', '.join(gate.axes)}"
    if not getattr(gate, "inside", True):
        text += ", what lies outside is kept"
    return text + ("; the drawing shows its shadow on two axes" if is_shadow(gate) else "")


def _scale(axis: AxisView) -> str:
    scale = axis.scale
    if scale.kind == "linear":
        return "linear"
    parts = [f"top {number_text(scale.top, 6)}", f"{number_text(scale.decades)} decades"]
    if scale.kind == "logicle":
        parts.append(f"{number_text(scale.width_decades)} decades linear")
    return f"{scale.kind}, {', '.join(parts)}"


def _edges(result: SampleResult, gate: Geometry | None) -> list[tuple[str, str, str, str]]:
    """Return straight edges as (axis, side, display units, raw units)."""
    if gate is None:
        return []
    scales = {axis: meant.scale for axis, meant in result.tree.axes.items()}
    return [(axis, side, number_text(at, 4), _raw(scales.get(axis), at)) for axis, side, at in straight_edges(gate)]


def _raw(scale: Scale | None, at: float) -> str:
    if scale is None:
        return "unknown"
    if scale.kind == "linear":
        return number_text(at, 4)
    from stromagate.prepare.scales import inverse

    value = float(inverse(scale, [at])[0])
    return number_text(value, 4) if math.isfinite(value) else "beyond the scale"


def _points(gate: Geometry | None) -> dict[str, Any] | None:
    """Return vertices, or centre and shape, of gates that straight edges do not describe."""
    if isinstance(gate, Polygon):
        rows = [[number_text(value, 4) for value in point] for point in gate.vertices[:_POINTS_SHOWN]]
        left = len(gate.vertices) - len(rows)
        more = f"and {left} more vertices, in result.json" if left else ""
        return {"caption": "Vertices in display units", "columns": list(gate.axes), "rows": rows, "more": more}
    if isinstance(gate, Ellipse):
        rows = [["centre", *(number_text(value, 4) for value in gate.mean)]]
        rows += [
            [f"covariance with {axis}", *(number_text(value, 4) for value in row)]
            for axis, row in zip(gate.axes, gate.covariance, strict=True)
        ]
        more = f"edge at a Mahalanobis distance of {number_text(math.sqrt(max(gate.distance_squared, 0)), 4)}"
        columns = ["", *gate.axes]
        return {"caption": "Ellipse in display units", "columns": columns, "rows": rows, "more": more}
    return None


SECTION = Section(
    title="Gates",
    order=50,
    fragment="gates.html.j2",
    build=_build,
    summary=(
        "Each plot shows the parent population, darker where more events lie (log scale; the bar counts events per "
        "bin), and the gate in red with the share it keeps. A pale band is two standard deviations of an estimated "
        "boundary. A dashed outline is the pooled controls that the gate was set on, on a log scale too. A population "
        "that combines others names them, and shows the boundaries that are its own there. The table below a plot says "
        "the same in numbers."
    ),
    wide=True,
)
