"""The same call by other ways of reckoning: other denominators, without the blood, with the last gates moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from stromagate.model.pattern import BETWEEN, Index, RobustnessCell
from stromagate.model.result import SampleResult
from stromagate.model.specimen import MAX_BLOOD_SHARE, blood_shares, specimen
from stromagate.pattern.assessable import could_tell
from stromagate.pattern.cut_points import Cuts
from stromagate.pattern.evidence import Counted, Evidence, moved
from stromagate.pattern.probabilities import most_probable, probabilities
from stromagate.pattern.rates import Rates, draw_rates, without_blood

CutsBy = Mapping[str, Mapping[Index, Cuts]]


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What the main call was reckoned from, and how."""

    result: SampleResult
    evidence: Evidence
    cuts: CutsBy
    rates: Mapping[str, Rates]
    deciding: tuple[str, ...]
    net: bool
    n: int
    seed: int

    @property
    def main(self) -> str:
        """The denominator of the call."""
        return self.deciding[0]


def robustness(reckoning: Reckoning, called: str) -> tuple[RobustnessCell, ...]:
    """Return every other way of reckoning, and whether it comes to another pattern than ``called``."""
    cells = (*_by_denominator(reckoning), *_without_blood(reckoning), *_moved(reckoning))
    return tuple(cell.model_copy(update={"differs": bool(cell.pattern) and cell.pattern != called}) for cell in cells)


def _by_denominator(reckoning: Reckoning) -> Iterator[RobustnessCell]:
    called = reckoning.result.labels_of_populations
    for name in reckoning.cuts:
        title = f"per million of {called.get(name, name)}"
        if name not in reckoning.rates:
            reason = "this tube holds no such events"
            yield RobustnessCell(kind="denominator", name=title, denominator=name, decides=False, reason=reason)
            continue
        told = could_tell(reckoning.evidence.counted, reckoning.evidence, reckoning.cuts[name], name)
        decides = name in reckoning.deciding and (told or name == reckoning.main)
        reason = ""
        if name not in reckoning.deciding:
            reason = "the calibration does not decide by it"
        elif not decides:
            reason = "too few of its cells in this tube to tell"
        yield _cell("denominator", title, name, reckoning, reckoning.rates[name], decides=decides, reason=reason)


def _without_blood(reckoning: Reckoning) -> Iterator[RobustnessCell]:
    """Yield the call without the blood in the marrow, where the sheet has the counts to reckon it from."""
    known = specimen(reckoning.result.labels)
    for share in blood_shares(known)[:1]:
        title = f"without the blood in it ({100 * share.share:.0f} % of its nucleated cells, by {share.method})"
        if not 0 <= share.share <= MAX_BLOOD_SHARE:
            reason = "that share cannot be corrected for"
            yield RobustnessCell(
                kind="hemodilution", name=title, denominator=reckoning.main, decides=False, reason=reason
            )
            continue
        rates = without_blood(reckoning.rates, share.share)[reckoning.main]
        yield _cell("hemodilution", title, reckoning.main, reckoning, rates)


def _moved(reckoning: Reckoning) -> Iterator[RobustnessCell]:
    for place, gate in enumerate(reckoning.result.moved_gates):
        counted = moved(reckoning.result, gate.counts)
        where = "towards its positives" if gate.shift_frac > 0 else "towards its negatives"
        title = f"{gate.axis} cut {abs(100 * gate.shift_frac):.0f} % of the way {where}"
        if counted is None or reckoning.main not in counted.totals:
            reason = "that leaves nothing to divide by"
            yield RobustnessCell(kind="gate", name=title, denominator=reckoning.main, decides=False, reason=reason)
            continue
        yield _cell("gate", title, reckoning.main, reckoning, _drawn(reckoning, counted, place))


def _drawn(reckoning: Reckoning, counted: Counted, place: int) -> Rates:
    rng = np.random.default_rng([reckoning.seed, 2, place])
    return draw_rates(reckoning.evidence, counted, reckoning.n, rng, net=reckoning.net)[reckoning.main]


def _cell(
    kind: str,
    name: str,
    denominator: str,
    reckoning: Reckoning,
    rates: Rates,
    *,
    decides: bool = True,
    reason: str = "",
) -> RobustnessCell:
    pattern, probability = most_probable(probabilities(rates, reckoning.cuts[denominator]))
    return RobustnessCell.model_validate(
        {
            "kind": kind,
            "name": name,
            "denominator": denominator,
            "pattern": pattern,
            "probability": round(probability, 4),
            "decides": decides,
            "reason": reason,
        }
    )


def in_words(pattern: str) -> str:
    """Return a pattern as tables name it."""
    return "within the range" if pattern == BETWEEN else pattern
