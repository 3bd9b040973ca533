"""Learning a boundary from reviewed tubes, and how well it holds in donors it was not learned from.

The members of a population are described by one normal distribution on several axes; the boundary is the ellipse around
it, of the size that serves best on donors that were left out. On simulated marrow of eight donors this found more of
rare stroma with fewer false events than linear and quadratic discriminants did, because the other cells of a marrow are
many kinds and no normal distribution describes them (F1 0.97 against 0.90 to 0.93 on two axes, tuning seeds).

The unit is the donor. No event of a donor ever takes part in the boundary that this donor is scored with, nor in the
choice of its size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stromagate.errors import SpecificationError
from stromagate.model.classifier import FEWEST_DONORS
from stromagate.model.sample import F32, F64, Rows

FEWEST_MEMBERS = 50
"""Members of all donors together below which nothing is learned: own choice."""
FEWEST_IN_A_FIT = 15
"""Members below which a fit with donors left out describes nothing: own choice."""
OTHERS_KEPT = 200_000
"""Other events of one tube that are looked at; of more, so many evenly taken ones stand for all."""
# A donor counts at most as many times the events of the middle donor, so that one rich marrow is not the model.
_RICHEST = 2
# Donors that are left out together where the size is chosen: more parts add time and tell little more.
_PARTS = 5
# Sizes whose mean F1 is within this of the best are as good; the middle one is taken, which a few events do not move.
_AS_GOOD = 0.005
_SIZES = 400


@dataclass(frozen=True, slots=True)
class Donor:
    """One donor's events on the axes, in display units of the model's scales.

    Attributes
    ----------
    name : str
    members : ndarray of float64, shape (n, n_axes)
        Events of the population. A value that is not finite is never within a boundary.
    others : ndarray of float32, shape (m, n_axes)
        Other events of the parent, finite.
    weights : ndarray of float32, shape (m,)
        How many events each of the others stands for.
    """

    name: str
    members: F64
    others: F32
    weights: F32


@dataclass(frozen=True, slots=True)
class Score:
    """What a boundary found in a donor that had no part in it."""

    donor: str
    n_members: int
    found: int
    false_events: float

    @property
    def precision(self) -> float | None:
        """Share of the events within that are members."""
        return self.found / (self.found + self.false_events) if self.found + self.false_events else None

    @property
    def recall(self) -> float | None:
        """Share of the members that are within."""
        return self.found / self.n_members if self.n_members else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of the two; None for a donor without members."""
        return 2 * self.found / (self.n_members + self.found + self.false_events) if self.n_members else None


@dataclass(frozen=True, slots=True)
class Learned:
    """A boundary of all donors, and the scores of each with a boundary of the others.

    ``mean`` has shape (n_axes,), ``covariance`` (n_axes, n_axes), both display units; ``spread`` is the standard
    deviation of the boundary on the first axis.
    """

    mean: F64
    covariance: F64
    distance_squared: float
    spread: float
    scores: tuple[Score, ...]


def learn(donors: Sequence[Donor], *, recall: float | None = None) -> Learned:
    """Learn an ellipse and score it donor by donor.

    Parameters
    ----------
    donors : sequence of Donor
        Three or more, each once.
    recall : float, optional
        Share of the members (0-1) that the mean donor left out should have within; by default the size has the largest
        mean F1.

    Returns
    -------
    Learned

    Raises
    ------
    SpecificationError
        Too few members, in all or with donors left out, or members without any width on an axis.
    """
    total = sum(len(donor.members) for donor in donors)
    if total < FEWEST_MEMBERS:
        raise SpecificationError(
            "train.few_events",
            f"{total} events of the population in all are too few to learn from (at least {FEWEST_MEMBERS})",
            hint="add tubes, or take a population that is less rare",
        )
    having = sum(len(donor.members) > 0 for donor in donors)
    if having < FEWEST_DONORS:
        raise SpecificationError(
            "train.few_donors",
            f"{having} donors with events of the population are too few (at least {FEWEST_DONORS}): one is left out to "
            "be scored, and the others must show how donors differ",
            hint="add runs of other donors",
        )
    choose = _by_f1 if recall is None else _by_recall(recall)
    scores, edges, away = [], [], []
    for donor in donors:
        rest = [other for other in donors if other is not donor]
        size = choose(_left_out(rest))
        normal = _normal(rest)
        held = _Distances.of(normal, donor)
        away.append(held)
        scores.append(held.score(size))
        edges.append(normal.edges(size))
    normal = _normal(donors)
    spread = _jackknife(np.array(edges))
    return Learned(normal.mean, normal.covariance, choose(away), spread, tuple(scores))


@dataclass(frozen=True, slots=True)
class _Normal:
    """The normal distribution of some donors' members."""

    mean: F64
    covariance: F64

    def distances(self, points: F32 | F64) -> F64:
        """Return squared Mahalanobis distances, shape (n,); infinite where a value is not finite."""
        away = np.asarray(points, dtype=np.float64) - self.mean
        with np.errstate(invalid="ignore", over="ignore"):
            found = ((away @ np.linalg.inv(self.covariance)) * away).sum(axis=1)
        return np.where(np.isfinite(found), found, np.inf)

    def edges(self, size: float) -> tuple[float, float]:
        """Return how far the ellipse reaches on the first axis, either way."""
        reach = float(np.sqrt(size * self.covariance[0, 0]))
        return float(self.mean[0]) - reach, float(self.mean[0]) + reach


@dataclass(frozen=True, slots=True)
class _Distances:
    """A donor's events by their distance from a distribution, ascending; ``false`` adds up the others' weights."""

    donor: str
    members: F64
    others: F64
    false: F64

    @classmethod
    def of(cls, normal: _Normal, donor: Donor) -> _Distances:
        away = normal.distances(donor.others)
        order = np.argsort(away, kind="stable")
        false = np.concatenate([[0.0], np.cumsum(donor.weights[order], dtype=np.float64)])
        return cls(donor.name, np.sort(normal.distances(donor.members)), away[order], false)

    def found(self, sizes: F64) -> tuple[F64, F64]:
        """Return members and false events within each size, shape (k,)."""
        members = np.searchsorted(self.members, sizes, side="right").astype(np.float64)
        return members, self.false[np.searchsorted(self.others, sizes, side="right")]

    def score(self, size: float) -> Score:
        found, false = self.found(np.array([size]))
        return Score(self.donor, len(self.members), int(found[0]), float(false[0]))


def _left_out(donors: Sequence[Donor]) -> list[_Distances]:
    """Return every donor's distances from a distribution that it has no part in, a few donors left out at a time."""
    parts = min(len(donors), _PARTS)
    found = []
    for part in range(parts):
        normal = _normal([donor for index, donor in enumerate(donors) if index % parts != part])
        found += [_Distances.of(normal, donor) for index, donor in enumerate(donors) if index % parts == part]
    return found


def _normal(donors: Sequence[Donor]) -> _Normal:
    """Describe the members of some donors by a mean and a covariance, shrunk as far as their number asks for.

    The shrinkage is that of Ledoit and Wolf, doi:10.1016/S0047-259X(03)00096-4, on axes of equal width.
    """
    from sklearn.covariance import ledoit_wolf

    finite = [donor.members[np.isfinite(donor.members).all(axis=1)] for donor in donors]
    counts = [len(members) for members in finite if len(members)]
    most = max(FEWEST_IN_A_FIT, int(_RICHEST * np.median(counts))) if counts else 0
    points = np.concatenate([members[evenly(len(members), most)] for members in finite])
    if len(points) < FEWEST_IN_A_FIT:
        left = " and ".join(donor.name for donor in donors)
        raise SpecificationError(
            "train.few_events",
            f"with the other donors left out, {left} alone have {len(points)} events of the population, too few to "
            f"learn from (at least {FEWEST_IN_A_FIT})",
            hint="add donors, or tubes of these donors",
        )
    mean, width = points.mean(axis=0), points.std(axis=0)
    if not (width > 0).all():
        raise SpecificationError(
            "train.no_width",
            "all events of the population have the same value on one of the axes",
            hint="leave that axis out",
        )
    covariance, _ = ledoit_wolf((points - mean) / width, assume_centered=True)
    shape = np.asarray(covariance) * np.outer(width, width)
    return _Normal(_rounded(mean, width), _rounded((shape + shape.T) / 2, np.outer(width, width)))


def evenly(n: int, most: int) -> Rows:
    """Return the rows of at most ``most`` of ``n`` events, evenly taken."""
    return np.linspace(0, n - 1, min(n, most)).astype(np.intp)


def _rounded(values: F64, unit: F64) -> F64:
    """Round to a millionth of the unit, so that the last bits of another machine's algebra do not show."""
    step = 10.0 ** (np.floor(np.log10(unit)) - 6)
    return np.asarray(np.round(values / step) * step, dtype=np.float64)


def _sizes(held: Sequence[_Distances]) -> F64:
    """Return the sizes that come into question: distances of members, evenly over their ranks."""
    members = np.concatenate([donor.members for donor in held])
    members = np.sort(members[np.isfinite(members)])
    return np.unique(members[np.linspace(0, len(members) - 1, min(len(members), _SIZES)).astype(np.intp)])


def _by_f1(held: Sequence[_Distances]) -> float:
    """Return the size with the largest mean F1 over donors with members: the middle of those that are as good."""
    sizes = _sizes(held)
    scores = []
    for donor in held:
        if len(donor.members):
            found, false = donor.found(sizes)
            scores.append(2 * found / (len(donor.members) + found + false))
    mean = np.mean(scores, axis=0)
    good = np.flatnonzero(mean >= mean.max() - _AS_GOOD)
    return _short(float(sizes[good[len(good) // 2]]))


def _by_recall(wanted: float) -> Callable[[Sequence[_Distances]], float]:
    """Return the choice of the smallest size within which the mean donor has that share of its members."""

    def choose(held: Sequence[_Distances]) -> float:
        sizes = _sizes(held)
        mean = np.mean([donor.found(sizes)[0] / len(donor.members) for donor in held if len(donor.members)], axis=0)
        enough = np.flatnonzero(mean >= wanted - 1e-12)
        return _short(float(sizes[enough[0] if enough.size else -1]), up=True)

    return choose


def _short(size: float, *, up: bool = False) -> float:
    """Return a size with six digits, never smaller where every member counts."""
    step = 10.0 ** (np.floor(np.log10(max(size, 1e-6))) - 5)
    steps = np.ceil(size / step) if up else np.round(size / step)
    return float(max(steps * step, 1e-6))


def _jackknife(edges: F64) -> float:
    """Return the standard deviation of the boundary from leaving out one donor at a time, shape (n_donors, 2) edges.

    The jackknife of Efron and Stein, doi:10.1214/aos/1176345462: boundaries that share all donors but one differ far
    less than boundaries of other donors would.
    """
    n = len(edges)
    variance = (n - 1) / n * ((edges - edges.mean(axis=0)) ** 2).sum(axis=0)
    return float(f"{np.sqrt(variance.mean()):.4g}")
