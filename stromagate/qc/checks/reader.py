"""Whether the file had to be repaired or salvaged to be read."""

from __future__ import annotations

from collections import Counter

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.verdict import said
from stromagate.qc.wording import events, listed


def look(evidence: Evidence) -> list[Finding]:
    """Pass a plain file, warn of repairs, fail what was only salvaged."""
    sample = evidence.sample
    repairs = Counter(f"{repair.code} ({repair.why})" for repair in sample.repairs)
    what = listed(f"{text} x {n}" if n > 1 else text for text, n in repairs.items())
    if sample.verdict == "salvaged":
        sentence = f"The file is damaged; {events(sample.n_events)} that were whole could be salvaged"
        sentence += f": {what}." if what else "."
        remedy = "Copy or export the file again; counts of a damaged file are not those of the tube."
        return [said(CHECK, "fail", sentence, measured=float(len(sample.repairs)), remedy=remedy)]
    if sample.repairs or sample.verdict == "repaired":
        n = len(sample.repairs)
        sentence = (
            f"The file departs from the FCS standard in {n} place{'' if n == 1 else 's'} and was read as: {what}."
        )
        remedy = "Check in the list of repairs that each was what you would have done."
        return [said(CHECK, "warn", sentence, measured=float(n), remedy=remedy)]
    return [said(CHECK, "pass", "The file was read as it stands.", measured=0.0)]


CHECK = Check(code="Q31", title="file read without repairs", run=look, unit="repairs")
