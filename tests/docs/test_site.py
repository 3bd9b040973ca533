"""The site builds without a warning, every declaration is in it with words, and every source of a formula is named."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from docs import generate
from stromagate.cli.app import app
from stromagate.export.exporter import exporters
from stromagate.gating.method import methods
from stromagate.qc.check import checks
from stromagate.qc.run_check import run_checks
from stromagate.report.section import in_order, sections
from tests.reference_data import ROOT

DOI = re.compile(r"10\.\d{4,}/[^\s,;`\"']+?(?=[).,;:]*(?:\s|$|\"))")
ROOMS = ("prepare", "gating", "qc", "quantify", "pattern")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as ``make docs`` does, beside the checkout's own files."""
    folder = tmp_path_factory.mktemp("site")
    left_out = shutil.ignore_patterns("_build", "reference", "__pycache__")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=left_out)
    shutil.copytree(ROOT / "gating_templates", folder / "gating_templates", ignore=shutil.ignore_patterns("*.yaml"))
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", "html"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages() -> generate.Pages:
    return generate.build()


def test_every_page_of_the_folder_is_in_the_site(site: Path) -> None:
    written = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert written <= {path.stem for path in site.glob("*.html")}
    assert {path.stem for path in (site / "reference").glob("*.html")} == {
        "commands", "template_fields", "gating_methods", "checks", "report_sections", "exporters",
    }  # fmt: skip


def test_pages_fetch_nothing_from_the_network_and_name_their_use(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert "For Research Use Only" in page
        fetched = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:href|src)=\"(https?:[^\"]+)\"", page)
        assert fetched == [], path.name


def test_options_keep_their_two_dashes(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "reference" / "commands.html").read_text(encoding="utf-8"))
    assert "outside of --out." in text
    assert not re.search(r"[–—]\w", text)


def test_codes_on_the_page_about_reading_a_report_are_those_of_checks() -> None:
    page = (ROOT / "docs" / "reading_the_report.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bQ\d\d\b", page))
    assert len(named) >= 5
    assert named <= {check.code for check in (*checks.all().values(), *run_checks.all().values())}


def test_formulas_are_drawn_by_the_browser_itself(site: Path) -> None:
    page = (site / "methods.html").read_text(encoding="utf-8")
    source = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert page.count("<math ") == len(re.findall(r"\$\$.+?\$\$|\$[^$]+?\$", source, flags=re.DOTALL)) > 50
    assert not re.search(r"\\(frac|sqrt|mathrm|\(|\[)", page)


def test_every_public_name_is_described(site: Path) -> None:
    import stromagate

    page = (site / "api.html").read_text(encoding="utf-8")
    for name in set(stromagate.__all__) - {"__version__"}:
        assert f'id="stromagate.{name}"' in page


def test_nothing_is_declared_without_a_word(pages: generate.Pages) -> None:
    assert pages.gaps == []


def test_every_declaration_is_on_its_page(pages: generate.Pages) -> None:
    text = pages.text
    for words, command in generate.leaves(typer.main.get_command(app), ("stromagate",)):
        assert f"\n## {' '.join(words)}\n" in text["commands.md"]
        part = text["commands.md"].split(f"\n## {' '.join(words)}\n")[1].split("\n## ")[0]
        for each in command.params:
            option = max(each.opts, key=len)
            assert each.hidden or option in part, (words, option)
    for check in (*checks.all().values(), *run_checks.all().values()):
        assert f"\n### {check.code}: {check.title}\n" in text["checks.md"]
    for name, method in methods.all().items():
        part = text["gating_methods.md"].split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert method.summary in part
        keys = set(method.params.model_json_schema().get("properties", {})) - {"method", "otherwise"}
        assert [key for key in keys if f"| `{key}` |" not in part] == []
    for _, section in in_order():
        assert f"\n## {section.title}\n" in text["report_sections.md"]
    for name, exporter in exporters.all().items():
        assert f"| `{name}` | `{exporter.filename}` |" in text["exporters.md"]


def test_limits_say_on_which_side_they_are_crossed(pages: generate.Pages) -> None:
    part = pages.text["checks.md"].split("### Q07")[1].split("###")[0]
    assert "Limits: `warn` under 1,000,000 events, `fail` under 200,000 events." in part
    part = pages.text["checks.md"].split("### Q06")[1].split("###")[0]
    assert "Limits: `warn` above 0.15 decades, `fail` above 0.3 decades." in part
    part = pages.text["checks.md"].split("### Q67")[1].split("###")[0]
    assert "Limits: `warn` at 1 times the FMO control." in part


def _without_words(monkeypatch: pytest.MonkeyPatch, registry: Any, name: str, **changes: str) -> list[str]:
    """Return the gaps when a declaration is there without its words."""
    silent = {**registry.all(), name: replace(registry.get(name), **changes)}
    monkeypatch.setattr(registry, "all", lambda: silent)
    return generate.build().gaps


def test_a_check_method_or_exporter_without_words_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _without_words(monkeypatch, checks, "viability", title=" ") == ["the title of the check `viability`"]
    monkeypatch.undo()
    assert _without_words(monkeypatch, methods, "tail", summary="") == ["the gating method `tail`"]
    monkeypatch.undo()
    assert _without_words(monkeypatch, exporters, "parquet", summary="") == ["the exporter `parquet`"]
    monkeypatch.undo()
    assert _without_words(monkeypatch, sections, "numbers", title="") == ["the title of the section `numbers`"]


def test_an_option_without_words_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    command = typer.main.get_command(app)
    (out,) = [each for each in command.commands["run"].params if "--out" in each.opts]
    out.help = ""
    command.commands["verify"].help = None
    monkeypatch.setattr(generate.typer.main, "get_command", lambda _: command)
    gaps = generate.build().gaps
    assert len(gaps) == 2
    assert gaps[0] in {"`-o` of `stromagate run`", "`--out` of `stromagate run`"}
    assert gaps[1] == "the command `stromagate verify`"


def test_a_template_field_or_part_without_words_is_a_gap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    schema = generate.json_schema({name: method.params for name, method in methods.all().items()})
    del schema["properties"]["status"]["description"]
    del schema["$defs"]["gate_tail"]["properties"]["mads"]["description"]
    schema["$defs"]["Novelty"] = {"description": "A part that no page has a title for.", "properties": {}}
    monkeypatch.setattr(generate, "json_schema", lambda _: schema)
    assert generate.build().gaps == [
        "the field `status` of a template's GatingTemplate",
        "the part `Novelty` of a template",
        "the field `mads` of the gating method `tail`",
    ]
    with pytest.raises(ValueError, match="declared without a word about it: the field `status`"):
        generate.write(tmp_path / "reference")
    assert not (tmp_path / "reference").exists()


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "a number above 0 to 1"),
        ({"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}]}, "a whole number from 3 or nothing (`null`)"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "a list of: `a` or `b`"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "names, each with: text"),
        ({"$ref": "#/$defs/PanelSpec"}, "see `panel`"),
        ({"$ref": "#/$defs/GateSpec"}, "a gate"),
    ],
)
def test_what_a_field_takes_is_said_in_words(field: dict[str, Any], words: str) -> None:
    assert generate.allowed(field) == words


def test_pages_that_stay_as_they_were_are_not_written_again(tmp_path: Path) -> None:
    generate.write(tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    (tmp_path / "checks.md").write_text("old", encoding="utf-8")
    generate.write(tmp_path)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"checks.md"}
    assert (tmp_path / "checks.md").read_text(encoding="utf-8").startswith("# Checks\n")


def test_every_publication_of_a_formula_is_named_on_the_page_of_methods() -> None:
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    missing = {
        f"{path.relative_to(ROOT)}: {doi}"
        for room in ROOMS
        for path in (ROOT / "stromagate" / room).rglob("*.py")
        for doi in DOI.findall(path.read_text(encoding="utf-8"))
        if f"https://doi.org/{doi}" not in page
    }
    assert missing == set()


def test_the_sizes_on_the_page_of_methods_are_those_of_the_program() -> None:
    from stromagate.gating.sensitivity import STEP_DECADES
    from stromagate.gating.tails import HALF_NORMAL_MEDIAN
    from stromagate.model.config import RunConfig
    from stromagate.model.detection import LLOQ_FLOOR_EVENTS, LOD_FLOOR_EVENTS
    from stromagate.pattern.call import N_DRAWS
    from stromagate.pattern.cut_points import N_RESAMPLES
    from stromagate.pattern.probabilities import ASSIGNED_FROM
    from stromagate.prepare.display_scales import NARROWEST_DECADES, WIDEST_DECADES
    from stromagate.quantify.absolute import BEAD_CV_PCT, PIPETTING_CV_PCT
    from stromagate.quantify.detection import OVERDISPERSED
    from stromagate.quantify.planner import ERYTHROBLASTS, PULSE_S

    page = " ".join((ROOT / "docs" / "methods.md").read_text(encoding="utf-8").split())
    for words in (
        f"held between {NARROWEST_DECADES} and {WIDEST_DECADES} decades",
        f"over {HALF_NORMAL_MEDIAN:.6f}",
        f"on {RunConfig().boundary_draws} redraws",
        f"moved by {STEP_DECADES} decade",
        f"variance over mean above {OVERDISPERSED}",
        f"{LOD_FLOOR_EVENTS} events at least",
        f"{LLOQ_FLOOR_EVENTS} events at least",
        f"resampled {N_RESAMPLES:,} times",
        f"drawn {N_DRAWS:,} times",
        f"in {ASSIGNED_FROM:.2f} of the draws",
        f"{BEAD_CV_PCT:.0f} % each",
        f"$\\tau = {PULSE_S * 1e6:.0f}$ µs",
        f"{100 * ERYTHROBLASTS:.0f} % of nucleated cells",
    ):
        assert words in page, words
    assert BEAD_CV_PCT == PIPETTING_CV_PCT
