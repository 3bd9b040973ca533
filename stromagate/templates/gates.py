"""The gates of a document: each checked against its method's own model, and so is everything it falls back on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stromagate.errors import did_you_mean
from stromagate.model.template import GateParams, GateStep
from stromagate.templates.attached import with_attached
from stromagate.templates.faults import Fault, Place
from stromagate.templates.shape import checked

MAX_STEPS = 5
INHERITED = ("axis", "axes", "keep")
"""What a fallback takes over from the gate it stands in for, where its method knows it and it is silent on it."""

Models = Mapping[str, type[GateParams]]


def checked_gates(
    document: Any, models: Models, folder: Path | None = None
) -> tuple[dict[int, tuple[GateStep, ...]], list[Fault]]:
    """Check every gate that can be found in a document.

    Parameters
    ----------
    document : plain value
        As it was read; any part of it may be of the wrong shape.
    models : mapping of str to type of GateParams
        Parameter model of every gating method.
    folder : path, optional
        Where files lie that gates name; none is read by default.

    Returns
    -------
    dict of int to tuple of GateStep, list of Fault
        The gates without a fault, each with its fallbacks after it, by the population's position; and all faults.
    """
    gates: dict[int, tuple[GateStep, ...]] = {}
    faults: list[Fault] = []
    for index, gate in _found(document):
        steps, wrong = _chain(gate, models, ("populations", index, "gate"), folder)
        faults += wrong
        if not wrong:
            gates[index] = steps
    return gates, faults


def _found(document: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    populations = document.get("populations") if isinstance(document, dict) else None
    for index, population in enumerate(populations if isinstance(populations, list) else []):
        gate = population.get("gate") if isinstance(population, dict) else None
        if isinstance(gate, dict) and isinstance(gate.get("method"), str):
            yield index, gate


def _chain(
    gate: dict[str, Any], models: Models, place: Place, folder: Path | None
) -> tuple[tuple[GateStep, ...], list[Fault]]:
    steps: list[GateStep] = []
    faults: list[Fault] = []
    inherited: dict[str, Any] = {}
    while True:
        step, wrong = _step(gate, models, place, inherited, folder)
        said = {fault.place[-1] for fault in faults}
        faults += [fault for fault in wrong if fault.place[-1] in gate or fault.place[-1] not in said]
        steps += [step] if step else []
        inherited |= {key: gate[key] for key in INHERITED if key in gate}
        below = gate.get("otherwise")
        place = (*place, "otherwise")
        if isinstance(below, str):
            below = {"method": below}
        if not isinstance(below, dict) or not isinstance(below.get("method"), str):  # the document's own model says so
            return tuple(steps), faults
        if place.count("otherwise") >= MAX_STEPS:
            return tuple(steps), [*faults, Fault(place, f"more than {MAX_STEPS - 1} gates to fall back on")]
        gate = below


def _step(
    gate: dict[str, Any], models: Models, place: Place, inherited: Mapping[str, Any], folder: Path | None
) -> tuple[GateStep | None, list[Fault]]:
    method = gate["method"]
    if method not in models:
        hint = did_you_mean(method, models)
        # A bare name after `otherwise` stands at that place itself.
        at = place if set(gate) == {"method"} and place[-1] == "otherwise" else (*place, "method")
        return None, [Fault(at, f"no gating method is named '{method}'", hint)]
    own, missing = with_attached(
        {key: value for key, value in gate.items() if key not in {"method", "otherwise"}}, models[method], folder, place
    )
    if missing:
        return None, missing
    known = models[method].model_fields
    one_axis = {"axis", "axes"} & own.keys()
    taken = {key: value for key, value in inherited.items() if key in known and not (one_axis and key in INHERITED[:2])}
    params, faults = checked(models[method], taken | own, place)
    return (None if params is None else GateStep(method, params)), faults
