"""What must hold between the parts of a template: order, names, axes, optional markers, sources.

The rules look at the plain document, not at the typed one, so that a fault in one place hides none in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stromagate.errors import did_you_mean
from stromagate.model.gates import ROOT
from stromagate.model.template import GateStep
from stromagate.templates.aliases import SCATTER_AND_TIME, known_aliases, squash, vocabulary
from stromagate.templates.faults import Fault, Place
from stromagate.templates.readout_rules import Panel, readout_faults


def rule_faults(document: Any, gates: Mapping[int, tuple[GateStep, ...]], shipped: str | None) -> list[Fault]:
    """Check a whole document.

    Parameters
    ----------
    document : plain value
        As it was read; any part of it may be of the wrong shape.
    gates : mapping of int to tuple of GateStep
        Gates that could be checked, each with its fallbacks, by the population's position.
    shipped : str or None
        The name under which the template is shipped, None for a file of the user.
    """
    if not isinstance(document, dict):
        return []
    view = _view(document, gates)
    rules = (_names(view), _parents(view), _axes(view), _optional(view), _panel(view), _aliases(view))
    faults = [fault for rule in rules for fault in rule]
    readouts = readout_faults(document.get("readouts"), _panel_of(view))
    return [*faults, *_references(view), *readouts, *_sources(document, shipped)]


@dataclass(frozen=True, slots=True)
class _Population:
    index: int
    name: str
    parent: str | None
    requires: tuple[str, ...]
    plot: tuple[str, ...]
    steps: tuple[GateStep, ...]

    @property
    def place(self) -> Place:
        return ("populations", self.index)

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(axis for step in self.steps for axis in step.params.axes_used()))

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for step in self.steps for name in step.params.populations_used()))

    @property
    def named(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for step in self.steps for name in step.params.populations_named()))


@dataclass(frozen=True, slots=True)
class _View:
    document: dict[str, Any]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    populations: tuple[_Population, ...]

    @property
    def axes(self) -> list[str]:
        return [*self.required, *self.optional, *SCATTER_AND_TIME]

    @property
    def names(self) -> list[str]:
        return [population.name for population in self.populations]

    def above(self, population: _Population) -> dict[str, _Population]:
        return {other.name: other for other in self.populations if other.index < population.index}


def _view(document: dict[str, Any], gates: Mapping[int, tuple[GateStep, ...]]) -> _View:
    panel = document.get("panel")
    panel = panel if isinstance(panel, dict) else {}
    listed = document.get("populations")
    populations = [
        _Population(
            index,
            item["name"],
            item["parent"] if isinstance(item.get("parent"), str) else None,
            _texts(item.get("requires")),
            _texts(item.get("plot")),
            gates.get(index, ()),
        )
        for index, item in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(item, dict) and isinstance(item.get("name"), str)
    ]
    return _View(document, _texts(panel.get("required")), _texts(panel.get("optional")), tuple(populations))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _names(view: _View) -> Iterator[Fault]:
    first: dict[str, _Population] = {}
    for population in view.populations:
        place = (*population.place, "name")
        if population.name.casefold() == ROOT:
            yield Fault(place, "`all` is the name of the whole tube", "name the population otherwise")
            continue
        earlier = first.setdefault(population.name.casefold(), population)
        if earlier is not population:
            same = earlier.name == population.name
            message = f"the population '{population.name}' is there already"
            if not same:
                message = f"'{population.name}' and '{earlier.name}' differ in capitals alone"
            yield Fault(place, message, f"the first is populations[{earlier.index}]")


def _parents(view: _View) -> Iterator[Fault]:
    for population in view.populations:
        if population.parent is not None:
            yield from _stands_above(view, population, population.parent, "parent")
        for other in population.others:
            yield from _stands_above(view, population, other, "gate")
        for name in population.named:
            if name not in view.names:
                yield _unknown_population((*population.place, "gate"), name, view.names)


def _stands_above(view: _View, population: _Population, name: str, key: str) -> Iterator[Fault]:
    above = view.above(population)
    if name in above or (name == ROOT and key == "parent"):
        return
    place, role = (*population.place, key), "parent" if key == "parent" else "population"
    if name == population.name:
        yield Fault(place, f"'{name}' cannot be its own {role}", f"allowed: {_listed([ROOT, *above])}")
    elif name in view.names:
        yield Fault(place, f"the {role} '{name}' stands below '{population.name}'", "move it above")
    else:
        choices = [*above, ROOT] if key == "parent" else list(above)
        yield Fault(place, f"no population above is named '{name}'", did_you_mean(name, choices))


def _axes(view: _View) -> Iterator[Fault]:
    allowed = view.axes
    for population in view.populations:
        for axis in population.axes:
            yield from _known_axis(axis, allowed, (*population.place, "gate"))
        for axis in population.plot:
            yield from _known_axis(axis, allowed, (*population.place, "plot"))
    scales = view.document.get("scales")
    for axis in scales if isinstance(scales, dict) else ():
        if axis not in allowed and axis != "default":
            hint = did_you_mean(axis, ["default", *allowed])
            yield Fault(("scales", axis), f"a scale for '{axis}', which is no axis of the panel", hint)
    for index, axis in enumerate(_texts(view.document.get("intensities"))):
        yield from _known_axis(axis, allowed, ("intensities", index))


def _known_axis(axis: str, allowed: list[str], place: Place) -> Iterator[Fault]:
    if axis not in allowed:
        hint = did_you_mean(axis, allowed)
        yield Fault(place, f"the axis '{axis}' is not in the panel, nor scatter or time", hint)


def _optional(view: _View) -> Iterator[Fault]:
    """Where a marker may be absent, everything that leans on it must say so, or a tube without it would surprise."""
    for population in view.populations:
        for marker in population.requires:
            if marker not in view.optional:
                hint = did_you_mean(marker, view.optional)
                yield Fault((*population.place, "requires"), f"'{marker}' is not an optional marker of the panel", hint)
        for axis in dict.fromkeys((*population.axes, *population.plot)):
            if axis in view.optional and axis not in population.requires:
                message = f"'{population.name}' uses the optional marker {axis} and does not require it"
                yield Fault(population.place, message, f"add `requires: [{axis}]`, or move {axis} to `required`")
        above = view.above(population)
        leaned_on = [above[name] for name in (population.parent, *population.others) if name in above]
        for other in leaned_on:
            lacking = [marker for marker in other.requires if marker not in population.requires]
            if lacking:
                message = f"'{population.name}' is made from '{other.name}', which requires {_listed(lacking)}"
                yield Fault(population.place, message, f"add `requires: [{', '.join(other.requires)}]`")


def _panel(view: _View) -> Iterator[Fault]:
    aliases = known_aliases()
    first: dict[str, str] = {}
    listed = [("required", index, marker) for index, marker in enumerate(view.required)]
    listed += [("optional", index, marker) for index, marker in enumerate(view.optional)]
    for key, index, marker in listed:
        canonical = squash(aliases.get(squash(marker), marker))
        if canonical not in first:
            first[canonical] = marker
        elif first[canonical] == marker:
            yield Fault(("panel", key, index), f"the marker {marker} is listed twice", "keep one of them")
        else:
            message = f"{first[canonical]} and {marker} are two names of one marker"
            yield Fault(("panel", key, index), message, "keep one of them")


def _aliases(view: _View) -> Iterator[Fault]:
    given = view.document.get("aliases")
    # A dye may be put to another use (DAPI as DNA dye), an antigen's name may not.
    table, owners = vocabulary().markers, {squash(marker): marker for marker in (*view.required, *view.optional)}
    given_to: dict[str, str] = {}
    for marker, names in (given if isinstance(given, dict) else {}).items():
        if marker not in (*view.required, *view.optional):
            hint = did_you_mean(marker, (*view.required, *view.optional))
            yield Fault(("aliases", marker), f"aliases of '{marker}', which is not in the panel", hint)
            continue
        for index, name in enumerate(names if isinstance(names, list) else []):
            owner = table.get(squash(name)) if isinstance(name, str) else None
            owner = owners.get(squash(name), owner) if isinstance(name, str) else None
            # A joined name (CD235a+CD71) may be given to each of its markers; any other is of one alone.
            if owner is None and isinstance(name, str) and name.strip().isalnum():
                owner = given_to.setdefault(squash(name), marker)
            if owner is not None and squash(owner) != squash(marker) and table.get(squash(marker)) != owner:
                place = ("aliases", marker, index)
                yield Fault(place, f"'{name}' is a name of {owner}, not of {marker}", "one name, one marker")


def _references(view: _View) -> Iterator[Fault]:
    names = view.names
    document = view.document
    for index, name in enumerate(_texts(document.get("denominators"))):
        if name not in (*names, ROOT):
            yield _unknown_population(("denominators", index), name, names)
    indices = document.get("indices")
    for key, name in (indices if isinstance(indices, dict) else {}).items():
        if isinstance(name, str) and name not in names:
            yield _unknown_population(("indices", key), name, names)
    beads = document.get("beads")
    if isinstance(beads, str) and beads not in names:
        yield _unknown_population(("beads",), beads, names)
    for index, item in enumerate(document["expectations"] if isinstance(document.get("expectations"), list) else ()):
        for key in ("population", "denominator"):
            asked = item.get(key) if isinstance(item, dict) else None
            if isinstance(asked, str) and asked not in (*names, ROOT):
                yield _unknown_population(("expectations", index, key), asked, names)
    yield from _ratios(view)
    for key in ("denominators", "intensities"):
        listed = _texts(document.get(key))
        for index, name in enumerate(listed):
            if name in listed[:index]:
                yield Fault((key, index), f"'{name}' is listed twice", "keep one of them")


def _ratios(view: _View) -> Iterator[Fault]:
    """Check pairs: what is a part of the other is a share of it, and stands among the denominators."""
    listed = view.document.get("ratios")
    pairs = [_texts(pair) for pair in (listed if isinstance(listed, list) else ())]
    for index, pair in enumerate(pairs):
        unknown = [(which, name) for which, name in enumerate(pair) if name not in view.names]
        yield from (_unknown_population(("ratios", index, which), name, view.names) for which, name in unknown)
        if unknown or len(pair) != 2:  # how many they must be is said where the shape is checked
            continue
        place, (one, other) = ("ratios", index), pair
        if one == other:
            yield Fault(place, f"'{one}' is divided by itself", "name two populations: `[endothelium, msc]`")
        elif other in _chain(view, one):
            hint = f"list '{other}' under `denominators`, which gives the share"
            yield Fault(place, f"'{one}' is a part of '{other}': that is a share, not a ratio", hint)
        elif one in _chain(view, other):
            hint = f"list '{one}' under `denominators`, which gives the share of '{other}'"
            yield Fault(place, f"'{other}' is a part of '{one}': that is a share, not a ratio", hint)
        elif pair in pairs[:index] or (other, one) in pairs[:index]:
            yield Fault(place, f"'{one}' and '{other}' are divided already", "keep one of them")


def _chain(view: _View, name: str) -> set[str]:
    """Return the populations above one; a chain that goes round, which is said elsewhere, ends where it closes."""
    parents = {population.name: population.parent for population in view.populations}
    found, above = set[str](), parents.get(name)
    while above is not None and above not in found:
        found.add(above)
        above = parents.get(above)
    return found


def _panel_of(view: _View) -> Panel:
    """Return what read-outs may lean on."""
    cut_on: dict[str, frozenset[str]] = {}
    for population in view.populations:
        combined = (name for step in population.steps if step.method == "boolean" for name in population.others)
        decide = (cut_on.get(name, frozenset()) for name in (population.parent, *combined) if name is not None)
        cut_on[population.name] = frozenset(population.axes).union(*decide)
    ratios = view.document.get("ratios")
    return Panel(
        (*view.required, *view.optional),
        {population.name: population.parent for population in view.populations},
        {name: frozenset(_chain(view, name)) for name in view.names},
        cut_on,
        _texts(view.document.get("denominators")),
        tuple(_texts(pair) for pair in (ratios if isinstance(ratios, list) else ())),
    )


def _unknown_population(place: Place, name: str, names: list[str]) -> Fault:
    return Fault(place, f"no population is named '{name}'", did_you_mean(name, names))


def _sources(document: dict[str, Any], shipped: str | None) -> Iterator[Fault]:
    sources, status = document.get("sources"), document.get("status")
    if not sources and (shipped is not None or status in {"consensus", "reconstruction", "preprint"}):
        hint = "add `sources: [{doi: ..., note: what was taken from it}]`"
        message = "a shipped template names its sources" if shipped else f"a template of status {status} names sources"
        yield Fault(("sources",), message, hint)
    for index, source in enumerate(sources if isinstance(sources, list) else []):
        if isinstance(source, dict) and not source.get("doi") and not source.get("url") and not source.get("note"):
            yield Fault(("sources", index), "a source without `doi`, `url` or `note`", "say where it can be found")
    if shipped is not None and document.get("name") != shipped:
        yield Fault(("name",), f"the template's name differs from its file's name '{shipped}'", f"write {shipped}")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
