"""Plugins that cannot be loaded or clash: named to whoever asks for them, and nobody else's run is lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from stromagate.errors import SpecificationError
from stromagate.export.exporter import exporters
from stromagate.gating.method import methods
from stromagate.pipeline.plugins import REGISTRIES
from tests.plugins.conftest import GROUPS, Call, Offer
from tests.tubes import TEMPLATE, write_template

LACKS = "import a_library_that_nobody_has\n"
EXPORTER = """
from stromagate.export.exporter import Exporter
EXPORTER = Exporter(filename={file!r}, summary="lines", render=lambda results: b"lines\\n", asked={asked})
"""
SECTION = """
from stromagate.report.section import Section
SECTION = Section(title="Ours", order=900, fragment="ours.html.j2", build=lambda result: 1 // 0, package="mine")
"""


def plugins(call: Call) -> tuple[int, dict[str, dict[str, Any]]]:
    done = call("plugins", "--json")
    return done.exit_code, {each["name"]: each for each in json.loads(done.stdout)["plugins"] if each["error"]}


@pytest.mark.parametrize(
    ("group", "kind", "text"),
    [
        ("gating_methods", "gating method", LACKS),
        ("qc_checks", "QC check", "raise RuntimeError('no licence for this machine')\n"),
        ("run_checks", "check of a run", ""),
        ("report_sections", "report section", "{constant} = 3\n"),
        ("exporters", "exporter", "def broken(:\n"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named_with_its_package(
    group: str, kind: str, text: str, offer: Offer
) -> None:
    offer({"broken": text.format(constant=GROUPS[group])}, [(group, "ours", "broken")])
    (registry,) = [each for each in REGISTRIES if each.kind == kind]
    (fault,) = registry.broken().values()
    assert fault.code == "plugin.broken"
    assert fault.message.startswith(f"the {kind} 'ours' of lab-gates 0.3 could not be loaded: ")
    assert fault.where == "broken"
    assert "uninstall lab-gates" in (fault.hint or "")
    with pytest.raises(SpecificationError, match="'ours' of lab-gates"):
        registry.get("ours")
    assert "ours" not in registry.all()
    assert "ours" in registry.names()


def test_plugins_lists_what_is_wrong_and_ends_with_4(call: Call, offer: Offer) -> None:
    offer({"broken": LACKS}, [("exporters", "ours", "broken")])
    code, wrong = plugins(call)
    assert code == 4
    assert set(wrong) == {"ours"}
    assert wrong["ours"]["package"] == "lab-gates"
    assert wrong["ours"]["error"]["message"].endswith("No module named 'a_library_that_nobody_has'")
    told = call("plugins")
    assert told.exit_code == 4
    assert "exporter ours: lab-gates 0.3, broken\n  cannot be used: the exporter 'ours'" in told.stdout


def test_a_run_that_does_not_ask_for_it_is_made_and_says_what_it_goes_without(
    call: Call, offer: Offer, tube: Path, tmp_path: Path
) -> None:
    offer({"broken": LACKS}, [(group, "ours", "broken") for group in GROUPS])
    out = tmp_path / "out"
    log = tmp_path / "log.jsonl"
    done = call("run", tube, "-t", tube.parent / "small.yaml", "-o", out, "--quiet", "--log-json", log)
    assert done.exit_code == 0, done.stderr
    told = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [each["message"] for each in told if each["code"] == "plugin.broken"][-1] == (
        "the exporter 'ours' of lab-gates 0.3 could not be loaded"
    )
    assert done.stderr.count("left out: the ") == len(GROUPS)
    with (out / "qc.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["code"] == "Q00"]
    assert [(row["sample_id"], row["check"], row["status"]) for row in rows] == [
        ("", "ours", "warn"), ("a", "ours", "warn"),
    ]  # fmt: skip
    assert rows[1]["sentence"] == "The QC check 'ours' of lab-gates 0.3 could not be loaded: it was not made."
    result = json.loads((out / "samples" / "a" / "result.json").read_text(encoding="utf-8"))
    assert result["record"]["libraries"]["lab-gates"].startswith("0.3; ours is not loaded")


def test_a_run_that_asks_for_it_is_told_by_name(call: Call, offer: Offer, tube: Path, tmp_path: Path) -> None:
    offer({"broken": LACKS}, [("gating_methods", "ours", "broken"), ("exporters", "ours", "broken")])
    text = TEMPLATE.replace("{method: fixed, axis: CD146, low: 0.45}", "{method: ours, axis: CD146}")
    write_template(tmp_path / "asks.yaml", text)
    done = call("run", tube, "-t", tmp_path / "asks.yaml", "-o", tmp_path / "out")
    assert done.exit_code == 4
    assert "line 12, populations[3].gate: the gating method 'ours' of lab-gates 0.3 could not be loaded" in done.stderr
    done = call("run", tube, "-t", tube.parent / "small.yaml", "-o", tmp_path / "out", "--export", "ours", "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout)["error"]["code"] == "plugin.broken"
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_offered_twice_is_an_error_and_never_an_override(
    call: Call, offer: Offer, tube: Path, tmp_path: Path
) -> None:
    offer({"mine": "METHOD = 1"}, [("gating_methods", "valley", "mine")])
    done = call("run", tube, "-t", tube.parent / "small.yaml", "-o", tmp_path / "out", "--json")
    assert done.exit_code == 4
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "plugin.ambiguous"
    assert error["message"] == "the gating method 'valley' is offered 2 times: mine, stromagate"
    code, wrong = plugins(call)
    assert code == 4
    assert set(wrong) == {"valley"}


def test_two_packages_of_one_name_clash_as_well(offer: Offer) -> None:
    for package in ("lab-one", "lab-two"):
        module = package.replace("-", "_")
        offer({module: EXPORTER.format(file="x.txt", asked=True)}, [("exporters", "lines", module)], package=package)
    with pytest.raises(SpecificationError, match="'lines' is offered 2 times: lab_one, lab_two"):
        exporters.get("lines")


def test_two_exporters_of_one_file_are_an_error(offer: Offer) -> None:
    offer({"mine": EXPORTER.format(file="qc.csv", asked=False)}, [("exporters", "quality", "mine")])
    with pytest.raises(SpecificationError, match=r"'qc_csv' and 'quality' have both the file qc\.csv") as refused:
        exporters.all()
    assert refused.value.code == "plugin.twin"


def test_a_section_that_breaks_costs_itself_and_the_page_says_so(
    call: Call, offer: Offer, tube: Path, tmp_path: Path
) -> None:
    offer({"mine": SECTION}, [("report_sections", "ours", "mine")])
    out = tmp_path / "out"
    assert call("run", tube, "-t", tube.parent / "small.yaml", "-o", out).exit_code == 0
    page = (out / "samples" / "a" / "report.html").read_text(encoding="utf-8")
    assert "This section could not be made: ZeroDivisionError in the package mine." in page


def test_an_unknown_name_has_the_nearest_one_for_a_hint() -> None:
    with pytest.raises(SpecificationError) as refused:
        methods.get("vally")
    assert refused.value.code == "plugin.unknown"
    assert str(refused.value.hint).startswith("did you mean 'valley'?")
