"""What the sections ask of a result: names for people, one statistic, the worst finding, what kind of tube it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from stromagate.gating.tree import deciders
from stromagate.model import specimen
from stromagate.model.gates import ROOT, Boolean, GateNode
from stromagate.model.result import Finding, FindingStatus, SampleResult, Statistic

_SEVERITY: tuple[FindingStatus, ...] = ("fail", "warn", "pass", "not_applicable")
STATUS_WORDS: dict[str, tuple[str, str]] = {
    "fail": ("✕", "fail"),
    "warn": ("▲", "warn"),
    "pass": ("✓", "pass"),
    "not_applicable": ("○", "not applicable"),
}
_BY_STAGE = ("gating", "compensation", "acquisition", "result", "file", "run", "")
"""Where a fault lies, the nearest to the number first. Own choice."""
_NO_COUNT = frozenset({"Q35", "Q41"})
"""Checks that say that there is no count, or none to be used."""
STATE_OK = "quantifiable"


def label(result: SampleResult, population: str) -> str:
    """Return what the template calls a population for people."""
    return "all events" if population == ROOT else result.labels_of_populations.get(population, population)


def reason(result: SampleResult, node: GateNode) -> str:
    """Return how a boundary came about, a combination with its populations named as people know them."""
    if node.state == "edited":
        return node.sentence
    if not (isinstance(node.geometry, Boolean) and node.geometry.of):
        return _with_labels(result, node.sentence)
    names = [label(result, name) for name in node.geometry.of]
    if len(names) == 1:
        return f"{'not in' if node.geometry.operation == 'none' else 'in'} “{names[0]}”"
    words = {"all": "in all of", "any": "in any of", "none": "in none of"}
    return f"{words[node.geometry.operation]} {', '.join(f'“{name}”' for name in names)}"


def _with_labels(result: SampleResult, sentence: str) -> str:
    """Return what a gate says of controls with populations and controls called as everywhere on the page."""

    def called(found: re.Match[str]) -> str:
        known = result.labels_of_populations.get(found[0])
        return f"“{known}”" if known else found[0]

    return _OF_CONTROLS.sub("FMO-", _NAMED.sub(called, sentence))


# Where gates that are set on controls name a population; another word of their sentences may be the name of one too.
_NAMED = re.compile(
    r"(?<=[0-9] )\w+(?= events in [0-9])|(?<=% of )\w+(?= reach)|(?<=times that of )\w+"
    r"|(?<=events of )\w+(?= (?:in|are) )"
)
_OF_CONTROLS = re.compile(r"\bfmo:(?=\w)")


def walk(result: SampleResult) -> list[tuple[GateNode, int]]:
    """Return every population right below its parent, with its depth (1 below all events).

    A tree may name a child long after its parent, with others between; indented in that order it would be read as a
    child of the wrong population.
    """
    children: dict[str, list[GateNode]] = {}
    for node in result.tree.nodes:
        children.setdefault(node.parent, []).append(node)
    found, waiting = [], [(node, 1) for node in reversed(children.get(ROOT, []))]
    while waiting:
        node, depth = waiting.pop()
        found.append((node, depth))
        waiting += [(child, depth + 1) for child in reversed(children.get(node.name, []))]
    return found


def asked(result: SampleResult) -> list[str]:
    """Return the populations the pattern is read from: MSC first, progenitors next, then the others as they stand."""
    first = [result.indices[key] for key in ("msc", "progenitors") if key in result.indices]
    others = set(result.indices.values()).difference(first)
    return [*dict.fromkeys(first), *(node.name for node, _ in walk(result) if node.name in others)]


def find(result: SampleResult, population: str, statistic: str, denominator: str | None = None) -> Statistic | None:
    """Return the first row of that statistic (and denominator, where one is named)."""
    for row in result.statistics:
        if row.population == population and row.statistic == statistic and denominator in {None, row.denominator}:
            return row
    return None


def state(result: SampleResult, population: str) -> str:
    """Return the state of a population's count; empty where it has none."""
    row = find(result, population, "count")
    return row.state if row else ""


def primary_denominator(result: SampleResult) -> str:
    """Return the first declared denominator that rates are there for; empty where there is none."""
    there = {row.denominator for row in result.statistics if row.statistic == "per_million"}
    return next((name for name in result.denominators if name in there), "")


def worst(findings: Iterable[Finding]) -> Finding | None:
    """Return the gravest finding (the first of those); None where nothing was checked."""
    return min(findings, key=lambda finding: _SEVERITY.index(finding.status), default=None)


def graver_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by gravity, and as they came within one."""
    return sorted(findings, key=lambda finding: _SEVERITY.index(finding.status))


def told_first(result: SampleResult) -> list[Finding]:
    """Return a tube's findings by gravity; within one those first that speak against the indices themselves.

    A boundary on which an index hangs and that cannot be relied on makes its number wrong; how the tube was acquired
    may; that its cells are few stands beside the number anyway; and what the sheet lacks says nothing of it.
    """
    about = {"", ROOT}.union(*(deciders(result.tree, name) for name in result.indices.values()))

    def place(finding: Finding) -> tuple[int, bool, bool, int]:
        nearest = finding.population not in about, finding.code not in _NO_COUNT, _BY_STAGE.index(finding.stage)
        return _SEVERITY.index(finding.status), *nearest

    return sorted(result.findings, key=place)


def loud_and_quiet(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Part rows of findings into those to look at, and those that passed or could not be made; order stays."""
    quiet = {"pass", "not_applicable"}
    return {
        "loud": [row for row in rows if row["status"] not in quiet],
        "quiet": [row for row in rows if row["status"] in quiet],
    }


def tally(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many findings there are of each status, gravest first, none left out."""
    counted = Counter(finding.status for finding in findings)
    return {status: counted[status] for status in _SEVERITY}


@dataclass(frozen=True, slots=True)
class Role:
    """What a tube is for, by the sample sheet."""

    text: str
    is_control: bool


def role(labels: dict[str, str]) -> Role:
    """Return the role in plain words; a tube of which the sheet says nothing is a stained one."""
    stated = labels.get("role", "").strip()
    kind, _, what = stated.partition(":")
    match kind.casefold():
        case "" | "stained":
            return Role("stained", is_control=False)
        case "fmo":
            return Role(f"FMO control, {what.strip()} left out", is_control=True)
        case "isotype":
            return Role(f"isotype control, {what.strip()}", is_control=True)
        case "comp":
            return Role(f"compensation control, {what}", is_control=True)
        case "unstained" | "blank":
            return Role(f"{kind.casefold()} control", is_control=True)
        case _:
            return Role(stated, is_control=False)


def notices(result: SampleResult) -> list[tuple[str, str]]:
    """Return what a reader must know before any number: simulated, enriched, control, salvaged, template's standing."""
    found = []
    if simulated(result.instrument, result.labels):
        scenario = result.labels.get("scenario", "")
        found.append(("Simulated tube", "Made by a simulator: no cell of any person." + _scenario(scenario)))
    how = enrichment(result.instrument, result.labels)
    if how:
        text = "An enriched tube: its rates describe this tube and cannot be compared with whole marrow."
        found.append((f"Preparation: {how}", text))
    tube = role(result.labels)
    if tube.is_control:
        found.append(
            ("Control tube", f"{tube.text[0].upper()}{tube.text[1:]}. Its counts are background, not a finding.")
        )
    if result.edits:
        found.append(("Manually adjusted", _adjusted(result)))
    if result.verdict == "salvaged":
        found.append(("Salvaged file", "Only a part of this file could be read; every number is of that part alone."))
    if result.template.status in _STANDING:
        found.append((f"Template status: {result.template.status}", _STANDING[result.template.status]))
    found += [("Warning of the template", warning) for warning in result.template.warnings]
    return found


def _adjusted(result: SampleResult) -> str:
    named = ", ".join(label(result, edit.population) for edit in result.edits)
    who = ", ".join(dict.fromkeys(" ".join(edit.who.split()) for edit in result.edits))
    n = len(result.edits)
    return f"{n} {'boundary was' if n == 1 else 'boundaries were'} moved by hand ({named}) by {who}."


def _scenario(name: str) -> str:
    return f" Scenario: {name.replace('_', ' ')}." if name else ""


_STANDING = {
    "reconstruction": "These gates were put together from descriptions and are not a published gate.",
    "preprint": "The definition comes from a preprint that has not been peer-reviewed.",
}


def simulated(instrument: dict[str, str], labels: dict[str, str]) -> bool:
    """Say whether file or sheet call the tube simulated."""
    stated = instrument.get("STROMAGATE_SIMULATED", labels.get("simulated", ""))
    return stated.strip().casefold() not in {"", "no", "false", "0"}


def enrichment(instrument: dict[str, str], labels: dict[str, str]) -> str:
    """Return how the tube was enriched, by the file or else the sheet; empty for whole marrow and where none says."""
    return specimen.enrichment(instrument, labels)
