"""One tube: its ladder, a plot of any of its populations, and what a moved boundary would give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stromagate.errors import StromagateError, UsageError
from stromagate.model.detection import CountState
from stromagate.model.edits import GateEdit, SampleEdits
from stromagate.model.gates import Boolean, Ellipse, GateNode, Geometry, Rectangle, Spans
from stromagate.model.result import SampleResult
from stromagate.pipeline.review import drafts
from stromagate.pipeline.review.preview import Estimate, PopulationPreview
from stromagate.pipeline.review.signoff import NOTE, ROLES
from stromagate.report.lookup import label, notices, role, walk
from stromagate.report.wording import NONE, count_text, number_text
from stromagate.web.plain import plain_geometry, read_geometry
from stromagate.web.review import Review

Json = dict[str, Any]
_GRID = 160
_AREA = "SSC-A"
_MUCH = 0.01


def sample(review: Review, called: str) -> Json:
    """Return everything of a tube's page but its plot."""
    result = review.seen.result(called)
    edits = review.edits_of(result.sample_id)
    at_hand, message = _at_hand(review, result)
    kept = drafts.kept(review.store.journal.home, result.sample_id, review.reader, result.fitted_tree_sha256)
    gates = list(_gates(review, result, edits))
    return {
        "ok": True,
        "tube": called,
        "next": _next(review, called),
        "about": _about(review, result),
        "revision": review.store.revision(),
        "first": next((gate["name"] for gate in gates if gate["movable"]), gates[0]["name"] if gates else ""),
        "gates": gates,
        "axes": sorted(result.tree.axes),
        "controls": [{"role": use.role, "text": role({"role": use.role}).text} for use in _controls(result)],
        "counts": [_as_counted(result, name) for name in _asked(result)],
        "findings": [
            {"status": each.status, "code": each.code, "sentence": each.sentence, "remedy": each.remedy}
            for each in result.findings
            if each.status in {"warn", "fail"}
        ],
        "edits": [_edit(result, edit) for edit in (edits.edits if edits else ())],
        "drafts": {name: plain_geometry(geometry) for name, geometry in kept.items()},
        "signature": _signature(review, result),
        "roles": list(ROLES),
        "note": NOTE,
        "file": {"at_hand": at_hand, "message": message},
    }


def _next(review: Review, called: str) -> str:
    """Return what the pages call the stained tube after this one; empty behind the last."""
    seen = review.seen
    stained = [each for each, name in seen.aliases.items() if not role(seen.results[name].labels).is_control]
    later = stained[stained.index(called) + 1 :] if called in stained else []
    return later[0] if later else ""


def view(review: Review, called: str, asked: Mapping[str, str], body: Mapping[str, Any]) -> Json:
    """Return the plot of a gate's parent on two axes, or on one, and what is laid over it."""
    result = review.seen.result(called)
    node = _node(result, asked.get("gate", ""))
    x, y = asked.get("x", ""), asked.get("y") or None
    at_hand, _ = _at_hand(review, result)
    if not at_hand:
        return _kept_view(result, node, x, y)
    edits = _standing(review, result, body)
    x_range, y_range = _range(asked, "x"), _range(asked, "y") if y else None
    population, control = asked.get("population") or None, asked.get("control") or None
    tube = review.shelf.tube(result)
    made = tube.view(
        node.parent, x, y, edits=edits, x_range=x_range, y_range=y_range, grid=_GRID, population=population
    )
    over, said = made.over, ""
    if over is not None and population:
        said = f"Violet: {label(result, population)}, {count_text(over.n_shown)} events on this plot. "
    if control:
        found = tube.control_view(control, node.parent, x, y, edits=edits, x_range=x_range, y_range=y_range, grid=_GRID)
        over = found.plot
        said = f"Violet: {role({'role': control}).text}, {count_text(over.n_shown)} events on the same boundaries. "
    return {
        "ok": True,
        "view": made.plot.model_dump(mode="json"),
        "over": None if over is None else over.model_dump(mode="json"),
        "legend": said + _legend(result, node, made.plot.n_shown, made.plot.n_parent),
    }


def preview(review: Review, called: str, asked: Mapping[str, Any]) -> Json:
    """Return what the boundaries give as they stand, moved ones among them. Nothing is kept."""
    result = review.seen.result(called)
    node = _node(result, str(asked.get("population", "")))
    edits = dict(_standing(review, result, asked))
    tube = review.shelf.tube(result)
    geometry = edits.pop(node.name, None)
    found = tube.preview(edits, node.name, geometry)
    told = {each.population: each for each in found.populations}
    everything = found.counts
    asked_for = [name for name in (node.name, *_asked(result)) if name in told]
    rows = [_row(result, told[name]) for name in dict.fromkeys((*asked_for, *told))]
    for row in rows[len(dict.fromkeys(asked_for)) :]:
        row["minor"] = not _much(told[row["name"]])
    rows += [_unmoved(result, name, everything.get(name)) for name in _asked(result) if name not in told]
    return {
        "ok": True,
        "ms": found.milliseconds,
        "note": found.note,
        "counts": rows,
        "ladder": {name: count_text(n) for name, n in everything.items()},
    }


def _much(each: PopulationPreview) -> bool:
    """Say whether a population below the moved gate changes by a hundredth or more: such are told first."""
    before, after = each.of_run or 0, each.after.value or 0
    return abs(after - before) >= _MUCH * max(before, 1)


def _standing(review: Review, result: SampleResult, asked: Mapping[str, Any]) -> dict[str, Geometry]:
    """Return the boundaries that lie elsewhere than fitted: what is saved, and over it what the page has moved."""
    saved = review.edits_of(result.sample_id)
    found: dict[str, Geometry] = {edit.population: edit.geometry for edit in saved.edits} if saved else {}
    plain = asked.get("edits")
    for name, each in (plain if isinstance(plain, dict) else {}).items():
        geometry = read_geometry(each)
        if geometry is None:
            found.pop(str(name), None)
        else:
            found[str(name)] = geometry
    return found


def _at_hand(review: Review, result: SampleResult) -> tuple[bool, str]:
    """Return whether the tube's file can be opened, and what to do where it cannot."""
    try:
        review.files.found(result.source.sha256 or "", result.source.path, result.sample_id, result.source.n_bytes)
    except StromagateError as error:
        return False, f"Boundaries can be looked at and not moved: {review.unnamed(error.message)}. {error.hint or ''}"
    return True, ""


def _about(review: Review, result: SampleResult) -> str:
    said = [f"{count_text(result.n_events)} events", role(result.labels).text]
    if not review.blind:
        said += [result.labels[name] for name in ("patient_id", "batch") if result.labels.get(name)]
        said += [head for head, _ in notices(result)[:2]]
    return " · ".join(said)


def _gates(review: Review, result: SampleResult, edits: SampleEdits | None) -> Iterator[Json]:
    fitted = review.store.fitted(result.sample_id).boundaries
    moved = {edit.population: edit.geometry for edit in edits.edits} if edits else {}
    plots = {each.population: (each.x.axis, each.y.axis if each.y else "") for each in result.views}
    for node, depth in walk(result):
        geometry = moved.get(node.name, fitted.get(node.name))
        yield {
            "name": node.name,
            "label": label(result, node.name),
            "parent": node.parent,
            "depth": depth,
            "state": node.state,
            "sentence": node.sentence,
            "geometry": plain_geometry(geometry),
            "fitted": plain_geometry(fitted.get(node.name)),
            "edited": node.name in moved,
            "movable": _movable(geometry),
            "plot": plots.get(node.name) or _plot(node, geometry, result),
            "count_text": count_text(result.count(node.name)),
        }


def _movable(geometry: Geometry | None) -> bool:
    if geometry is None or isinstance(geometry, Boolean | Spans):
        return False
    return not (isinstance(geometry, Rectangle | Ellipse) and len(geometry.axes) != 2)


def _plot(node: GateNode, geometry: Geometry | None, result: SampleResult) -> tuple[str, str]:
    axes = [*(geometry.axes if geometry else ()), *(name for name in (_AREA, "FSC-A") if name in result.tree.axes)]
    axes = list(dict.fromkeys(axes)) or list(result.tree.axes)
    return axes[0], axes[1] if len(axes) > 1 else ""


def _controls(result: SampleResult) -> list[Any]:
    found = {use.role: use for use in reversed(result.controls) if not use.unused}
    return list(found.values())


def _node(result: SampleResult, name: str) -> GateNode:
    for node in result.tree.nodes:
        if node.name == name:
            return node
    raise UsageError("review.gate", f"this tube has no gate “{name}”", hint="choose one of the ladder")


def _range(asked: Mapping[str, str], side: str) -> tuple[float, float] | None:
    texts = asked.get(f"{side}0", ""), asked.get(f"{side}1", "")
    if not all(texts):
        return None
    try:
        return float(texts[0]), float(texts[1])
    except ValueError as cause:
        raise UsageError("review.range", f"{' to '.join(texts)} is no part of an axis", hint="two numbers") from cause


def _kept_view(result: SampleResult, node: GateNode, x: str, y: str | None) -> Json:
    """Return the plot that the result keeps: all that there is where the file is not at hand."""
    kept = next((each for each in result.views if each.population == node.name), None)
    if kept is None or (kept.x.axis, kept.y.axis if kept.y else None) != (x, y):
        raise UsageError(
            "review.no_view",
            "this plot is not in the result, and the tube's file is not at hand",
            hint="go back to the gate's own axes, or name the folder of the files: --files FOLDER",
        )
    plain = kept.model_dump(mode="json", exclude={"controls"})
    return {"ok": True, "view": plain, "over": None, "legend": _legend(result, node, kept.n_shown, kept.n_parent)}


def _legend(result: SampleResult, node: GateNode, n_shown: int, n: int) -> str:
    shown = "" if n_shown == n else f", {count_text(n_shown)} of them on this plot"
    of = label(result, node.parent)
    head = f"{of[0].upper()}{of[1:]}: {count_text(n)} events{shown}."
    if isinstance(node.geometry, Boolean):  # nothing is drawn, and nothing can be dragged
        parts = ", ".join(f"“{label(result, name)}”" for name in node.geometry.of)
        return f"{head} It has no boundary of its own: move those of {parts}, which it is put together from."
    return f"{head} Orange: the gate; grey and dashed: as fitted."


def _asked(result: SampleResult) -> list[str]:
    return list(dict.fromkeys(result.indices.values()))


def _row(result: SampleResult, each: PopulationPreview) -> Json:
    rate = next((rate for rate in each.rates if rate.statistic == "per_million"), None)
    return {
        "name": each.population,
        "label": each.label,
        "before_text": count_text(each.of_run),
        "count_text": _estimate(each.after, whole=True),
        "rate_text": _estimate(rate.after) if rate else NONE,
        "rate_of": f"per million {label(result, rate.denominator)}" if rate else "",
        "state": each.state,
        "changed": each.after.value != each.of_run,
        "minor": False,
    }


def _unmoved(result: SampleResult, name: str, count: int | None) -> Json:
    row = _as_counted(result, name)
    return row | {"count_text": count_text(count), "changed": count != result.count(name)}


def _as_counted(result: SampleResult, name: str) -> Json:
    found = next((r for r in result.statistics if (r.population, r.statistic) == (name, "per_million")), None)
    state: CountState | str = next(
        (r.state for r in result.statistics if (r.population, r.statistic) == (name, "count")), ""
    )
    return {
        "name": name,
        "label": label(result, name),
        "before_text": count_text(result.count(name)),
        "count_text": count_text(result.count(name)),
        "rate_text": number_text(found.value) if found else NONE,
        "rate_of": f"per million {label(result, found.denominator)}" if found else "",
        "state": state,
        "changed": False,
        "minor": False,
    }


def _estimate(each: Estimate, *, whole: bool = False) -> str:
    if each.value is None:
        return NONE
    head = count_text(each.value) if whole else number_text(each.value)
    if each.low is None or each.high is None:
        return head
    return f"{head} ({number_text(each.low)}–{number_text(each.high)})"


def _edit(result: SampleResult, edit: GateEdit) -> Json:
    made = {each.population: each.geometry for each in result.edits}
    return {
        "population": edit.population,
        "label": label(result, edit.population),
        "who": edit.who,
        "when": edit.when,
        "why": edit.why,
        "pending": made.get(edit.population) != edit.geometry,
    }


def _signature(review: Review, result: SampleResult) -> Json:
    state = review.signoff.state(result.sample_id)
    return {
        "signed": state.status != "unsigned",
        "status": state.status,
        "signatures": [each.model_dump(mode="json", exclude={"sample_id"}) for each in state.signatures],
        "differs": list(state.differs),
        "pending": state.pending,
        "result_sha256": state.result_sha256,
    }
