"""Gates set on controls and on earlier batches, on simulated marrows whose truth is known: what each trap costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from stromagate.cli.app import app
from stromagate.fcs import read_fcs
from stromagate.gating.controls import pooled, quantiles
from stromagate.gating.engine import Gated, gate
from stromagate.gating.method import Outside
from stromagate.model.config import RunConfig
from stromagate.model.controls import ControlTube
from stromagate.model.gates import Interval
from stromagate.pipeline.bundle import read_result
from stromagate.pipeline.controls import gate_control
from stromagate.pipeline.template import load_template
from stromagate.prepare import prepare
from stromagate.prepare.prepared import Prepared
from stromagate.prepare.scales import inverse
from stromagate.simulate import Tube, TubeOrder, scenario, simulate_tube, write_tube
from stromagate.simulate.panel import CEILING, DETECTORS, SCATTER
from stromagate.simulate.populations import MSC
from stromagate.templates import LoadedTemplate

TEMPLATE = """\
format: stromagate.template/1
name: traps
version: 1.0.0
status: local
title: A marrow with its stroma
panel: {required: [Viability, CD45, CD235a, CD31, CD34, CD271, CD146]}
aliases: {CD235a: [CD235a+CD71]}
scales: {FSC-A: {transform: linear}, FSC-H: {transform: linear}, SSC-A: {transform: linear}}
populations:
  - {name: singlets, parent: all, gate: {method: singlet, axes: [FSC-A, FSC-H]}}
  - {name: cd45pos, parent: singlets, gate: {method: tail, axis: CD45, keep: above, negative: lowest, mads: 7}}
  - {name: cd31pos, parent: singlets, gate: {method: tail, axis: CD31, keep: above, negative: lowest, mads: 5}}
  - {name: cd34pos, parent: singlets, gate: {method: tail, axis: CD34, keep: above, negative: lowest, mads: 5}}
  - {name: cells, parent: singlets, gate: {method: fixed, axes: [FSC-A], low: [25000], units: linear}}
  - {name: viable, parent: cells, gate: {method: tail, axis: Viability, keep: below, mads: 3.5}}
  - {name: nucleated, parent: viable, gate: {method: valley, axis: CD235a, keep: below, otherwise: tail}}
  - {name: anchor, parent: nucleated, gate: {method: boolean, operation: none, of: [cd31pos, cd34pos]}}
  - {name: bright, parent: anchor, gate: {method: tail, axis: CD271, keep: above, mads: 9}}
  - {name: leukocytes, parent: nucleated, gate: {method: boolean, operation: all, of: [cd45pos]}}
  - {name: cd271pos, parent: PARENT, gate: GATE}
  - {name: dump_neg, parent: cd271pos, gate: {method: boolean, operation: none, of: [cd45pos]}}
  - {name: msc, parent: dump_neg, gate: {method: fixed, axes: [FSC-A], low: [45000], units: linear}}
  - {name: progenitors, parent: msc, gate: {method: control, axis: CD146, keep: above, anchor: anchor, target: msc}}
denominators: [nucleated]
intensities: [CD271]
"""
TAIL = "{method: tail, axis: CD271, keep: above, mads: 5.5}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traps")


def template(folder: Path, gate: str = TAIL, parent: str = "anchor") -> Path:
    path = folder / "traps.yaml"
    path.write_text(TEMPLATE.replace("GATE", gate).replace("PARENT", parent), encoding="utf-8")
    return path


def simulated(donor: str, seed: int, role: str = "stained", prepared: str = "whole") -> Tube:
    """Return a tube of a marrow with many MSC, one in ten of them with CD146."""
    marrow = replace(scenario("healthy"), msc_ppm=300.0, cd146_share_frac=0.1)
    return simulate_tube(
        TubeOrder(marrow, f"{donor}_{role}", donor, role=role, n_events=150_000, prepared=prepared, seed=seed)
    )


def without(
    folder: Path, loaded: LoadedTemplate, marker: str, seed: int, *donors: str, prepared: str = "whole"
) -> list[ControlTube]:
    """Return the FMO tubes of some donors as other tubes see them."""
    pnn = next(detector.pnn for detector in DETECTORS if detector.marker == marker)
    role, found = f"fmo:{marker}", []
    for donor in donors:
        path = folder / f"{donor}_{marker}.fcs"
        write_tube(simulated(donor, seed, role, prepared), path)
        found.append(gate_control(path, loaded, RunConfig(), sample_id=path.stem, role=role, markers={marker: pnn}))
    return found


def gated(folder: Path, tube: Tube, loaded: LoadedTemplate, controls: list[ControlTube]) -> tuple[Prepared, Gated]:
    path = folder / "stained.fcs"
    write_tube(tube, path)
    prepared = prepare(read_fcs(path), loaded.template)
    return prepared, gate(prepared, loaded.template, gates=loaded.gates, outside=Outside(tuple(controls)))


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.soak)])
def test_false_events_are_as_many_as_allowed_where_a_percentile_leaks(folder: Path, seed: int) -> None:
    """On whole marrows a 99.5th percentile of the FMO lets 1.7 and 1.3 times what it promises through.

    The cut that may let 100 false events through lets 124 and 107 of 80,000.
    """
    by_control = "{method: control, axis: CD271, keep: above, anchor: nucleated, max_false: 100}"
    loaded = load_template(str(template(folder, by_control, "nucleated")))
    tube, controls = simulated("d1", seed), without(folder, loaded, "CD271", seed, "d1")
    prepared, found = gated(folder, tube, loaded, controls)
    rows = found.members["nucleated"]
    carries = tube.truth.is_one_of(*MSC, "endothelium", "cd146_only") | ~tube.truth.viable_singlet
    values = prepared.linear("CD271", rows[~carries[rows]])
    geometry = found.tree.node("cd271pos").geometry
    assert isinstance(geometry, Interval)
    assert geometry.low is not None
    cut = float(inverse(prepared.axes["CD271"].scale, geometry.low)[0])
    percentile = quantiles(controls[0].distributions["nucleated", "CD271"], (0.995,))[0]
    assert np.mean(values >= percentile) / 0.005 > 1.2
    assert 70 < np.count_nonzero(values >= cut) < 140


def test_a_percentile_calls_most_msc_progenitors_and_their_own_glow_mends_it(folder: Path) -> None:
    """On a whole marrow one MSC in ten carries CD146: the anchor's 99.5th percentile calls 11 of 15 so, this none."""
    loaded = load_template(str(template(folder)))
    tube, controls = simulated("d1", 3), without(folder, loaded, "CD146", 3, "d1", "d2", "d3")
    prepared, found = gated(folder, tube, loaded, controls)
    percentile = quantiles(pooled([each.distributions["anchor", "CD146"] for each in controls]), (0.995,))[0]
    msc, progenitors = found.members["msc"], found.members["progenitors"]
    assert np.mean(prepared.linear("CD146", msc) >= percentile) > 0.5
    assert progenitors.size / msc.size < 0.25


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.soak)])
def test_the_share_of_progenitors_is_right_where_there_are_many(folder: Path, seed: int) -> None:
    """After CD45 depletion 14.6 % and 10.1 % of about 1,100 MSC carry CD146; 12.9 % and 10.1 % are called so."""
    loaded = load_template(str(template(folder)))
    tube = simulated("d1", seed, prepared="cd45_depleted")
    controls = without(folder, loaded, "CD146", seed, "d1", "d2", prepared="cd45_depleted")
    _, found = gated(folder, tube, loaded, controls)
    true = tube.truth.viable_singlet & tube.truth.is_one_of(*MSC)
    high = true & tube.truth.is_one_of("progenitors")
    assert found.members["progenitors"].size / found.members["msc"].size == pytest.approx(
        high.sum() / true.sum(), abs=0.03
    )


# --- boundaries of earlier batches

LOCKED = (
    "{method: locked, axis: CD271, keep: above, boundary: cd271pos, negative: leukocytes, positive: bright, "
    "otherwise: {method: tail, mads: 5.5}}"
)


def called(*args: object) -> None:
    done = CliRunner().invoke(app, [str(arg) for arg in args])
    assert done.exit_code == 0, done.output


def brighter(tube: Tube, decades: float) -> Tube:
    """Turn up the gain of every fluorescence detector alike: the spillover stays as it is."""
    events = tube.events.copy()
    colours = slice(len(SCATTER), -1)
    events[:, colours] = np.minimum(np.rint(events[:, colours] * 10**decades), CEILING)
    return replace(tube, events=events)


def test_a_gate_locked_over_three_batches_does_not_follow_the_gain(folder: Path) -> None:
    """Three batches of other gains lock the cut; a new tube, and the same 0.15 decade brighter, agree within 5 %.

    Measured: 1,226 and 1,238 MSC, of 1,263.
    """
    path = template(folder, LOCKED)
    runs = [folder / name for name in ("day1", "day2", "day3")]
    for seed, (run, decades) in enumerate(zip(runs, (-0.1, 0.0, 0.1), strict=True), 11):
        write_tube(brighter(simulated("d1", seed, prepared="cd45_depleted"), decades), folder / f"{run.name}.fcs")
        called("run", folder / f"{run.name}.fcs", "--template", path, "--out", run)
    called("lock", *runs, "--template", path, "--out", folder / "locks.json")
    new = simulated("d1", 21, prepared="cd45_depleted")
    write_tube(new, folder / "plain.fcs")
    write_tube(brighter(new, 0.15), folder / "brighter.fcs")
    called(
        "run",
        folder / "plain.fcs",
        folder / "brighter.fcs",
        "--template",
        path,
        "--locks",
        folder / "locks.json",
        "--out",
        folder / "locked",
    )
    plain, moved = (read_result(folder / "locked", name) for name in ("plain", "brighter"))
    for result in (plain, moved):
        node = result.tree.node("cd271pos")
        assert (node.method, node.state, node.source) == ("locked", "fitted", "locked over 3 batches, 3 tubes")
    counts = plain.count("msc"), moved.count("msc")
    assert None not in counts
    true = int((new.truth.viable_singlet & new.truth.is_one_of(*MSC)).sum())
    assert counts[0] == pytest.approx(true, rel=0.1)
    assert counts[1] == pytest.approx(counts[0], rel=0.05)
