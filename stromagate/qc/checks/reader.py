"""Whether the file had to be repaired or salvaged to be read."""

from __future__ import annotations

from collections import Counter

from stromagate.model.result import Finding
from stromagate.model.sample import Sample
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import channels_used
from stromagate.qc.verdict import said
from stromagate.qc.wording import events, listed


def look(evidence: Evidence) -> list[Finding]:
    """Pass a plain file, warn of repairs and of values that a mask made smaller, fail what was only salvaged."""
    departed, masked = _departures(evidence.sample), _masked(evidence)
    return masked if masked and departed.status == "pass" else [departed, *masked]


def _departures(sample: Sample) -> Finding:
    repairs = Counter(f"{repair.code} ({repair.why})" for repair in sample.repairs)
    what = listed(f"{text} x {n}" if n > 1 else text for text, n in repairs.items())
    if sample.verdict == "salvaged":
        sentence = f"The file is damaged; {events(sample.n_events)} that were whole could be salvaged"
        sentence += f": {what}." if what else "."
        remedy = "Copy or export the file again; counts of a damaged file are not those of the tube."
        return said(CHECK, "fail", sentence, measured=float(len(sample.repairs)), remedy=remedy)
    if sample.repairs or sample.verdict == "repaired":
        n = len(sample.repairs)
        sentence = (
            f"The file departs from the FCS standard in {n} place{'' if n == 1 else 's'} and was read as: {what}."
        )
        remedy = "Check in the list of repairs that each was what you would have done."
        return said(CHECK, "warn", sentence, measured=float(n), remedy=remedy)
    return said(CHECK, "pass", "The file was read as it stands.", measured=0.0)


def _masked(evidence: Evidence) -> list[Finding]:
    """Warn where a value in use had bits beyond ``$PnR``: the standard takes them away, and with them perhaps light."""
    sample, used = evidence.sample, channels_used(evidence)
    found = {pnn: n for pnn, n in sample.masked.items() if pnn in used}
    if not found:
        return []
    shown = listed(f"{pnn} ({events(n)})" for pnn, n in found.items())
    sentence = f"Bits beyond $PnR were set and taken away, as the standard asks: {shown}."
    remedy = "Other data may be kept in these bits; but where $PnR is wrong, bright events were made dim."
    return [said(CHECK, "warn", sentence, measured=float(max(found.values())), remedy=remedy)]


CHECK = Check(code="Q31", stage="file", title="file read without repairs", run=look, unit="repairs")
