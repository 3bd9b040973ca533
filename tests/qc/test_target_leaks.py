"""What cuts through the rare cells, and what leaks in among them by its light scatter (Q19, Q39)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stromagate.model.gates import Boolean, Ellipse, Interval
from stromagate.prepare.scales import inverse
from stromagate.qc import Evidence
from tests.qc.evidence import (
    ASINH,
    GATES,
    N_MSC,
    N,
    ask,
    gate,
    good_columns,
    make_evidence,
    one,
    rare_rows,
    without_indices,
)

ONLY_MSC = {"indices": {"msc": "msc"}}
EITHER = (
    gate("a", "viable", "tail", Interval("CD271", 0.7, None)),
    gate("b", "viable", "tail", Interval("CD146", 0.6, None)),
    gate("msc", "viable", "boolean", Boolean("any", ("a", "b"))),
)


def beyond(axis: str, edge: float, lost: int, decades: float) -> Evidence:
    """Return the quiet tube with that many MSC beyond an edge of a marker, at the given distance."""
    columns, rare = good_columns(), rare_rows()
    columns[axis][rare[:lost]] = float(inverse(ASINH, edge)[0]) * 10**decades
    members = {"stroma": rare if axis == "CD271" else rare[lost:], "msc": rare[lost:], "progenitors": rare[lost::2]}
    return make_evidence(columns=columns, members=members, template=ONLY_MSC)


@pytest.mark.parametrize(("axis", "edge", "decades"), [("CD45", 0.55, 0.1), ("CD31", 0.8, 0.1), ("CD271", 0.7, -0.1)])
@pytest.mark.parametrize(("lost", "status"), [(0, "pass"), (30, "pass"), (36, "warn"), (60, "warn"), (72, "fail")])
def test_a_boundary_through_the_target(axis: str, edge: float, decades: float, lost: int, status: str) -> None:
    finding = one("target_loss", beyond(axis, edge, lost, decades))
    assert finding.measured == pytest.approx(100 * lost / N_MSC)
    assert (finding.status, finding.population) == (status, "msc")
    assert f"Of {N_MSC} events that would be msc" in finding.sentence
    if lost:
        assert f"boundary of {'msc' if axis == 'CD271' else 'stroma'} lay" in finding.sentence


def test_what_lies_far_beyond_a_boundary_is_another_population() -> None:
    assert one("target_loss", beyond("CD45", 0.55, 60, 0.3)).measured == pytest.approx(0)


def test_a_target_lost_but_for_a_few_is_still_judged() -> None:
    """Nineteen that are left are too few to count, and enough with those just beyond the boundary to see the loss."""
    finding = one("target_loss", beyond("CD271", 0.7, N_MSC - 5, -0.1))
    assert (finding.status, finding.measured) == ("fail", pytest.approx(100 * (N_MSC - 5) / N_MSC))
    everything = one("target_loss", beyond("CD271", 0.7, N_MSC, -0.1))
    assert (everything.status, everything.measured) == ("fail", 100)


def test_two_gates_by_size_that_stand_behind_each_other() -> None:
    """Most MSC are smaller than either gate allows: moved alone, neither would let them in."""
    sizes = [gate(f"size_{edge:.0f}", "singlets", "fixed", Interval("FSC-A", edge, None)) for edge in (25e3, 26e3)]
    gates = (*GATES[:2], sizes[0], replace(sizes[1], parent=sizes[0].name), replace(GATES[4], parent=sizes[1].name))
    columns, rare, everything = good_columns(), rare_rows(), np.arange(N)
    columns["FSC-A"][rare[:90]] = 20e3
    kept = np.setdiff1d(everything, rare[:90])
    members = {sizes[0].name: kept, sizes[1].name: kept, "msc": rare[90:]}
    finding = one("target_loss", make_evidence(columns=columns, gates=gates, members=members, template=ONLY_MSC))
    assert (finding.status, finding.measured) == ("fail", pytest.approx(75))
    assert "0.3 decade" in finding.sentence


def test_boundaries_combined_by_name_and_by_their_outside() -> None:
    """The quiet tube's stroma gate in two: out of the CD45-positive, and CD31-low; MSC are made by name."""
    gates = (
        *GATES[:3],
        gate("cd45pos", "singlets", "tail", Interval("CD45", 0.55, None)),
        gate("cd271pos", "viable", "tail", Interval("CD271", 0.7, None)),
        gate("stroma", "viable", "boolean", Boolean("none", ("cd45pos",))),
        gate("msc", "stroma", "boolean", Boolean("all", ("cd271pos",))),
    )
    columns, rare, everything = good_columns(), rare_rows(), np.arange(N)
    columns["CD45"][rare[:60]] = float(inverse(ASINH, 0.55)[0]) * 10**0.1
    members = {"cd271pos": rare, "cd45pos": np.setdiff1d(everything, rare[60:]), "stroma": rare[60:], "msc": rare[60:]}
    finding = one("target_loss", make_evidence(columns=columns, gates=gates, members=members, template=ONLY_MSC))
    assert finding.measured == pytest.approx(50)
    assert "boundary of cd45pos lay" in finding.sentence


def test_a_target_within_another_is_left_to_the_check_of_its_own_edges() -> None:
    assert [finding.population for finding in ask("target_loss", make_evidence())] == ["msc"]


def test_no_loss_can_be_judged() -> None:
    bent = replace(GATES[4], geometry=Ellipse(("CD271", "CD31"), (0.8, 0.2), ((0.1, 0.0), (0.0, 0.1)), 4.0))
    below_zero = (*GATES[:2], gate("msc", "singlets", "tail", Interval("CD271", -0.1, None)))
    for evidence in (
        without_indices(),
        make_evidence(columns=good_columns(N, 10), members={"stroma": rare_rows(N, 10), "msc": rare_rows(N, 10)}),
        make_evidence(gates=(*GATES[:4], gate("msc", "stroma", "tail", None))),
        make_evidence(gates=below_zero),
        make_evidence(gates=(*GATES[:4], bent), members={"msc": rare_rows()[:60]}),
        # An "any of" is no row of edges: what they give is not the population.
        make_evidence(gates=(*GATES[:3], *EITHER), members={"a": rare_rows(), "b": rare_rows()}),
    ):
        assert {finding.status for finding in ask("target_loss", evidence)} == {"not_applicable"}


def smooth(share: float) -> Evidence:
    """Return the quiet tube with lymphocytes all over, and a share of the MSC that scatter like blasts."""
    columns, rare = good_columns(), rare_rows()
    columns["SSC-A"][:] = 20_000
    columns["SSC-A"][rare] = 90_000
    columns["SSC-A"][rare[: round(share * N_MSC)]] = 28_000
    return make_evidence(columns=columns)


@pytest.mark.parametrize(
    ("share", "status"), [(0.0, "pass"), (0.3, "pass"), (0.35, "warn"), (0.5, "warn"), (0.6, "fail")]
)
def test_small_smooth_cells_among_the_target(share: float, status: str) -> None:
    finding = one("scatter_consistency", smooth(share))
    assert (finding.status, finding.population, finding.measured) == (status, "msc", pytest.approx(100 * share))


def test_scatter_cannot_be_compared() -> None:
    dark = good_columns()
    dark["SSC-A"][:] = 0.0
    blind = {axis: values for axis, values in good_columns().items() if axis != "SSC-A"}
    for evidence in (
        without_indices(),
        make_evidence(columns=dark),
        make_evidence(columns=blind),
        make_evidence(members={"msc": rare_rows()[:19]}),
        make_evidence(members={"viable": rare_rows()[:19]}),
    ):
        assert one("scatter_consistency", evidence).status == "not_applicable"
