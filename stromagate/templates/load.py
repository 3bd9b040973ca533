"""From a shipped name or a file to a checked template, or to everything that is wrong in it at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import DocumentError
from stromagate.model.template import GateParams, GateSpec, GateStep, GatingTemplate
from stromagate.templates import library
from stromagate.templates.attached import made_for_faults
from stromagate.templates.faults import Place, problems
from stromagate.templates.gates import checked_gates
from stromagate.templates.rules import rule_faults
from stromagate.templates.shape import checked
from stromagate.templates.yaml_tree import read_tree


@dataclass(frozen=True, slots=True)
class LoadedTemplate:
    """A checked template with every default of its methods written in, its gates' parameters, and its identity.

    ``gates`` are each population's gate and, after it, what it falls back on. ``sha256`` is taken of the canonical JSON
    of that template, with the content of the files that its gates name: comments and layout do not change it, and
    whatever can move a boundary does.
    """

    template: GatingTemplate
    gates: Mapping[str, tuple[GateStep, ...]]
    sha256: str
    where: str


def load_template(source: str | Path, method_params: Mapping[str, type[GateParams]]) -> LoadedTemplate:
    """Load and check a template.

    Parameters
    ----------
    source : str or path
        Name of a shipped template, or path of a YAML file.
    method_params : mapping of str to type of GateParams
        Parameter model of every gating method, by the method's name.

    Raises
    ------
    DocumentError
        Everything that is wrong in it, with lines, places and the nearest valid words.
    SpecificationError
        No shipped template has that name.
    InputError
        The file cannot be read.
    """
    shipped = None if library.is_file_path(source) else str(source)
    tree = read_tree(library.data(source))
    faults, template = list(tree.faults), None
    gates: dict[int, tuple[GateStep, ...]] = {}
    if tree.readable:
        template, shape_faults = checked(GatingTemplate, tree.value)
        gates, param_faults = checked_gates(tree.value, method_params, library.path(source).parent)
        named = {fault.place for fault in faults if fault.place}
        faults += [fault for fault in (*shape_faults, *param_faults) if not _inside_any(fault.place, named)]
        faults += rule_faults(tree.value, gates, shipped)
        faults += made_for_faults(template, gates) if template is not None else []
    if faults or template is None:
        raise DocumentError("template.invalid", str(source), problems(faults, tree.lines))
    by_name = {spec.name: gates[index] for index, spec in enumerate(template.populations)}
    complete = _with_defaults(template, by_name)
    return LoadedTemplate(complete, by_name, _digest(complete), str(source))


def _inside_any(place: Place, named: set[Place]) -> bool:
    """Say whether the YAML itself went wrong here, or in an item of a list here: what the models add is noise."""
    lists = {bad[:-1] for bad in named if isinstance(bad[-1], int)}
    return place in lists or any(place[:depth] in named for depth in range(1, len(place) + 1))


def _with_defaults(template: GatingTemplate, gates: Mapping[str, tuple[GateStep, ...]]) -> GatingTemplate:
    """Write every parameter that a gate leaves to its method into the template, so that it can be read there."""
    populations = []
    for population in template.populations:
        gate: GateSpec | None = None
        for step in reversed(gates[population.name]):
            gate = GateSpec(method=step.method, otherwise=gate, **step.params.model_dump(mode="json"))
        populations.append(population.model_copy(update={"gate": gate}))
    return template.model_copy(update={"populations": tuple(populations)})


def _digest(template: GatingTemplate) -> str:
    document = template.model_dump(mode="json")
    for key in (
        "beads",
        "ratios",
        "readouts",
    ):  # templates without them keep the identity they had before there was this key
        if not document[key]:
            del document[key]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
