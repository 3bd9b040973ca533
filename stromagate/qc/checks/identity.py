"""Whether keywords, or the file's name, look like a patient's identity: told by the keyword's name, never by its value.

Patterns cannot know every name, so that a pass is not a promise (see ``fcs.identity``).
"""

from __future__ import annotations

from stromagate.fcs.identity import suspicions
from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.verdict import judge
from stromagate.qc.wording import listed


def look(evidence: Evidence) -> list[Finding]:
    """Warn of every keyword that looks like one."""
    sample = evidence.sample
    found = suspicions(sample.keywords, sample.source.path)
    if not found:
        sentence = "Nothing in the keywords was recognised as a patient's identity; not every name can be recognised."
        return [judge(CHECK, 0.0, sentence)]
    n = len(found)
    sentence = f"{n} place{'' if n == 1 else 's'} may tell who the patient is: {listed(map(str, found))}."
    return [judge(CHECK, float(n), sentence, remedy=_REMEDY)]


_REMEDY = (
    "No result holds values of these keywords, but results show the file's name. Pass on only a scrubbed copy with a "
    "neutral name: stromagate deidentify FILE --out DIR."
)

CHECK = Check(code="Q30", stage="file", title="no patient's identity in keywords", run=look, warn=0.0, unit="places")
