"""The document of edits: read with all its faults at once, checked against a run, bound to results."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from stromagate.errors import DocumentError, InputError, Problem, SpecificationError, did_you_mean, nearest
from stromagate.gating.geometry import check
from stromagate.gating.method import Outside
from stromagate.model.config import RunConfig
from stromagate.model.edits import GateEdits, MadeOn, SampleEdits
from stromagate.model.gates import Boolean, Ellipse, Interval, Polygon, QuadrantPart, Rectangle, Spans
from stromagate.model.result import SampleResult
from stromagate.pipeline.environment import environment
from stromagate.templates import LoadedTemplate
from stromagate.templates.faults import Fault, Place, dotted, problems
from stromagate.templates.json_tree import read_json
from stromagate.templates.shape import checked
from stromagate.templates.yaml_tree import read_tree

MAX_BYTES = 50_000_000
_KEYS = {
    shape.__dataclass_fields__["kind"].default: tuple(field.name for field in dataclasses.fields(shape))
    for shape in (Interval, Spans, Rectangle, Polygon, Ellipse, QuadrantPart, Boolean)
}


def read_edits(path: str | Path) -> GateEdits:
    """Read a document of edits.

    Parameters
    ----------
    path : path
        ``.yaml`` or ``.yml`` as YAML, read as templates are; anything else as JSON.

    Raises
    ------
    InputError
        It is not there or cannot be read.
    DocumentError
        Everything that is wrong in it, with its place.
    """
    path = Path(path)
    value, lines = _value(path)
    faults = [fault for place, geometry in _geometries(value) for fault in _unknown_keys(place, geometry)]
    named = {fault.place for fault in faults}
    document, shape_faults = checked(GateEdits, value)
    # What pydantic says of the same key once more is noise.
    faults += [fault for fault in shape_faults if fault.place not in named]
    if document is not None:
        faults += _twice(document) + list(_impossible(document))
    if faults or document is None:
        found = [Problem(None, dotted(fault.place), fault.message, fault.hint) for fault in faults]
        raise DocumentError("edits.invalid", str(path), problems(faults, lines) if lines else found)
    return document


def edits_of(config: RunConfig, sample_id: str) -> SampleEdits | None:
    """Return the edits of one tube; None where the run has none for it.

    Raises
    ------
    InputError, DocumentError
        As `read_edits`.
    """
    if config.edits is None:
        return None
    return next((item for item in read_edits(config.edits).samples if item.sample_id == sample_id), None)


def check_edits(config: RunConfig, sample_ids: Sequence[str], loaded: LoadedTemplate) -> dict[str, SampleEdits]:
    """Return a run's edits by tube; refuse a document that does not go with its tubes and its template.

    Raises
    ------
    InputError
        It cannot be read.
    DocumentError
        Tubes that are not in the run, populations that are not in the template: all at once.
    """
    if config.edits is None:
        return {}
    document = read_edits(config.edits)
    populations = [spec.name for spec in loaded.template.populations]
    faults: list[Problem] = []
    for i, sample in enumerate(document.samples):
        if sample.sample_id not in sample_ids:
            close = nearest(sample.sample_id, sample_ids)
            hint = f"did you mean '{close}'?" if close else "tubes are named as in the run's index.html"
            faults.append(
                Problem(None, f"samples[{i}].sample_id", f"no tube of this run is called '{sample.sample_id}'", hint)
            )
        for j, edit in enumerate(sample.edits):
            if edit.population not in populations:
                faults.append(
                    Problem(
                        None,
                        f"samples[{i}].edits[{j}].population",
                        f"the template has no population '{edit.population}'",
                        did_you_mean(edit.population, populations),
                    )
                )
    if faults:
        raise DocumentError("edits.run", config.edits, faults)
    return {sample.sample_id: sample for sample in document.samples}


def made_on(result: SampleResult) -> MadeOn:
    """Return what the fitted tree of a result was made from, to keep beside edits of it.

    Raises
    ------
    SpecificationError
        The result does not know its file's content.
    """
    if not result.source.sha256:
        raise SpecificationError("edits.result", "the result does not say which file it is of", where=result.sample_id)
    return MadeOn(
        file_sha256=result.source.sha256,
        template_sha256=result.template.sha256,
        stromagate=result.record.stromagate,
        libraries=result.record.libraries,
        config=result.record.config,
        controls=tuple(sorted(control.sha256 for control in result.controls if not control.unused)),
    )


def making(sha256: str, loaded: LoadedTemplate, config: RunConfig, outside: Outside | None) -> MadeOn:
    """Return what a tree that is being fitted is made from; ``config`` as results keep it."""
    here = environment()
    return MadeOn(
        file_sha256=sha256,
        template_sha256=loaded.sha256,
        stromagate=here["stromagate"],
        libraries=here["libraries"],
        config=config,
        controls=tuple(sorted(control.sha256 for control in outside.controls)) if outside else (),
    )


def _value(path: Path) -> tuple[Any, dict[Place, int]]:
    """Return the document as plain values, and the lines of its places (none for JSON)."""
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as cause:
        said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise InputError(
            "edits.unreadable", f"the edits cannot be read: {said}", where=str(path), hint="--edits FILE.json"
        ) from cause
    if path.suffix.casefold() in {".yaml", ".yml"}:
        tree = read_tree(data)
        if tree.faults or not tree.readable:
            raise DocumentError("edits.invalid", str(path), problems(tree.faults, tree.lines))
        return tree.value, tree.lines
    return _json(path, data), {}


def _json(path: Path, data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise SpecificationError("edits.size", f"the file has more than {MAX_BYTES:,} bytes", where=str(path))
    value, faults = read_json(data)
    if faults:
        raise DocumentError("edits.invalid", str(path), faults)
    return value


def _geometries(value: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield every geometry that can be found in a document, whatever else is wrong with it."""
    samples = value.get("samples") if isinstance(value, dict) else None
    for i, sample in enumerate(samples if isinstance(samples, list) else []):
        edits = sample.get("edits") if isinstance(sample, dict) else None
        for j, edit in enumerate(edits if isinstance(edits, list) else []):
            geometry = edit.get("geometry") if isinstance(edit, dict) else None
            if isinstance(geometry, dict):
                yield ("samples", i, "edits", j, "geometry"), geometry


def _unknown_keys(place: Place, geometry: dict[str, Any]) -> Iterable[Fault]:
    """Yield keys that a shape does not have: read over, ``closd: true`` would be another gate than was meant."""
    kind = geometry.get("kind")
    allowed = _KEYS.get(kind) if isinstance(kind, str) else None
    for key in geometry:
        if allowed is not None and key not in allowed:
            close = nearest(key, allowed)
            hint = (f"did you mean `{close}`? " if close else "") + f"allowed: {', '.join(allowed)}"
            yield Fault((*place, key), f"the shape {kind} has no key `{key}`", hint)


def _twice(document: GateEdits) -> list[Fault]:
    faults: list[Fault] = []
    tubes: dict[str, int] = {}
    for i, sample in enumerate(document.samples):
        if tubes.setdefault(sample.sample_id, i) != i:
            first = f"samples[{tubes[sample.sample_id]}]"
            faults.append(
                Fault(("samples", i, "sample_id"), f"the tube '{sample.sample_id}' stands already at {first}")
            )
        seen: dict[str, int] = {}
        for j, edit in enumerate(sample.edits):
            if seen.setdefault(edit.population, j) != j:
                place = ("samples", i, "edits", j, "population")
                message = f"'{edit.population}' is edited twice in one tube"
                faults.append(
                    Fault(place, message, f"keep one edit a population; the first is edits[{seen[edit.population]}]")
                )
    return faults


def _impossible(document: GateEdits) -> Iterator[Fault]:
    for i, sample in enumerate(document.samples):
        for j, edit in enumerate(sample.edits):
            try:
                check(edit.geometry)
            except SpecificationError as error:
                yield Fault(("samples", i, "edits", j, "geometry"), error.message, error.hint)
