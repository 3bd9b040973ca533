"""All checks together, and what becomes of one that breaks."""

from __future__ import annotations

import pytest

from stromagate.errors import SpecificationError
from stromagate.model.result import Finding
from stromagate.qc import Evidence, check_tube
from stromagate.qc.check import Check
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import events, listed, percent
from tests.qc.evidence import make_evidence


def test_a_quiet_tube_passes_everything() -> None:
    found = check_tube(make_evidence())
    assert {finding.status for finding in found} == {"pass", "not_applicable"}
    # Controls, isotypes, second opinions, shares, locks, red cells, blasts, beads, read-outs and a sheet: this template
    # and run have none of them.
    not_asked = {"Q12", "Q13", "Q14", "Q16", "Q24", "Q25", "Q27", "Q42", "Q43", "Q45", "Q46", "Q47", "Q50", "Q51"}
    not_asked |= {"Q65", "Q66", "Q67"}
    assert {finding.code for finding in found if finding.status == "not_applicable"} <= not_asked
    assert [finding.code for finding in found] == sorted(finding.code for finding in found)


def _check(run, code: str = "X1") -> Check:
    return Check(code=code, title="a title", run=run, warn=10.0, fail=20.0, unit="%")


def test_a_broken_check_is_a_failed_finding_and_the_others_go_on() -> None:
    def broken(evidence: Evidence) -> list[Finding]:
        message = "secret"
        raise ZeroDivisionError(message)

    good = _check(lambda evidence: [judge(good, 5.0, "fine")], "X2")
    bad = _check(broken)
    first, second = check_tube(make_evidence(), {"good": good, "bad": bad})
    assert (first.check, first.code, first.status) == ("bad", "X1", "fail")
    assert "'a title' could not be made" in first.sentence
    assert "ZeroDivisionError: secret" in first.sentence
    assert (second.check, second.status, second.measured) == ("good", "pass", 5.0)


def test_a_check_that_answers_nothing_is_broken() -> None:
    (finding,) = check_tube(make_evidence(), {"mute": _check(lambda evidence: [])})
    assert finding.status == "fail"


def test_an_error_raised_on_purpose_passes_through() -> None:
    def refuse(evidence: Evidence) -> list[Finding]:
        raise SpecificationError("x.y", "not this one")

    with pytest.raises(SpecificationError):
        check_tube(make_evidence(), {"refusing": _check(refuse)})


@pytest.mark.parametrize(
    ("measured", "status", "limit"),
    [(10.0, "pass", 10.0), (10.1, "warn", 10.0), (20.0, "warn", 10.0), (20.1, "fail", 20.0)],
)
def test_limits_are_crossed_by_what_lies_beyond(measured: float, status: str, limit: float) -> None:
    finding = judge(_check(lambda evidence: []), measured, "x", remedy="do")
    assert (finding.status, finding.limit, finding.unit) == (status, limit, "%")
    assert finding.remedy == ("" if status == "pass" else "do")


def test_no_limits_no_verdict_but_pass() -> None:
    finding = judge(Check("X", "t", lambda evidence: []), 1e9, "x")
    assert (finding.status, finding.limit) == ("pass", None)
    lone = judge(Check("X", "t", lambda evidence: [], fail=3.0), 4.0, "x")
    assert (lone.status, lone.limit) == ("fail", 3.0)


def test_what_was_not_measured_has_no_unit() -> None:
    assert said(_check(lambda evidence: []), "warn", "x").unit == ""
    assert not_applicable(_check(lambda evidence: []), "why", "msc").population == "msc"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 %"), (0.0001, "< 0.001 %"), (0.0123, "0.012 %"), (0.5, "0.50 %"), (12.345, "12.3 %"), (99.97, "> 99.9 %"),
     (100, "100 %")],
)  # fmt: skip
def test_percentages_never_round_to_nothing_or_everything(value: float, text: str) -> None:
    assert percent(value) == text


def test_lists_and_events_read_well() -> None:
    assert events(1) == "1 event"
    assert events(1234) == "1,234 events"
    assert listed("abc") == "a, b, c"
    assert listed("abcdefgh") == "a, b, c, d, e, f and 2 more"
