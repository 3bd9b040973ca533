"""What a result says of the pattern: progenitors, other MSC, what they are divided by, and what blanks hold of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stromagate.model.detection import BackgroundCount, DetectionLimits
from stromagate.model.holding import holders
from stromagate.model.result import SampleResult

MSC, PROGENITORS = "msc", "progenitors"
"""Keys of a template's ``indices`` that the pattern is read from."""

MILLION = 1_000_000
Events = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Counted:
    """Events of P, of Q, and of every denominator: arrays of shape (n,), replays that belong together; n is 1 for one.

    Q are the MSC that are no progenitors.
    """

    p: Events
    q: Events
    totals: Mapping[str, Events]

    def total(self, denominator: str) -> int:
        """Return the events of a denominator in the first replay."""
        return int(self.totals[denominator][0])


@dataclass(frozen=True, slots=True)
class Background:
    """What blanks hold of a population: their events, and how many of the tube's one of these stands for.

    ``spread`` is the squared CV by which the ``n_blanks`` differ beyond counting. Blanks that are ``too_small`` to tell
    are no background to take off one tube: what they leave open would drown its own counts.
    """

    role: str
    events: int
    scale: float
    spread: float = 0.0
    n_blanks: int = 1
    too_small: bool = False

    @property
    def expected(self) -> float:
        """Events of background to expect in the tube."""
        return self.events * self.scale


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a call looks at. ``counted`` is the tube as it was gated, ``redrawn`` on redrawn boundaries."""

    counted: Counted
    redrawn: Counted
    background_p: Background | None
    background_msc: Background | None
    limits: Mapping[str, DetectionLimits] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether blanks show the background of both populations, be they small."""
        return self.background_p is not None and self.background_msc is not None

    @property
    def is_net(self) -> bool:
        """Whether the background of both populations is known well enough to be taken off this tube."""
        both = (self.background_p, self.background_msc)
        return all(each is not None and not each.too_small for each in both)


def evidence(result: SampleResult) -> Evidence | str:
    """Return what a result says of its pattern, or why it says nothing."""
    lacking = [key for key in (MSC, PROGENITORS) if key not in result.indices]
    if lacking:
        return f"the template names no population for the index “{lacking[0]}”"
    msc, progenitors = result.indices[MSC], result.indices[PROGENITORS]
    counts = {name: result.count(name) for name in (msc, progenitors)}
    for name, count in counts.items():
        if count is None:
            return f"“{result.labels_of_populations.get(name, name)}” could not be evaluated"
    if msc not in holders(result.tree).get(progenitors, ()):  # MSC that are no progenitors could not be told from them
        part, whole = (result.labels_of_populations.get(name, name) for name in (progenitors, msc))
        return f"by the template “{part}” is no part of “{whole}”, and the pattern is of both"
    here = _counted(result, {}, msc, progenitors)
    if not here.totals:
        return "no denominator of the template holds an event"
    known = {each.population: each for each in result.detection}
    return Evidence(
        here,
        _counted(result, result.redrawn, msc, progenitors),
        _background(result, progenitors),
        _background(result, msc),
        {key: known[name] for key, name in ((MSC, msc), (PROGENITORS, progenitors)) if name in known},
    )


def moved(result: SampleResult, counts: Mapping[str, int]) -> Counted | None:
    """Return a tube as counted with one gate elsewhere; None where that leaves a denominator without events."""
    msc, progenitors = result.indices[MSC], result.indices[PROGENITORS]
    if msc not in counts or progenitors not in counts:
        return None
    totals = {name: np.array([counts[name]]) for name in _denominators(result) if counts.get(name)}
    p = np.array([counts[progenitors]])
    return Counted(p, np.maximum(np.array([counts[msc]]) - p, 0), totals)


def _denominators(result: SampleResult) -> list[str]:
    """Return the denominators of rates: a population of the pattern is none, for then the rate is a share of itself."""
    own = {result.indices[MSC], result.indices[PROGENITORS]}
    return [name for name in result.denominators if name not in own]


def _counted(result: SampleResult, replays: Mapping[str, tuple[int, ...]], msc: str, progenitors: str) -> Counted:
    """Return P, Q and the denominators, those that no replay moves the same in each."""
    n = max((len(each) for each in replays.values()), default=1)

    def events(name: str) -> Events:
        drawn = replays.get(name)
        return np.array(drawn) if drawn else np.full(n, result.count(name), dtype=np.int64)

    p, both = events(progenitors), events(msc)
    totals = {name: events(name) for name in _denominators(result) if result.count(name)}
    return Counted(p, np.maximum(both - p, 0), {name: each for name, each in totals.items() if each.all()})


def _background(result: SampleResult, population: str) -> Background | None:
    """Return the background that set the limits of a population, else the largest; one too small to tell comes last."""
    known = [each for each in result.background if each.population == population and not each.is_bound]
    source = next((each.source for each in result.detection if each.population == population), "")
    chosen: BackgroundCount | None = next((each for each in known if each.role == source), None)
    chosen = chosen or max(known, key=lambda each: (not each.too_small, each.high), default=None)
    if chosen is None:
        return None
    return Background(chosen.role, chosen.events, chosen.scale, chosen.spread, chosen.n_blanks, chosen.too_small)
