"""Boundaries that a person moved: who, why, and what it did to the counts."""

from __future__ import annotations

from stromagate.model.edits import GateEdit
from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import targets
from stromagate.qc.verdict import judge, said


def look(evidence: Evidence) -> list[Finding]:
    """Name every edit; judge, for each index population, by how much the edits together changed its count."""
    if not evidence.edits:
        return [said(CHECK, "pass", "No boundary was moved by hand.")]
    return [
        *(_named(evidence, edit) for edit in evidence.edits),
        *(_judged(evidence, name) for name in targets(evidence)),
    ]


def _named(evidence: Evidence, edit: GateEdit) -> Finding:
    node = evidence.tree.node(edit.population)
    before, now = evidence.fitted_counts.get(node.name), evidence.counts[node.name]
    why = " ".join(edit.why.split()).rstrip(".")
    sentence = (
        f"{evidence.called(node.name)} was moved by {node.edited_by} on {edit.when} ({why}): "
        f"{_count(before)} before, {_count(now)} now."
    )
    return said(CHECK, "pass", sentence, population=node.name)


def _judged(evidence: Evidence, name: str) -> Finding:
    before, now, called = evidence.fitted_counts.get(name), evidence.counts[name], evidence.called(name)
    if before is None and now is None:
        return said(
            CHECK, "not_applicable", f"{called} could be evaluated neither before the edits nor after.", population=name
        )
    if before is None or now is None:
        sentence = f"{called} is there by hand alone: {_count(before)} before the edits, {_count(now)} now."
        return said(CHECK, "warn", sentence, population=name, remedy=_REMEDY)
    if before == now:
        return judge(CHECK, 0.0, f"The edits left the count of {called} at {now:,}.", population=name)
    # Of nothing there is no percentage: one event found by hand where none was found before is judged as twice as many.
    change_pct = 100 * abs(now - before) / max(before, 1)
    sentence = f"The edits changed the count of {called} from {before:,} to {now:,}."
    return judge(CHECK, change_pct, sentence, remedy=_REMEDY, population=name)


def _count(count: int | None) -> str:
    return "no count" if count is None else f"{count:,} event{'' if count == 1 else 's'}"


_REMEDY = "Let a second person look at the boundary; report the number as manually adjusted."

CHECK = Check(
    code="Q40",
    stage="gating",
    title="counts as the template's own boundaries give them",
    run=look,
    warn=20.0,
    unit="% change",
)
