"""Section 4 of MIFlowCyt 1.0 (doi:10.1002/cyto.a.20623): file, compensation, scales, every gate and its boundary."""

from __future__ import annotations

import math
from collections.abc import Iterator

from stromagate.model.gates import Boolean, Ellipse, GateNode, Polygon, straight_edges
from stromagate.model.result import SampleResult
from stromagate.model.scales import Scale
from stromagate.report.lookup import find, label, reason, role, walk
from stromagate.report.wording import bytes_text, count_text, marked, number_text, percent_text

Row = tuple[str, str, str, str, str, str]
"""Number, title, subject, value, source and where to write it, as an item has them."""

_VERTICES_SAID = 40
_RESULT = "result.json"


def analysis(result: SampleResult) -> Iterator[Row]:
    """Yield the lines of section 4.

    Parameters
    ----------
    result : SampleResult
        Everything known of the tube.
    """
    yield from _list_mode(result)
    yield from _compensation(result)
    yield from _transformation(result)
    for node, _ in walk(result):
        yield from _gate(result, node)


def _list_mode(result: SampleResult) -> Iterator[Row]:
    title, source = "List-mode data file", result.source
    version = result.instrument.get("FCS version", "")
    facts = [
        source.path,
        f"FCS {version.removeprefix('FCS')}" if version else "",
        bytes_text(source.n_bytes),
        f"{count_text(result.n_events)} events",
        f"data set {source.dataset + 1} of {source.n_datasets}" if source.n_datasets > 1 else "",
    ]
    yield "4.1", title, "file", ", ".join(filter(None, facts)), "file", ""
    yield "4.1", title, "SHA-256", source.sha256 or "", "file", "run the tube again"
    labels = {key.casefold(): value.strip() for key, value in result.labels.items()}
    place = labels.get("data_location", "")
    said = "sample sheet, `data_location`" if place else ""
    yield "4.1", title, "where it can be had", place, said, "sample sheet, column `data_location`"


def _compensation(result: SampleResult) -> Iterator[Row]:
    title, used = "Compensation", result.tree.compensation
    if used is None:
        yield "4.2", title, "description", "none was applied", "result", ""
    else:
        how = result.record.conventions.get("compensation", "")
        what = f"spillover matrix from {used.source}, {len(used.channels)} detectors; compensated once, in software"
        yield "4.2", title, "description", what + (f": {how}" if how else ""), "result", ""
        yield "4.2", title, "matrix", _matrix(used.channels, used.matrix), f"{_RESULT}, tree.compensation", ""
    served = [
        f"{role({'role': use.role}).text}: {use.sample_id} ({count_text(use.n_events)} events)"
        for use in result.controls
        if not use.unused
    ]
    where = "sample sheet, column `role`" if result.control_roles else ""
    none = "" if result.control_roles else "the template asks for none"
    yield "4.2", title, "controls that set boundaries", "; ".join(served) or none, "result" if served else "", where


def _matrix(channels: tuple[str, ...], matrix: tuple[tuple[float, ...], ...]) -> str:
    """Return what each fluorochrome spills into other detectors, in percent of its own signal there."""
    spilled = [
        f"{channel} into "
        + ", ".join(
            f"{other} {percent_text(value)}"
            for other, value in zip(channels, row, strict=True)
            if _spills(channel, other, value)
        )
        for channel, row in zip(channels, matrix, strict=True)
        if any(_spills(channel, other, value) for other, value in zip(channels, row, strict=True))
    ]
    return "; ".join(spilled) + " (of the signal in its own detector)" if spilled else "no spillover between detectors"


def _spills(channel: str, other: str, value: float) -> bool:
    return channel != other and value != 0.0


def _transformation(result: SampleResult) -> Iterator[Row]:
    title = "Data transformation"
    if result.tree.axes:
        why = "display and placing of boundaries; medians are of untransformed values"
        yield "4.3", title, "purpose", why, "result", ""
    # In the order of the panel: that of a map would not survive the way to disk and back.
    bound = [each.axis for each in result.panel.bindings if each.axis in result.tree.axes]
    for name in [*bound, *sorted(set(result.tree.axes).difference(bound))]:
        axis = result.tree.axes[name]
        words = f"{_scale(axis.scale)}; {'compensated' if axis.compensated else 'not compensated'}"
        yield "4.3", title, f"{name} ({axis.pnn})" if name != axis.pnn else name, words, "template and file", ""


def _scale(scale: Scale) -> str:
    if scale.kind == "linear":
        return "linear"
    widths = f", W = {number_text(scale.width_decades)}" if scale.kind == "logicle" else ""
    shape = f"T = {number_text(scale.top, 6)}{widths}, M = {number_text(scale.decades)}"
    return f"{scale.kind} of Gating-ML 2.0, {shape}, A = {number_text(scale.negative_decades)}"


def _gate(result: SampleResult, node: GateNode) -> Iterator[Row]:
    name, title = label(result, node.name), "Gating"
    # Who moved a boundary stands in the report and not here: this table is made to be published.
    state = "moved by hand" if node.state == "edited" else node.state.replace("_", " ")
    how, why = f"of {label(result, node.parent)}; method {node.method}, {state}", reason(result, node)
    yield "4.4", title, f"{name}, description", how + (f"; {why}" if why else ""), "template and result", ""
    count, share = find(result, node.name, "count"), find(result, node.name, "fraction", node.parent)
    said = "could not be evaluated"
    if count is not None and count.value is not None:
        said = f"{count_text(count.value)} events"
        if share is not None and share.value is not None:
            said += f", {percent_text(share.value)} of {label(result, node.parent)}"
        said = marked(said, count)
    yield "4.4", title, f"{name}, events", said, "result", ""
    yield "4.4", title, f"{name}, boundary", _boundary(result, node), f"{_RESULT}, tree.nodes", ""


def _boundary(result: SampleResult, node: GateNode) -> str:
    """Return a boundary in numbers: display units, and in brackets the file's own where they are not the same."""
    gate = node.geometry
    if gate is None:
        return "could not be placed"
    if isinstance(gate, Boolean):
        word = {"all": "in all of", "any": "in any of", "none": "in none of"}[gate.operation]
        return f"{word} {', '.join(label(result, name) for name in gate.of)}"
    outside = "" if getattr(gate, "inside", True) else "outside of "
    if isinstance(gate, Polygon):
        corners = [f"({number_text(x, 4)}; {number_text(y, 4)})" for x, y in gate.vertices[:_VERTICES_SAID]]
        more = len(gate.vertices) - len(corners)
        rest = f" and {more} more in {_RESULT}" if more else ""
        return f"{outside}polygon on {' and '.join(gate.axes)} in display units: {', '.join(corners)}{rest}"
    if isinstance(gate, Ellipse):
        centre = "; ".join(number_text(value, 4) for value in gate.mean)
        spread = ", ".join(f"({'; '.join(number_text(value, 4) for value in row)})" for row in gate.covariance)
        edge = number_text(math.sqrt(max(gate.distance_squared, 0.0)), 4)
        return (
            f"{outside}ellipse on {' and '.join(gate.axes)} in display units: centre ({centre}), covariance {spread}, "
            f"Mahalanobis distance {edge}"
        )
    edges = [f"{axis} {side} {_place(result, axis, at)}" for axis, side, at in straight_edges(gate)]
    return outside + (", ".join(edges) if edges else f"no edge on {' and '.join(gate.axes)}")


def _place(result: SampleResult, axis: str, at: float) -> str:
    meant = result.tree.axes.get(axis)
    if meant is None or meant.scale.kind == "linear":
        return number_text(at, 4)
    from stromagate.prepare.scales import inverse

    raw = float(inverse(meant.scale, [at])[0])
    return number_text(at, 4) + (f" ({number_text(raw, 4)} units)" if math.isfinite(raw) else " (beyond the scale)")
