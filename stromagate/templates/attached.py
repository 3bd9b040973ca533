"""Files that a gate names beside its template: read at loading, so that what is in them is part of the template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from pydantic import BaseModel

from stromagate.errors import nearest
from stromagate.model.scales import Scale
from stromagate.model.template import GateParams, GateStep, GatingTemplate, ScaleSpec
from stromagate.templates.aliases import SCATTER_AND_TIME
from stromagate.templates.faults import Fault, Place, dotted
from stromagate.templates.json_tree import read_json
from stromagate.templates.shape import checked

MAX_BYTES = 4_000_000


def with_attached(
    own: dict[str, Any], model: type[GateParams], folder: Path | None, place: Place
) -> tuple[dict[str, Any], list[Fault]]:
    """Put what is in the files that a gate names into its parameters.

    Parameters
    ----------
    own : dict
        The gate's parameters as they are written. What a file would hold may stand there itself, as in a template that
        was written out whole; the file is not read then.
    model : type of GateParams
        Parameter model of its method.
    folder : path, optional
        Where the files lie; without one nothing is read.
    place : place
        Where the gate stands in the template.

    Returns
    -------
    dict, list of Fault
        The parameters, and for each file that cannot be used one fault.
    """
    faults: list[Fault] = []
    for field, holder in model.attached.items():
        name = own.get(field)
        if folder is None or not isinstance(name, str) or own.get(holder) is not None:
            continue
        try:
            value, problem = _read(folder, name, _document(model, holder))
        except RecursionError:
            value, problem = None, ("it is nested too deep", None)
        if problem is not None:
            faults.append(Fault((*place, field), f"the file {name} cannot be used: {problem[0]}", problem[1]))
        own = {**own, holder: value}
    return own, faults


def made_for_faults(template: GatingTemplate, gates: Mapping[int, tuple[GateStep, ...]]) -> list[Fault]:
    """Return where a boundary from elsewhere would not mean in this template what it meant where it was made."""
    return [
        fault
        for index, steps in gates.items()
        for depth, step in enumerate(steps)
        for fault in _misplaced(template, index, step, ("populations", index, "gate", *["otherwise"] * depth))
    ]


def _misplaced(template: GatingTemplate, index: int, step: GateStep, place: Place) -> Iterator[Fault]:
    needs = step.params.made_for()
    if needs is None:
        return
    parent = template.populations[index].parent
    if parent != needs.parent:
        message = f"this gate was made among the events of '{needs.parent}', and stands below '{parent}'"
        yield Fault(place, message, f"write `parent: {needs.parent}`")
    if template.gain != needs.gain:
        yield Fault(place, f"this gate was made with `gain: {needs.gain}`", f"write `gain: {needs.gain}`")
    for axis, scale in needs.scales.items():
        if not _is(_spec(template, axis), scale):
            message = f"this gate needs a scale of {axis} that is the same for every tube, the one it was made on"
            yield Fault(place, message, f"write under `scales`: `{axis}: {written(scale)}`")


def written(scale: Scale) -> str:
    """Return a scale as a template states it, in one line of YAML."""
    if scale.kind == "linear":
        return "{transform: linear}"
    numbers = f"top: {scale.top:.15g}, decades: {scale.decades:.15g}"
    width = f", width: {scale.width_decades:.15g}" if scale.kind == "logicle" else ""
    negative = f", negative_decades: {scale.negative_decades:.15g}" if scale.negative_decades else ""
    return f"{{transform: {scale.kind}, {numbers}{width}{negative}}}"


def _spec(template: GatingTemplate, axis: str) -> ScaleSpec:
    """Return what the template says of an axis' scale, as ``prepare`` reads it."""
    plain = ScaleSpec(transform="linear") if axis in SCATTER_AND_TIME else template.scales.get("default", ScaleSpec())
    return template.scales.get(axis, plain)


def _is(spec: ScaleSpec, scale: Scale) -> bool:
    """Say whether a spec gives this scale on every tube."""
    if spec.transform != scale.kind:
        return False
    if scale.kind == "linear":  # its top moves plot limits only
        return True
    same = (spec.top, spec.decades, spec.negative_decades) == (scale.top, scale.decades, scale.negative_decades)
    return same and (scale.kind == "asinh" or spec.width == scale.width_decades)


def _document(model: type[GateParams], holder: str) -> type[BaseModel]:
    """Return the model of what a file holds."""
    declared = model.model_fields[holder].annotation
    kinds = [kind for kind in (declared, *get_args(declared)) if isinstance(kind, type)]
    return next(kind for kind in kinds if issubclass(kind, BaseModel))


_Problem = tuple[str, str | None]


def _read(folder: Path, name: str, kind: type[BaseModel]) -> tuple[Any, _Problem | None]:
    """Return a file's document as plain values, or why it cannot be used and what to do."""
    pure = PurePosixPath(name)
    if not name or pure.is_absolute() or ".." in pure.parts or "\\" in name or "\0" in name:
        return None, ("it does not lie beside the template", "put it into the template's folder, or one below")
    path = folder / pure
    try:
        if not path.is_file():
            close = nearest(name, [each.name for each in sorted(folder.glob("*.json"))])
            hint = f"did you mean '{close}'?" if close else "put it beside the template, and name it as seen from there"
            return None, ("there is no such file", hint)
        with path.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as cause:
        said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        return None, (f"it cannot be read: {said}", None)
    if len(data) > MAX_BYTES:
        return None, (f"it has more than {MAX_BYTES:,} bytes", None)
    value, faults = read_json(data)
    if faults:
        line = f" (line {faults[0].line})" if faults[0].line is not None else ""
        return None, (f"{faults[0].message}{line}", faults[0].hint)
    return value, _wrong(value, kind)


def _wrong(value: Any, kind: type[BaseModel]) -> _Problem | None:
    """Return the first thing that is wrong in a document, and how many there are."""
    wanted = kind.model_fields["format"].default
    if not isinstance(value, dict) or value.get("format") != wanted:
        return f"it is no document of the format {wanted}", "name the file that stromagate train wrote"
    document, faults = checked(kind, value)
    if document is not None:
        return None
    more = f" ({len(faults)} faults in all)" if len(faults) > 1 else ""
    place = f"{dotted(faults[0].place)}: " if faults[0].place else ""
    return f"{place}{faults[0].message}{more}", "make it again with stromagate train"
