"""What a gate that throws events out took of the rare cells, and whether it took them at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stromagate.model.gates import GateNode
from stromagate.qc.check import Evidence
from stromagate.qc.straight import cut, within
from stromagate.qc.targets import added, among, deciding, edges_of, path_to
from stromagate.qc.wording import events

SURELY = 0.01
"""Below this chance a removal is called not at random; own choice, as for the other tests over a tube."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What a gate removed: of all events, and of those that look like a target by all other gates that decide."""

    gate: str
    called: str
    n: int
    removed: int
    alike: int
    lost: int

    @property
    def by_chance(self) -> float:
        """How many of the target a removal at random would have taken."""
        return self.alike * self.removed / self.n if self.n else 0.0

    @property
    def p(self) -> float:
        """Chance of a loss as unlikely as this one, in either direction, where the removal is at random."""
        return fisher_exact(self.lost, self.alike, self.removed, self.n)

    @property
    def sentence(self) -> str:
        """Say how many of the target went, how many would by chance, and what the exact test makes of it."""
        if not self.alike:
            return f"No event that looks like {self.called} was there for the gate of {self.gate} to remove."
        p = self.p
        verdict = "not at random" if p < SURELY else "at random as far as can be seen"
        return (
            f"Of {events(self.alike)} that look like {self.called} the gate of {self.gate} removed {self.lost:,}, "
            f"by chance {self.by_chance:.3g}: {verdict} (exact test p = {p:.2g})."
        )


def removal(evidence: Evidence, gate: GateNode, name: str) -> Removal | None:
    """Count what a gate on the way to a target removed of it.

    Parameters
    ----------
    evidence : Evidence
        The tube.
    gate : GateNode
        A gate that is there to throw events out: of time, margins or doublets.
    name : str
        The target.

    Returns
    -------
    Removal or None
        None where the gate does not stand above the target or was not evaluated, and where the target has no straight
        edge of its own to look for it among what was removed.
    """
    rows = evidence.members.get(gate.name)
    if rows is None or gate not in path_to(evidence, name)[:-1]:
        return None
    straight = [
        item for item in deciding(evidence, name) if item[0].method != gate.method and edges_of(item[0].geometry)
    ]
    if not any(item in straight for item in added(evidence, name)):
        return None
    before = evidence.members[gate.parent]
    # The rarest gates are the last ones.
    alike = within(evidence, before, [cut(evidence, node, keep=keep) for node, keep in reversed(straight)])
    lost = alike.size - int(np.count_nonzero(among(alike, rows)))
    return Removal(
        evidence.called(gate.name), evidence.called(name), before.size, before.size - rows.size, alike.size, lost
    )


def fisher_exact(lost: int, alike: int, removed: int, n: int) -> float:
    """Return the two-sided p-value of Fisher's exact test.

    Parameters
    ----------
    lost : int
        Removed events that look like the target.
    alike : int
        Events that look like the target.
    removed, n : int
        Removed events, and all of them.

    Returns
    -------
    float
        Summed chance of all tables that are no more likely than this one; 1 where nothing, or everything, was removed.
    """
    from scipy.special import gammaln

    possible = np.arange(max(0, alike - (n - removed)), min(alike, removed) + 1)
    if possible.size < 2:
        return 1.0

    def log_choose(total: int, of: np.ndarray) -> np.ndarray:
        return np.asarray(gammaln(total + 1.0) - gammaln(of + 1.0) - gammaln(total - of + 1.0))

    log_p = log_choose(alike, possible) + log_choose(n - alike, removed - possible)
    chance = np.exp(log_p - log_p.max())
    # Tables of equal chance differ in their last digits.
    as_rare = chance <= chance[lost - possible[0]] * (1 + 1e-7)
    return min(float(chance[as_rare].sum() / chance.sum()), 1.0)
