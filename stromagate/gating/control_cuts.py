"""A cut set on controls: what is known, where the cut lies for each reason there is, and the same drawn anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from stromagate.gating.controls import Pool, redrawn
from stromagate.gating.leaks import Match, matched, own_reach, reached_by
from stromagate.gating.method import PopulationView
from stromagate.model.controls import Distribution


@dataclass(frozen=True, slots=True)
class Rule:
    """Which shares may lie beyond the cut, and whether it moves with the negative of the tube.

    ``false_frac`` is of the events at risk, and so of the anchor in the controls; ``target_false_frac`` of the target.
    """

    false_frac: float
    target_false_frac: float
    match: bool


@dataclass(frozen=True, slots=True)
class Known:
    """Values of the axis that is cut.

    Attributes
    ----------
    control, tube : Distribution
        The anchor in the controls, and in the tube.
    target : Distribution or None
        The target in the controls.
    ratio : float or None
        How many times as bright as the anchor the target is, where that was not read off the controls.
    pools : tuple of Pool
        Anchor and target in the controls, tube by tube.
    """

    control: Distribution
    tube: Distribution
    target: Distribution | None
    ratio: float | None
    pools: tuple[Pool, Pool | None]

    @property
    def n_tubes(self) -> int:
        """Number of controls."""
        return self.pools[0].tubes

    def redrawn(self, rng: Generator) -> Known:
        """Draw the controls anew, tubes first and events within them, and the tube's events."""
        times = rng.multinomial(self.n_tubes, np.full(self.n_tubes, 1 / self.n_tubes))
        anchor, glow = self.pools
        return replace(
            self,
            control=anchor.redrawn(times, rng),
            tube=redrawn(self.tube, rng),
            target=None if self.target is None or glow is None else glow.redrawn(times, rng),
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a cut lies for each reason (linear units); the one furthest out decides.

    ``plain`` is where the controls alone would cut, ``match`` what that is on this tube's negative, ``cleared`` where
    the target's glow ends.
    """

    plain: float
    match: Match
    cleared: float | None

    @property
    def final(self) -> float:
        """The cut."""
        return self.match.cut if self.cleared is None else max(self.match.cut, self.cleared)


def find_cut(view: PopulationView, axis: str, known: Known, rule: Rule) -> Cut | None:
    """Place the cut.

    Parameters
    ----------
    view : PopulationView
        Knows the display scale of the axis.
    axis : str
        Axis that is cut.
    known : Known
        What it is set on.
    rule : Rule
        How much may lie beyond it.

    Returns
    -------
    Cut or None
        None where there is no negative to place it by.
    """
    if not known.control.n > 0 or (known.target is not None and not known.target.n > 0):
        return None
    plain = reached_by(known.control, rule.false_frac * known.control.n, view, axis)
    match = matched(known.control, known.tube, plain) if rule.match else Match(0.0, 1.0, plain)
    if match is None:
        return None
    return Cut(plain, match, _cleared(view, axis, known, rule, match))


def _cleared(view: PopulationView, axis: str, known: Known, rule: Rule, match: Match) -> float | None:
    """Return where the target's own glow ends; None where there is no target."""
    if known.target is not None:
        glow = own_reach(known.target, rule.target_false_frac)
    elif known.ratio is not None:
        glow = known.ratio * reached_by(known.control, rule.target_false_frac * known.control.n, view, axis)
    else:
        return None
    # The same antibody sticks to the target: what it adds to the anchor's negative, it adds to the target's.
    return glow + max(match.shift, 0.0)
