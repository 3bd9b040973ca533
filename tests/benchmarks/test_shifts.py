"""What a change of the detectors does, and what the traps cost, on made scores against arithmetic."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.figures import Found, Measure
from benchmarks.accuracy.measures import MEASURES
from benchmarks.accuracy.plan import SHIFT_DECADES, SHIFTED_ALONE
from benchmarks.accuracy.scores import LOCKED, METHODS, TOOL, Score
from benchmarks.accuracy.shifts import SHIFT_MEASURES, changes_pct
from benchmarks.accuracy.traps import TRAPS, Trap
from tests.benchmarks.scores import score

BY_KEY: dict[str, Measure] = {measure.key: measure for measure in MEASURES}
TRAP: dict[str, Trap] = {trap.key: trap for trap in TRAPS}


def series(seed: int = 1, **ppm: float | None) -> list[Score]:
    """Return a tube of 1,000 MSC per million, and the same tube with the detectors up that are named."""
    plain = score(purpose="shift", seed=seed)
    up = {"all": "", **{marker: marker for marker in SHIFTED_ALONE}}
    return [plain] + [replace(plain, shift_decades=SHIFT_DECADES, shifted=up[m], ppm=p) for m, p in ppm.items()]


class TestShifts:
    def test_all_detectors_and_each_alone_are_apart(self) -> None:
        tubes = series(all=1080.0, CD271=800.0, CD146=1000.0, CD45=1300.0)
        assert BY_KEY["shift"].find(tubes) == Found(pytest.approx(8.0), 1, pytest.approx(8.0))
        assert BY_KEY["one_up"].find(tubes) == Found(pytest.approx(20.0), 3, pytest.approx(30.0))
        each = [BY_KEY[f"up_{marker}"].find(tubes).value for marker in SHIFTED_ALONE]
        assert each == pytest.approx([20.0, 0.0, 30.0])

    def test_a_tube_without_a_number_changes_by_nothing_and_is_counted_as_lost(self) -> None:
        tubes = series(CD271=None, CD146=1600.0, CD45=1400.0)
        assert changes_pct(tubes, "CD271") == []
        assert BY_KEY["one_up_lost"].find(tubes).value == pytest.approx(200 / 3)

    def test_a_tube_that_had_no_number_before_says_nothing(self) -> None:
        before, *after = series(all=1080.0, CD45=None)
        tubes = [replace(before, ppm=None), *after]
        assert changes_pct(tubes, "") == []
        assert BY_KEY["one_up_lost"].find(tubes).n == 0

    def test_each_tube_is_held_against_itself(self) -> None:
        tubes = [
            *series(seed=1, all=1100.0),
            *(replace(tube, ppm=2 * (tube.ppm or 0)) for tube in series(2, all=990.0)),
        ]
        assert sorted(changes_pct(tubes, "")) == pytest.approx([1.0, 10.0])

    def test_locked_gates_that_fell_back_are_no_figure_of_locked_gates(self) -> None:
        tubes = [replace(tube, method=LOCKED, by_locks=True) for tube in series(all=1080.0)]
        assert changes_pct(tubes, "") == pytest.approx([8.0])
        for place in (0, 1):
            fell_back = [replace(tube, by_locks=number != place) for number, tube in enumerate(tubes)]
            assert changes_pct(fell_back, "") == []

    def test_the_share_with_cd146_changes_in_points(self) -> None:
        before, after = series(CD146=1000.0)
        assert BY_KEY["share_up"].find([before, replace(after, called_progenitors=80)]).value == pytest.approx(10.0)
        assert BY_KEY["share_up"].find([before, replace(after, called_progenitors=None)]).n == 0

    def test_locked_gates_stand_in_the_column_of_the_tool_and_have_the_bar(self) -> None:
        locked = [measure for measure in SHIFT_MEASURES if measure.ours == LOCKED]
        assert {measure.key for measure in locked} >= {"shift_locked", "one_up_locked", "one_up_lost_locked"}
        assert (BY_KEY["shift_locked"].side, BY_KEY["shift_locked"].limit) == ("at most", 10)
        assert LOCKED not in METHODS
        assert BY_KEY["shift"].ours == TOOL

    @given(st.lists(st.floats(1.0, 1e5), min_size=1, max_size=6), st.floats(0.01, 100.0))
    def test_a_change_has_no_unit(self, rates: list[float], factor: float) -> None:
        tubes = [tube for seed, rate in enumerate(rates) for tube in series(seed, all=rate)]
        scaled = [replace(tube, ppm=factor * (tube.ppm or 0.0)) for tube in tubes]
        assert changes_pct(scaled, "") == pytest.approx(changes_pct(tubes, ""), abs=1e-6)


def trapped(key: str, *scores: Score) -> Found:
    return TRAP[key].find(scores)


class TestTraps:
    def test_a_leak_is_told_where_one_was_promised(self) -> None:
        tubes = [score(scenario="sticky_blasts", leak=leak) for leak in (3.0, 5.0, None)]
        assert trapped("leak", *tubes, score(leak=90.0)) == Found(4.0, 2, 5.0)

    def test_false_msc_are_those_that_are_called_and_are_none(self) -> None:
        half = score(scenario="cd71_low_erythroblasts", called_msc=400, right_msc=200, ppm=2000.0)
        none = score(scenario="cd71_low_erythroblasts", called_msc=0, right_msc=0, ppm=0.0)
        assert trapped("cd71_low", half).value == pytest.approx(1000.0)
        assert trapped("cd71_low", none) == Found(0.0, 1, 0.0)

    def test_the_share_with_cd146_stands_beside_the_true_one(self) -> None:
        tube = score(scenario="anchor_glows_less", called_progenitors=150, true_progenitors=20)
        assert trapped("glow", tube).value == pytest.approx(75.0)
        assert TRAP["glow"].right([tube]) == pytest.approx(10.0)

    def test_a_percentile_alone_is_told_of_tubes_that_had_controls(self) -> None:
        tubes = [score(scenario="anchor_glows_less", progenitors_by_anchor=high) for high in (150, None)]
        assert trapped("glow_anchor", *tubes) == Found(pytest.approx(75.0), 1, pytest.approx(75.0))

    def test_gates_of_another_day_are_judged_by_error_and_by_interval(self) -> None:
        right, low = (
            score(scenario="donor_day_1"),
            score(scenario="donor_day_10", ppm=600.0, ci_low=580.0, ci_high=620.0),
        )
        wide = score(scenario="donor_day_3", counting_low=1010.0)
        assert trapped("day_error", right, low, score(ppm=9e9)).value == pytest.approx(20.0)
        assert trapped("day_missed", right, low, wide).value == pytest.approx(100 / 3)
        low = replace(low, counting_low=590.0, counting_high=610.0)
        assert trapped("day_counting", right, low, wide).value == pytest.approx(200 / 3)

    def test_a_rate_is_wrong_by_what_its_name_leaves_out(self) -> None:
        tube = score(scenario="erythroid_marrow", ppm=900.0, true_nucleated_ppm=300.0)
        assert trapped("nucleated", tube).value == pytest.approx(3.0)
        assert trapped("named", tube).value == pytest.approx(0.9)

    @pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.key)
    def test_tubes_without_the_trap_or_without_a_number_are_no_figure(self, trap: Trap) -> None:
        lost = [score(scenario=name, ppm=None, called_msc=None) for name in ("sticky_blasts", "donor_day_1")]
        assert trap.find([score(), *lost]).n == 0
