"""What names and the sheet say: the marker map, the kind of leukaemia, age and processing (Q03, Q25, Q27)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.model.gates import Interval
from stromagate.model.panel import Panel
from stromagate.model.sample import Channel
from stromagate.prepare.bind import bind
from stromagate.qc import Evidence
from tests.qc.evidence import GATES, MARKERS, ask, gate, good_columns, make_evidence, one, without_indices

WHOLE = {"age": "45", "hours_to_stain": "3.5", "specimen_type": "aspirate"}


def bound(**changes: dict[str, Any]) -> Evidence:
    """Return the quiet tube with some bindings changed, by axis."""
    evidence = make_evidence()
    items = (replace(item, **changes.get(item.axis, {})) for item in evidence.panel.bindings)
    return replace(evidence, panel=Panel(tuple(items), evidence.panel.absent))


def test_markers_by_the_files_own_names() -> None:
    finding = one("marker_map", make_evidence())
    assert (finding.status, finding.sentence) == ("pass", f"All {len(MARKERS)} markers stand on one channel each.")


def test_how_a_marker_was_named_is_said() -> None:
    evidence = bound(CD271={"how": "override", "pns": ""}, CD45={"how": "$PnN", "pns": ""})
    evidence = replace(evidence, panel=replace(evidence.panel, absent=("CD105",)))
    finding = one("marker_map", evidence)
    assert finding.status == "pass"
    assert (
        "by hand: CD271 (PE-A); by the detector's name alone: CD45 (FITC-A); not on the tube: CD105."
        in finding.sentence
    )


@pytest.mark.parametrize("how", ["override", "panel file"])
@pytest.mark.parametrize("pns", ["CD146", "CD146 PE", "MCAM"])
def test_a_marker_put_by_hand_on_a_channel_of_another_name(how: str, pns: str) -> None:
    finding = one("marker_map", bound(CD271={"how": how, "pns": pns}))
    assert finding.status == "warn"
    assert f"CD271 on PE-A, which the file calls {pns}" in finding.sentence


@pytest.mark.parametrize("pns", ["", "CD271", "NGFR PE", "stroma", "PE"])
def test_a_marker_put_by_hand_where_the_file_says_nothing_else(pns: str) -> None:
    assert one("marker_map", bound(CD271={"how": "override", "pns": pns})).status == "pass"


@pytest.mark.parametrize(
    ("stains", "said"),
    [
        (["CD45", "", ""], "no channel carries CD271"),
        (["CD45", "CD217", ""], "(nearest: FL1-A :: CD217)"),
        (["CD45", "CD271", "CD271"], "CD271 is on 2 channels: FL1-A :: CD271, FL2-A :: CD271"),
        (["CD45", "NGFR", "p75NTR"], "CD271 is on 2 channels"),
        (["CD45", "CD271 CD146", ""], "no channel carries CD271 alone"),
    ],
)
def test_what_is_absent_ambiguous_or_there_twice_is_refused_with_the_channels_there_are(
    stains: list[str], said: str
) -> None:
    """This is the failure of Q03: such a tube has no numbers that a finding could stand beside."""
    channels = [Channel(number, f"FL{number}-A", stain, 32, 262144.0) for number, stain in enumerate(stains)]
    with pytest.raises(SpecificationError) as refused:
        bind(channels, ["CD45", "CD271"])
    assert said in str(refused.value)
    assert "channels: FL0-A :: CD45, " in str(refused.value.hint)
    assert "--marker" in str(refused.value.hint)


def test_no_markers_no_map() -> None:
    evidence = make_evidence()
    plain = Panel(tuple(item for item in evidence.panel.bindings if item.axis not in MARKERS))
    assert one("marker_map", replace(evidence, panel=plain)).status == "not_applicable"


def of_sheet(role: str = "stained", **labels: str) -> Evidence:
    return replace(make_evidence(), labels={"role": role, **labels}, role=role)


def test_a_sheet_that_says_it_all() -> None:
    assert one("metadata", of_sheet(**WHOLE)).status == "pass"
    assert one("metadata", of_sheet(age_years="45", hours="3,5", preparation="lysed")).status == "pass"


@pytest.mark.parametrize(
    ("column", "called"), [("age", "age"), ("hours_to_stain", "hours to staining"), ("specimen_type", "specimen")]
)
@pytest.mark.parametrize("text", ["", "  ", "unknown", "NA", "?"])
def test_a_sheet_that_leaves_one_out(column: str, called: str, text: str) -> None:
    finding = one("metadata", of_sheet(**{**WHOLE, column: text}))
    assert (finding.status, finding.measured) == ("warn", 1)
    assert finding.sentence.startswith(f"The sample sheet says nothing of {called}")
    asked = {"age": "age (years)", "hours_to_stain": "hours_to_stain", "specimen_type": "specimen (such as"}
    assert {name for name, words in asked.items() if words in finding.remedy} == {column}, "and of no other"


@pytest.mark.parametrize("text", ["old", "-1", "121", "nan years", "1e9", "45 y"])
def test_an_age_that_is_none(text: str) -> None:
    finding = one("metadata", of_sheet(**{**WHOLE, "age": text}))
    assert (finding.status, finding.measured) == ("warn", 1)
    assert "in the range of age (0 to 120)" in finding.sentence


def test_all_that_is_wrong_is_said_at_once() -> None:
    finding = one("metadata", of_sheet(age="old", patient_id="7"))
    assert finding.measured == 3
    assert "says nothing of hours to staining, specimen or preparation, and holds no number" in finding.sentence
    assert finding.remedy.startswith(
        "Write age (years), hours_to_stain (hours from aspiration to staining) and specimen"
    )


def test_controls_and_tubes_without_a_sheet_are_not_judged() -> None:
    assert one("metadata", make_evidence()).status == "not_applicable"
    assert one("metadata", of_sheet("fmo:CD146")).status == "not_applicable"


@pytest.mark.parametrize(
    ("diagnosis", "called"),
    [
        ("AML, CD34-negative", "blasts without CD34"),
        ("AML CD34-, NPM1+", "blasts without CD34"),
        ("AML CD34neg", "blasts without CD34"),
        ("AML without CD34", "blasts without CD34"),
        ("aml cd45 negative", "blasts without CD45"),
        ("Erythroleukaemia", "an erythroid leukaemia"),
        ("acute erythroid leukemia", "an erythroid leukaemia"),
        ("AML-M6a", "an erythroid leukaemia"),
        ("acute megakaryoblastic leukaemia", "a megakaryoblastic leukaemia"),
        ("FAB M7", "a megakaryoblastic leukaemia"),
    ],
)
def test_a_stated_kind_that_the_gates_miss(diagnosis: str, called: str) -> None:
    finding = one("leukaemia_kind", of_sheet(diagnosis=diagnosis))
    assert finding.status == "warn"
    assert f"gives {called}" in finding.sentence
    assert diagnosis not in finding.sentence, "the sheet's own words stay in the sheet"


@pytest.mark.parametrize(
    "diagnosis", ["AML", "AML, CD34-positive", "AML CD34+ CD45+", "AML M5", "healthy donor", "AML M60", "CD34 90 %"]
)
def test_a_stated_kind_that_the_gates_know(diagnosis: str) -> None:
    assert one("leukaemia_kind", of_sheet(diagnosis=diagnosis)).status == "pass"


def test_the_populations_that_hang_on_the_marker_are_named() -> None:
    finding = one("leukaemia_kind", of_sheet(diagnosis="AML without CD45"))
    assert finding.sentence.endswith("not to be relied on: msc, progenitors.")
    other = one("leukaemia_kind", of_sheet(diagnosis="AML without CD34"))
    assert other.sentence.endswith("no index population of this template hangs on them.")


def test_two_kinds_are_two_findings() -> None:
    found = ask("leukaemia_kind", of_sheet(diagnosis="pure erythroid leukaemia, CD45 neg"))
    assert [item.status for item in found] == ["warn", "warn"]


def with_blasts(share: float, carried: float, n: int = 10_000) -> Evidence:
    """Return a tube with a gate of blasts, of which a share lies beyond the boundary of CD34 (here on APC)."""
    columns = good_columns(n, 20)
    columns["CD34"] = columns.pop("CD146")
    blasts = np.arange(round(share * n), dtype=np.intp)
    columns["CD34"][blasts[: round(carried * blasts.size)]] = 9_000
    tube = make_evidence(
        columns={**{axis: values for axis, values in columns.items() if axis != "CD34"}, "CD146": columns["CD34"]},
        gates=(*GATES[:3], gate("blasts", "viable", "fixed", Interval("CD45", None, 0.9))),
        members={"blasts": blasts},
        template={"indices": {}},
    )
    cd34 = gate("cd34pos", "viable", "tail", Interval("CD34", 0.6, None))
    axes = {**tube.tree.axes, "CD34": tube.tree.axes["CD146"]}
    linear = tube.linear
    return replace(
        tube,
        tree=replace(tube.tree, nodes=(*tube.tree.nodes, cd34), axes=axes),
        linear=lambda axis, rows: linear("CD146" if axis == "CD34" else axis, rows),
    )


@pytest.mark.parametrize(
    ("share", "carried", "status"),
    [(0.6, 0.5, "pass"), (0.6, 0.1, "pass"), (0.6, 0.09, "warn"), (0.6, 0.0, "warn"), (0.49, 0.0, "not_applicable")],
)
def test_blasts_that_lack_cd34_are_seen_where_they_are_gated(share: float, carried: float, status: str) -> None:
    finding = one("leukaemia_kind", with_blasts(share, carried))
    assert finding.status == status
    if status != "not_applicable":
        assert f"of {share * 10_000:,.0f} events blasts carry CD34" in finding.sentence


@pytest.mark.parametrize(
    ("diagnosis", "share", "status"),
    [("AML", 0.21, "warn"), ("acute leukaemia", 0.21, "warn"), ("AML", 0.19, "pass"), ("healthy", 0.21, "pass")],
)
def test_fewer_blasts_are_a_leukaemia_where_the_sheet_says_so(diagnosis: str, share: float, status: str) -> None:
    """In healthy marrow freed of leukocytes a third of the cells is CD45-dim, and few of these carry CD34."""
    evidence = replace(with_blasts(share, 0.0), labels={"diagnosis": diagnosis})
    assert one("leukaemia_kind", evidence).status == status


def test_neither_a_diagnosis_nor_blasts() -> None:
    assert one("leukaemia_kind", make_evidence()).status == "not_applicable"
    assert one("leukaemia_kind", with_blasts(0.01, 0.0)).status == "not_applicable"
    assert one("leukaemia_kind", without_indices()).status == "not_applicable"
