"""Replicates of a run: who is one, what they say together, and what is never added up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stromagate.model.pooled import PooledRate, PooledRun
from stromagate.model.result import SampleEntry, SampleResult, Statistic
from stromagate.quantify.detection import Blank, limits
from stromagate.quantify.intervals import clopper_pearson
from stromagate.quantify.pooling import pool
from stromagate.quantify.replicates import pooled_limits
from stromagate.quantify.states import count_state
from tests.results import make_result

N = 400_000


def rows(k: int, n: int, part: int, *, boundary: float | None = None) -> tuple[Statistic, ...]:
    def count(name: str, value: int) -> Statistic:
        return Statistic(population=name, parent="all", statistic="count", value=value, unit="events", n=value)

    def rate(name: str, below: str, value: int, total: int, per: int) -> Statistic:
        at = per * value / total if total else None
        ends = {} if boundary is None or at is None else {"boundary_low": at / boundary, "boundary_high": at * boundary}
        return Statistic(
            population=name, parent="stroma", statistic="per_million" if per > 1 else "fraction", value=at,
            unit="per million", denominator=below, n=value, **ends,
        )  # fmt: skip

    return (
        count("nucleated", n),
        count("msc", k),
        rate("msc", "nucleated", k, n, 1_000_000),
        count("progenitors", part),
        rate("progenitors", "nucleated", part, n, 1_000_000),
        rate("progenitors", "msc", part, k, 1),
    )


def tube(
    number: int, k: int, *, n: int = N, part: int = 5, labels: dict[str, str] | None = None, **more: Any
) -> SampleResult:
    boundary = more.pop("boundary", None)
    base = make_result()
    fields: dict[str, Any] = {
        "sample_id": f"t{number}",
        "labels": {"patient_id": "P1", "replicate": str(number), **(labels or {})},
        "statistics": rows(k, n, part, boundary=boundary),
        "source": replace(base.source, sha256=f"{number:064d}"),
        "edits": (),
        "detection": (),
    }
    return make_result(**{**fields, **more})


def three(*counts: int, **more: Any) -> list[SampleResult]:
    return [tube(number, k, **more) for number, k in enumerate(counts, start=1)]


def msc(pooled: PooledRun) -> PooledRate:
    (group,) = pooled.groups
    found = group.rate("msc")
    assert found is not None
    return found


def test_replicates_that_agree_are_added_up() -> None:
    rate = msc(pool(three(18, 22, 26)))
    assert (rate.method, rate.n, rate.total, rate.state) == ("pooled", 66, 3 * N, "quantifiable")
    assert rate.value == pytest.approx(55)
    assert rate.p == pytest.approx(0.48, abs=0.005)
    assert (rate.ci_low, rate.ci_high) == pytest.approx(tuple(1e6 * x for x in clopper_pearson(66, 3 * N)), rel=1e-9)


def test_replicates_that_differ_keep_their_spread_and_are_no_quantity() -> None:
    rate = msc(pool(three(18, 22, 45)))
    assert (rate.method, rate.state) == ("over-dispersed", "replicates differ")
    assert rate.p == pytest.approx(0.0006, abs=5e-5)
    assert rate.value == pytest.approx(70.83, abs=0.01)
    assert (rate.ci_low, rate.ci_high) == pytest.approx((19.74, 254.1), rel=1e-3)


def test_percentages_are_never_averaged() -> None:
    """10 of 100,000 and 400 of 1,000,000 are 373 per million together, not 250."""
    rate = msc(pool([tube(1, 10, n=100_000), tube(2, 400, n=1_000_000)]))
    assert rate.value == pytest.approx(1e6 * 410 / 1_100_000)
    shares = [one for one in pool(three(20, 40, part=10)).groups[0].rates if one.statistic == "fraction"]
    assert [(one.value, one.counts, one.totals) for one in shares] == [(20 / 60, (10, 10), (20, 40))]


def test_boundaries_do_not_shrink_with_the_number_of_tubes() -> None:
    sharp, open_ = msc(pool(three(4000, 4000))), msc(pool(three(4000, 4000, boundary=1.5)))
    assert (open_.counting_low, open_.counting_high) == (sharp.ci_low, sharp.ci_high)
    assert open_.ci_high == pytest.approx(open_.value * 1.5, rel=0.01)
    assert open_.ci_low == pytest.approx(open_.value / 1.5, rel=0.01)


def test_a_zero_has_an_upper_limit() -> None:
    rate = msc(pool(three(0, 0, part=0)))
    assert (rate.value, rate.ci_low, rate.state, rate.cv_pct) == (0, 0, "not detected", None)
    assert rate.ci_high == pytest.approx(3.69 / 0.8, abs=0.01)
    share = next(one for one in pool(three(0, 0, part=0)).groups[0].rates if one.statistic == "fraction")
    assert (share.method, share.value) == ("not pooled", None)


@pytest.mark.parametrize(
    "other",
    [
        {"patient_id": "P2"},
        {"specimen": "digest"},
        {"pull": "2"},
        {"timepoint": "d28"},
        {"batch": "b2"},
        {"lot": "7"},
        {"panel": "x"},
        {"role": "fmo:CD146"},
        {"replicate": ""},
        {"patient_id": ""},
    ],
    ids=str,
)
def test_another_specimen_is_no_replicate(other: dict[str, str]) -> None:
    assert pool([tube(1, 20), tube(2, 20, labels=other)]).groups == ()


def test_further_columns_do_not_part_replicates() -> None:
    assert msc(pool([tube(1, 20, labels={"stained_ul": "100"}), tube(2, 20, labels={"remark": "x"})])).n == 40


def test_enriched_tubes_are_another_kind() -> None:
    depleted = tube(2, 20, instrument={"STROMAGATE_PREPARATION": "cd45_depleted"})
    assert pool([tube(1, 20), depleted]).groups == ()


def test_the_same_bytes_count_once() -> None:
    first, second, third = three(18, 22, 18)
    twin = third.model_copy(update={"source": first.source})
    (group,) = pool([first, second, twin]).groups
    assert group.samples == ("t1", "t2")
    assert group.left_out == {"t3": "it holds the same bytes as t1"}
    assert msc(pool([first, second, twin])).n == 40
    (alone,) = pool([first, twin]).groups
    assert (alone.samples, alone.rates) == (("t1",), ())


def test_a_file_saved_again_counts_once() -> None:
    """Its bytes differ, its events do not: every count is the same, and every median to the last digit."""

    def with_median(result: SampleResult, value: float) -> SampleResult:
        row = Statistic(
            population="msc", parent="stroma", statistic="median", value=value, unit="scale value", marker="CD146"
        )
        return result.model_copy(update={"statistics": (*result.statistics, row)})

    first, second, third = three(30, 30, 30)
    run = pool([with_median(first, 4510.25), with_median(second, 4510.25), with_median(third, 4510.5)])
    (group,) = run.groups
    assert group.left_out == {"t2": "it holds the same events as t1"}
    assert group.samples == ("t1", "t3")
    assert msc(run).n == 60
    assert msc(pool([first, second])).n == 60, "equal counts alone may be chance"


def test_tubes_that_failed_are_named() -> None:
    first, second = three(18, 22)
    failed = SampleEntry(sample_id="t9", file="t9.fcs", status="failed", labels={"patient_id": "P1", "replicate": "9"})
    (group,) = pool([first, second], [failed]).groups
    assert group.left_out == {"t9": "it could not be analysed"}
    assert len(group.samples) == 2


def test_boundaries_placed_otherwise_are_not_added_up() -> None:
    first, second = three(18, 22)
    nodes = [
        replace(node, method="control", state="fitted") if node.name == "msc" else node for node in second.tree.nodes
    ]
    changed = second.model_copy(update={"tree": replace(second.tree, nodes=tuple(nodes))})
    rate = msc(pool([first, changed]))
    assert (rate.method, rate.value) == ("not pooled", None)
    assert rate.reason == "MSC (CD271+) was placed by tail (fallback) in t1 and by control in t2"


def test_a_population_that_one_tube_lacks_is_not_added_up() -> None:
    first, second = three(18, 22)
    bare = second.model_copy(update={"statistics": tuple(row for row in second.statistics if row.population != "msc")})
    rate = msc(pool([first, bare]))
    assert rate.reason == "there is no such rate of t2"
    assert rate.counts == (18, None)


def with_blanks(result: SampleResult, counted: int, of: int, *, method: str = "Poisson") -> SampleResult:
    told = limits("msc", [Blank(counted, of)], N).model_copy(update={"method": method})
    return result.model_copy(update={"detection": (told,)})


def test_background_of_replicates_adds_up() -> None:
    """Two tubes of the same blank are one tube of twice the events: its limits are known."""
    tubes = [with_blanks(one, 10, N // 2) for one in three(60, 60)]
    both = pooled_limits(tubes, "msc")
    alone = limits("msc", [Blank(10, N // 2)], 2 * N)
    assert both is not None
    assert (both.blank_events, both.lob_events) == (40, alone.lob_events)
    assert (both.lod_events, both.lloq_events) == pytest.approx((alone.lod_events, alone.lloq_events), rel=1e-6)
    assert msc(pool(three(60, 60))).state == "quantifiable"
    assert msc(pool(tubes)).state == "detected, not quantifiable"
    assert msc(pool([with_blanks(one, 10, N // 2) for one in three(20, 20)])).state == "not detected"


def test_blanks_that_differ_keep_the_limits_of_the_tubes() -> None:
    tubes = [with_blanks(one, 10, N // 2, method="negative binomial") for one in three(60, 60)]
    both, one = pooled_limits(tubes, "msc"), tubes[0].detection[0]
    assert both is not None
    assert both.lob_events == 2 * one.lob_events


def test_small_controls_that_hold_nothing_leave_the_limits_of_the_tubes() -> None:
    """No event in a control of a thirtieth: limits above the floors, and a background without a size of its own."""
    tubes = [with_blanks(one, 0, N // 30) for one in three(60, 60)]
    both, one = pooled_limits(tubes, "msc"), tubes[0].detection[0]
    assert both is not None
    assert (both.blank_events, both.lob_events) == (0, 2 * one.lob_events)
    assert both.lod_events > both.lob_events > 60
    assert msc(pool(tubes)).state == "detected, not quantifiable"


def test_a_ratio_of_all_tubes_is_no_surer_than_its_rarer_population() -> None:
    def with_ratio(result: SampleResult) -> SampleResult:
        row = Statistic(
            population="msc", parent="stroma", statistic="ratio", value=1.0, unit="ratio",
            denominator="progenitors", n=result.count("msc"),
        )  # fmt: skip
        return result.model_copy(update={"statistics": (*result.statistics, row)})

    def state(*, part: int) -> str:
        (group,) = pool([with_ratio(one) for one in three(500, 500, part=part)]).groups
        return next(rate.state for rate in group.rates if rate.statistic == "ratio")

    assert [state(part=part) for part in (3, 15, 25)] == ["not detected", "detected, not quantifiable", "quantifiable"]


def test_pooling_lifts_over_the_limits_what_no_tube_reaches() -> None:
    tubes = [with_blanks(one, 0, N) for one in three(24, 22, 26)]
    assert {count_state(one.count("msc"), one.detection[0]) for one in tubes} == {"detected, not quantifiable"}
    assert msc(pool(tubes)).state == "quantifiable"


def test_a_run_without_replicates_has_no_groups() -> None:
    assert pool([]).groups == ()
    assert pool([make_result()]).groups == ()
