"""Values that are no numbers in the channels in use."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import channels_used
from stromagate.qc.verdict import judge
from stromagate.qc.wording import events, listed


def look(evidence: Evidence) -> list[Finding]:
    """Count what the reader found; such an event is in no gate on its channel, and stays in the total."""
    used = channels_used(evidence)
    found = {pnn: n for pnn, n in evidence.sample.non_finite.items() if n and pnn in used}
    if not found:
        return [judge(CHECK, 0.0, "All values in the channels in use are numbers.")]
    shown = listed(f"{pnn} ({events(n)})" for pnn, n in found.items())
    sentence = f"Values that are not finite numbers: {shown}. These events are in no gate on the channel."
    return [judge(CHECK, float(max(found.values())), sentence, remedy="Export the file again from the instrument.")]


CHECK = Check(code="Q32", stage="file", title="all values are numbers", run=look, warn=0.0, unit="events")
