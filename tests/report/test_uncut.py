"""Numbers that no denominator swells: in the report where there are any, and without a trace where there are none."""

from __future__ import annotations

from typing import Any

from stromagate.model.config import RunConfig
from stromagate.model.result import SampleResult
from stromagate.report import render_sample
from stromagate.report.uncut import uncut
from tests.report.pages import visible
from tests.results import make_result

TITLE = "The same for every denominator"


def changed(statistic: str, **fields: Any) -> SampleResult:
    rows = make_result().statistics
    return make_result(
        statistics=tuple(row.model_copy(update=fields) if row.statistic == statistic else row for row in rows)
    )


def without(*kinds: str) -> SampleResult:
    return make_result(statistics=tuple(row for row in make_result().statistics if row.statistic not in kinds))


def test_share_median_and_ratio_stand_together() -> None:
    lines = uncut(make_result())
    assert [(line["title"], line["number"], line["events"]) for line in lines] == [
        ("CD146+ progenitors among MSC (CD271+)", "21 of 62 (34 %, 22–47 %) <LLOQ", "21 of 62"),
        ("median CD146 (scale value) of all MSC (CD271+), without a cut", "1,310 (1,000–1,700)", "62"),
        ("CD146+ progenitors to msc_cd146neg", "0.512 (0.291–0.880) <LLOQ", "21 to 41"),
    ]
    assert [line["faint"] for line in lines] == [True, False, True]


def test_a_ratio_that_could_not_be_had_says_so() -> None:
    line = uncut(changed("ratio", value=None, state="not evaluable", n=None, ci_low=None, ci_high=None))[-1]
    assert (line["number"], line["state"], line["events"]) == ("–", "not evaluable", "– to 41")
    assert line["faint"]


def test_ratios_come_in_the_order_of_the_indices() -> None:
    extra = (
        make_result()
        .statistics[-1]
        .model_copy(update={"population": "msc", "statistic": "ratio", "denominator": "nucleated", "unit": "ratio"})
    )
    result = make_result(statistics=(*make_result().statistics, extra))
    assert [line["title"] for line in uncut(result)][-2:] == [
        "MSC (CD271+) to nucleated",
        "CD146+ progenitors to msc_cd146neg",
    ]


def test_a_tube_without_such_numbers_has_no_table_of_them() -> None:
    assert TITLE in visible(render_sample(make_result()))
    assert TITLE not in visible(render_sample(without("ratio", "median_of_parent")))
    assert uncut(without("ratio", "median_of_parent")) == []
    assert len(uncut(without("median_of_parent"))) == 1


def test_the_page_says_by_what_shares_were_counted() -> None:
    assert "shares (Clopper-Pearson), MOVER for ratios" in visible(render_sample(make_result()))
    record = make_result().record.model_copy(update={"config": RunConfig(interval="wilson")})
    page = visible(render_sample(make_result(record=record)))
    assert "Wilson for shares, MOVER for ratios" in page
    assert "shares (Clopper-Pearson)" not in page
