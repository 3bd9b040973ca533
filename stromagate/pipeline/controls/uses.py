"""What a template's gates ask of controls, and what each control of a tube served for."""

from __future__ import annotations

from collections.abc import Iterable

from stromagate.gating.method import Outside
from stromagate.model.controls import ControlTube
from stromagate.model.gates import GateNode, GateTree
from stromagate.model.result import ControlUse
from stromagate.model.template import ControlNeed, GateStep
from stromagate.templates import LoadedTemplate


def needs_by_gate(loaded: LoadedTemplate) -> dict[str, tuple[ControlNeed, ...]]:
    """Return what each gate of a template wants to know of controls, its fallbacks included.

    Gates that want nothing are left out.
    """
    found = {
        name: tuple(dict.fromkeys(need for step in steps for need in step.params.controls_used()))
        for name, steps in loaded.gates.items()
    }
    return {name: needs for name, needs in found.items() if needs}


def roles_by_gate(loaded: LoadedTemplate) -> dict[str, tuple[str, ...]]:
    """Return the roles of controls that each gate asks for, first choice first."""
    needs = needs_by_gate(loaded)
    return {name: tuple(dict.fromkeys(need.role for need in wanted)) for name, wanted in needs.items()}


def roles_wanted(loaded: LoadedTemplate) -> tuple[str, ...]:
    """Return the roles of controls that a template's gates ask for, in the order of the gates."""
    return tuple(dict.fromkeys(need.role for needs in needs_by_gate(loaded).values() for need in needs))


def control_uses(
    outside: Outside | None, paired: Iterable[ControlUse], tree: GateTree, loaded: LoadedTemplate
) -> tuple[ControlUse, ...]:
    """Return every control that was paired with a tube, and the gates whose boundary was set on it.

    Parameters
    ----------
    outside : Outside or None
        What the gates were given.
    paired : iterable of ControlUse
        How the controls came to the tube, those that were kept from the gates among them; a control that the gates were
        given without it is told by itself.
    tree : GateTree
        The boundaries as they were placed.
    loaded : LoadedTemplate
        The template with its gates.
    """
    used = {node.name: _roles_used(node, loaded.gates.get(node.name, ())) for node in tree.nodes}
    needs = needs_by_gate(loaded)

    def served(control: ControlTube) -> tuple[str, ...]:
        return tuple(
            node.name
            for node in tree.nodes
            if control.role in used[node.name]
            and any(control.distribution(need.population, need.axis) for need in needs.get(node.name, ()))
        )

    uses = {use.sample_id: use for use in paired}
    for control in outside.controls if outside else ():
        use = uses.get(control.sample_id) or _told_by_itself(control)
        seen = {"n_events": control.n_events, "gates": served(control), "n_anchor": _sizes(control)}
        uses[control.sample_id] = use.model_copy(update={**seen, "sha256": control.sha256})
    return tuple(uses.values())


def _told_by_itself(control: ControlTube) -> ControlUse:
    return ControlUse(
        sample_id=control.sample_id,
        role=control.role,
        sha256=control.sha256,
        n_events=control.n_events,
        matched=control.matched,
        mismatched=control.mismatched,
    )


def _roles_used(node: GateNode, steps: Iterable[GateStep]) -> set[str]:
    """Return the roles on which a boundary was set.

    Where a gate falls back on the same method with another role, the boundary's source names the one that was taken.
    """
    if node.geometry is None or node.state == "edited":
        return set()
    taken = [{need.role for need in step.params.controls_used()} for step in steps if step.method == node.method]
    named = [roles for roles in taken if any(role in node.source for role in roles)]
    return next(iter(named or taken), set())


def _sizes(control: ControlTube) -> dict[str, float]:
    """Return how many events the control holds of each population that was asked for, on its fullest axis."""
    sizes: dict[str, float] = {}
    for (population, _), distribution in sorted(control.distributions.items()):
        sizes[population] = max(sizes.get(population, 0.0), distribution.n)
    return sizes
