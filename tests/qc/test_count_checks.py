"""Numbers of events: enough, alive, possible, quantifiable (Q07, Q08, Q28, Q36)."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from stromagate.qc import Evidence
from stromagate.quantify.planner import Losses, plan
from tests.qc.evidence import (
    GATES,
    N,
    ask,
    make_evidence,
    one,
    without_indices,
)


@pytest.mark.parametrize(
    ("n", "n_msc", "status"), [(100_000, 0, "fail"), (200_000, 0, "warn"), (999_999, 0, "warn"), (1_000_000, 0, "pass")]
)
def test_events_needed_for_rare_cells(n: int, n_msc: int, status: str) -> None:
    base = make_evidence()
    counts = {**base.counts, "viable": n, "msc": n_msc, "progenitors": 0}
    finding = one("few_events", replace(base, counts=counts))
    assert (finding.status, finding.measured) == (status, n)


# Millions of events that hold 20 and 50 of a population at a frequency in 95 of 100 tubes; computed independently.
@pytest.mark.parametrize(
    ("per_million", "detect", "quantify"), [(10, 2.8, 6.2), (30, 0.93, 2.1), (50, 0.56, 1.24), (100, 0.28, 0.62)]
)
def test_frequencies_in_reach_are_those_of_the_planning_table(
    per_million: float, detect: float, quantify: float
) -> None:
    base = make_evidence()
    for millions, word in ((detect, "detected"), (quantify, "quantified")):
        counts = {**base.counts, "viable": int(millions * 1e6), "msc": 0}
        said = one("few_events", replace(base, counts=counts)).sentence
        found = re.search(rf"{word} \(\d+ events\) from ([\d,]+) ", said)
        assert found is not None
        assert float(found[1].replace(",", "")) == pytest.approx(per_million, rel=0.03)


def test_few_events_do_not_matter_where_the_target_was_counted_well() -> None:
    base = make_evidence()
    finding = one("few_events", replace(base, counts={**base.counts, "viable": 5_000}))
    assert finding.status == "pass"
    assert "msc reached 50" in finding.sentence
    just = replace(base, counts={**base.counts, "viable": 5_000, "msc": 50})
    assert one("few_events", just).status == "pass"
    almost = replace(base, counts={**base.counts, "viable": 5_000, "msc": 49})
    assert one("few_events", almost).status == "fail"


def test_the_remedy_is_a_plan_with_the_rate_and_the_losses_of_the_tube() -> None:
    base = make_evidence()
    counts = {**base.counts, "viable": N // 2, "msc": 31}
    remedy = one("few_events", replace(base, counts=counts)).remedy
    options = dict(re.findall(r"--(\w+) ([\d.]+)", remedy))
    assert set(options) == {"ppm", "nucleated", "singlets", "viable"}
    shares = {name: float(options[name]) / 100 for name in ("nucleated", "singlets", "viable")}
    made = plan(float(options["ppm"]), 31, losses=Losses(**shares), rate_per_s=1e-6)
    assert made.expected_events == pytest.approx(N / 2, rel=0.01)
    assert made.recorded_events * made.expected_events / made.assured_events == pytest.approx(N, rel=0.01)


@pytest.mark.parametrize("counts", [{"msc": 0}, {"msc": None}, {"viable": 0}, {"viable": 1, "msc": 1}])
def test_without_a_rate_of_its_own_the_tube_is_planned_with_the_usual_one(counts: dict[str, int | None]) -> None:
    base = make_evidence()
    remedy = one("few_events", replace(base, counts={**base.counts, **counts})).remedy
    assert remedy.endswith("stromagate plan --ppm 43, or another rate that you expect.")


def test_the_denominator_may_be_empty_gone_or_undeclared() -> None:
    base = make_evidence()
    assert one("few_events", replace(base, counts={**base.counts, "viable": 0})).status == "fail"
    assert one("few_events", replace(base, counts={**base.counts, "viable": None})).status == "not_applicable"
    assert f"{N:,} events in the whole tube" in one("few_events", without_indices(denominators=[])).sentence


@pytest.mark.parametrize(("alive", "status"), [(80, "pass"), (79, "warn"), (60, "warn"), (59, "fail")])
def test_viability(alive: int, status: str) -> None:
    finding = one("viability", make_evidence(members={"viable": np.arange(N * alive // 100, dtype=np.intp)}))
    assert (finding.status, finding.measured, finding.population) == (status, alive, "viable")
    assert (finding.remedy == "") == (status == "pass")
    assert finding.limit == (60 if status == "fail" else 80)


def test_viability_without_a_dye_or_without_events() -> None:
    none = make_evidence(gates=tuple(node for node in GATES if node.name != "viable"), template={"denominators": []})
    assert one("viability", none).status == "not_applicable"
    empty = np.empty(0, dtype=np.intp)
    assert one("viability", make_evidence(members={"singlets": empty, "viable": empty})).status == "not_applicable"


@pytest.mark.parametrize(("count", "status"), [(N // 1000, "pass"), (N // 1000 + 1, "warn")])
def test_more_msc_than_an_aspirate_holds(count: int, status: str) -> None:
    base = make_evidence()
    finding = one("off_the_map", replace(base, counts={**base.counts, "msc": count}))
    assert finding.status == status
    assert finding.measured == pytest.approx(1e6 * count / N)


ENRICHED = {"preparation": "cd45_depleted"}


def enriched(by_file: bool, **counts: int) -> Evidence:
    """Return a tube that its file or the sheet calls depleted."""
    words = {"STROMAGATE_PREPARATION": "cd45_depleted"} if by_file else {}
    base = make_evidence(sample={"keywords": words})
    return replace(base, counts={**base.counts, **counts}, labels={} if by_file else ENRICHED)


@pytest.mark.parametrize("by_file", [True, False])
def test_no_rate_is_too_high_in_an_enriched_tube(by_file: bool) -> None:
    finding = one("off_the_map", enriched(by_file, msc=N // 100))
    assert finding.status == "not_applicable"
    assert finding.sentence.startswith("10,000 msc per million of viable. The tube is enriched (cd45 depleted)")
    whole = replace(enriched(False, msc=N // 100), labels={"preparation": "whole"})
    assert one("off_the_map", whole).status == "warn"


def test_an_enriched_tube_is_held_to_its_own_rate() -> None:
    few = one("few_events", enriched(True, msc=8, viable=57_000))
    assert (few.status, few.measured) == ("warn", 57_000)
    # 50 events in 95 of 100 tubes take a mean of 62.2 (computed independently): at 8 in 57,000 that is 443,000.
    assert "at its own rate, 8 msc, it takes about 440,000 to quantify them" in few.sentence
    assert "takes for granted" in few.sentence
    none = one("few_events", enriched(True, msc=0, viable=5_000))
    assert (none.status, "no rate of its own to go by: no msc" in none.sentence) == ("warn", True)
    assert one("few_events", enriched(True, msc=50, viable=5_000)).status == "pass"
    assert one("few_events", enriched(True, viable=0)).status == "fail"


@pytest.mark.parametrize(
    ("count", "status", "says"),
    [(0, "warn", "told from none"), (19, "warn", "told from none"), (20, "warn", "make a quantity"),
     (49, "warn", "make a quantity"), (50, "pass", "enough")],
)  # fmt: skip
def test_rare_counts(count: int, status: str, says: str) -> None:
    base = make_evidence()
    msc, progenitors = ask("rare_counts", replace(base, counts={**base.counts, "msc": count}))
    assert (msc.status, msc.population, msc.measured) == (status, "msc", count)
    assert says in msc.sentence
    assert msc.limit == (20 if count < 20 else 50), "the limit beside a finding is that of its sentence"
    assert progenitors.status == "pass"
