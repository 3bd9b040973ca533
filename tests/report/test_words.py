"""The rules of words, held on everything that is shown: pages, tables, documents, help texts, templates, golden texts.

A report describes a tube and never a patient's course; it names its use on every page; a number below the limit of
quantification is grey and marked; no colour judges a pattern; a percentage names what it is a percentage of.
"""

from __future__ import annotations

import ast
import colorsys
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typer

import stromagate.report
from stromagate.cli import console
from stromagate.cli.app import app
from stromagate.export import asked
from stromagate.export.cohort import cohort_csv, cohort_wide_csv
from stromagate.export.pooled import pooled_csv
from stromagate.model.cohort import Cohort
from stromagate.model.pattern import PatternCall
from stromagate.model.result import RESEARCH_USE
from stromagate.pipeline.accompanying import accompanying
from stromagate.quantify.pooling import pool
from stromagate.report import (
    render_cohort,
    render_history,
    render_index,
    render_miflowcyt,
    render_patient,
    render_sample,
)
from stromagate.report.sections import literature
from stromagate.report.wording import LLOQ_MARK
from tests.reference_data import ROOT
from tests.report.cohorts import cohort_of, cohort_tube
from tests.report.pages import full_result, golden_run, visible
from tests.report.test_history_page import WARNED, drifted
from tests.results import make_result

PACKAGE, HTML = ROOT / "stromagate", ROOT / "stromagate" / "report" / "html"

# About a patient none of these is ever said (reference of the wording: none published; own rule of this program).
BANNED = re.compile(r"\bprognos\w*|\brisks?\b|\brisky\b|\bpredict\w*|likely to relapse", re.IGNORECASE)
# Whole sentences of the section on literature that may break the rule, because they tell of a publication. None has to.
ALLOWED: tuple[str, ...] = ()
TOLD = tuple(line.text for line in literature._LINES)
# How a course went is told of published cohorts alone, in the section on literature and in the sentence of a pattern.
COURSE = re.compile(r"\brelaps\w*|\bremission|\bsurviv\w*|\bdie[ds]?\b|\bdeath", re.IGNORECASE)


def _cohort(step: int) -> Cohort:
    return cohort_of([cohort_tube(name, 3 * i * step, 10 * i * step, patient="P1") for i, name in enumerate("abc", 1)])


# Every kind of page there is, by the name of the function that renders it and what is special of it.
PAGES: dict[str, Callable[[], str]] = {
    "render_sample": lambda: render_sample(make_result()),
    "render_sample, control": lambda: render_sample(make_result(labels={"role": "fmo:CD271"})),
    "render_sample, many plots": lambda: render_sample(full_result(9)),
    "render_index": lambda: render_index(*golden_run(), pooled=pool(golden_run()[1]), charted=True),
    "render_history": lambda: render_history(drifted(), [WARNED]),
    "render_miflowcyt": lambda: render_miflowcyt(*golden_run()),
    "render_cohort": lambda: render_cohort(_cohort(10)),
    "render_cohort, few events": lambda: render_cohort(_cohort(1)),
    "render_patient": lambda: render_patient(_cohort(10), "P1"),
    "render_patient, few events": lambda: render_patient(_cohort(1), "P1"),
}
each_page = pytest.mark.parametrize("name", PAGES)


@cache
def page_of(name: str) -> str:
    return PAGES[name]()


def test_every_page_there_is_is_held() -> None:
    rendered = {name for name in stromagate.report.__all__ if name.startswith("render_")}
    assert {name.partition(",")[0] for name in PAGES} == rendered


class _Shown(HTMLParser):
    """Words that are read or heard: text, labels and titles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.words += [
            value for name, value in attrs if value and name in {"title", "aria-label", "alt", "placeholder"}
        ]


def shown(page: str) -> str:
    parser = _Shown()
    parser.feed(page)
    drawn = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    texts = [text for spec in drawn for text in _strings(json.loads(spec))]
    return "\n".join([visible(page), *parser.words, *texts])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def tables() -> dict[str, str]:
    run, results = golden_run()
    files = asked.of_run(run, results).files | accompanying(run, results, {}, "shared")
    cohort = cohort_of([cohort_tube(name, 12, 40) for name in "ab"])
    files |= {"pooled.csv": pooled_csv(pool(results)), "cohort.csv": cohort_csv(cohort)}
    files |= {"cohort_wide.csv": cohort_wide_csv(cohort)}
    return {name: content.decode() for name, content in files.items() if not name.endswith(".html")}


def documents() -> dict[str, str]:
    """Return what the program writes for other programs."""
    run, results = golden_run()
    made = {
        "result.json": results[0],
        "run.json": run,
        "pooled.json": pool(results),
        "history.json": drifted(),
        "cohort.json": cohort_of([cohort_tube("a", 12, 40)]),
    }
    return {name: json.dumps(document.model_dump(mode="json"), ensure_ascii=False) for name, document in made.items()}


def helps() -> dict[str, str]:
    """Return the help of every verb, the root's among them."""
    found: dict[str, str] = {}

    def walk(command: Any, path: str, parent: Any) -> None:
        context = typer.Context(command, info_name=path.rsplit(maxsplit=1)[-1], parent=parent)
        found[path] = f"{command.help or ''} " + " ".join(
            str(each.help) for each in command.params if getattr(each, "help", None)
        )
        for name, below in getattr(command, "commands", {}).items():
            walk(below, f"{path} {name}", context)

    walk(typer.main.get_command(app), "stromagate", None)
    return found


def texts() -> dict[str, str]:
    """Return what is read beside the program, and the templates whose words it prints."""
    paths = [
        ROOT / "README.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("gating_templates/*"),
        *ROOT.glob("sample_fcs/*.md"),
    ]
    paths += [path for path in (ROOT / "tests" / "golden").iterdir() if path.suffix in {".txt", ".csv"}]
    kinds = {".md", ".yaml", ".txt", ".csv"}
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths if path.suffix in kinds}


def sentences_in_code() -> dict[str, str]:
    """Return every text in the source that is no docstring: what one tube in a thousand shows is among them."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        words = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes
        ]
        found[str(path.relative_to(ROOT))] = "\n".join(words)
    for path in sorted([*HTML.glob("*.j2"), *HTML.glob("*.js")]):
        found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
    return found


EVERYTHING: dict[str, Callable[[], dict[str, str]]] = {
    "pages": lambda: {name: shown(page_of(name)) for name in PAGES},
    "tables": tables,
    "documents": documents,
    "helps": helps,
    "texts": texts,
    "code": sentences_in_code,
}


@pytest.mark.parametrize("kind", EVERYTHING)
def test_nothing_speaks_of_what_will_become_of_a_patient(kind: str) -> None:
    found = EVERYTHING[kind]()
    assert found
    for name, text in found.items():
        rest = _without(text, ALLOWED)
        assert [match.group() for match in BANNED.finditer(rest)] == [], name


def _without(text: str, sentences: Iterable[str]) -> str:
    for sentence in sentences:
        text = text.replace(sentence, "")
    return text


@pytest.mark.parametrize(
    "text",
    ["a poor Prognosis", "prognostic", "high risk", "at risk", "predicts relapse", "predicted", "likely to relapse"],
)
def test_the_rule_bites(text: str) -> None:
    assert BANNED.search(text)


@pytest.mark.parametrize("text", ["asterisk", "brisk", "LIKELY", "prominent", "the pattern describes a tube"])
def test_the_rule_leaves_other_words_alone(text: str) -> None:
    assert not BANNED.search(text)


def test_what_is_allowed_stands_in_the_section_on_literature_word_by_word() -> None:
    assert all(sentence in " ".join(TOLD) and sentence.endswith(".") for sentence in ALLOWED)
    assert len(ALLOWED) < 4


@each_page
def test_a_course_is_told_of_published_cohorts_alone(name: str) -> None:
    text = _without(visible(page_of(name)), TOLD)
    assert [match.group() for match in COURSE.finditer(text)] == []


def test_a_called_pattern_tells_of_one_cohort_and_of_no_patient() -> None:
    """The one sentence beside the literature in which a course stands names the cohort and what it does not mean."""
    call = PatternCall(level="L3", pattern="progenitor-high", reason="probability 0.87", sentence="")
    text = _without(visible(render_sample(make_result(pattern=call))), TOLD)
    for line in text.splitlines():
        if COURSE.search(line):
            assert "In one published cohort" in line
            assert "Not validated for individual patients" in line


@each_page
def test_the_use_stands_first_and_last_on_every_page(name: str) -> None:
    lines = visible(page_of(name)).split("\n")
    assert lines.count(RESEARCH_USE) == 2
    assert lines.index(RESEARCH_USE) < 3  # below the title of the window, and the way past the head
    assert RESEARCH_USE in lines[-5:]
    assert f'content: "{RESEARCH_USE}"' in page_of(name)  # on every sheet of paper


def test_the_use_stands_in_every_document() -> None:
    for name, text in documents().items():
        assert json.loads(text)["research_use"] == RESEARCH_USE, name


def test_the_use_stands_beside_tables_that_stay_tidy() -> None:
    """A table has no line that is no row; the README beside it speaks for all of them."""
    made = tables()
    assert made.pop("README.txt").startswith(RESEARCH_USE)
    for name, text in made.items():
        rows = list(csv.reader(io.StringIO(text)))
        assert not text.startswith("#"), name
        assert len({len(row) for row in rows}) == 1, name


def test_the_use_is_said_by_the_program_itself(capsys: pytest.CaptureFixture[str]) -> None:
    console.emit({"format": "x"}, "", as_json=True)
    assert json.loads(capsys.readouterr().out) == {"ok": True, "research_use": RESEARCH_USE, "format": "x"}
    assert RESEARCH_USE in " ".join(helps()["stromagate"].split())
    assert RESEARCH_USE in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


class _Cells(HTMLParser):
    """Text of every cell, whether it or its row is grey, and the words that stand above and beside it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.cells: list[tuple[str, bool, str]] = []
        self.row: list[tuple[str, bool, str]] = []
        self.heads: list[str] = []
        self.caption = ""
        self.grey_row = self.grey = self.in_head = False
        self.kind, self.text = "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "table":
            self.heads, self.caption = [], ""
        elif tag in {"thead", "tbody"}:
            self.in_head = tag == "thead"
        elif tag == "tr":
            self.grey_row, self.row = "faint" in classes, []
        elif tag in {"td", "th", "caption"}:
            self.kind, self.grey, self.text = tag, "faint" in classes or self.grey_row, []
        self.grey = self.grey or "faint" in classes

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and not self.in_head:
            for i, (text, grey, kind) in enumerate(self.row):
                beside = " ".join(text for k, (text, _, _) in enumerate(self.row) if k != i)
                above = self.heads[i] if i < len(self.heads) else ""
                self.cells += [(text, grey, f"{above} | {beside} | {self.caption}")] if kind == "td" else []
        elif tag == "tr":
            self.heads = [text for text, _, _ in self.row]
        elif tag == "thead":
            self.in_head = False
        if tag not in {"td", "th", "caption"}:
            return
        text, self.kind = " ".join("".join(self.text).split()), ""
        if tag == "caption":
            self.caption = text
        else:
            self.row.append((text, self.grey, tag))

    def handle_data(self, data: str) -> None:
        if self.kind:
            self.text.append(data)


def cells(page: str) -> list[tuple[str, bool, str]]:
    parser = _Cells()
    parser.feed(page)
    return parser.cells


@each_page
def test_a_marked_number_is_grey(name: str) -> None:
    marked = [(text, grey) for text, grey, _ in cells(page_of(name)) if LLOQ_MARK in text]
    assert [text for text, grey in marked if not grey] == []


def test_numbers_below_the_limit_are_marked_wherever_they_stand_with_their_interval() -> None:
    page = render_sample(make_result())
    few = {"progenitors": "24.9 (15.4–38.1)", "msc_cd146neg": "48.7 (34.9–66.1)"}
    for number in few.values():
        standing = [text for text, _, _ in cells(page) if number in text]
        assert standing
        assert all(f"{number} {LLOQ_MARK}" in text for text in standing)
    enough = [text for text, _, _ in cells(page) if "73.6 (53.6–101)" in text]
    assert enough
    assert all(LLOQ_MARK not in text for text in enough)


def rules(css: str) -> Iterator[tuple[str, str]]:
    """Yield selector and declarations, those within @media too."""
    yield from re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))


JUDGING = re.compile(r"var\(--(fail|warn|pass)\)|\b(red|green|amber|orange|gold|yellow|lime|crimson|limegreen)\b")


def is_signal(colour: str) -> bool:
    """Whether a colour reads as red, amber or green: their hues, where there is enough of it to be one."""
    digits = colour.lstrip("#")
    digits = "".join(2 * each for each in digits) if len(digits) == 3 else digits
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    hue, saturation, _ = colorsys.rgb_to_hsv(red, green, blue)
    return saturation > 0.25 and not 0.47 < hue < 0.86


@pytest.mark.parametrize("path", sorted(HTML.glob("*.css")), ids=lambda path: path.name)
def test_no_traffic_light_is_lit_for_a_pattern(path: Path) -> None:
    css = path.read_text(encoding="utf-8")
    about = [(s.strip(), d) for s, d in rules(css) if re.search(r"pattern|chance|called|answer|map|kind", s)]
    for selector, declared in about:
        assert not JUDGING.search(declared), selector
        assert not [each for each in re.findall(r"#[0-9a-fA-F]{3,6}\b", declared) if is_signal(each)], selector
    # The colours of findings belong to findings: nothing else takes them.
    for selector, declared in rules(css):
        if re.search(r"var\(--(fail|warn|pass)\)", declared):
            assert "status-" in selector, selector


@pytest.mark.parametrize("colour", ["#c00", "#9b1c1c", "#1f5a3a", "#7a4d00", "#ffbf00"])
def test_a_signal_is_known(colour: str) -> None:
    assert is_signal(colour)


@pytest.mark.parametrize("colour", ["#32518e", "#1b1f24", "#6a747d", "#fff", "#0072b2"])
def test_a_plain_colour_is_none(colour: str) -> None:
    assert not is_signal(colour)


@pytest.mark.parametrize("fragment", ["pattern.html.j2", "verdict.html.j2", "cohort.html.j2", "patient.html.j2"])
def test_no_status_is_given_to_a_pattern(fragment: str) -> None:
    text = (HTML / fragment).read_text(encoding="utf-8")
    for line in text.splitlines():
        for element in re.findall(r'<\w+ class="[^"]*status-[^>]*>[^/]*', line):
            assert "pattern" not in element.casefold(), element


# What is no share of a population: levels and CVs, and what is told of the run's own settings.
NO_SHARE = re.compile(
    r"95 % (exact )?interval|95 % range|90 % range|\bCV\b|% of the way|% as high|% as deep|confidence|"
    r"[+−±]\d[\d.]* % if|[+−±]\d[\d.]* %(?! of)|by \d+ %|differ so by chance"
)
PERCENT = re.compile(r"\d ?%")
NAMED = re.compile(r"% of |\bof\b|\bamong\b|\bin\b|share|\w/\w+ %|spillover|kept|%.*parent", re.IGNORECASE)


def unnamed(page: str) -> list[str]:
    """Return the percentages of a page that name no denominator in their cell, above, beside, or in their line."""
    found = [
        text
        for text, _, around in cells(page)
        if PERCENT.search(NO_SHARE.sub("", text)) and not NAMED.search(f"{text} | {around}")
    ]
    lines = [line for line in visible(page).splitlines() if " | " not in line]
    return found + [line for line in lines if PERCENT.search(NO_SHARE.sub("", line)) and not NAMED.search(line)]


@each_page
def test_a_percentage_names_what_it_is_a_percentage_of(name: str) -> None:
    assert unnamed(page_of(name)) == []


@pytest.mark.parametrize(
    ("page", "n"),
    [
        ("<p>CD146+: 12.0 %</p>", 1),
        ("<p>12.0 % of MSC are CD146+</p>", 0),
        ("<table><thead><tr><th>a</th><th>CD146+</th></tr></thead><tr><td>x</td><td>12 %</td></tr></table>", 1),
        ("<table><thead><tr><th>a</th><th>% of MSC</th></tr></thead><tr><td>x</td><td>12 %</td></tr></table>", 0),
        ("<p>with 95 % intervals</p>", 0),
    ],
)
def test_a_percentage_without_a_denominator_is_found(page: str, n: int) -> None:
    assert len(unnamed(page)) == n


@pytest.mark.parametrize(
    ("row", "grey"),
    [
        ('<tr class="faint"><td>8 &lt;LLOQ</td></tr>', True),
        ('<tr><td class="num faint">8 &lt;LLOQ</td></tr>', True),
        ('<tr><td><span class="faint">8 &lt;LLOQ</span></td></tr>', True),
        ("<tr><td>8 &lt;LLOQ</td></tr>", False),
        ('<tr><td class="faint">9</td><td>8 &lt;LLOQ</td></tr>', False),
    ],
)
def test_grey_is_seen_in_row_cell_and_word(row: str, grey: bool) -> None:
    found = [is_grey for text, is_grey, _ in cells(f"<table><tbody>{row}") if "LLOQ" in text]
    assert found == [grey]
