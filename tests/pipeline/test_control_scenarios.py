"""Simulated labs whose FMO tubes are good, of another day, at another voltage, too small, or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from stromagate.model.result import SampleResult
from stromagate.pipeline import analyze_together
from stromagate.pipeline.tubes import collect_tubes
from stromagate.simulate import Request, deliver, orders_of, scenario

TEMPLATE = """\
format: stromagate.template/1
name: cut_on_fmo
version: 1.0.0
status: local
title: One cut on an FMO
panel: {required: [CD45, CD271, CD146]}
populations:
  - {name: cells, parent: all, gate: {method: fixed, axes: [FSC-A], low: [25000]}}
  - name: cd271pos
    parent: cells
    gate: {method: control, axis: CD271, keep: above, anchor: cells, otherwise: {method: fixed, low: 0.5}}
denominators: [cells]
"""
FOUND = {
    "healthy": ("pass", "pass", "pass"),
    "fmo_other_day": ("warn", "pass", "pass"),
    "fmo_next_day": ("warn", "pass", "pass"),
    "fmo_other_voltage": ("warn", "pass", "pass"),
    "fmo_small": ("pass", "fail", "warn"),
    "fmo_missing": ("not_applicable", "not_applicable", "warn"),
}


@pytest.fixture(scope="module", params=FOUND)
def analysed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, SampleResult]:
    """The stained tube of a scenario, by the FMO beside it."""
    folder: Path = tmp_path_factory.mktemp("lab")
    wanted = Request([scenario(request.param)], n_events=6_000, companions=["fmo:CD271"], prepared="cd45_depleted")
    deliver(orders_of(wanted)[0], folder)
    (folder / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    (result,) = analyze_together(collect_tubes([], folder / "samples.csv").tubes, folder / "t.yaml")
    return request.param, result


def test_each_lab_is_told_its_own_fault_and_no_other(analysed: tuple[str, SampleResult]) -> None:
    name, result = analysed
    seen = tuple(
        next(found.status for found in result.findings if found.code == code) for code in ("Q12", "Q13", "Q34")
    )
    assert seen == FOUND[name]
    assert result.tree.node("cd271pos").method == ("fixed" if FOUND[name][2] == "warn" else "control")


def test_what_differs_is_in_the_labs_words(analysed: tuple[str, SampleResult]) -> None:
    name, result = analysed
    said = " ".join(found.sentence for found in result.findings if found.code == "Q12")
    words = {
        "fmo_other_day": "another batch (another_day, not batch_01)",
        "fmo_next_day": "another day",
        "fmo_other_voltage": "other detector voltages: CD271 ",
    }
    assert words.get(name, "") in said
    assert "2025" not in result.model_dump_json(include={"findings", "controls"})
