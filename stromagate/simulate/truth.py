"""What is really in a tube: the particles of every event, and the counts that follow from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stromagate.simulate.antigens import Codes
from stromagate.simulate.populations import ALL_NAMES, ALL_POPULATIONS, MSC, NAMES, code_of

NO_PARTICLE = 255
DEAD, DEAD_SECOND, STUCK, BY_CHANCE = 1, 2, 4, 8
CLOG, BUBBLE, CARRYOVER, BACKGROUND = 16, 32, 64, 128
"""Bits of ``Truth.flags``."""

TRUTH_COLUMNS = (
    "sample_id",
    "population",
    "particles",
    "viable",
    "viable_singlets",
    "per_million_viable_nucleated",
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What every event is made of, each array of shape (n_events,).

    ``primary`` and ``secondary`` are positions in ``populations.ALL_NAMES`` (``NO_PARTICLE``: a singlet); of two
    particles the nucleated one stands first. ``flags`` adds up DEAD and DEAD_SECOND (the first and second particle
    are dead), STUCK (two cells bound to each other), BY_CHANCE (two particles at the same time), CLOG (recorded
    while the flow was blocked), BUBBLE (air: counted as debris, no particle at all), CARRYOVER (a cell of the tube
    before) and BACKGROUND (an event of the real file that cells were put into; its ``primary`` is NO_PARTICLE,
    because nobody knows). ``counted`` are the kinds of cells that the tube could hold.
    """

    primary: Codes
    secondary: Codes
    flags: NDArray[np.uint8]
    counted: tuple[str, ...] = NAMES

    @property
    def viable_singlet(self) -> NDArray[np.bool_]:
        """Events of one particle, and that one alive and of this tube."""
        return np.asarray((self.secondary == NO_PARTICLE) & (self.flags & (DEAD | CARRYOVER) == 0))

    def is_one_of(self, *names: str) -> NDArray[np.bool_]:
        """Events whose first particle is of one of the populations."""
        return np.isin(self.primary, [code_of(name) for name in names])


def join(parts: list[Truth], counted: tuple[str, ...] = NAMES) -> Truth:
    """Return the truth of consecutive parts of a run."""
    primary, secondary, flags = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("primary", "secondary", "flags")
    )
    return Truth(primary, secondary, flags, counted)


def groups(counted: tuple[str, ...] = NAMES) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every name that is counted with the populations it takes together: sums first, then each population."""
    yield "nucleated", tuple(each.name for each in ALL_POPULATIONS if each.nucleated)
    yield "msc", MSC
    for name in counted:
        yield name, (name,)


def count_rows(sample_id: str, truth: Truth) -> Iterator[tuple[str | int | float, ...]]:
    """Yield the rows of ``truth.csv`` of one tube, in the order of TRUTH_COLUMNS.

    ``particles`` counts all, also dead ones and those in events of two; ``viable`` the living of them;
    ``viable_singlets`` the events of one living particle, which is what a perfect gate would count. The rate is of
    viable singlets among viable nucleated singlets. Cells of the tube before are in none of them.
    """
    own = truth.flags & CARRYOVER == 0
    viable_second = (truth.secondary != NO_PARTICLE) & (truth.flags & DEAD_SECOND == 0)
    viable_first = truth.flags & DEAD == 0
    whole = 0
    for name, members in groups(truth.counted):
        codes = [code_of(member) for member in members]
        first, second = np.isin(truth.primary, codes) & own, np.isin(truth.secondary, codes) & own
        singlets = int((first & truth.viable_singlet).sum())
        whole = singlets if name == "nucleated" else whole
        yield (
            sample_id,
            name,
            int(first.sum() + second.sum()),
            int((first & viable_first).sum() + (second & viable_second).sum()),
            singlets,
            round(1e6 * singlets / whole, 2) if whole else "",
        )


def save_truth(path: Path, truth: Truth) -> None:
    """Write the truth of every event as compressed arrays, with the names that the codes stand for."""
    np.savez_compressed(
        path,
        primary=truth.primary,
        secondary=truth.secondary,
        flags=truth.flags,
        populations=np.array(names_behind(truth)),
    )


def load_truth(path: Path) -> Truth:
    """Read what `save_truth` wrote."""
    with np.load(path) as arrays:
        return Truth(arrays["primary"], arrays["secondary"], arrays["flags"])


def names_behind(truth: Truth) -> tuple[str, ...]:
    """Return the names that the codes of a truth count into: the usual ones where it holds no others."""
    return NAMES if truth.counted == NAMES else ALL_NAMES
