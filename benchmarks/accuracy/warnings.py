"""Which findings of a tube speak of its MSC count, and which excuse a wrong one."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.accuracy.plan import ENRICHED
from stromagate.gating.tree import deciders
from stromagate.model.detection import LLOQ_FLOOR_EVENTS
from stromagate.model.gates import ROOT
from stromagate.model.result import Finding, SampleResult

TARGET = "msc"
SIZE_ONLY = frozenset({"Q07", "Q36"})
"""Codes that say that a count is small. They excuse a wrong number only where the true count is small as well."""
SPREAD_ONLY = frozenset({"Q21"})
"""Codes that say that a count varies more than it should. They excuse no wrong boundary."""
OF_PREPARATION = frozenset({"Q28"})
"""Codes that every depleted tube earns by being one. There they excuse nothing."""


def about_target(result: SampleResult) -> list[Finding]:
    """Return the warnings and failures about MSC, about a gate that decides who is MSC, or about the whole tube."""
    names = deciders(result.tree, TARGET) | {"", ROOT}
    return [item for item in result.findings if item.status in {"warn", "fail"} and item.population in names]


def excusing(codes: Iterable[str], *, true_count: int, prepared: str) -> list[str]:
    """Return those codes that tell a reader that the MSC count itself may be wrong."""
    mute = SPREAD_ONLY | (SIZE_ONLY if true_count >= LLOQ_FLOOR_EVENTS else frozenset())
    mute |= OF_PREPARATION if prepared == ENRICHED else frozenset()
    return [code for code in codes if code not in mute]
