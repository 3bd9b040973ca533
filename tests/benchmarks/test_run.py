"""The whole bench on a few small tubes: the same scores on one worker or two, in the order of the plan."""

from __future__ import annotations

import sys
from functools import cache

import pytest

from benchmarks.accuracy import __main__ as command
from benchmarks.accuracy import run
from benchmarks.accuracy.plan import ENRICHED, SHIFT_DECADES, TubePlan
from benchmarks.accuracy.scores import LOCKED, METHODS, Score
from stromagate.simulate import scenario
from tests.benchmarks.test_locks import locked_at

PLANS = [
    TubePlan("grid", scenario("clean"), ENRICHED, 30_000, 411, family="a"),
    TubePlan("grid", scenario("aml_msc_high"), ENRICHED, 40_000, 411, family="a"),
    TubePlan("shift", scenario("clean"), ENRICHED, 30_000, 411, SHIFT_DECADES, family="a"),
]


TOLD: list[tuple[int, int]] = []


@cache
def scores_of_one_worker() -> dict[str, list[Score]]:
    return run.run(PLANS, jobs=1, progress=lambda done, total: TOLD.append((done, total)))


@pytest.fixture(autouse=True)
def _locked_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the locks as gathered: that is tested where they are gathered."""
    monkeypatch.setattr(run.locks, "gather", lambda *_, **__: locked_at(0.12))


@pytest.mark.soak
def test_scores_do_not_depend_on_the_number_of_workers() -> None:
    assert run.run(PLANS, jobs=2) == scores_of_one_worker()


@pytest.mark.soak
def test_every_tube_has_a_score_of_every_method_in_the_order_of_the_plan() -> None:
    alone = scores_of_one_worker()
    assert TOLD == [(1, 3), (2, 3), (3, 3)]
    assert tuple(alone) == (*METHODS, LOCKED)
    assert [(score.purpose, score.by_locks) for score in alone[LOCKED]] == [("shift", False)]  # too few to measure by
    assert {score.by_locks for method in METHODS for score in alone[method]} == {None}
    for scores in (alone[method] for method in METHODS):
        assert [(score.purpose, score.scenario) for score in scores] == [(p.purpose, p.scenario.name) for p in PLANS]
        assert all(score.true_msc for score in scores)


@pytest.mark.soak
def test_a_brighter_detector_shows_the_same_cells() -> None:
    plain, _, brighter = scores_of_one_worker()[METHODS[0]]
    assert brighter.true_msc == plain.true_msc
    assert brighter.ppm == pytest.approx(plain.ppm, rel=0.2)


def test_a_refused_tube_is_a_score_without_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    from stromagate.errors import InputError

    def refuse(*_: object, **__: object) -> None:
        raise InputError("made.refused", "this tube is refused")

    monkeypatch.setattr("benchmarks.accuracy.tube.analyze", refuse)
    score, _ = run.score_tube(PLANS[0])
    assert (score.ppm, score.called_msc, score.failures) == (None, None, ("made.refused",))
    assert score.true_msc


def test_progress_is_told_in_tenths_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert not sys.stderr.isatty()
    for done in range(1, 41):
        command._tell(done, 40)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1] == "40 of 40 tubes"
