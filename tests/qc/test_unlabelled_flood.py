"""A target that is sought among many other cells, of which one in a thousand could pass for it (Q48)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.qc import Evidence
from tests.qc.evidence import N_MSC, N, make_evidence, one, rare_rows, without_indices


def flooded(around: int, n_msc: int = N_MSC, **more: object) -> Evidence:
    """Return the quiet tube with that many cells around the MSC, which lie first."""
    msc = np.arange(n_msc, dtype=np.intp)
    members = {"stroma": np.arange(n_msc + around, dtype=np.intp), "msc": msc, "progenitors": msc[::2]}
    return make_evidence(members=members, **more)  # type: ignore[arg-type]  # what a test changes is of any kind


# A flood is more than 5 % of 150,000; one in a thousand of 30,000 is 30, a quarter of 120.
@pytest.mark.parametrize(
    ("around", "status", "measured"),
    [(0, "pass", None), (7_500, "pass", None), (7_501, "pass", 6.25), (30_000, "pass", 25.0), (30_120, "warn", 25.1)],
)
def test_one_in_a_thousand_is_held_against_the_count(around: int, status: str, measured: float | None) -> None:
    finding = one("unlabelled_flood", flooded(around))
    assert (finding.status, finding.population) == (status, "msc")
    assert finding.measured == (None if measured is None else pytest.approx(measured, rel=1e-3))
    assert finding.sentence.startswith(f"{around:,} events of stroma are no msc: ")


def test_the_sentence_says_how_much_of_the_count_it_could_be_and_the_remedy_where_to_look() -> None:
    finding = one("unlabelled_flood", flooded(60_000))
    assert "as many as 40.0 % of viable; one in a thousand of them would be 50.0 % of the count." in finding.sentence
    assert "CD71 and CD105" in finding.remedy
    assert "denominator" in finding.remedy


def test_more_than_the_count_is_said_in_words_and_never_above_all_of_it() -> None:
    finding = one("unlabelled_flood", flooded(140_000, n_msc=40))
    assert finding.measured == 100
    assert finding.sentence.endswith("one in a thousand of them would be as many as were counted.")


def test_many_targets_in_a_digest_are_no_flood() -> None:
    assert one("unlabelled_flood", flooded(50_000, n_msc=5_000)).status == "pass"


def test_a_few_cells_of_the_target_are_too_few_to_judge() -> None:
    assert one("unlabelled_flood", flooded(60_000, n_msc=19)).status == "not_applicable"


@pytest.mark.parametrize("denominator", ["stroma", "msc"])
def test_a_target_right_under_its_denominator_has_no_cells_around_it(denominator: str) -> None:
    finding = one("unlabelled_flood", flooded(60_000, template={"denominators": [denominator]}))
    assert finding.status == "not_applicable"
    assert "not sought in a part of its denominator" in finding.sentence


def test_without_indices_or_a_denominator_nothing_is_judged() -> None:
    assert one("unlabelled_flood", without_indices()).status == "not_applicable"
    none = np.empty(0, dtype=np.intp)
    gone = make_evidence(members={"viable": none, "stroma": rare_rows(), "msc": rare_rows()})
    assert one("unlabelled_flood", gone).status == "not_applicable"


@given(st.integers(0, N - 300), st.integers(20, 300))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_more_cells_around_the_target_never_make_it_safer(around: int, n_msc: int) -> None:
    rank = {"pass": 0, "warn": 1}
    less, more = (one("unlabelled_flood", flooded(size, n_msc)) for size in (around // 2, around))
    assert rank[less.status] <= rank[more.status]
