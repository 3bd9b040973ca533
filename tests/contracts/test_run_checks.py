"""What every check of a run promises, on good, poor and empty runs; a new check is found by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest

from stromagate.model.result import RunFinding
from stromagate.qc.check import checks
from stromagate.qc.run_check import RunCheck, RunEvidence, run_checks
from stromagate.qc.whole_run import check_run
from tests.pipeline.histories import book_of, kept_runs
from tests.qc.runs import VOLTS, bound, compensated, counting, cut_at, run_of, seen
from tests.results import make_result


def _odd() -> RunEvidence:
    """Return a run in which everything is wrong that may be."""
    rich = seen("rich", result=counting(90_000), begun_s=1.0, data_sha256="d")
    poor = seen("poor", result=counting(9), begun_s=2.0, data_sha256="d", volts={**VOLTS, "PE-A": 1.0})
    other = seen("other", result=bound(make_result(), "CD271", "X-A"), labels={"specimen": "digest"}, day="02-mar-2026")
    matrix = seen("matrix", result=compensated(0.5), labels={"specimen": "aspirate"}, cytometer="second")
    cuts = [seen(f"t{i}", result=cut_at(0.5 if i < 7 else 0.9)) for i in range(8)]
    fmo = seen("fmo", labels={"role": "fmo:CD146"}, day="03-mar-2026")
    charts = book_of(kept_runs(26, shift_from=21)).charts
    return run_of(rich, poor, other, matrix, *cuts, fmo, charts=charts)


UNKNOWN = {"volts": {}, "cytometer": "", "serial": "", "day": "", "labels": {"batch": ""}}

RUNS: dict[str, Callable[[], RunEvidence]] = {
    "nothing": run_of,
    "one tube": lambda: run_of(seen("a")),
    "two alike": lambda: run_of(seen("a"), seen("b")),
    "nothing known": lambda: run_of(*(seen(name, **UNKNOWN) for name in "ab")),
    "controls alone": lambda: run_of(*(seen(n, labels={"role": "unstained"}) for n in "abc")),
    "no statistics": lambda: run_of(*(seen(name, result={"statistics": ()}, begun_s=ord(name)) for name in "ab")),
    "everything odd": _odd,
    "no stained tube": lambda: run_of(seen("a", labels={"role": "blank"}), charts=()),
    "first of a history": lambda: run_of(seen("a"), charts=book_of(kept_runs(1)).charts),
    "steady history": lambda: run_of(seen("a"), charts=book_of(kept_runs(32)).charts),
}


@pytest.fixture(scope="module", params=RUNS, ids=str)
def evidence(request: pytest.FixtureRequest) -> RunEvidence:
    return RUNS[request.param]()


@pytest.mark.parametrize("name", run_checks.names())
def test_a_check_declares_itself(name: str) -> None:
    check = run_checks.get(name)
    assert re.fullmatch(r"Q\d{2}", check.code)
    assert check.title
    assert not check.title.endswith(".")
    assert (check.warn is None and check.fail is None) or check.unit


def test_no_two_checks_share_a_code_nor_does_one_of_a_tube() -> None:
    codes = Counter(check.code for check in run_checks.all().values())
    assert [code for code, n in codes.items() if n > 1] == []
    assert not set(codes) & {check.code for check in checks.all().values()}


@pytest.mark.parametrize("name", run_checks.names())
def test_a_check_answers_every_run_and_the_same_twice(name: str, evidence: RunEvidence) -> None:
    check = run_checks.get(name)
    found = check.run(evidence)
    assert found
    assert found == check.run(evidence)
    tubes = {tube.name for tube in evidence.tubes}
    for finding in found:
        assert isinstance(finding, RunFinding)
        assert finding.code == check.code
        assert len(finding.sentence) > 15
        assert not re.search(r"\bnan\b|\binf\b|None|np\.|\{|\}", finding.sentence), finding.sentence
        assert set(finding.samples) <= tubes
        if finding.status == "not_applicable":
            assert finding.measured is None
        if finding.status in {"warn", "fail"}:
            assert finding.remedy.endswith("."), "what to do next"
        if finding.limit is not None:
            assert finding.limit in {check.warn, check.fail}


def test_every_check_of_a_batch_fires_on_the_odd_run() -> None:
    loud = {finding.code for finding in check_run(_odd()) if finding.status in {"warn", "fail"}}
    assert loud >= {"Q15", "Q26", "Q29", "Q56", "Q57", "Q60", "Q61", "Q62", "Q63", "Q64"}


def test_no_check_passes_a_run_of_nothing() -> None:
    assert "pass" not in {finding.status for finding in check_run(run_of())}


def test_check_run_stamps_names_and_stage(evidence: RunEvidence) -> None:
    found = check_run(evidence)
    assert {finding.check for finding in found} == set(run_checks.names())
    assert {finding.stage for finding in found} == {"run"}
    assert not [finding for finding in found if "fault in the program" in finding.sentence]


@pytest.mark.parametrize("answer", [None, []])
def test_a_broken_check_fails_and_costs_nothing_else(answer: list[RunFinding] | None) -> None:
    def broken(_: RunEvidence) -> list[RunFinding]:
        if answer is None:
            raise ZeroDivisionError("a bug")
        return answer

    (finding,) = check_run(run_of(), {"mine": RunCheck("Q99", "a check", broken)})
    assert (finding.status, finding.check) == ("fail", "mine")
    assert "could not be made because of a fault in the program" in finding.sentence
