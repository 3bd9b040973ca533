"""How the markers came to their channels: by the file's own names, or by somebody's word against them.

A tube on which a marker is absent, ambiguous or there twice never comes this far: it is refused, with the channels
there are and the nearest name (``panel.unbound``). What is left to say is how sure the names are.
"""

from __future__ import annotations

from stromagate.model.panel import Binding
from stromagate.model.result import Finding
from stromagate.prepare.labels import names_of, read_label
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import fluorescence
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import listed

_BY_HAND = ("override", "panel file")


def look(evidence: Evidence) -> list[Finding]:
    """Warn where a marker was put by hand on a channel whose own name is another marker of the template."""
    bound = list(fluorescence(evidence))
    if not bound:
        return [not_applicable(CHECK, "The template uses no marker.")]
    against = [f"{item.axis} on {item.pnn}, which the file calls {item.pns}" for item in _against(evidence, bound)]
    if against:
        sentence = f"Against the names in the file, by hand: {listed(against)}."
        return [said(CHECK, "warn", sentence, remedy=_REMEDY)]
    by_hand = [f"{item.axis} ({item.pnn})" for item in bound if item.how in _BY_HAND]
    by_detector = [f"{item.axis} ({item.pnn})" for item in bound if item.how == "$PnN"]
    sentence = f"All {len(bound)} markers stand on one channel each"
    if by_hand:
        sentence += f"; named by hand: {listed(by_hand)}"
    if by_detector:
        sentence += f"; by the detector's name alone: {listed(by_detector)}"
    absent = listed(evidence.panel.absent)
    return [said(CHECK, "pass", f"{sentence}; not on the tube: {absent}." if absent else f"{sentence}.")]


def _against(evidence: Evidence, bound: list[Binding]) -> list[Binding]:
    """Return what was put by hand on a channel that names other markers of the template and not this one."""
    wanted = evidence.template.panel
    names = names_of((*wanted.required, *wanted.optional), evidence.template.aliases)
    found = []
    for item in bound:
        said_by_file = read_label(item.pns, names).markers if item.how in _BY_HAND else {}
        if said_by_file and item.axis not in said_by_file:
            found.append(item)
    return found


_REMEDY = (
    "Right where the file's names are wrong and the staining list says so, for the controls as well; else take the "
    "marker's line out of the panel file or leave out --marker."
)

CHECK = Check(code="Q03", stage="file", title="markers on the channels of their names", run=look)
