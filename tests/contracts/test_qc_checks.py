"""What every QC check promises, on good, poor and empty tubes; a new check is found by itself."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stromagate.model.locks import Locks
from stromagate.model.result import ControlUse
from stromagate.model.template import ControlNeed
from stromagate.qc import Evidence, check_tube
from stromagate.qc.check import STAGES, checks
from tests.qc.evidence import GATES, gate, good_columns, make_evidence

NONE = np.empty(0, dtype=np.intp)
EMPTY = dict.fromkeys(("all", "time_ok", "singlets", "viable", "stroma", "msc", "progenitors"), NONE)


def _tube(n: int = 20_000, **changes: Any) -> Evidence:
    return make_evidence(**{"columns": good_columns(n), **changes})


def _nothing_evaluable() -> Evidence:
    return _tube(gates=[gate(node.name, node.parent, node.method, None) for node in GATES])


def _all_nan() -> Evidence:
    columns = {axis: np.full(3000, np.nan) for axis in good_columns(1, 0)}
    return make_evidence(columns=columns, sample={"non_finite": dict.fromkeys(("PE-A", "APC-A"), 3000)})


def _constant() -> Evidence:
    return make_evidence(columns={axis: np.full(3000, 7.0) for axis in good_columns(1, 0)})


def _no_time() -> Evidence:
    columns = {axis: values for axis, values in good_columns(20_000).items() if axis != "Time"}
    return make_evidence(columns=columns, gates=(replace(GATES[1], parent="all"), *GATES[2:]))


def _with_controls(evidence: Evidence) -> Evidence:
    """Return a tube with a control of every kind that may be complained of."""
    use = ControlUse(sample_id="c", role="fmo:CD271", sha256="0" * 64, n_events=9, n_anchor={"stroma": 7.0})
    needs = {"msc": (ControlNeed("fmo:CD271", "stroma", "CD271"),)}
    odd = (
        use.model_copy(update={"mismatched": ("another day",)}),
        use.model_copy(update={"unused": "detectors", "reason": "CD271 is on A, not on B", "mismatched": ("x",)}),
        use.model_copy(update={"unused": "failed", "reason": "the file is cut off"}),
        use.model_copy(update={"role": "isotype:CD146", "unused": "isotype", "reason": "it is one"}),
    )
    return replace(evidence, controls=odd, control_needs=needs)


TUBES: dict[str, Callable[[], Evidence]] = {
    "quiet": _tube,
    "empty": lambda: make_evidence(columns=good_columns(0, 0), members=EMPTY),
    "one event": lambda: make_evidence(
        columns=good_columns(1, 0), members={**EMPTY, "all": np.zeros(1, dtype=np.intp)}
    ),
    "few events": lambda: make_evidence(columns=good_columns(500)),
    "no stroma": lambda: make_evidence(columns=good_columns(5000, 0), members={**EMPTY, "all": np.arange(5000)}),
    "gated to nothing": lambda: _tube(members={**EMPTY, "all": np.arange(20_000, dtype=np.intp)}),
    "nothing evaluable": _nothing_evaluable,
    "no gates": lambda: _tube(gates=(), template={"denominators": [], "indices": {}}),
    "no indices": lambda: _tube(template={"denominators": [], "indices": {}}),
    "uncompensated": lambda: _tube(compensation=None, compensated=False),
    "no time": _no_time,
    "no numbers": _all_nan,
    "constant": _constant,
    "odd ranges": lambda: _tube(channels={"CD271": {"range_top": 0.0}, "FSC-A": {"range_top": math.nan}}),
    "controls that differ": lambda: _with_controls(_tube()),
    "controls of a tube without stroma": lambda: _with_controls(TUBES["no stroma"]()),
    "locked": lambda: replace(
        _tube(gates=(*GATES[:-1], replace(GATES[-1], method="locked"))),
        locks=Locks(template="t", template_sha256="0" * 64, boundaries=()),
    ),
    "salvaged": lambda: _tube(sample={"verdict": "salvaged"}),
}


@pytest.fixture(scope="module", params=TUBES, ids=str)
def tube(request: pytest.FixtureRequest) -> Evidence:
    evidence = TUBES[request.param]()
    evidence.sample.events.setflags(write=False)
    return evidence


@pytest.mark.parametrize("name", checks.names())
def test_a_check_declares_itself(name: str) -> None:
    check = checks.get(name)
    assert re.fullmatch(r"Q\d{2}", check.code)
    assert check.title
    assert not check.title.endswith(".")
    assert (check.warn is None and check.fail is None) or check.unit
    assert check.stage in STAGES
    assert check.stage != "run", "what several tubes show together is no check over one tube"


def test_no_two_checks_share_a_code() -> None:
    codes = Counter(check.code for check in checks.all().values())
    assert [code for code, n in codes.items() if n > 1] == []


@pytest.mark.parametrize("name", checks.names())
def test_a_check_answers_every_tube(name: str, tube: Evidence) -> None:
    check = checks.get(name)
    found = check.run(tube)
    assert found
    for finding in found:
        assert finding.code == check.code
        assert finding.sentence[0].isupper() or finding.sentence[0].isdigit() or finding.population
        assert len(finding.sentence) > 15
        assert not re.search(r"\bnan\b|\binf\b|None|np\.", finding.sentence), finding.sentence
        assert finding.population in {"", *(node.name for node in tube.tree.nodes), "all"}
        if finding.status == "not_applicable":
            assert finding.measured is None
        if finding.status in {"warn", "fail"}:
            assert finding.remedy.endswith("."), "what to do next"
        if finding.measured is not None and check.unit == "%":
            assert 0 <= finding.measured <= 100
        if finding.limit is not None and (check.warn, check.fail) != (None, None):
            assert finding.limit in {check.warn, check.fail}, "a check without limits takes the tube's own"


@pytest.mark.parametrize("name", checks.names())
def test_a_check_answers_the_same_twice_and_changes_nothing(name: str, tube: Evidence) -> None:
    check = checks.get(name)
    events = tube.sample.events.copy()
    assert check.run(tube) == check.run(tube)
    np.testing.assert_array_equal(tube.sample.events, events)


@pytest.mark.parametrize("name", checks.names())
def test_a_check_never_passes_what_is_not_there(name: str) -> None:
    """On a tube without events nothing that is measured on events may pass."""
    looks_at_events = {"scatter_ceiling", "fluorescence_ceiling", "lower_margin", "double_compensation", "viability",
                       "singlet_loss", "cd45_bleed", "time_clustering", "off_the_map", "steady_acquisition",
                       "few_events", "rare_counts", "acquisition_order", "target_loss",
                       "scatter_consistency", "marker_identity", "unlabelled_flood", "drift", "carryover",
                       "autofluorescence", "endothelium_confusion", "leukaemia_kind"}  # fmt: skip
    empty = TUBES["empty"]()
    if name in looks_at_events:
        assert "pass" not in {finding.status for finding in checks.get(name).run(empty)}


@pytest.mark.parametrize("name", checks.names())
def test_a_check_calls_populations_by_their_labels(name: str, tube: Evidence) -> None:
    """Sentences are for people: the names by which a template's gates refer to each other stay inside."""
    populations = [
        spec.model_copy(update={"label": f"Label {number}"}) for number, spec in enumerate(tube.template.populations)
    ]
    nodes = tuple(replace(node, sentence="said by the fit.") for node in tube.tree.nodes)
    labelled = replace(
        tube,
        template=tube.template.model_copy(update={"populations": tuple(populations)}),
        tree=replace(tube.tree, nodes=nodes),
    )
    for finding in checks.get(name).run(labelled):
        names = r"\b(time_ok|msc|progenitors)\b|\b(of|in|on|per million) (singlets|viable|stroma)[ ,.:]"
        assert not re.search(names, finding.sentence), finding.sentence


def test_checking_a_tube_stamps_names_and_breaks_nowhere(tube: Evidence) -> None:
    found = check_tube(tube)
    assert {finding.check for finding in found} == set(checks.names())
    assert all(finding.stage == checks.get(finding.check).stage for finding in found)
    assert not [finding for finding in found if "fault in the program" in finding.sentence]


@pytest.mark.parametrize("role", ["fmo:CD271", "Unstained", "comp:CD45"])
def test_a_control_is_not_judged_for_what_it_holds(tube: Evidence, role: str) -> None:
    control = replace(tube, role=role)
    targets = set(tube.template.indices.values())
    every = check_tube(control)
    loud = [finding for finding in every if finding.status in {"warn", "fail"}]
    assert not targets & {finding.population for finding in loud}
    loud = [finding for finding in loud if finding.code != "Q46"]  # it names boundaries by their populations
    assert not [finding.sentence for finding in loud if re.search(r"\b(msc|progenitors)\b", finding.sentence)]
    for name, check in checks.all().items():
        found = [finding for finding in every if finding.check == name] if check.not_of_controls else []
        assert {finding.status for finding in found} <= {"not_applicable"}
        assert all(finding.sentence.endswith(f"control: {check.not_of_controls}.") for finding in found)
    assert check_tube(replace(tube, role=" Stained ")) == check_tube(tube)


def test_a_foreign_population_in_the_indices_is_left_alone() -> None:
    evidence = _tube()
    template = evidence.template.model_copy(update={"indices": {"msc": "elsewhere", "progenitors": "progenitors"}})
    found = check_tube(replace(evidence, template=template))
    assert {finding.population for finding in found if finding.code == "Q36"} == {"progenitors"}
