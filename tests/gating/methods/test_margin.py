"""The ends of a detector's range: piles go, large stroma stays, and whatever goes is counted and said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from pydantic import ValidationError

import stromagate as sg
from stromagate.errors import DocumentError, SpecificationError
from stromagate.fcs import read_fcs
from stromagate.gating import engine, replay
from stromagate.gating.geometry import check, contains
from stromagate.gating.method import Fit
from stromagate.gating.methods import time
from stromagate.gating.methods.margin import Params, explain, fit
from stromagate.gating.moves import edge_moves, moved
from stromagate.gating.population import Population, no_others
from stromagate.gating.sieve import make_sieve
from stromagate.model.gates import Axis, Boolean, GateNode, Geometry, Interval, Rectangle
from stromagate.model.sample import F32
from stromagate.model.scales import Scale
from stromagate.pipeline import analyze
from stromagate.pipeline.template import load_template
from stromagate.prepare import bind_template
from stromagate.prepare.prepared import prepare
from stromagate.report.outlines import is_shadow
from stromagate.simulate import TubeOrder, scenario, simulate_tube, write_tube
from tests.gating.methods.populations import FakePopulation
from tests.gating.tubes import ASINH, LINEAR, LOGICLE, ready
from tests.qc.evidence import GATES, N_MSC, N, ask, gate, good_columns, make_evidence, one, rare_rows, without_indices

CEILING = np.float32(262_143)


def columns(n: int = 20_000, seed: int = 1) -> dict[str, F32]:
    """Return scatter whose large cells reach the ceiling, and two markers that are cut off at neither end."""
    rng = default_rng(seed)
    made = {
        "FSC-A": np.minimum(rng.lognormal(11.3, 0.5, n), CEILING),
        "CD45": rng.normal(500, 200, n),
        "CD271": rng.normal(300, 150, n),
    }
    return {axis: column.astype(np.float32) for axis, column in made.items()}


def gated(values: dict[str, F32], **given: Any) -> Fit:
    return fit(FakePopulation(values), Params.model_validate({"axes": list(values), **given}), default_rng(0))


def kept(fitted: Fit, values: dict[str, F32]) -> np.ndarray:
    assert fitted.geometry is not None, fitted.sentence
    if isinstance(fitted.geometry, Boolean):
        return np.ones(len(next(iter(values.values()))), dtype=bool)
    return contains(fitted.geometry, np.column_stack([values[axis] for axis in fitted.geometry.axes]).astype(float))


def test_a_clean_tube_loses_nothing_and_the_top_of_scatter_is_told() -> None:
    values = columns()
    fitted = gated(values)
    at_top = np.count_nonzero(values["FSC-A"] == CEILING)
    assert at_top > 100
    assert kept(fitted, values).all()
    assert fitted.sentence == (
        f"nothing removed: none at the bottom of FSC-A, CD45 and CD271; {at_top:,} events at the top of FSC-A kept"
    )


def test_each_pile_is_removed_and_counted() -> None:
    values = columns()
    values["FSC-A"][:40] = 0
    values["CD45"][30:90] = -600
    values["CD271"][100:120] = -500
    fitted = gated(values)
    assert isinstance(fitted.geometry, Rectangle)
    assert fitted.geometry.axes == ("FSC-A", "CD45", "CD271")
    assert fitted.geometry.high == (None, None, None)
    assert np.flatnonzero(~kept(fitted, values)).tolist() == [*range(90), *range(100, 120)]
    assert fitted.sentence.startswith(
        "removed 110 of 20,000 events: 40 events (0.2 %) at the bottom of FSC-A (0), 60 events (0.3 %) at the bottom "
        "of CD45 (-600) and 20 events (0.1 %) at the bottom of CD271 (-500); "
    )
    assert "at the top of FSC-A kept" in fitted.sentence
    assert (fitted.state, fitted.spread) == ("fitted", None)


def test_the_top_of_fluorescence_below_the_stated_range() -> None:
    values = {axis: column for axis, column in columns().items() if axis != "FSC-A"}
    values["CD45"] = np.minimum(values["CD45"], np.float32(850))
    fitted = gated(values, edges=["lower", "upper"])
    assert isinstance(fitted.geometry, Interval)
    assert fitted.geometry.axis == "CD45"
    assert np.array_equal(kept(fitted, values), values["CD45"] < 850)
    assert "none at the bottom of CD45 and CD271 or top of CD271" in fitted.sentence


def test_too_much_is_not_removed() -> None:
    values = columns()
    values["CD45"] = np.maximum(values["CD45"], np.float32(300))
    fitted = gated(values)
    assert fitted.state == "not_evaluable"
    assert "nothing removed: 16 % of 20,000 events are piled up, more than 10 %" in fitted.sentence
    assert "at the bottom of CD45 (300)" in fitted.sentence
    assert gated(values, max_removed_frac=0.2).state == "fitted"


def test_few_events_and_flat_axes() -> None:
    few = gated(columns(999))
    assert (few.state, few.geometry) == ("fallback", Boolean("none", ()))
    assert "all events kept: 999 events are too few" in few.sentence
    flat = columns()
    flat["CD45"][:] = 7
    assert gated(flat).state == "not_evaluable"
    assert "all 20,000 values on CD45 are the same" in gated(flat).sentence


def test_values_that_are_no_numbers_are_counted() -> None:
    values = columns()
    values["CD45"][:50] = -600
    values["CD45"][50:53] = [np.nan, np.inf, -np.inf]
    fitted = gated(values)
    assert "removed 50 of 20,000 events" in fitted.sentence
    assert "3 events without a value removed as well" in fitted.sentence
    assert kept(fitted, values).sum() == 20_000 - 53


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 500),
    piles=st.dictionaries(st.sampled_from(["CD45", "CD271", "FSC-A"]), st.integers(10, 150), min_size=1),
    top=st.booleans(),
)
def test_what_goes_is_what_is_said(seed: int, piles: dict[str, int], top: bool) -> None:
    values = columns(4_000, seed)
    scatter = "FSC-A" in piles
    at = 90_000 if top and not scatter else -200_000
    wanted = np.zeros(4_000, dtype=bool)
    for axis, n in piles.items():
        rows = default_rng(seed).choice(4_000, n, replace=False)
        values[axis][rows], wanted[rows] = at, True
    chosen = values if scatter else {axis: values[axis] for axis in ("CD45", "CD271")}
    fitted = gated(chosen, edges=["lower"] if scatter else ["lower", "upper"], max_removed_frac=0.5)
    assert np.array_equal(~kept(fitted, chosen), wanted), fitted.sentence
    assert f"removed {np.count_nonzero(wanted):,} of 4,000 events" in fitted.sentence


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"axes": ["FSC-A", "CD45"], "edges": ["upper"]}, "`upper` with FSC-A would remove large stroma"),
        ({"axes": ["SSC-H"], "edges": ["lower", "upper"]}, "`upper` with SSC-H would remove large stroma"),
        ({"axes": ["Time"]}, "use the method `time`"),
        ({"axes": []}, "at least 1 item"),
        ({"axes": ["CD45", "CD45"]}, "named twice: CD45"),
        ({"axes": ["CD45"], "edges": ["lower", "lower"]}, "named twice: lower"),
        ({"axes": ["CD45"], "edges": []}, "at least 1 item"),
        ({"axes": ["CD45"], "edges": ["top"]}, "'lower' or 'upper'"),
        ({"axes": ["CD45"], "max_removed_frac": 1}, "less than 1"),
    ],
)
def test_wrong_parameters_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Params.model_validate(wrong)


def test_it_explains_itself() -> None:
    params = Params.model_validate({"axes": ["CD45", "CD271"], "edges": ["lower", "upper"]})
    assert explain(params) == "CD45 and CD271 not piled up at the bottom or top of the detector's range"


@pytest.mark.parametrize("scale", [LINEAR, LOGICLE, ASINH, Scale("logicle", 1e6, 1.2, 4.5, 0.3)])
@pytest.mark.parametrize("ends", [(0.0, 262_143.0), (-111.0, 9_910.5), (-50_000.0, 1.5), (1e-3, 3.0), (99.0, 100.0)])
def test_the_edge_parts_the_pile_on_every_scale(scale: Scale, ends: tuple[float, float]) -> None:
    low, high = (np.float32(end) for end in ends)
    raw = default_rng(3).uniform(low, high, (4_000, 1)).astype(np.float32)
    # The neighbours of the pile, as near as a float can be, may go with it; of all others none.
    raw[:40], raw[40:80], raw[80], raw[81] = low, high, np.nextafter(low, high), np.nextafter(high, low)
    prepared = ready(raw, ("X",), {"x": Axis("X", scale, compensated=False)})
    everything = Population(prepared, "all", None, no_others)
    fitted = fit(everything, Params(axes=("x",), edges=("lower", "upper")), default_rng(0))
    assert isinstance(fitted.geometry, Interval), fitted.sentence
    stays = make_sieve(fitted.geometry, everything.scales).inside(everything)
    piled = (raw[:, 0] == low) | (raw[:, 0] == high)
    assert not stays[piled].any()
    assert np.count_nonzero(~stays[~piled]) <= 2
    near = 2e-9 * float(np.abs(raw).max())
    assert stays[(raw[:, 0] > float(low) + near) & (raw[:, 0] < float(high) - near)].all()


# Rectangles on more than two axes


def test_a_rectangle_on_three_axes_is_sifted_as_defined() -> None:
    rng = default_rng(4)
    points = rng.normal(0, 1, (5_000, 3)).astype(np.float32)
    axes = {name: Axis(name, LINEAR, compensated=False) for name in ("a", "b", "c")}
    prepared = ready(points, ("a", "b", "c"), axes)
    box = Rectangle(("a", "b", "c"), (-1.0, None, float(points[7, 2])), (None, 0.5, 1.5))
    for shape in (box, Rectangle(box.axes, box.low, box.high, inside=False)):
        check(shape)
        tree = engine.GateTree((GateNode("p", "all", "margin", shape, "fitted", ""),), axes)
        members = replay.members(prepared, tree)["p"]
        assert np.array_equal(members, np.flatnonzero(contains(shape, points.astype(float))))
    assert 0 < len(members) < 5_000
    assert moved(box, (1.0, 2.0, 4.0)) == Rectangle(box.axes, (0.0, None, float(points[7, 2]) + 4), (None, 2.5, 5.5))
    assert len(list(edge_moves(box, axes, 0.1))) == sum(edge > 0 for edge in (-1.0, float(points[7, 2]), 0.5, 1.5))
    assert is_shadow(box)
    assert make_sieve(box, dict.fromkeys(axes, LINEAR)).axes == box.axes


@pytest.mark.parametrize(
    "shape",
    [
        Rectangle(("a", "b", "c"), (0.0, 0.0), (1.0, 1.0)),
        Rectangle(("a", "b"), (0.0, 0.0, 0.0), (1.0, 1.0)),
        Rectangle(("a", "b"), (0.0, 0.0), (1.0,)),
        Rectangle(("a",), (0.0,), (1.0,)),
    ],
)
def test_a_rectangle_of_the_wrong_size_is_refused(shape: Geometry) -> None:
    with pytest.raises(SpecificationError, match="a lower and an upper edge for each"):
        check(shape)


# What the detector wrote

TEMPLATE = """
format: stromagate.template/1
name: with_margins
version: 1.0.0
status: local
title: Piles at both ends
panel: {required: [Viability, CD45, CD271]}
populations:
  - {name: time_ok, parent: all, gate: {method: time}}
  - {name: bottom_ok, parent: time_ok, gate: {method: margin, axes: [FSC-A, SSC-A, CD45, CD271]}}
  - {name: top_ok, parent: bottom_ok, gate: {method: margin, axes: [CD45, CD271], edges: [upper]}}
  - {name: singlets, parent: top_ok, gate: {method: singlet, axes: [FSC-A, FSC-H]}}
  - {name: viable, parent: singlets, gate: {method: tail, axis: Viability, keep: below}}
  - {name: cd45_low, parent: viable, gate: {method: valley, axis: CD45, keep: below, which: lowest}}
  - {name: msc, parent: cd45_low, gate: {method: tail, axis: CD271, keep: above, mads: 6}}
denominators: [viable]
indices: {msc: msc}
"""


class Pinned:
    """A simulated tube with a pile at the bottom of CD45, and one at the top of CD271 that is made of stroma."""

    def __init__(self, folder: Path) -> None:
        self.file, self.template = folder / "tube.fcs", folder / "with_margins.yaml"
        self.template.write_text(TEMPLATE)
        order = TubeOrder(scenario("healthy"), "t", "t", prepared="cd45_depleted", n_events=40_000, seed=41)
        tube = simulate_tube(order)
        write_tube(tube, self.file)
        self.loaded = load_template(self.template)
        self.channel = {
            item.axis: item.channel for item in bind_template(read_fcs(self.file), self.loaded.template).bindings
        }
        rng, events = default_rng(2), tube.events.copy()
        msc = np.flatnonzero(tube.truth.viable_singlet & tube.truth.is_one_of("msc_cd146neg", "progenitors"))
        self.bottom = np.sort(rng.choice(np.setdiff1d(np.arange(40_000), msc), 300, replace=False))
        events[self.bottom, self.channel["CD45"]] = events[:, self.channel["CD45"]].min() - 50
        # A converter that saturates far below the stated range, on twelve cells of stroma and whatever else is there.
        cd271 = events[:, self.channel["CD271"]]
        np.minimum(cd271, np.float32(150_000), out=cd271)
        self.stroma = np.sort(rng.choice(msc, 12, replace=False))
        cd271[self.stroma] = 150_000
        self.top = np.flatnonzero(cd271 == 150_000)
        write_tube(replace(tube, events=events), self.file)


@pytest.fixture(scope="module")
def pinned(tmp_path_factory: pytest.TempPathFactory) -> Pinned:
    return Pinned(tmp_path_factory.mktemp("pinned"))


def test_piles_are_found_although_spillover_smears_them(pinned: Pinned) -> None:
    prepared = prepare(read_fcs(pinned.file), pinned.loaded.template)
    assert len(np.unique(prepared.linear("CD271", pinned.stroma))) == 12
    found = engine.gate(prepared, pinned.loaded.template, gates=pinned.loaded.gates)
    removed = np.setdiff1d(found.members["time_ok"], found.members["bottom_ok"])
    assert np.array_equal(removed, np.intersect1d(pinned.bottom, found.members["time_ok"]))
    removed = np.setdiff1d(found.members["bottom_ok"], found.members["top_ok"])
    assert np.array_equal(removed, np.intersect1d(pinned.top, found.members["bottom_ok"]))
    assert found.tree.node("top_ok").geometry.axes == ("CD271 as measured",)  # type: ignore[union-attr]
    assert "CD271 as measured" in found.tree.axes
    assert not found.tree.axes["CD271 as measured"].compensated


def test_the_whole_way_through_a_run(pinned: Pinned) -> None:
    result = analyze(pinned.file, template=pinned.template)
    assert {node.state for node in result.tree.nodes} == {"fitted"}
    top = result.tree.node("top_ok").sentence
    assert "at the top of CD271" in top
    counts = {name: result.count(name) for name in ("all", *(node.name for node in result.tree.nodes))}
    assert sg.count_populations(pinned.file, result.tree) == counts
    prepared = prepare(read_fcs(pinned.file), pinned.loaded.template)
    found = engine.gate(prepared, pinned.loaded.template, gates=pinned.loaded.gates)
    again = replay.members(prepared, result.tree)
    assert all(np.array_equal(rows, again[name]) for name, rows in found.members.items())
    (loss,) = [finding for finding in result.findings if finding.code == "Q50"]
    assert loss.status == "fail"
    lost = int(re.search(r"margin gates remove (\d+) \(", loss.sentence)[1])  # type: ignore[index]
    # A cell or two beside the stroma may look like it.
    assert 12 <= lost <= min(14, len(pinned.top))
    (plot,) = [view for view in result.views if view.population == "top_ok"]
    assert plot.x.axis == "CD271 as measured"


def test_other_templates_have_no_axis_more(pinned: Pinned) -> None:
    plain = load_template("bm_stroma_core").template
    assert not any("measured" in axis for axis in prepare(read_fcs(pinned.file), plain).axes)


def test_time_is_judged_by_each_signal_once() -> None:
    rng = default_rng(0)
    n = 20_000
    column = rng.normal(500, 100, n).astype(np.float32)
    column[9_000:10_000] += 400
    values = {"Time": np.sort(rng.uniform(0, 100, n)).astype(np.float32), "CD45": column, "CD45 as measured": column}
    sentence = time.fit(FakePopulation(values), time.Params(), rng).sentence
    assert "(CD45 shifted)" in sentence


def test_a_template_that_would_remove_large_stroma_is_refused_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "with_margins.yaml").write_text(TEMPLATE.replace("[CD45, CD271], edges", "[SSC-A, CD271], edges"))
    with pytest.raises(DocumentError) as caught:
        load_template(tmp_path / "with_margins.yaml")
    assert "`upper` with SSC-A would remove large stroma" in str(caught.value.problems[0])


# What is lost of the target (Q50)

AFTER = (GATES[0], gate("ends_ok", "time_ok", "margin", None), replace(GATES[1], parent="ends_ok"), *GATES[2:])


def with_margin(geometry: Geometry | None, lost: np.ndarray, n: int = N, **more: Any) -> Any:
    gates = (AFTER[0], gate("ends_ok", "time_ok", "margin", geometry), *AFTER[2:])
    return make_evidence(gates=gates, members={"ends_ok": np.setdiff1d(np.arange(n), lost)}, **more)


@pytest.mark.parametrize(("lost", "status"), [(0, "pass"), (2, "pass"), (3, "warn"), (12, "warn"), (13, "fail")])
def test_loss_of_the_target_is_counted(lost: int, status: str) -> None:
    gone = np.sort(np.concatenate([rare_rows()[:lost], [1, 2, 3]]))
    found = [f for f in ask("margin_loss", with_margin(Interval("SSC-A", 0.0, None), gone)) if f.population == "msc"]
    assert [finding.status for finding in found] == [status]
    assert f"Of {N_MSC} events that look like msc, margin gates remove {lost}" in found[0].sentence
    assert found[0].measured == pytest.approx(100 * lost / N_MSC)


def test_a_loss_of_few_is_told_though_it_is_not_judged() -> None:
    few = with_margin(Interval("SSC-A", 0.0, None), rare_rows(N, 10)[:4], columns=good_columns(N, 10))
    (found,) = [finding for finding in ask("margin_loss", few) if finding.population == "msc"]
    assert found.status == "not_applicable"
    assert "Of 10 events that look like msc, margin gates remove 4: too few to judge a loss by" in found.sentence


def test_a_loss_that_cannot_be_judged() -> None:
    assert one("margin_loss", make_evidence()).status == "not_applicable"
    assert one("margin_loss", without_indices()).status == "not_applicable"
    blind = with_margin(None, np.empty(0, dtype=np.intp))
    assert {finding.status for finding in ask("margin_loss", blind)} == {"not_applicable"}


def test_a_boundary_at_the_end_of_a_range_is_not_judged_as_one_between_cells() -> None:
    """Q39 moves edges outward: where a detector ends there is nothing further out."""
    evidence = with_margin(Interval("CD271", None, 0.75), rare_rows()[:60])
    assert not [f for f in ask("target_loss", evidence) if "ends_ok" in f.sentence]
