"""Every measure on made scores, against arithmetic."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

from benchmarks.accuracy import measures, tables
from benchmarks.accuracy.figures import Found, Measure
from benchmarks.accuracy.measures import MEASURES
from benchmarks.accuracy.scores import LOCKED, METHODS, Score
from benchmarks.accuracy.traps import TRAPS
from tests.benchmarks.scores import blank, score

BY_KEY: dict[str, Measure] = {measure.key: measure for measure in MEASURES}


def found(key: str, *scores: Score) -> Found:
    return BY_KEY[key].find(scores)


def test_bias_is_the_median_error_of_tubes_with_a_hundred_msc() -> None:
    tubes = [score(ppm=1100.0), score(ppm=900.0), score(ppm=800.0), score(ppm=9000.0, true_msc=99)]
    figure = found("bias_clean", *tubes)
    assert figure == Found(pytest.approx(-10.0), 3, pytest.approx(-20.0))
    assert BY_KEY["bias_clean"].met(figure)
    assert not BY_KEY["bias_clean"].met(found("bias_clean", score(ppm=880.0)))
    assert found("bias_hard", *tubes).n == 0
    assert BY_KEY["bias_hard"].met(found("bias_hard")) is None


def test_recall_and_precision_tell_the_worst_tube() -> None:
    tubes = [score(), score(right_msc=100, called_msc=125), score(right_msc=180), score(true_msc=49, right_msc=1)]
    assert found("recall_clean", *tubes) == Found(pytest.approx(0.9), 3, pytest.approx(0.5))
    assert found("precision_clean", *tubes) == Found(pytest.approx(0.9), 3, pytest.approx(0.8))


def test_a_tube_without_a_number_is_in_no_average_but_counted() -> None:
    tubes = [score(), score(ppm=None, called_msc=None, right_msc=0, ci_low=None, ci_high=None)]
    assert found("recall_clean", *tubes).n == 1
    assert (found("coverage_clean", *tubes).value, found("coverage_clean", *tubes).n) == (100.0, 1)
    assert found("refused", *tubes).value == 50.0
    assert found("silent", *tubes).value == 0.0


def test_hard_tubes_under_the_bars_must_be_warned_of() -> None:
    poor = score(clean=False, right_msc=100, called_msc=100)
    assert found("below_in_silence", poor, score(clean=False)).value == 50.0
    assert found("below_in_silence", measures_with(poor, "Q17")).value == 0.0


def measures_with(tube: Score, *codes: str) -> Score:
    return score(**{**{name: getattr(tube, name) for name in ("clean", "right_msc", "called_msc")}, "codes": codes})


def test_false_events_are_those_of_whole_tubes_without_msc() -> None:
    tubes = [*(blank(n) for n in (0, 1, 2, 30)), blank(500, prepared="cd45_depleted"), score()]
    assert found("false_ppm", *tubes) == Found(1.5, 4, 30.0)
    assert found("false_events_95", *tubes).value == pytest.approx(25.8)
    assert not BY_KEY["false_events_95"].met(found("false_events_95", *tubes))


def test_coverage_is_of_the_rate_the_tube_was_drawn_from() -> None:
    tubes = [score(), score(expected_ppm=860.0), score(expected_ppm=1141.0), score(true_ppm=5000.0)]
    assert found("coverage_clean", *tubes).value == 50.0
    assert found("coverage_clean", *tubes).interval == pytest.approx((6.76, 93.24), abs=0.01)  # exact, 2 of 4
    missed = score(clean=False, expected_ppm=10.0)
    assert found("coverage_hard_all", missed, score(clean=False, codes=("Q23",))).value == 50.0
    assert found("coverage_hard", missed, score(clean=False, expected_ppm=10.0, codes=("Q23",))).value == 50.0


def test_counting_alone_and_what_was_drawn_are_told_beside_it() -> None:
    tubes = [score(), score(expected_ppm=1135.0), score(true_ppm=860.0), score(counting_low=None, counting_high=None)]
    assert found("coverage_clean", *tubes).value == 100.0
    assert found("counting_clean", *tubes).value == 50.0
    assert found("drawn_clean", *tubes).value == 75.0
    hard = [score(clean=False, expected_ppm=1135.0, codes=codes) for codes in ((), ("Q23",))]
    assert found("counting_hard", *hard).value == 50.0
    assert found("counting_hard_all", *hard).value == 0.0
    assert not any(BY_KEY[key].side for key in ("counting_clean", "drawn_clean", "counting_hard", "drawn_hard"))


@pytest.mark.parametrize(
    ("tube", "wrong", "silent"),
    [
        (score(ppm=1500.0), False, False),
        (score(ppm=1501.0), True, True),
        (score(ppm=499.0), True, True),
        (score(ppm=499.0, codes=("Q23",)), True, False),
        (score(ppm=499.0, codes=("Q36", "Q07", "Q21", "Q28")), True, True),
        (score(ppm=499.0, true_msc=10, codes=("Q36",)), True, False),
        (score(ppm=2000.0, true_msc=10), True, True),
        (blank(19), False, False),
        (blank(20), True, True),
        (blank(20, codes=("Q36",)), True, False),
    ],
)
def test_what_is_a_silent_failure(tube: Score, wrong: bool, silent: bool) -> None:
    assert measures.wrong(tube) is wrong
    assert measures.silent(tube) is silent
    assert found("silent", tube).value == 100.0 * silent


def test_false_alarms_are_failures_on_clean_tubes_but_for_small_counts() -> None:
    tubes = [score(), score(failures=("Q07",)), score(failures=("Q39",)), score(clean=False, failures=("Q39",))]
    assert found("false_alarms", *tubes).value == pytest.approx(100 / 3)


def test_warnings_without_need_are_those_of_right_tubes() -> None:
    tubes = [score(), score(codes=("Q23",)), score(codes=("Q28",)), score(ppm=2000.0, codes=("Q23",))]
    assert found("needless", *tubes).value == pytest.approx(100 / 3)


def test_the_error_of_the_cd146_share_is_in_points() -> None:
    assert found("cd146", score(called_progenitors=72), score()) == Found(pytest.approx(3.0), 2, pytest.approx(6.0))
    assert found("cd146", score(true_msc=99)).n == 0


def test_the_spike_series_is_judged_by_rank() -> None:
    pairs = [(3.0, 2.0), (10.0, 40.0), (30.0, 31.0), (100.0, 90.0)]
    series = [score(purpose="spike", true_ppm=true, ppm=ppm) for true, ppm in pairs]
    assert found("spearman", *series).value == pytest.approx(0.8)
    assert found("spearman", *series[:2]).n == 0


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.key)
def test_nothing_to_measure_is_no_figure(measure: Measure) -> None:
    figure = measure.find([])
    assert math.isnan(figure.value)
    assert measure.met(figure) is None


HEADING = tables.Heading("made 1.0.0", "5001-5002", tuning=False, family="b", tubes=2, events=1_000_000)
BY_METHOD = {key: [score(ppm=1200.0), blank(3), score(ppm=None, called_msc=None)] for key in METHODS}


class TestTables:
    def test_text_says_what_is_missed(self) -> None:
        lines = tables.summary_text(BY_METHOD).splitlines()
        (bias,) = [line for line in lines if line.startswith("MSC per million, median error, clean")]
        assert "+20.0 %  MISSED" in bias
        assert len(lines) == len(MEASURES) + 1
        assert max(map(len, lines)) <= 120

    def test_a_line_of_locked_gates_shows_their_scores_beside_the_rivals(self) -> None:
        pair = [score(purpose="shift"), score(purpose="shift", shift_decades=0.15, ppm=1500.0)]
        locked = [pair[0], score(purpose="shift", shift_decades=0.15, ppm=1020.0)]
        lines = tables.summary_text({**dict.fromkeys(METHODS, pair), LOCKED: locked}).splitlines()
        tool, ours = [line.split() for line in lines if "≤ 10 %" in line]
        assert "50.0" in tool
        assert "MISSED" in tool
        assert "2.0" in ours
        assert "met" in ours
        assert ours.count("50.0") == 3

    def test_traps_stand_in_lines_of_their_own(self) -> None:
        tubes = [score(scenario="sticky_blasts", leak=4.0), score(scenario="anchor_glows_less", true_progenitors=20)]
        lines = tables.trap_text(dict.fromkeys(METHODS, tubes)).splitlines()
        assert len(lines) == len(TRAPS) + 1
        assert max(map(len, lines)) <= 120
        assert lines[1].split()[-2:] == ["4.00", "1"]
        assert max(len(item.title) for item in (*TRAPS, *MEASURES)) <= 41
        assert "10.0 %" in lines[3]

    def test_scenarios_that_went_well_are_named_in_a_sentence(self) -> None:
        well = {key: [score(), score(scenario="hard", ppm=1600.0, clean=False)] for key in METHODS}
        short, long = (tables.scenario_text(well, everything=everything) for everything in (False, True))
        assert "Within 20 % (median), no tube wrong by half: clean (depleted)." in short
        assert [line.split()[0] for line in long.splitlines()[1:]] == ["clean", "hard"]
        assert long.splitlines()[2] in short

    def test_a_scenario_that_went_well_both_ways_is_named_once(self) -> None:
        both = {key: [score(), score(prepared="whole"), score(scenario="other")] for key in METHODS}
        assert "by half: clean, other (depleted)." in tables.scenario_text(both)

    def test_tuning_seeds_are_labelled(self) -> None:
        tuned = tables.Heading("made 1.0.0", "1-2", tuning=True, family="a", tubes=2, events=1_000_000)
        assert "TUNING SEEDS, no figures to quote" in tuned.lines()[0]
        assert "TUNING" not in "".join(HEADING.lines())

    def test_files_hold_every_figure_and_every_tube(self, tmp_path: Path) -> None:
        tables.write_files(tmp_path / "new", HEADING, BY_METHOD)
        document = json.loads((tmp_path / "new" / "accuracy.json").read_text(encoding="utf-8"))
        assert document["heading"]["seeds"] == "5001-5002"
        assert document["traps"][0]["value"] is None
        rows_of = {"summary": len(METHODS) * len(MEASURES), "traps": len(METHODS) * len(TRAPS)}
        for name, length in (rows_of | {"scenarios": 8, "tubes": 12}).items():
            with (tmp_path / "new" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            assert len(rows) == len(document[name]) == length
