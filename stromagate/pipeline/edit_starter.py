"""A document of edits to start from: bound to the boundaries of a finished run, with those to be moved in it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stromagate.errors import SpecificationError, UsageError, did_you_mean
from stromagate.gating.wording import listed, number
from stromagate.model.edits import EDITS_FORMAT
from stromagate.model.gates import Boolean, GateNode, Geometry, straight_edges
from stromagate.model.result import AxisView, RunIndex, SampleResult
from stromagate.model.scales import Scale
from stromagate.pipeline.bundle import read_result, read_results, read_run
from stromagate.pipeline.edits import made_on
from stromagate.prepare.scales import inverse

_NAMED_AT_MOST = 12
_EXPONENT = re.compile(r"(?<=\d)e")


@dataclasses.dataclass(frozen=True, slots=True)
class Started:
    """A document as plain values, and the same as YAML with what a person needs to know beside each field."""

    document: dict[str, Any]
    yaml: str


def start_edits(
    folder: Path, sample_id: str | None, populations: Sequence[str], *, when: str, who: str = "", why: str = ""
) -> Started:
    """Write the next document of edits for a run, as far as a program can.

    Edits that the run was made with are in it, so that it takes the place of their document.

    Parameters
    ----------
    folder : path
        A finished run.
    sample_id : str or None
        The tube; may be left out where the run has one.
    populations : sequence of str
        Whose gates are to be moved.
    when : str
        Time of the edit, with its zone.
    who, why : str
        Left to be filled in where empty.

    Raises
    ------
    InputError
        There is no finished run, or a result is damaged.
    UsageError
        Tube or population are not said.
    SpecificationError
        The run has no such tube, or the tube no such population.
    """
    run = read_run(folder)
    result = _result(folder, run, sample_id)
    moved = [_node(result, name) for name in _asked(result, populations)]
    edited = read_results(folder, run) if run.config.edits is not None else [result]
    samples = []
    for each in edited:
        own = moved if each.sample_id == result.sample_id else []
        edits = [_edit(node, when, who, why) for node in own]
        edits += [edit.model_dump(mode="json") for edit in each.edits if edit.population not in {n.name for n in own}]
        if edits:
            samples.append(
                {
                    "sample_id": each.sample_id,
                    "tree_sha256": each.fitted_tree_sha256,
                    "edits": edits,
                    "made_on": made_on(each).model_dump(mode="json"),
                }
            )
    document = {"format": EDITS_FORMAT, "samples": samples}
    return Started(document, "\n".join([*_head(folder), *_lines(document, result, moved)]) + "\n")


def _result(folder: Path, run: RunIndex, sample_id: str | None) -> SampleResult:
    names = [entry.sample_id for entry in run.samples if entry.status != "failed"]
    if sample_id is None:
        if len(names) != 1:
            raise UsageError(
                "edits.tube_asked",
                f"the run has {len(names)} analysed tubes",
                where=str(folder),
                hint=f"say which with --sample: {_some(names)}",
            )
        sample_id = names[0]
    if sample_id not in names:
        raise SpecificationError(
            "edits.no_tube",
            f"the run has no analysed tube '{sample_id}'",
            where=str(folder),
            hint=did_you_mean(sample_id, names),
        )
    return read_result(folder, sample_id)


def _asked(result: SampleResult, populations: Sequence[str]) -> list[str]:
    if not populations:
        names = [node.name for node in result.tree.nodes]
        raise UsageError(
            "edits.population_asked",
            "no gate was named",
            where=result.sample_id,
            hint=f"say which to move with --population: {', '.join(names)}",
        )
    return list(dict.fromkeys(populations))


def _node(result: SampleResult, name: str) -> GateNode:
    if name in result.left_out:
        raise SpecificationError(
            "edits.left_out", f"this tube has no '{name}': {result.left_out[name]}", where=result.sample_id
        )
    names = [node.name for node in result.tree.nodes]
    if name not in names:
        raise SpecificationError(
            "edits.no_population",
            f"the tube has no population '{name}'",
            where=result.sample_id,
            hint=did_you_mean(name, names),
        )
    return result.tree.node(name)


def _edit(node: GateNode, when: str, who: str, why: str) -> dict[str, Any]:
    return {"population": node.name, "geometry": _geometry(node.geometry), "who": who, "when": when, "why": why}


def _geometry(geometry: Geometry | None) -> dict[str, Any]:
    """Return the present boundary; where there is none, an interval that is still to be told its axis."""
    if geometry is None:
        return {"kind": "interval", "axis": "", "low": None, "high": None}
    plain = dataclasses.asdict(geometry)
    return {"kind": plain.pop("kind"), **plain}


def _head(folder: Path) -> Iterator[str]:
    name = folder.resolve().name
    yield f"# Edits of the run {name}. Change `geometry`, fill in `who` and `why`, then give this file to"
    yield "#   stromagate run (as before) --edits THIS_FILE"
    yield "# Bounds are in display units; null leaves a side open. The report shows the edit and the boundary before."


def _lines(document: dict[str, Any], result: SampleResult, moved: Sequence[GateNode]) -> Iterator[str]:
    """Yield the document as YAML: one line a field, what is not for people on a line of its own."""
    yield f"format: {document['format']}"
    yield "samples:"
    notes = {node.name: list(_notes(result, node)) for node in moved}
    for sample in document["samples"]:
        here = notes if sample["sample_id"] == result.sample_id else {}
        yield f"  - sample_id: {_flow(sample['sample_id'])}"
        yield f"    tree_sha256: {_flow(sample['tree_sha256'])}  # of the fitted boundaries; leave as it is"
        yield "    edits:"
        for edit in sample["edits"]:
            yield f"      - population: {_flow(edit['population'])}"
            yield from (f"        # {note}" for note in here.get(edit["population"], []))
            yield from (f"        {key}: {_flow(edit[key])}" for key in ("geometry", "who", "when", "why"))
        yield "    # What the boundaries were fitted from, so that a refusal can name what changed; leave as it is."
        yield f"    made_on: {_flow(sample['made_on'])}"


def _notes(result: SampleResult, node: GateNode) -> Iterator[str]:
    """Yield what a person needs to know to move a boundary: where it lies now, and how display units read."""
    count = result.count(node.name)
    kept = "no count" if count is None else f"{count:,} events"
    yield f"now {kept} (method {node.method}, {node.state.replace('_', ' ')}): {' '.join(node.sentence.split())}"
    axes = {name: meant.scale for name, meant in result.tree.axes.items()}
    if node.geometry is None:
        yield "there is no boundary yet: name the axis and at least one bound"
    elif isinstance(node.geometry, Boolean):
        yield f"it has no boundary of its own: to move one, name {listed(node.geometry.of, 'or')} with --population"
    else:
        for axis, side, at in straight_edges(node.geometry):
            yield f"{axis} {side} {number(at)} stands for the scale value {_raw(axes.get(axis), at)}"
    for side_view in _sides(result, node.name):
        if side_view.scale.kind != "linear" and side_view.ticks:
            ticks = listed((f"{text} at {number(at)}" for at, text in side_view.ticks), "and")
            yield f"display units of {side_view.axis}: {ticks}"


def _sides(result: SampleResult, population: str) -> list[AxisView]:
    view = next((view for view in result.views if view.population == population), None)
    return [] if view is None else [side for side in (view.x, view.y) if side is not None]


def _raw(scale: Scale | None, at: float) -> str:
    return "unknown" if scale is None else number(float(inverse(scale, [at])[0]))


def _flow(value: Any) -> str:
    """Return a value as YAML on one line that every reader takes for the same: text quoted, numbers with a point."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    if isinstance(value, float) and "e" in text and "." not in text:
        return _EXPONENT.sub(".0e", text)
    return text


def _key(key: str) -> str:
    return key if key.isidentifier() and key not in {"y", "n", "yes", "no", "on", "off"} else json.dumps(key)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED_AT_MOST]) + (" ..." if len(names) > _NAMED_AT_MOST else "")
