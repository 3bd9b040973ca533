"""A boundary learned from donors: it holds in others, no donor is scored by itself, and too little is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import SpecificationError
from stromagate.gating import training
from stromagate.gating.training import Donor, evenly, learn


def donor(seed: int, n: int = 60, others: int = 5_000, shift: float = 0.0, name: str = "") -> Donor:
    """Return members in one cloud, and others in two: one far off, one that touches it."""
    rng = np.random.default_rng(seed)
    near = rng.normal((0.45, 0.3), (0.04, 0.05), (others // 10, 2))
    far = rng.normal((0.2, 0.3), (0.05, 0.05), (others - len(near), 2))
    members = rng.normal((0.7 + shift, 0.3), (0.05, 0.04), (n, 2))
    rest = np.concatenate([near, far]).astype(np.float32)
    return Donor(name or f"d{seed}", members, rest, np.ones(others, dtype=np.float32))


DONORS = [donor(seed, shift=0.01 * (seed % 3)) for seed in range(6)]


def test_the_ellipse_lies_around_the_members_and_holds_in_donors_left_out() -> None:
    learned = learn(DONORS)
    assert learned.mean == pytest.approx([0.71, 0.3], abs=0.01)
    assert np.sqrt(np.diag(learned.covariance)) == pytest.approx([0.05, 0.04], rel=0.15)
    assert 4 < learned.distance_squared < 16
    assert [score.donor for score in learned.scores] == [each.name for each in DONORS]
    assert min(score.f1 or 0 for score in learned.scores) > 0.9


def test_shares_are_those_of_the_counts() -> None:
    score = learn(DONORS).scores[0]
    assert score.precision == score.found / (score.found + score.false_events)
    assert score.recall == score.found / score.n_members
    assert score.f1 == pytest.approx(2 / (1 / score.precision + 1 / score.recall))


@pytest.mark.parametrize("left", [0, 3])
def test_no_donor_has_a_part_in_what_it_is_scored_with(left: int) -> None:
    """Members that are put elsewhere, others that are put among the members: the other donors' boundary stays."""
    plain = _boundaries(DONORS)[left]
    odd = replace(DONORS[left], members=DONORS[left].members + 5, others=DONORS[left].others + np.float32(0.5))
    changed = [odd if index == left else each for index, each in enumerate(DONORS)]
    assert _boundaries(changed)[left] == plain
    assert _boundaries(changed)[left - 1] != _boundaries(DONORS)[left - 1]


def test_no_donor_is_ever_measured_by_a_distribution_that_it_is_part_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where scores are taken nor where the size is chosen."""
    taught: list[tuple[training._Normal, set[str]]] = []
    plain_normal, plain_of = training._normal, training._Distances.of
    measured = []

    def normal(donors: Sequence[Donor]) -> training._Normal:
        made = plain_normal(donors)
        taught.append((made, {each.name for each in donors}))
        return made

    def of(made: training._Normal, each: Donor) -> training._Distances:
        (names,) = [names for known, names in taught if known is made]
        assert each.name not in names
        measured.append(each.name)
        return plain_of(made, each)

    monkeypatch.setattr(training, "_normal", normal)
    monkeypatch.setattr(training._Distances, "of", of)
    learn(DONORS)
    assert {name: measured.count(name) for name in measured} == {each.name: 6 for each in DONORS}


def _boundaries(donors: Sequence[Donor]) -> list[tuple[object, ...]]:
    """Return mean, covariance and size of the boundary that each donor is scored with, as they are used."""
    used: list[tuple[object, ...]] = []
    plain = training._Normal.edges

    def edges(normal: training._Normal, size: float) -> tuple[float, float]:
        used.append((tuple(normal.mean), tuple(normal.covariance.ravel()), size))
        return plain(normal, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training._Normal, "edges", edges)
        learn(donors)
    assert len(used) == len(donors)
    return used


def test_a_donor_that_is_unlike_the_others_has_a_low_score_and_not_a_high_one() -> None:
    stranger = donor(9, shift=-0.2, name="stranger")
    scores = {score.donor: score.f1 for score in learn([*DONORS, stranger]).scores}
    assert scores["stranger"] is not None
    assert scores["stranger"] < 0.5
    assert min(value for name, value in scores.items() if name != "stranger" and value is not None) > 0.7


def test_the_same_donors_give_the_same_boundary_to_the_last_bit() -> None:
    first, again = learn(DONORS), learn([replace(each) for each in DONORS])
    assert first.mean.tolist() == again.mean.tolist()
    assert first.covariance.tolist() == again.covariance.tolist()
    assert (first.distance_squared, first.spread, first.scores) == (again.distance_squared, again.spread, again.scores)


@settings(max_examples=6, deadline=None)
@given(scale=st.floats(1e-3, 1e6), move=st.floats(-1e3, 1e3))
def test_units_of_an_axis_change_nothing(scale: float, move: float) -> None:
    """A linear axis beside a scaled one: who is within does not depend on the unit."""
    unit, shift = np.array([1.0, scale]), np.array([0.0, move * scale])
    others = [np.asarray(each.others, dtype=np.float64) * unit + shift for each in DONORS[:4]]
    moved = [
        replace(each, members=each.members * unit + shift, others=rest)
        for each, rest in zip(DONORS[:4], others, strict=True)
    ]
    plain = [replace(each, others=np.asarray(each.others, dtype=np.float64)) for each in DONORS[:4]]
    for one, two in zip(learn(moved).scores, learn(plain).scores, strict=True):
        assert abs(one.found - two.found) <= 1
        assert abs(one.false_events - two.false_events) <= 2


def test_a_share_of_the_members_can_be_asked_for() -> None:
    sizes = [learn(DONORS, recall=share).distance_squared for share in (0.5, 0.9, 0.99, 1.0)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    found = [score.recall or 0 for score in learn(DONORS, recall=0.9).scores]
    assert np.mean(found) == pytest.approx(0.9, abs=0.05)


def test_weights_count_as_events() -> None:
    thinned = [
        replace(each, others=each.others[::2], weights=np.full(len(each.others[::2]), 2, dtype=np.float32))
        for each in DONORS
    ]
    whole = sum(score.false_events for score in learn(DONORS, recall=1.0).scores)
    assert sum(score.false_events for score in learn(thinned, recall=1.0).scores) == pytest.approx(whole, rel=0.25)


def test_a_rich_donor_is_not_the_model() -> None:
    rich = donor(20, n=20_000, shift=-0.1, name="rich")
    assert learn([*DONORS, rich]).mean[0] > 0.67


def test_values_that_are_no_numbers_are_never_within() -> None:
    odd = DONORS[0].members.copy()
    odd[:10] = [[np.nan, 0.3], [np.inf, 0.3]] * 5
    learned = learn([replace(DONORS[0], members=odd), *DONORS[1:]], recall=1.0)
    assert learned.scores[0].n_members == 60
    assert learned.scores[0].found <= 50
    assert np.isfinite(learned.mean).all()


def test_a_donor_without_members_has_false_events_and_no_f1() -> None:
    among = np.concatenate([DONORS[0].others[1:], np.float32([[0.71, 0.3]])])
    none = replace(DONORS[0], members=np.empty((0, 2)), others=among, name="none")
    score = learn([*DONORS[1:], none]).scores[-1]
    assert (score.n_members, score.found, score.recall, score.f1) == (0, 0, None, None)
    assert score.false_events == 1


def test_the_spread_grows_with_the_difference_between_donors() -> None:
    alike = [donor(seed, n=400) for seed in range(8)]
    apart = [donor(seed, n=400, shift=0.03 * (-1) ** seed) for seed in range(8)]
    assert 0 < learn(alike).spread < learn(apart).spread


def test_the_spread_is_that_of_boundaries_from_other_donors() -> None:
    """The jackknife against what it stands for: the same number of donors drawn again, many times."""
    draws, spreads = [], []
    for trial in range(20):
        shifts = np.random.default_rng(trial).normal(0, 0.02, 6)
        learned = learn([donor(1000 + 6 * trial + i, n=80, others=50, shift=shifts[i]) for i in range(6)], recall=0.9)
        reach = np.sqrt(learned.distance_squared * learned.covariance[0, 0])
        draws.append((learned.mean[0] - reach, learned.mean[0] + reach))
        spreads.append(learned.spread)
    true = float(np.sqrt(np.var(np.array(draws), axis=0, ddof=1).mean()))
    assert 0.6 < float(np.sqrt(np.mean(np.square(spreads)))) / true < 1.8


@pytest.mark.parametrize(
    ("donors", "said"),
    [
        ([donor(seed, n=10) for seed in range(4)], "40 events of the population in all are too few"),
        ([donor(0), donor(1)], "2 donors with events of the population are too few"),
        ([donor(0), donor(1), donor(2, n=0)], "2 donors with events of the population are too few"),
        ([donor(0, n=200), donor(1, n=3), donor(2, n=3)], "alone have"),
    ],
)
def test_too_little_is_refused(donors: list[Donor], said: str) -> None:
    with pytest.raises(SpecificationError, match=said) as caught:
        learn(donors)
    assert caught.value.hint


def test_an_axis_without_width_is_refused() -> None:
    flat = [replace(each, members=each.members * [1, 0]) for each in DONORS]
    with pytest.raises(SpecificationError, match="the same value on one of the axes"):
        learn(flat)


@given(n=st.integers(0, 500), most=st.integers(1, 500))
def test_evenly_taken_rows_are_different_ascending_and_reach_both_ends(n: int, most: int) -> None:
    rows = evenly(n, most)
    assert len(rows) == min(n, most)
    assert np.all(np.diff(rows) > 0)
    assert len(rows) == 0 or rows[0] == 0
    assert len(rows) < 2 or rows[-1] == n - 1
