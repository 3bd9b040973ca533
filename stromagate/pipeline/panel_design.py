"""Whether a panel was laid out so that rare stroma can be seen: which light falls into the detectors of its markers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stromagate.model.panel import Panel
from stromagate.model.sample import Spillover

TARGETS = ("CD271", "CD146")
"""Markers that a handful of cells in a million is told by: they stand the least light from elsewhere."""

_BRIGHT = ("CD45", "Viability")
_MOST_SPILL_PCT = (
    1.0  # own choice: of a dye a hundred times as bright as the target, as much again as the target itself
)
_GLOWING = re.compile(r"fitc|bv510|amcyan|af488|alexa\W*488", re.IGNORECASE)


def design_warnings(panel: Panel, spillover: Spillover) -> tuple[str, ...]:
    """Say what is unwise in how a bound panel was laid out.

    Parameters
    ----------
    panel : Panel
        Markers and their channels.
    spillover : Spillover
        The file's matrix; without one nothing is said of spill.
    """
    return (*_spill(panel, spillover), *_glow(panel))


def _spill(panel: Panel, spillover: Spillover) -> Iterator[str]:
    if spillover.status != "ok" or spillover.matrix is None:
        return
    places = {name: index for index, name in enumerate(spillover.channels)}
    on = {binding.axis: binding.pnn for binding in panel.bindings}
    for target in TARGETS:
        for bright in _BRIGHT:
            if on.get(target) not in places or on.get(bright) not in places or on[target] == on[bright]:
                continue
            share_pct = 100 * float(spillover.matrix[places[on[bright]], places[on[target]]])
            if share_pct > _MOST_SPILL_PCT:
                yield (
                    f"{share_pct:.1f} % of {bright} ({on[bright]}) falls into {target} ({on[target]}): "
                    f"read {target} where it does not"
                )


def _glow(panel: Panel) -> Iterator[str]:
    for binding in panel.bindings:
        if binding.axis in TARGETS and _GLOWING.search(f"{binding.pnn} {binding.pns}"):
            yield (
                f"{binding.axis} is read on {binding.pnn}, where cells glow most by themselves: "
                "PE, BV421 or APC show rare stroma better"
            )
