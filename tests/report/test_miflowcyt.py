"""The MIFlowCyt table: what is known is in it, what is not is named with where to write it, and nobody is in it."""

from __future__ import annotations

import csv
import io
import re

import pytest

from stromagate.export.miflowcyt import COLUMNS, miflowcyt_csv
from stromagate.model.gates import GateTree
from stromagate.model.result import RESEARCH_USE, SampleResult
from stromagate.pipeline.accompanying import accompanying
from stromagate.report import render_miflowcyt, render_sample
from stromagate.report.miflowcyt import Item, gaps, items, reagent_column, shared
from tests.golden import matches_golden
from tests.report.pages import full_result, make_run, visible
from tests.results import make_result

# How many items each of the four sections has.
STANDARD = [f"{section}.{item + 1}" for section, n in enumerate((8, 4, 3, 4), start=1) for item in range(n)]
DETECTORS = {"$P10V": "512", "$P10L": "561", "$P10F": "BP 585/42", "$P11V": "400"}
# What a sheet can fill; with detectors from the file the table then has no gap but those of a publication.
SHEET = {
    "purpose": "stroma at diagnosis",
    "experiment_keywords": "AML, stroma",
    "experiment_variables": "marrow, age",
    "acquisition_date": "2026-03",
    "specimen": "aspirate",
    "organism": "Homo sapiens",
    "age": "61",
    "sex": "f",
    "diagnosis": "AML",
    "preparation": "lysed",
    "hours_to_stain": "3",
    "treatment": "ammonium chloride",
    "cytometer_maker": "a maker",
    "data_location": "https://repository.test/1",
}


def only(found: list[Item], number: str, subject: str = "") -> Item:
    (item,) = [each for each in found if (each.number, each.subject) == (number, subject)]
    return item


def test_every_item_of_the_standard_is_there_in_its_order() -> None:
    numbers = [item.number for item in items(make_result())]
    assert list(dict.fromkeys(numbers)) == STANDARD
    assert numbers == sorted(numbers, key=STANDARD.index)


def test_a_line_is_known_with_its_source_or_missing_with_its_place() -> None:
    for result in (make_result(), full_result(9), make_result(labels=SHEET, instrument=DETECTORS)):
        for item in items(result):
            assert item.missing or item.source or item.subject == "controls that set boundaries", item
            assert item.write_in or not item.missing, item


def test_what_file_sheet_and_result_know_is_said() -> None:
    found = items(make_result(labels=SHEET, instrument={"$CYT": "LSRFortessa", **DETECTORS}))
    assert only(found, "2.1", "age").value == "61 years"
    assert only(found, "2.1", "age").source == "sample sheet, `age`"
    assert only(found, "3.2").value == "LSRFortessa"
    assert only(found, "3.3", "PE-A").value == "voltage 512 V; laser 561 nm; filter BP 585/42"
    assert [item.title for item in found if item.subject == "BV421-A"] == [
        "Configuration and settings",
        "Configuration and settings: laser and filter",
    ]
    assert only(found, "4.2", "matrix").value.startswith("FITC-A into PE-A 12.0 %; PE-A into FITC-A 1.00 %")
    assert only(found, "4.3", "CD271 (PE-A)").value.startswith("logicle of Gating-ML 2.0, T = 262,144, W = 0.600")
    assert only(found, "4.4", "MSC (CD271+), events").value == "62 events, 4.73 % of stroma"
    assert only(found, "4.4", "MSC (CD271+), boundary").value == "CD271 from 0.6200 (5,266 units)"


def test_every_kind_of_boundary_has_words() -> None:
    found = {item.subject: item.value for item in items(make_result()) if item.subject.endswith(", boundary")}
    assert found["time_ok, boundary"] == "Time from 0, Time below 120.5, Time from 131.0, Time below 480.2"
    assert found["singlets, boundary"].startswith("polygon on FSC-A and FSC-H in display units: (0; 0), (262,100;")
    assert "Mahalanobis distance 3.000" in found["not_debris, boundary"]
    assert found["stroma, boundary"] == "CD31 below 0.4500 (1,005 units), CD34 below 0.4000 (635.8 units)"
    assert found["msc_cd146neg, boundary"] == "in none of CD146+ progenitors"
    assert found["msc_cd105, boundary"] == "could not be placed"
    assert len(found) == len(make_result().tree.nodes)


def test_a_reagent_is_asked_for_in_a_column_of_its_own() -> None:
    assert reagent_column("CD146") == "reagent_cd146"
    bare, told = (items(make_result(labels=labels)) for labels in ({}, {"Reagent_CD146": "PE, P1H12, maker, 550315"}))
    assert only(bare, "2.4", "CD146").write_in == "sample sheet, column `reagent_cd146`"
    assert only(told, "2.4", "CD146").value == "PE, P1H12, maker, 550315"


def test_gaps_are_told_once_for_each_place() -> None:
    found = {(gap.number, gap.write_in): gap.subjects for gap in gaps(items(make_result()))}
    assert found["2.1", "sample sheet, columns `specimen`, `organism`, `age`, `sex`, `diagnosis`"] == (
        "specimen",
        "organism",
        "age",
        "sex",
        "diagnosis or phenotype",
    )
    assert ("1.1", "sample sheet, column `purpose`") in found
    assert len({key for key in found if key[0] == "2.4"}) == 1


def test_a_full_sheet_leaves_what_only_a_publication_can_say() -> None:
    reagents = {reagent_column(each.axis): "a reagent" for each in make_result().panel.bindings}
    detectors = {f"$P{n}{letter}": "1" for n in range(1, 12) for letter in "VLF"}
    found = items(make_result(labels={**SHEET, **reagents}, instrument={"$CYT": "x", **detectors}))
    assert {gap.number for gap in gaps(found)} == {"1.4", "1.5", "1.7"}


def test_keywords_that_name_someone_and_readers_never_appear() -> None:
    named = {"$OP": "Op Erator", "$SRC": "Doe, Jane", "$INST": "St Elsewhere", "$DATE": "01-MAR-2026", "TUBE": "Jane"}
    result = make_result(instrument={**make_result().instrument, **named})
    run = make_run([result])
    made = accompanying(run, [result], {}, "shared")
    said = visible(made["miflowcyt.html"].decode()) + made["miflowcyt.csv"].decode()
    said += " ".join(item.value for item in items(result))
    for word in (*named.values(), "reader B"):
        assert word not in said, word
    assert "moved by hand" in said


def test_a_bare_tube_has_a_table() -> None:
    bare = make_result(
        labels={},
        instrument={},
        statistics=(),
        findings=(),
        controls=(),
        control_roles={},
        indices={},
        tree=GateTree(()),
    )
    found = items(bare)
    assert only(found, "1.8").missing
    assert only(found, "4.2", "description").value == "none was applied"
    assert list(dict.fromkeys(item.number for item in found)) == STANDARD[:-2]


def test_the_tables_read_as_before() -> None:
    result = make_result()
    matches_golden("miflowcyt.csv", accompanying(make_run([result]), [result], {}, "shared")["miflowcyt.csv"])
    both = [result, make_result(sample_id="other", labels=SHEET, instrument=DETECTORS)]
    matches_golden("miflowcyt_page.txt", visible(render_miflowcyt(make_run(both), both)))


def test_values_of_several_tubes_stand_with_their_tubes() -> None:
    results = [make_result(sample_id=f"t{i}", labels={"age": str(60 + i // 2)}) for i in range(6)]
    tubes = [(result.sample_id, items(result)) for result in results]
    (age,) = [line for line in shared(tubes) if (line.number, line.subject) == ("2.1", "age")]
    assert age.values == (("60 years", ("t0", "t1")), ("61 years", ("t2", "t3")), ("62 years", ("t4", "t5")))
    many = [make_result(sample_id=f"t{i}", labels={"age": str(20 + i)}) for i in range(9)]
    assert "differs by tube (9 values): see miflowcyt.csv" in visible(render_miflowcyt(make_run(many), many))


def test_a_run_without_results_has_an_empty_table() -> None:
    made = accompanying(make_run([]), [], {}, "shared")
    assert made["miflowcyt.csv"].decode() == ",".join(COLUMNS) + "\n"
    assert "No tube was analysed." in visible(made["miflowcyt.html"].decode())


@pytest.mark.parametrize("payload", ["=1+1", "@SUM(A1)", "+cmd|x", "<script>alert(1)</script>"])
def test_foreign_words_are_harmless_in_both(payload: str) -> None:
    result = make_result(sample_id=payload, labels={"purpose": payload, "specimen": payload})
    made = accompanying(make_run([result]), [result], {}, "shared")
    cells = [cell for row in csv.reader(io.StringIO(made["miflowcyt.csv"].decode())) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]
    assert "<script>alert" not in made["miflowcyt.html"].decode()
    assert "<script>alert" not in render_sample(result)


def test_rows_are_as_wide_as_the_header() -> None:
    with pytest.raises(ValueError, match="zip"):
        miflowcyt_csv([("one", "two")])


def test_the_readme_names_every_file_and_the_use_that_tables_cannot_say() -> None:
    results: list[SampleResult] = [make_result()]
    names = ["run.json", "index.html", "populations.csv", "thresholds.csv", "qc.csv", "assets/plotly.min.js"]
    text = accompanying(make_run(results), results, dict.fromkeys(names, b""), "shared")["README.txt"].decode()
    assert text.startswith(RESEARCH_USE + "\n")
    for name in (*names, "miflowcyt.html", "miflowcyt.csv"):
        assert re.search(rf"^  {re.escape(name)}: \w", text, re.MULTILINE), name
    assert max(map(len, text.splitlines())) <= 120


def test_the_section_links_the_table_of_the_run() -> None:
    page = render_sample(make_result())
    text = visible(page).split("The minimum information about")[1]
    assert re.search(r"\d+ of \d+ lines are filled, by MIFlowCyt 1.0 \(doi:10.1002/cyto.a.20623\)", text)
    assert 'href="../../miflowcyt.html"' in page
