"""What tubes of a cohort are compared by: one reading for all, and replicates by their counts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.cohort import Cohort, CohortNumber
from stromagate.quantify.cohort import basis, offsets
from tests.pattern.tubes import cohort as calibrated
from tests.report.cohorts import cohort_of, cohort_tube, many
from tests.results import make_result


def one(cohort: Cohort, quantity: str, below: str = "nucleated", place: int = 0) -> CohortNumber:
    found = cohort.tubes[place].number(quantity, below)
    assert found is not None
    return found


def test_p_and_q_do_not_count_the_same_cells_twice() -> None:
    cohort = cohort_of([cohort_tube("a", 30, 90)])
    assert list(cohort.quantities) == ["P", "Q", "P/MSC", "MSC"]
    assert [one(cohort, key).value for key in ("P", "Q", "P/MSC", "MSC")] == [30, 90, 0.25, 120]
    assert one(cohort, "P", "singlets").value == 15
    assert one(cohort, "P").n == 30


def test_all_denominators_that_all_rates_are_there_for_are_kept() -> None:
    a, b = cohort_tube("a", 30, 90), cohort_tube("b", 30, 90)
    lacking = b.model_copy(update={"statistics": tuple(row for row in b.statistics if row.denominator != "nucleated")})
    assert basis([a, b]).denominators == ("nucleated", "singlets")
    assert basis([a, lacking]).denominators == basis([lacking, a]).denominators == ("singlets",)


def test_background_is_taken_off_in_all_tubes_or_in_none() -> None:
    bare, burdened = cohort_tube("a", 60, 60, background=None), cohort_tube("b", 60, 60, background=20)
    net = cohort_of([burdened, cohort_tube("c", 60, 60, background=0)])
    assert net.net
    assert one(net, "P").value == 40
    assert one(net, "MSC").value == 100
    assert one(net, "progenitors").value == 60
    assert (one(net, "P").net, one(net, "P/MSC").net, one(net, "progenitors").net) == (True, True, False)
    mixed = cohort_of([burdened, bare])
    assert not mixed.net
    assert [one(mixed, "P", place=i).value for i in (0, 1)] == [60, 60]


def test_a_calibration_that_is_net_reads_every_tube_by_its_calls() -> None:
    results = [cohort_tube("a", 60, 60, background=None), cohort_tube("b", 60, 60, background=20)]
    cohort = cohort_of(results, calibrated())
    assert cohort.net
    assert one(cohort, "P", place=1).value == 40
    assert cohort.tubes[0].pattern == "not assessable"


@settings(max_examples=25)
@given(p=st.integers(0, 300), q=st.integers(0, 300), background=st.integers(0, 80))
def test_net_msc_are_the_sum_of_p_and_q_within_its_interval(p: int, q: int, background: int) -> None:
    cohort = cohort_of([cohort_tube("a", p, q, background=background)])
    parts = [one(cohort, key) for key in ("P", "Q")]
    whole = one(cohort, "MSC")
    assert whole.value == pytest.approx(sum(each.value or 0.0 for each in parts))
    assert 0 <= (whole.ci_low or 0.0) <= (whole.value or 0.0) <= (whole.ci_high or 0.0)
    # As of independent parts: never wider than both added up, never narrower than either.
    widths = [(each.ci_high or 0.0) - (each.value or 0.0) for each in parts]
    assert max(widths) <= (whole.ci_high or 0.0) - (whole.value or 0.0) + 1e-6 <= sum(widths) + 2e-6


def replicates(*pairs: tuple[int, int], background: int | None = None) -> list:
    return [
        cohort_tube(f"r{i}", p, q, patient="P1", labels={"replicate": str(i)}, background=background)
        for i, (p, q) in enumerate(pairs, start=1)
    ]


def test_replicates_are_one_line_by_their_counts() -> None:
    cohort = cohort_of([cohort_tube("a", 60, 60, background=None), *replicates((60, 100), (66, 104))])
    assert [tube.name for tube in cohort.tubes] == ["a", "r1 + 1 replicate"]
    line = cohort.tubes[1]
    assert line.samples == ("r1", "r2")
    assert [member.name for member in line.members] == ["r1", "r2"]
    assert one(cohort, "P", place=1).value == 63
    assert one(cohort, "P", place=1).n == 126
    assert one(cohort, "P/MSC", place=1).value == pytest.approx(126 / 330)
    assert one(cohort, "progenitors", place=1).value == 63
    alone = cohort_of(replicates((60, 100))[:1])
    assert (one(cohort, "P", place=1).ci_high or 0) < (one(alone, "P").ci_high or 0)


def test_replicates_that_differ_are_one_line_and_no_quantity() -> None:
    cohort = cohort_of(replicates((40, 100), (160, 100)))
    assert one(cohort, "P").state == "replicates differ"


@pytest.mark.parametrize("background", [0, 20])
def test_background_of_replicates_is_that_of_each_and_does_not_shrink_with_their_number(background: int) -> None:
    single = cohort_of([cohort_tube("a", 60, 100, background=background)])
    pooled = cohort_of(replicates((60, 100), (60, 100), (60, 100), background=background))
    assert pooled.net
    assert (one(pooled, "P").net, one(pooled, "P/MSC").net) == (True, False)
    assert one(pooled, "P").value == pytest.approx(one(single, "P").value)
    raw = one(pooled, "progenitors")
    assert (one(pooled, "P").value or 0) - (one(pooled, "P").ci_low or 0) >= (raw.value or 0) - (raw.ci_low or 0) - 1e-9
    assert (one(pooled, "P").ci_low or 0) > (one(single, "P").ci_low or 0)


def test_replicates_that_cannot_be_pooled_stand_one_by_one_and_say_why() -> None:
    first, second = replicates((60, 100), (66, 104))
    empty = second.model_copy(
        update={"statistics": tuple(row for row in second.statistics if row.population != "progenitors")}
    )
    cohort = cohort_of([first, empty])
    assert [tube.name for tube in cohort.tubes] == ["r1", "r2"]
    assert "r1, r2 are replicates and stand one by one: there is" in cohort.notes[0]


def test_replicates_with_different_patterns_have_none_together() -> None:
    calls = cohort_of(replicates((60, 100), (66, 104))).tubes[0]
    assert calls.pattern == "not assigned"
    cohort = cohort_of(replicates((4, 8), (8, 4), background=0), calibrated())
    assert cohort.tubes[0].probability == min(member.probability or 1 for member in cohort.tubes[0].members)


def test_c_is_half_the_median_limit_of_detection() -> None:
    results = many(3)
    assert offsets(results, basis(results)) == {"nucleated": 10.0, "singlets": 5.0}


def test_a_template_without_progenitors_is_compared_by_its_own_indices() -> None:
    result = cohort_tube("a", 30, 90).model_copy(update={"indices": {"msc": "msc"}})
    cohort = cohort_of([result])
    assert list(cohort.quantities) == ["msc"]
    assert one(cohort, "msc").value == 120
    assert [number.quantity for number in cohort.tubes[0].numbers].count("msc") == 2  # once a denominator


def test_a_tube_without_any_number_is_a_line_without_numbers() -> None:
    cohort = cohort_of([make_result(statistics=(), findings=())])
    assert cohort.denominators == ()
    assert all(number.value is None for number in cohort.tubes[0].numbers)
