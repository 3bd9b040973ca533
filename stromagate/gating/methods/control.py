"""A cut set on control tubes by how many false events it lets through in this tube, never by a percentile.

A control differs from the tube in two ways that a percentile of it forgets: it holds none of the unspecific binding of
the antibody left out, and the population it is read at glows less than the rare cells do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import Generator
from pydantic import Field

from stromagate.gating.controls import Pool, distribution, pool, pooled, quantiles, redrawn
from stromagate.gating.density import DRAWS
from stromagate.gating.leaks import SEEN_EVENTS, Match, matched, own_reach, reached_by
from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.thresholds import half_line
from stromagate.gating.wording import number, place
from stromagate.model.controls import ControlTube, Distribution
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
        return tuple(dict.fromkeys((self.anchor, *((self.target,) if self.target else ()))))

    def controls_used(self) -> tuple[ControlNeed, ...]:
        """Return the anchor's and the target's values on the axis that is cut."""
        return tuple(ControlNeed(self.role, name, self.axis) for name in self.populations_used())


@dataclass(frozen=True, slots=True)
class _Known:
    """Values of the axis that is cut: the anchor in the controls and in the tube, the target in the controls.

    ``at_risk`` is how many events of this tube could be false, ``false_frac`` which share of them, and so of the anchor
    in the controls, may lie beyond the cut. ``ratio`` is how many times as bright as the anchor the target is, where
    that was not read off the controls. ``pools`` are anchor and target in the controls, tube by tube.
    """

    control: Distribution
    tube: Distribution
    target: Distribution | None
    pools: tuple[Pool, Pool | None]
    at_risk: float
    false_frac: float
    ratio: float | None

    @property
    def expected(self) -> float:
        """Events of this tube that are expected beyond the cut without the antibody."""
        return self.false_frac * self.at_risk

    @property
    def allowed(self) -> float:
        """Events of the anchor in the controls that may lie beyond the cut."""
        return self.false_frac * self.control.n


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the controls alone would cut, the same on this tube's negative, and where the target is clear (linear)."""

    plain: float
    match: Match
    cleared: float | None

    @property
    def final(self) -> float:
        return self.match.cut if self.cleared is None else max(self.match.cut, self.cleared)


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Cut where the controls say that no more than so many false events lie beyond."""
    absent = [axis for axis in params.axes_used() if axis not in parent.axes]
    if absent:
        return not_evaluable(f"{params.axis} not cut: the tube has no axis {absent[0]}")
    tubes = [each for each in parent.outside.controls if each.role == params.role]
    known = _known(parent, params, tubes)
    if isinstance(known, str):
        return not_evaluable(f"{params.axis} not cut: {known}")
    cut = _cut(parent, params, known)
    if cut is None:
        return not_evaluable(f"{params.axis} not cut: the negative of {params.anchor} has no width")
    at = parent.to_display(params.axis, cut.final)
    draws = [_cut(parent, params, _redrawn(known, len(tubes), rng)) for _ in range(DRAWS)]
    shown = [parent.to_display(params.axis, draw.final) for draw in draws if draw is not None]
    doubt, doubts = _doubt(parent, params, known, cut)
    return Fit(
        half_line(params.axis, at, params.keep),
        _sentence(parent, params, known, cut, len(tubes)) + doubt,
        spread=float(np.std(shown, ddof=1)) if len(shown) > 1 else None,
        source=f"{params.role} x{len(tubes)}, {known.control.n:,.0f} {params.anchor} events",
        doubts=doubts,
    )


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    clause = (
        f"{params.axis} {params.keep} the cut that {params.max_false:g} events of {params.anchor} would "
        f"reach by chance, by the {params.role} controls"
    )
    if params.target is None:
        return clause
    by = f", compared in {params.autofluorescence_axis} where they are few" if params.autofluorescence_axis else ""
    return f"{clause}, and that at most {100 * params.target_false_frac:g} % of {params.target} reach by their glow{by}"


def _known(parent: PopulationView, params: Params, tubes: list[ControlTube]) -> _Known | str:
    """Gather what the cut is set on, or say what is missing."""
    if not tubes:
        return f"no {params.role} tube belongs to this tube"
    pools: tuple[Pool, Pool | None] = (_pool(tubes, params.anchor, params.axis), None)
    control = pools[0].whole
    if control.n < params.min_events:
        return (
            f"{control.n:,.0f} events of {params.anchor} in {_tubes(len(tubes), params.role)} are too few "
            f"(at least {params.min_events:,})"
        )
    tube = distribution(_named(parent, params.anchor).linear(params.axis))
    if tube.n < TUBE_EVENTS:
        return f"{tube.n:,.0f} events of {params.anchor} are too few to find its negative by (at least {TUBE_EVENTS})"
    target, ratio = None, None
    if params.target is not None:
        pools = (pools[0], glow := _pool(tubes, params.target, params.axis))
        target = glow.whole
        if target.n < params.min_target:
            few = f"{target.n:,.0f} events of {params.target} in {_tubes(len(tubes), params.role)} are too few"
            target, ratio = None, _ratio(parent, params)
            if ratio is None:
                return f"{few} to know its autofluorescence (at least {params.min_target}), and nothing else tells it"
    # Of a wide anchor only those can become false that the parent holds.
    at_risk = max(min(tube.n, float(parent.n)), 1.0)
    false_frac = min(params.max_false / at_risk, MOST_FALSE_FRAC)
    return _Known(control, tube, target, pools, at_risk, false_frac, ratio)


def _pool(tubes: list[ControlTube], population: str, axis: str) -> Pool:
    nothing = pooled([])
    return pool([tube.distribution(population, axis) or nothing for tube in tubes])


def _ratio(parent: PopulationView, params: Params) -> float | None:
    """Return how many times as bright as the anchor the target is where neither is stained; None where unknown."""
    if params.autofluorescence_axis is None or params.target is None:
        return params.autofluorescence_ratio
    target, anchor = (
        distribution(_named(parent, name).linear(params.autofluorescence_axis))
        for name in (params.target, params.anchor)
    )
    if target.n < params.min_target or anchor.n < TUBE_EVENTS:
        return params.autofluorescence_ratio
    low, middle = quantiles(anchor, (0.25, 0.5))
    # A median that a quarter of the events lie as far below as zero does is noise: no ratio can be made of it.
    return float(quantiles(target, (0.5,))[0] / middle) if low > 0 else params.autofluorescence_ratio


def _cut(parent: PopulationView, params: Params, known: _Known) -> _Cut | None:
    """Place the cut; None where there is no negative to place it by."""
    if not known.control.n > 0 or (known.target is not None and not known.target.n > 0):
        return None
    plain = reached_by(known.control, known.allowed, parent, params.axis)
    match = matched(known.control, known.tube, plain) if params.match else Match(0.0, 1.0, plain)
    if match is None:
        return None
    cleared = None
    if known.target is not None:
        # The same antibody sticks to the target: what it adds to the anchor's negative, it adds to the target's.
        cleared = own_reach(known.target, params.target_false_frac) + max(match.shift, 0.0)
    elif known.ratio is not None:
        glow = reached_by(known.control, params.target_false_frac * known.control.n, parent, params.axis)
        cleared = known.ratio * glow + max(match.shift, 0.0)
    return _Cut(plain, match, cleared)


def _redrawn(known: _Known, n_tubes: int, rng: Generator) -> _Known:
    """Draw the controls anew, tubes first and events within them, and the tube's events."""
    times = rng.multinomial(n_tubes, np.full(n_tubes, 1 / n_tubes))
    anchor, glow = known.pools
    return replace(
        known,
        control=anchor.redrawn(times, rng),
        tube=redrawn(known.tube, rng),
        target=None if known.target is None or glow is None else glow.redrawn(times, rng),
    )


def _named(parent: PopulationView, name: str) -> PopulationView:
    return parent if parent.name == name else parent.population(name)


def _doubt(parent: PopulationView, params: Params, known: _Known, cut: _Cut) -> tuple[str, tuple[Doubt, ...]]:
    """Say so where what was found beyond the cut is less than twice what is expected there without the antibody."""
    glowing = params.target_false_frac * parent.n if known.target is not None else 0.0
    if _beyond(parent, params, cut) >= 2 * max(known.expected, glowing):
        return "", ()
    return f": {NOT_SEPARABLE} from the negative's own tail", (NOT_SEPARABLE,)


def _beyond(parent: PopulationView, params: Params, cut: _Cut) -> int:
    return int(np.count_nonzero(parent.linear(params.axis) >= np.float32(cut.final)))


def _sentence(parent: PopulationView, params: Params, known: _Known, cut: _Cut, n_tubes: int) -> str:
    axis, anchor = params.axis, params.anchor
    text = (
        f"{axis} cut at {place(parent, axis, parent.to_display(axis, cut.final))}: {number(known.expected)} "
        f"of {known.at_risk:,.0f} events expected beyond {number(cut.plain)} units without the antibody, by "
        f"{known.control.n:,.0f} {anchor} events in {_tubes(n_tubes, params.role)}"
    )
    if known.allowed < SEEN_EVENTS:
        text += f" ({number(known.allowed)} of these, read off their fitted tail)"
    if cut.match.cut > cut.plain:
        text += (
            f"; moved out to {number(cut.match.cut)} units because the negative of this tube lies "
            f"{number(abs(cut.match.shift))} units {'higher' if cut.match.shift >= 0 else 'lower'} and is "
            f"{number(cut.match.stretch)} times as wide"
        )
    if not params.match:
        text += "; the negative of this tube was not compared with theirs, as the template says"
    if cut.cleared is not None:
        text += f"; {_clearance(params, known, cut)}"
    return f"{text}; {_beyond(parent, params, cut):,} events of {parent.n:,} lie beyond the cut"


def _clearance(params: Params, known: _Known, cut: _Cut) -> str:
    assert cut.cleared is not None
    if known.target is not None:
        middle = number(float(quantiles(known.target, (0.5,))[0]))
        by = f"{known.target.n:,.0f} of it in the controls (median {middle} units)"
    else:
        by = f"an autofluorescence {number(known.ratio or 1.0)} times the anchor's"
    what = (
        f"{100 * params.target_false_frac:g} % of {params.target}" if known.target is not None else f"{params.target}"
    )
    if cut.cleared > cut.match.cut:
        return f"set where the glow of {what} ends by {by}"
    return f"clear of the glow of {what} by {by}, which ends at {number(cut.cleared)} units"


def _tubes(n: int, role: str) -> str:
    return f"{n} {role} {'tube' if n == 1 else 'tubes'}"


METHOD = GatingMethod(
    Params, fit, explain, "Cut set on control tubes by the number of false events that it lets through in this tube."
)
