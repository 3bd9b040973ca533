"""Background of the index populations, and the limits that it sets. As numbers of a result: ``background_rows``.

Background is what tubes hold of a population that should hold none of it, counted on the very boundaries of the tube
that is judged: its FMO controls, unstained tubes, blanks, and the laboratory's blanks. Counts are scaled by events of a
population that the missing antibodies do not decide about, so that both tubes mean the same by it.

An FMO tells the background of a population only where the population must carry the marker that was left out. It holds
the same marrow, stroma included: those of its stroma that lie beyond the cut by their own glow are in it, and are
counted rightly in the stained tube. So it tells glow and spillover, and nothing of what the antibody itself sticks to.

A tube without antibodies shows glow alone, of all its cells: leukocytes pass the gates on CD45 there. Its count is an
upper bound of what glow lets through; it is shown, and neither subtracted nor a limit of anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stromagate.gating.conditions import carried, marker_of
from stromagate.gating.tree import deciding_axes
from stromagate.model.blanks import Blanks
from stromagate.model.detection import (
    LAB_BLANKS,
    UNSTAINED,
    BackgroundCount,
    DetectionLimits,
)
from stromagate.model.gates import ROOT, GateTree
from stromagate.model.holding import holders
from stromagate.model.result import ControlUse, Statistic
from stromagate.quantify.detection import Blank, Expected, expect, limits, strictest
from stromagate.quantify.intervals import poisson
from stromagate.quantify.states import count_state, rarest

ALWAYS_BACKGROUND = (UNSTAINED, "blank")
MIN_BLANK_EVENTS = 100
"""Blanks with fewer events of what they are scaled by tell no background. Own choice, that of the check Q13."""
SHOWN_FRAC = 0.2
"""A share of a count that is background for certain is a reason for limits, however small the blanks. Own choice, that
of the check Q16."""
_FMO = "fmo:"


@dataclass(frozen=True, slots=True)
class Background:
    """What one kind of blanks says of one population of a tube.

    ``total`` are the tube's events of ``base``, the population by which the blanks were scaled; ``count`` are those of
    the population, None where nobody asks about them.
    """

    population: str
    role: str
    base: str
    total: int
    blanks: tuple[Blank, ...]
    expected: Expected
    count: int | None = None

    @property
    def too_small(self) -> bool:
        """Whether the blanks hold too few events to set limits.

        So it is with fewer events than `MIN_BLANK_EVENTS`; and where they are smaller than the tube, and counting alone
        leaves more of its background open than the tube has events of the population. What they show for certain is
        told by them even so: then the lower limit of the background is more than `SHOWN_FRAC` of the count.
        """
        if sum(blank.total for blank in self.blanks) < MIN_BLANK_EVENTS:
            return True
        if self.count is None or self.expected.scale <= 1:
            return False
        low, high = (limit * self.expected.scale for limit in poisson(self.expected.counted))
        return low <= SHOWN_FRAC * self.count and self.count < high - self.expected.mean


def tells(tree: GateTree, population: str, role: str) -> bool:
    """Say whether controls of a role show the background of a population."""
    if role.startswith(_FMO):
        return role.removeprefix(_FMO) in carried(tree, population)
    return role in ALWAYS_BACKGROUND


def scaled_by(tree: GateTree, population: str, role: str, denominators: Sequence[str]) -> str:
    """Return the population by whose events a control is scaled to a tube.

    It is the first declared denominator that holds the population and that no missing antibody decides about, else the
    nearest population above of which that is true; the root is the last.
    """
    axes, held = deciding_axes(tree), holders(tree)
    missing = _missing(tree, role)

    def same(name: str) -> bool:
        return name == ROOT or not missing & {marker_of(axis) for axis in axes[name]}

    chain = [population]
    while chain[-1] != ROOT:
        chain.append(tree.node(chain[-1]).parent)
    declared = (name for name in denominators if name in held[population])
    return next(name for name in (*declared, *chain[1:], ROOT) if same(name))


def wanted_counts(tree: GateTree, populations: Sequence[str], role: str, denominators: Sequence[str]) -> list[str]:
    """Return the populations to count on a control: those whose background it shows, and what they are scaled by."""
    told = [name for name in populations if tells(tree, name, role)]
    bases = [scaled_by(tree, name, role, denominators) for name in told]
    return list(dict.fromkeys([*told, *bases]))


def backgrounds(
    tree: GateTree,
    counts: Mapping[str, int | None],
    populations: Sequence[str],
    denominators: Sequence[str],
    controls: Sequence[ControlUse],
    lab: Blanks | None = None,
) -> tuple[Background, ...]:
    """Return the background of every population by every kind of blanks that tells it.

    Parameters
    ----------
    tree : GateTree
        Boundaries of the tube.
    counts : mapping of str to int or None
        Its events by population.
    populations : sequence of str
        What is asked for; those that were not evaluated are left out.
    denominators : sequence of str
        Declared denominators, the main one first.
    controls : sequence of ControlUse
        Its controls; those that were not counted on its boundaries tell nothing.
    lab : Blanks, optional
        The laboratory's blanks, counted by the same template on boundaries of their own.
    """
    there = {node.name for node in tree.nodes}
    roles = dict.fromkeys(use.role for use in controls if use.counts)
    found = []
    for population in dict.fromkeys(populations):
        if population not in there or counts.get(population) is None:
            continue
        for role in (*(role for role in roles if tells(tree, population, role)), LAB_BLANKS):
            base = scaled_by(tree, population, role, denominators)
            total, blanks = counts.get(base), tuple(_blanks(population, base, role, controls, lab))
            expected = expect(blanks, total) if total else None
            if total and expected is not None:
                found.append(Background(population, role, base, total, blanks, expected, counts[population]))
    return tuple(found)


def background_counts(known: Sequence[Background], confidence: float) -> tuple[BackgroundCount, ...]:
    """Return backgrounds as a result keeps them, with limits at a level of confidence."""
    found = []
    for each in known:
        low, high = limits_of_mean(each.expected, confidence)
        found.append(
            BackgroundCount(
                population=each.population,
                role=each.role,
                n_blanks=each.expected.n,
                events=each.expected.counted,
                scale=float(f"{each.expected.scale:.12g}"),
                scaled_by=each.base,
                low=float(f"{low:.12g}"),
                high=float(f"{high:.12g}"),
                spread=float(f"{each.expected.spread:.12g}"),
                too_small=each.too_small,
            )
        )
    return tuple(found)


def detection(known: Sequence[Background], populations: Sequence[str]) -> tuple[DetectionLimits, ...]:
    """Return the limits of every population: the strictest that its backgrounds set, else the floors.

    An upper bound sets none, and neither do blanks that are too small to tell.
    """
    found = {population: [limits(population, (), 0)] for population in populations}
    for each in known:
        if each.role == UNSTAINED or each.too_small:
            continue
        found[each.population].append(limits(each.population, each.blanks, each.total, each.role))
    return tuple(strictest(several) for several in found.values())


def judged(rows: Sequence[Statistic], found: Sequence[DetectionLimits]) -> tuple[Statistic, ...]:
    """Return statistics with the states that blanks leave them: background can only take a state down."""
    by_name = {each.population: each for each in found}
    counts = {row.population: row.n for row in rows if row.statistic == "count"}
    return tuple(_judged(row, by_name, counts) for row in rows)


def _judged(row: Statistic, by_name: Mapping[str, DetectionLimits], counts: Mapping[str, int | None]) -> Statistic:
    """Judge a ratio by both of its populations, a median of the whole by that, any other number by its own."""
    both = row.statistic == "ratio"
    names = (row.population, row.denominator) if both else (row.population,)
    if row.statistic == "median_of_parent":
        names = (row.denominator,)
    events = [(name, counts.get(name) if both else row.n) for name in names]
    if row.state != rarest([count_state(n) for _, n in events]):
        return row
    return row.model_copy(update={"state": rarest([count_state(n, by_name.get(name)) for name, n in events])})


def _blanks(
    population: str, base: str, role: str, controls: Sequence[ControlUse], lab: Blanks | None
) -> Iterator[Blank]:
    if role == LAB_BLANKS:
        for tube in lab.tubes if lab else ():
            if population in tube.counts and base in tube.counts:
                yield Blank(tube.counts[population], tube.counts[base], tube.day, tube.lot)
        return
    for use in controls:
        if use.role == role and population in use.counts and base in use.counts:
            yield Blank(use.counts[population], use.counts[base])


def _missing(tree: GateTree, role: str) -> set[str]:
    """Return the markers whose antibodies are not in a control of that role."""
    if role.startswith(_FMO):
        return {role.removeprefix(_FMO)}
    stained = {axis for axis in tree.axes if not axis.startswith(("FSC-", "SSC-")) and axis != "Time"}
    return {marker_of(axis) for axis in stained} if role == UNSTAINED else set()


def limits_of_mean(expected: Expected, confidence: float) -> tuple[float, float]:
    """Return the limits of the background to expect in a tube.

    Where blanks differ by more than counting, their mean is known so much less; and the tube differs from that mean as
    each of them does, however many there are (a gamma distribution, as for the limit of blank).
    """
    low, high = (limit * expected.scale for limit in poisson(expected.counted, confidence))
    if not (expected.spread and expected.dispersion):
        return low, high
    from scipy.special import gammaincinv

    mean, further, shape = expected.mean, math.sqrt(expected.dispersion), 1 / expected.spread
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    least, most = (mean * expected.spread * float(gammaincinv(shape, tail)) for tail in tails)
    down = math.hypot(further * (mean - low), mean - least)
    return max(0.0, mean - down), mean + math.hypot(further * (high - mean), max(most - mean, 0.0))
