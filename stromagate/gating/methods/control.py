"""A cut set on control tubes by how many false events it lets through in this tube, never by a percentile.

A control differs from the tube in two ways that a percentile of it forgets: it holds none of the unspecific binding of
the antibody left out, and the population it is read at glows less than the rare cells do. What of an antibody sticks to
one cell in a thousand no control shows; the number of false events is that without the antibody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.random import Generator
from pydantic import Field

from stromagate.gating.control_cuts import Cut, Known, Rule, find_cut
from stromagate.gating.controls import Pool, distribution, pool, pooled, quantiles
from stromagate.gating.density import DRAWS
from stromagate.gating.leaks import SEEN_EVENTS
from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.thresholds import half_line
from stromagate.gating.wording import number, place
from stromagate.model.controls import ControlTube
from stromagate.model.gates import NOT_SEPARABLE, Doubt, Side
from stromagate.model.template import AxisName, ControlNeed, GateParams, Name

TUBE_EVENTS = 100  # of the anchor, in the tube itself: fewer do not tell where its negative lies
MOST_FALSE_FRAC = 0.01  # of the events at risk: a cut that lets more through parts nothing, however few they are


class Params(GateParams):
    """Which controls, read at which population, and how many false events the cut may let through."""

    axis: AxisName = Field(description="The axis that is cut.")
    keep: Side = Field(description="Side of the cut that is kept; the cut itself counts as above.")
    control: Literal["FMO", "unstained", "blank"] = Field(
        "FMO", description="Controls it is set on: the tubes without this axis' antibody, unstained tubes, or blanks."
    )
    anchor: Name = Field(
        description="Population at which controls are read, wide enough to hold many events in each of them."
    )
    max_false: float = Field(
        2.0,
        gt=0,
        description="Events of this tube that are expected beyond the cut without the antibody.",
    )
    min_events: int = Field(500, ge=50, description="Fewest events of the anchor in all controls together.")
    target: Name | None = Field(
        None, description="Population whose own autofluorescence the cut must clear as well; null: none."
    )
    target_false_frac: float = Field(
        0.01, gt=0, lt=0.5, description="Share of the target that may reach the cut without the antibody (0-1)."
    )
    min_target: int = Field(20, ge=5, description="Fewest events of the target in all controls together.")
    autofluorescence_axis: AxisName | None = Field(
        None, description="Empty channel by which the target is compared with the anchor where controls hold too few."
    )
    match: bool = Field(
        True,
        description="Move the cut with the negative of this tube; false where a tube may hold no negative at all, such "
        "as cultured cells.",
    )
    autofluorescence_ratio: float | None = Field(
        None, gt=0, description="How many times as bright as the anchor the target is unstained, where nothing tells."
    )

    @property
    def role(self) -> str:
        """Role of the controls in the sample sheet."""
        return f"fmo:{self.axis}" if self.control == "FMO" else self.control

    def axes_used(self) -> tuple[str, ...]:
        """Return the axis that is cut, and the empty channel."""
        return (self.axis, *((self.autofluorescence_axis,) if self.autofluorescence_axis else ()))

    def populations_used(self) -> tuple[str, ...]:
        """Return the anchor and the target."""
        return tuple(dict.fromkeys(name for name in (self.anchor, self.target) if name is not None))

    def controls_used(self) -> tuple[ControlNeed, ...]:
        """Return the anchor's and the target's values on the axis that is cut."""
        return tuple(ControlNeed(self.role, name, self.axis) for name in self.populations_used())


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Cut where the controls say that no more than so many false events lie beyond."""
    axis = params.axis
    absent = [name for name in params.axes_used() if name not in parent.axes]
    if absent:
        return not_evaluable(f"{axis} not cut: the tube has no axis {absent[0]}")
    ours = [each for each in parent.outside.controls if each.role == params.role]
    tubes = [each for each in ours if each.distribution(params.anchor, axis) is not None]
    if not tubes:
        lacking = f"in which {params.anchor} could be found " if ours else ""
        return not_evaluable(f"{axis} not cut: no {params.role} tube {lacking}belongs to this tube")
    known = _known(parent, params, tubes)
    if isinstance(known, str):
        return not_evaluable(f"{axis} not cut: {known}")
    # Of a wide anchor only those can become false that the parent holds.
    at_risk = max(min(known.tube.n, float(parent.n)), 1.0)
    rule = Rule(min(params.max_false / at_risk, MOST_FALSE_FRAC), params.target_false_frac, params.match)
    cut = find_cut(parent, axis, known, rule)
    if cut is None:
        return not_evaluable(f"{axis} not cut: the negative of {params.anchor} has no width")
    draws = [find_cut(parent, axis, known.redrawn(rng), rule) for _ in range(DRAWS)]
    shown = [parent.to_display(axis, draw.final) for draw in draws if draw is not None]
    sentence, doubts = _said(parent, params, known, rule, cut, at_risk)
    return Fit(
        half_line(axis, parent.to_display(axis, cut.final), params.keep),
        sentence,
        spread=float(np.std(shown, ddof=1)) if len(shown) > 1 else None,
        source=f"{params.role} x{len(tubes)}, {known.control.n:,.0f} {params.anchor} events",
        doubts=doubts,
    )


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    clause = (
        f"{params.axis} {params.keep} the cut that {number(params.max_false)} events of {params.anchor} would "
        f"reach by chance, by the {params.role} controls"
    )
    if params.target is None:
        return clause
    by = f", compared in {params.autofluorescence_axis} where they are few" if params.autofluorescence_axis else ""
    return f"{clause}, and that at most {100 * params.target_false_frac:g} % of {params.target} reach by their glow{by}"


def _known(parent: PopulationView, params: Params, tubes: list[ControlTube]) -> Known | str:
    """Gather what the cut is set on, or say what is missing."""
    axis, anchor = params.axis, _pool(tubes, params.anchor, params.axis)
    if anchor.whole.n < params.min_events:
        few = f"{anchor.whole.n:,.0f} events of {params.anchor} in {_tubes(len(tubes), params.role)} are too few"
        return f"{few} (at least {params.min_events:,})"
    tube = distribution(parent.population(params.anchor).linear(axis))
    if tube.n < TUBE_EVENTS:
        return f"{tube.n:,.0f} events of {params.anchor} are too few to find its negative by (at least {TUBE_EVENTS})"
    if not tube.values[0] < tube.values[-1]:
        return "all values are the same"
    return _with_target(parent, params, tubes, Known(anchor.whole, tube, None, None, (anchor, None)))


def _with_target(parent: PopulationView, params: Params, tubes: list[ControlTube], known: Known) -> Known | str:
    """Add what is known of the target's autofluorescence."""
    if params.target is None:
        return known
    glow = _pool(tubes, params.target, params.axis)
    if glow.whole.n >= params.min_target:
        return replace(known, target=glow.whole, pools=(known.pools[0], glow))
    ratio = _ratio(parent, params)
    if ratio is None:
        few = f"{glow.whole.n:,.0f} events of {params.target} in {_tubes(len(tubes), params.role)} are too few"
        return f"{few} to know its autofluorescence (at least {params.min_target}), and nothing else tells it"
    return replace(known, ratio=ratio)


def _pool(tubes: list[ControlTube], population: str, axis: str) -> Pool:
    nothing = pooled([])
    return pool([tube.distribution(population, axis) or nothing for tube in tubes])


def _ratio(parent: PopulationView, params: Params) -> float | None:
    """Return how many times as bright as the anchor the target is where neither is stained; None where unknown."""
    if params.autofluorescence_axis is None or params.target is None:
        return params.autofluorescence_ratio
    target, anchor = (
        distribution(parent.population(name).linear(params.autofluorescence_axis))
        for name in (params.target, params.anchor)
    )
    if target.n < params.min_target or anchor.n < TUBE_EVENTS:
        return params.autofluorescence_ratio
    low, middle = quantiles(anchor, (0.25, 0.5))
    # A median that a quarter of the events lie as far below as zero does is noise: no ratio can be made of it.
    return float(quantiles(target, (0.5,))[0] / middle) if low > 0 else params.autofluorescence_ratio


def _said(
    parent: PopulationView, params: Params, known: Known, rule: Rule, cut: Cut, at_risk: float
) -> tuple[str, tuple[Doubt, ...]]:
    """Return the sentence, and the doubt where less than twice what is expected beyond the cut was found there."""
    beyond = int(np.count_nonzero(parent.linear(params.axis) >= np.float32(cut.final)))
    expected = rule.false_frac * at_risk
    set_on = (
        f"{params.axis} cut at {place(parent, params.axis, parent.to_display(params.axis, cut.final))}: "
        f"{number(expected)} of {at_risk:,.0f} events expected beyond {number(cut.plain)} units without the antibody, "
        f"by {known.control.n:,.0f} {params.anchor} events in {_tubes(known.n_tubes, params.role)}"
        f"{_extended(rule.false_frac * known.control.n)}"
    )
    text = "; ".join([set_on, *_moves(params, known, cut), f"{beyond:,} events of {parent.n:,} lie beyond the cut"])
    glowing = 0.0
    if params.target is not None and known.target is not None:
        glowing = params.target_false_frac * parent.population(params.target).n
    # Where nothing was found there is nothing that could be a false one.
    if beyond == 0 or beyond >= 2 * max(expected, glowing):
        return text, ()
    return f"{text}: {NOT_SEPARABLE} from the negative's own tail", (NOT_SEPARABLE,)


def _extended(allowed: float) -> str:
    return f" ({number(allowed)} of these, read off their fitted tail)" if allowed < SEEN_EVENTS else ""


def _moves(params: Params, known: Known, cut: Cut) -> list[str]:
    """Say for each reason whether it moved the cut."""
    parts = []
    if not params.match:
        parts.append("the negative of this tube was not compared with theirs, as the template says")
    elif cut.match.cut > cut.plain:
        parts.append(
            f"moved out to {number(cut.match.cut)} units because the negative of this tube lies "
            f"{number(abs(cut.match.shift))} units {'higher' if cut.match.shift >= 0 else 'lower'} and is "
            f"{number(cut.match.stretch)} times as wide"
        )
    if cut.cleared is not None:
        reached = f"{100 * params.target_false_frac:g} % of {params.target} reach by their own glow"
        by = _glow(params, known)
        if cut.cleared == cut.final:
            parts.append(f"set where {reached}, {by}")
        else:
            parts.append(f"beyond {number(cut.cleared)} units, where {reached}, {by}")
    return parts


def _glow(params: Params, known: Known) -> str:
    """Say what the target's autofluorescence is known by."""
    if known.target is None:
        return f"taken to be {number(known.ratio or 1.0)} times that of {params.anchor}"
    middle = number(float(quantiles(known.target, (0.5,))[0]))
    return f"by {known.target.n:,.0f} of them in the controls (median {middle} units)"


def _tubes(n: int, role: str) -> str:
    return f"{n} {role} {'tube' if n == 1 else 'tubes'}"


METHOD = GatingMethod(
    Params, fit, explain, "Cut set on control tubes by the number of false events that it lets through in this tube."
)
