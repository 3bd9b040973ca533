"""What a tube's boundaries leave open of its pattern: its counts on redrawn and on moved ones, kept in the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stromagate.gating.draws import Counts
from stromagate.gating.moved_gates import moved_gates
from stromagate.model.pattern import MovedGate
from stromagate.model.specimen import is_stained
from stromagate.model.template import GatingTemplate
from stromagate.pattern.evidence import MSC, PROGENITORS

if TYPE_CHECKING:
    from stromagate.gating.engine import Gated
    from stromagate.prepare.prepared import Prepared


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """Counts of the pattern's populations and of the denominators, redraw by redraw and with gates moved."""

    redrawn: dict[str, tuple[int, ...]] = field(default_factory=dict)
    moved_gates: tuple[MovedGate, ...] = ()


def left_open(
    prepared: Prepared, gated: Gated, template: GatingTemplate, draws: Mapping[str, Counts], labels: Mapping[str, str]
) -> LeftOpen:
    """Return what a pattern can be reckoned from without the events; nothing for a control, which has no pattern.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    gated : Gated
        Its boundaries and members.
    template : GatingTemplate
        Names the populations of the pattern and the denominators.
    draws : mapping of str to ndarray of int64, shape (n_draws,)
        Events on redrawn boundaries (``gating.draws.boundary_draws``).
    labels : mapping of str to str
        Columns of the sheet: they say the tube's role.
    """
    indices = [template.indices[key] for key in (MSC, PROGENITORS) if key in template.indices]
    if len(indices) < 2 or not is_stained(labels):
        return LeftOpen()
    counted = list(dict.fromkeys((*indices, *template.denominators)))
    redrawn = {name: tuple(draws[name].tolist()) for name in counted if name in draws}
    return LeftOpen(redrawn, moved_gates(prepared, gated, indices, counted))
