"""What must hold of a template's read-outs: their populations, their markers, and that a control can show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stromagate.errors import did_you_mean
from stromagate.model.gates import ROOT
from stromagate.templates.faults import Fault, Place


@dataclass(frozen=True, slots=True)
class Panel:
    """What read-outs may lean on.

    ``above`` are the populations above each one, and ``cut_on`` the axes that decide about it, those of what a boolean
    gate combines among them. ``parents`` is each one's own parent.
    """

    markers: tuple[str, ...]
    parents: Mapping[str, str | None]
    above: Mapping[str, frozenset[str]]
    cut_on: Mapping[str, frozenset[str]]
    denominators: tuple[str, ...]
    ratios: tuple[tuple[str, ...], ...]


def readout_faults(listed: Any, panel: Panel) -> Iterator[Fault]:
    """Yield what is wrong in ``readouts``; what is of the wrong shape is said elsewhere.

    Parameters
    ----------
    listed : plain value
        As the document has it.
    panel : Panel
        The rest of the template.
    """
    names: dict[str, int] = {}
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(item, dict):
            continue
        name, place = item.get("name"), ("readouts", index)
        if isinstance(name, str) and names.setdefault(name, index) != index:
            yield Fault(
                (*place, "name"), f"the read-out '{name}' is there already", f"the first is readouts[{names[name]}]"
            )
        rows = (
            [row for row in item.get("rows", ()) if isinstance(row, dict)] if isinstance(item.get("rows"), list) else []
        )
        for number, row in enumerate(rows):
            at = (*place, "rows", number)
            unknown = list(_unknown(row, at, panel))
            yield from unknown or _of_kind(row, at, panel)
            if row in rows[:number]:
                yield Fault(at, "this row is there already", "keep one of them")


def _unknown(row: Mapping[str, Any], at: Place, panel: Panel) -> Iterator[Fault]:
    for key in ("population", "denominator", "carried_by", "within", "carriers"):
        name = row.get(key)
        if isinstance(name, str) and name not in panel.parents and not (name == ROOT and key == "denominator"):
            yield Fault((*at, key), f"no population is named '{name}'", did_you_mean(name, list(panel.parents)))
    for key in ("marker", "lost_without"):
        marker = row.get(key)
        if isinstance(marker, str) and marker not in panel.markers:
            message = f"the marker '{marker}' is not in the panel"
            yield Fault((*at, key), message, did_you_mean(marker, panel.markers))


def _of_kind(row: Mapping[str, Any], at: Place, panel: Panel) -> Iterator[Fault]:
    """Yield what the kind of a row asks for; all names in it are known."""
    population, other = row.get("population"), row.get("denominator")
    if not isinstance(population, str):
        return
    if row.get("kind") == "mfi_ratio" and isinstance(row.get("marker"), str):
        named = [name for name in (population, row.get("carried_by")) if isinstance(name, str)]
        yield from _shown_by_control(named, row["marker"], at, panel)
    elif not isinstance(other, str):
        return
    elif row.get("kind") == "share" and other != panel.parents[population] and other not in panel.denominators:
        hint = f"add '{other}' to `denominators`, or take its parent '{panel.parents[population]}'"
        yield Fault(at, f"no share of '{other}' is given: it is no declared denominator", hint)
    elif row.get("kind") == "ratio" and (population, other) not in panel.ratios:
        yield Fault(at, f"'{population}' to '{other}' is not among `ratios`", f"add [{population}, {other}] there")
    elif row.get("kind") == "log_ratio" and isinstance(within := row.get("within"), str):
        outside = [name for name in (population, other) if within not in panel.above.get(name, ())]
        for name in outside:
            hint = f"both populations of a log ratio are gated out of `within`; above '{name}': "
            hint += ", ".join(sorted(panel.above.get(name, ()))) or ROOT
            yield Fault(at, f"'{name}' does not stand below '{within}'", hint)


def _shown_by_control(names: Sequence[str], marker: str, at: Place, panel: Panel) -> Iterator[Fault]:
    for name in names:
        if marker in panel.cut_on.get(name, ()):
            message = f"'{name}' is cut on {marker}: a tube without that antibody holds none of it"
            yield Fault(at, message, f"take a population that no gate on {marker} decides about")
    if len(names) == 2 and names[0] == names[1]:
        yield Fault(
            (*at, "carried_by"), f"'{names[0]}' is compared with itself", "name another population, or leave it out"
        )
