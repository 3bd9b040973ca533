"""Each code of a single tube is fired by a simulated tube made for it; a check without a row here is no finished check.

``python -m pytest -m soak -s tests/qc/test_every_code_fires.py`` measures how often clean tubes are complained of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stromagate.model.detection import BackgroundCount
from stromagate.model.edits import GateEdit
from stromagate.model.gates import Interval
from stromagate.model.locks import Locks
from stromagate.model.result import ControlUse, Statistic
from stromagate.model.template import Readout
from stromagate.qc import Evidence
from stromagate.qc.check import Check, checks
from stromagate.simulate import Tube, scenario
from stromagate.simulate.mixes import healthy_marrow_with
from stromagate.simulate.phenotype import Signal
from stromagate.simulate.populations import MSC
from tests.qc.wrong_tubes import (
    Wrong,
    clock_backwards,
    cut_short,
    dim_stretch,
    drifting,
    evidence_of,
    in_lab,
    long_for_their_area,
    marrow,
    no_number,
    odd_stroma,
    set_column,
    some_at_the_top,
    with_signals,
)

Beside = Callable[[Evidence], Evidence]
USE = ControlUse(sample_id="fmo", role="fmo:CD271", sha256="0" * 64, n_events=9_000, n_anchor={"cd31neg_cd34neg": 90.0})


def control(**changes: Any) -> Beside:
    """Return a tube with a control of ninety events in its anchor."""
    return lambda evidence: replace(evidence, controls=(USE.model_copy(update=changes),))


def sheet(**labels: str) -> Beside:
    """Return a tube of which the sheet says something."""
    return lambda evidence: replace(evidence, labels=labels)


def named(evidence: Evidence) -> Evidence:
    return replace(evidence, sample=replace(evidence.sample, keywords={"PATIENT NAME": "Doe, Jane"}))


def blanks(evidence: Evidence) -> Evidence:
    found = BackgroundCount(
        population="msc", role="fmo:CD271", n_blanks=1, events=90, scale=1.0, scaled_by="singlets", low=72, high=111
    )
    return replace(evidence, background=(found,))


def moved_by_hand(evidence: Evidence) -> Evidence:
    edit = GateEdit(
        population="cd271pos",
        geometry=Interval("CD271", 0.2, None),
        who="Reader",
        when="2026-03-01T18:00:00Z",
        why="too high",
    )
    node = replace(evidence.tree.node("cd271pos"), edited_by="Reader")
    nodes = tuple(node if each.name == node.name else each for each in evidence.tree.nodes)
    before = {name: (count or 0) // 2 for name, count in evidence.counts.items()}
    return replace(evidence, edits=(edit,), fitted_counts=before, tree=replace(evidence.tree, nodes=nodes))


def poor_export(made: Tube) -> Tube:
    """A clock that runs backwards, a value that is no number, and a channel cut off at its baseline."""
    return no_number(set_column("CD34", lambda light: np.maximum(light, 20.0))(clock_backwards(made)))


def locked(evidence: Evidence) -> Evidence:
    node = replace(evidence.tree.node("cd271pos"), method="locked")
    nodes = tuple(node if each.name == node.name else each for each in evidence.tree.nodes)
    locks = Locks(template="bm_stroma_core", template_sha256="0" * 64, boundaries=())
    return replace(evidence, locks=locks, tree=replace(evidence.tree, nodes=nodes))


def reads_out(**labels: str) -> Beside:
    """Return a tube whose template has a read-out that hangs on the sheet, and one that is compared with carriers."""
    warnings = [
        {"text": "Lost in AML.", "when": "aml_at_diagnosis", "flag": "not interpretable", "hard": True},
        {"text": "More in blood.", "when": "blood_in_marrow", "flag": "raised by blood"},
    ]
    row = {"kind": "mfi_ratio", "population": "msc", "marker": "CD105", "carried_by": "cd31neg_cd34neg"}
    made = Readout.model_validate({"name": "x", "title": "A read-out", "rows": [row], "warnings": warnings})
    lost = {
        "population": "cd31neg_cd34neg",
        "parent": "viable_cd235a_neg",
        "marker": "CD105",
        "denominator": "fmo:CD105",
    }
    number = Statistic(statistic="mfi_ratio", value=0.99, ci_low=0.97, ci_high=1.02, unit="ratio", **lost)

    def beside(evidence: Evidence) -> Evidence:
        template = evidence.template.model_copy(update={"readouts": (made,)})
        return replace(evidence, template=template, labels=labels, statistics=(number,))

    return beside


FLOOD = replace(
    scenario("cd71_low_erythroblasts"), marrow=healthy_marrow_with(proerythroblast=0.55), msc_ppm=2_800.0, name="flood"
)
CD31 = "{method: tail, axis: CD31, keep: above, negative: lowest, mads: 5,"
SINGLETS = "  - name: singlets\n    parent: time_ok"
ON_SCALE = (
    "  - name: on_scale\n    parent: time_ok\n    gate: {method: margin, axes: [CD271], edges: [upper]}\n\n"
    "  - name: singlets\n    parent: on_scale"
)
ASKED = "expectations: [{population: viable, denominator: not_debris, at_least: 0.999, source: a test}]"

TUBES = {
    "rich": Wrong(),
    "few": Wrong(made=scenario("clean"), gates=("denominators: [", f"{ASKED}\ndenominators: [")),
    "tiny": Wrong(made=scenario("clean"), n_events=250),
    "of blood": Wrong(made=scenario("no_stroma")),
    "uncompensated": Wrong(config={"compensation": "none"}, n_events=20_000),
    "twice": Wrong(made=in_lab(compensated_twice=True)),
    "by hand": Wrong(config={"markers": {"CD271": "APC-A", "CD105": "PE-A"}}),
    "clogged": Wrong(events=dim_stretch, n_events=30_000),
    "drifting": Wrong(made=drifting(0.25)),
    "dying": Wrong(made=marrow(dead_frac=0.33)),
    "long cells": Wrong(events=long_for_their_area),
    "bright scatter": Wrong(made=in_lab(scatter_gain=2.0)),
    "at the top": Wrong(events=some_at_the_top),
    "cut at the top": Wrong(events=some_at_the_top, gates=(SINGLETS, ON_SCALE)),
    "near CD45": Wrong(made=with_signals(MSC, CD45=Signal(3.45, 0.1))),
    "through CD31": Wrong(made=with_signals(MSC, CD31=Signal(2.9, 0.15)), gates=(CD31, f"{CD31} second: shoulder,")),
    "odd stroma": Wrong(events=odd_stroma),
    "endothelium with CD271": Wrong(made=with_signals("endothelium", CD34=Signal(0.5, 0.2), CD271=Signal(4.2, 0.15))),
    "cut short": Wrong(file=cut_short, config={"policy": "salvage"}),
    "poor export": Wrong(events=poor_export),
    "exchanged": Wrong(made=in_lab(transposed=("CD31", "CD235a+CD71"))),
    "flood": Wrong(made=FLOOD, n_events=24_000),
}

# Code: the tube that fires it, and what a sheet or a batch knows of it beside its file.
FIRES: dict[str, tuple[str, Beside | None]] = {
    "Q01": ("uncompensated", None),
    "Q02": ("twice", None),
    "Q03": ("by hand", None),
    "Q04": ("poor export", None),
    "Q05": ("clogged", None),
    "Q06": ("drifting", None),
    "Q07": ("few", None),
    "Q08": ("dying", None),
    "Q09": ("long cells", None),
    "Q10": ("bright scatter", None),
    "Q11": ("at the top", None),
    "Q12": ("rich", control(mismatched=("another day",))),
    "Q13": ("rich", control()),
    "Q14": ("rich", control(role="isotype:CD271", unused="isotype", reason="it is one")),
    "Q16": ("rich", blanks),
    "Q17": ("near CD45", None),
    "Q18": ("odd stroma", None),
    "Q19": ("odd stroma", None),
    "Q20": ("endothelium with CD271", None),
    "Q21": ("odd stroma", None),
    "Q22": ("odd stroma", None),
    "Q23": ("rich", None),
    "Q24": ("rich", sheet(rbc_bm="4", rbc_pb="5", wbc_pb="10", tnc_bm="12")),
    "Q25": ("rich", sheet(diagnosis="AML, CD34-negative")),
    "Q27": ("rich", sheet(patient_id="7")),
    "Q28": ("rich", None),
    "Q30": ("rich", named),
    "Q31": ("cut short", None),
    "Q32": ("poor export", None),
    "Q33": ("poor export", None),
    "Q34": ("rich", None),
    "Q35": ("tiny", None),
    "Q36": ("few", None),
    "Q37": ("of blood", None),
    "Q38": ("of blood", None),
    "Q39": ("through CD31", None),
    "Q40": ("rich", moved_by_hand),
    "Q41": ("uncompensated", None),
    "Q42": ("through CD31", None),
    "Q43": ("rich", control(unused="failed", reason="it is cut off")),
    "Q45": ("few", None),
    "Q46": ("rich", locked),
    "Q47": ("exchanged", None),
    "Q48": ("flood", None),
    "Q50": ("cut at the top", None),
    "Q51": ("rich", sheet(beads_added="50000", stained_ul="100", washed="yes")),
    "Q65": ("rich", reads_out(diagnosis="AML", timepoint="diagnosis")),
    "Q66": ("rich", reads_out(specimen="blood")),
    "Q67": ("rich", reads_out()),
}


def by_code() -> dict[str, Check]:
    return {check.code: check for check in checks.all().values()}


@pytest.fixture(scope="module")
def tube(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Evidence]:
    """Return a tube of the table, simulated and gated once."""
    made: dict[str, Evidence] = {}

    def get(name: str) -> Evidence:
        if name not in made:
            made[name] = evidence_of(TUBES[name], tmp_path_factory.mktemp("tube"))
        return made[name]

    return get


def test_every_code_has_a_tube_and_every_tube_a_code() -> None:
    assert set(by_code()) == set(FIRES), "give a new check a row: a tube that fires it"
    assert {name for name, _ in FIRES.values()} == set(TUBES)


@pytest.mark.parametrize("code", FIRES)
def test_a_code_is_fired_by_its_tube(code: str, tube: Callable[[str], Evidence]) -> None:
    name, beside = FIRES[code]
    evidence = tube(name)
    found = by_code()[code].run(beside(evidence) if beside else evidence)
    loud = [finding for finding in found if finding.status in {"warn", "fail"}]
    assert loud, [finding.sentence for finding in found]
    assert all(finding.remedy.endswith(".") for finding in loud)


@pytest.mark.parametrize("code", [code for code, (_, beside) in FIRES.items() if beside])
def test_what_a_sheet_or_a_batch_adds_is_what_fires(code: str, tube: Callable[[str], Evidence]) -> None:
    found = by_code()[code].run(tube(FIRES[code][0]))
    assert {finding.status for finding in found} <= {"pass", "not_applicable"}
