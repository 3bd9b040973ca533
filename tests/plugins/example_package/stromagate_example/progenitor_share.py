"""A check of a tube: whether the share of progenitors among the MSC is one that this laboratory has seen before."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.verdict import judge, not_applicable


def look(evidence: Evidence) -> list[Finding]:
    """Compare the share with the laboratory's highest."""
    msc, progenitors = evidence.counts.get("msc"), evidence.counts.get("progenitors")
    if not msc or progenitors is None:
        return [not_applicable(CHECK, "There are no MSC to have a share of.")]
    share = 100 * progenitors / msc
    return [judge(CHECK, share, f"{share:.0f} % of the MSC are progenitors.", remedy="Look at the CD146 gate.")]


CHECK = Check(code="EX1", title="share of progenitors as seen before", run=look, warn=40.0, unit="% of MSC")
