"""How many of the target a gate took that throws events out, and whether it took them at random (Q05, Q09, Q50)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact as scipys

from stromagate.qc import Evidence
from stromagate.qc.removal import Removal, fisher_exact, removal
from tests.qc.evidence import GATES, N_MSC, N, gate, make_evidence, one, rare_rows

TIME_OK = GATES[0]


def cut_out(rows: np.ndarray) -> Evidence:
    """Return the quiet tube whose time gate removed some rows."""
    kept = np.setdiff1d(np.arange(N, dtype=np.intp), rows)
    rare = np.intersect1d(rare_rows(), kept)
    return make_evidence(members={"time_ok": kept, "stroma": rare, "msc": rare, "progenitors": rare[::2]})


@given(st.integers(1, 400), st.data())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_the_p_value_is_fishers(n: int, data: st.DataObject) -> None:
    alike, removed = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
    lost = data.draw(st.integers(max(0, alike - (n - removed)), min(alike, removed)))
    table = [[lost, alike - lost], [removed - lost, n - removed - alike + lost]]
    assert fisher_exact(lost, alike, removed, n) == pytest.approx(scipys(table).pvalue, rel=1e-6, abs=1e-12)


def test_the_p_value_holds_for_tubes_of_millions() -> None:
    assert fisher_exact(5, 100, 50_000, 1_000_000) == pytest.approx(
        scipys([[5, 95], [49_995, 949_905]]).pvalue, rel=1e-5
    )
    assert fisher_exact(100, 100, 50_000, 1_000_000) < 1e-100


@given(st.integers(0, 30))
@settings(derandomize=True, deadline=None, max_examples=31)
def test_the_more_is_lost_beyond_chance_the_rarer_it_is(lost: int) -> None:
    chances = [Removal("g", "t", 1_000, 100, 30, k).p for k in range(3, 31)]
    assert chances == sorted(chances, reverse=True)
    assert 0 <= Removal("g", "t", 1_000, 100, 30, lost).p <= 1


def test_an_even_removal_is_said_to_be_at_random() -> None:
    every_tenth_stretch = np.flatnonzero(np.arange(N) // 1_500 % 10 == 0)
    finding = one("steady_acquisition", cut_out(every_tenth_stretch))
    assert finding.status == "pass"
    assert f"Of {N_MSC} events that look like msc the gate of time_ok removed 1" in finding.sentence
    assert "at random as far as can be seen (exact test p = " in finding.sentence


def test_a_burst_of_the_target_that_was_cut_out_is_warned_of() -> None:
    """The time gate removes one event in a hundred, and every fourth MSC with them."""
    taken = np.union1d(np.arange(1_500), rare_rows()[::4])
    finding = one("steady_acquisition", cut_out(taken))
    assert (finding.status, finding.population) == ("warn", "time_ok")
    assert finding.measured == pytest.approx(100 * taken.size / N)
    assert "not at random" in finding.sentence
    assert "burst" in finding.remedy


def test_fewer_of_the_target_than_by_chance_are_no_reason_to_warn() -> None:
    spared = np.setdiff1d(np.arange(N // 11), rare_rows())
    finding = one("steady_acquisition", cut_out(spared))
    assert "removed 0, by chance" in finding.sentence
    assert "not at random" in finding.sentence
    assert finding.status == "pass"


def test_a_removal_that_is_too_large_stays_what_it_is() -> None:
    finding = one("steady_acquisition", cut_out(np.arange(N // 3)))
    assert (finding.status, finding.limit) == ("fail", 30.0)


def test_nothing_removed_needs_no_test() -> None:
    assert "exact test" not in one("steady_acquisition", make_evidence()).sentence


def test_a_gate_beside_the_way_or_without_members_removed_nothing_of_the_target() -> None:
    beside = gate("aside", "all", "time", TIME_OK.geometry)
    evidence = make_evidence(gates=(*GATES, beside), members={"aside": np.arange(9, dtype=np.intp)})
    assert removal(evidence, beside, "msc") is None
    gone = gate("time_ok", "all", "time", None)
    assert removal(make_evidence(gates=(gone, *GATES[1:])), gone, "msc") is None
    assert removal(make_evidence(), TIME_OK, "time_ok") is None


def test_singlets_say_how_many_of_the_target_they_took() -> None:
    rare = rare_rows()
    kept = np.setdiff1d(np.arange(N, dtype=np.intp), rare[:12])
    left = rare[12:]
    members = {"singlets": kept, "viable": kept, "stroma": left, "msc": left, "progenitors": left[::2]}
    finding = one("singlet_loss", make_evidence(members=members))
    assert finding.measured == pytest.approx(10)
    assert "the gate of singlets removed 12, by chance 0.0096: not at random" in finding.sentence
