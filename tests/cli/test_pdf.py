"""``--pdf``: refused before any work where nothing prints; a page that is not printed costs a line and no result.

The programs here are short scripts that stand for Chromium; what it really prints is held in ``tests/browser``.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from stromagate.pipeline import printing
from stromagate.pipeline.printing import Printer, find_printer, print_pages, without_dates

PDF = b"%PDF-1.4\n/CreationDate (D:20310203040506+02'00')\n/ModDate (D:20310203040506+02'00')\n%%EOF\n"
SAME = PDF.replace(b"20310203040506+02", b"19700101000000+00")

# The last argument is the page; one before it says where the PDF goes.
PRINTS = """#!/bin/sh
for word in "$@"; do case "$word" in --print-to-pdf=*) target="${word#--print-to-pdf=}";; esac; done
printf '%s\\n' "$word" >> "$0.pages"
case "$word" in *"$REFUSED"*) exit 21;; esac
cat "$0.pdf" > "$target"
"""
HANGS = """#!/bin/sh
sleep 60 & echo $! > "$0.child"
wait
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser that prints the same PDF of every page, named in the environment."""
    path = script(tmp_path / "browser", PRINTS)
    path.with_suffix(".pdf").write_bytes(PDF)
    monkeypatch.setenv("STROMAGATE_CHROMIUM", str(path))
    monkeypatch.setenv("REFUSED", "no page")
    return path


def script(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def nothing_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STROMAGATE_CHROMIUM", raising=False)
    monkeypatch.setattr(printing.shutil, "which", lambda _name: None)


def run(call, tubes: Path, out: Path, *more: str):
    return call("run", tubes / "a.fcs", tubes / "b.FCS", "-t", tubes / "small.yaml", "-o", out, *more)


def test_every_page_has_its_pdf_on_the_sheet_asked_for(call, said, tubes: Path, tmp_path: Path, program: Path) -> None:
    out = tmp_path / "out"
    result = run(call, tubes, out, "--pdf", "--paper", "letter", "--json")
    assert result.exit_code == 0, result.output
    assert said(result)["run"]["not_printed"] == {}
    prints = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.pdf"))
    assert prints == ["index.pdf", "miflowcyt.pdf", "samples/a/report.pdf", "samples/b/report.pdf"]
    assert {(out / name).read_bytes() for name in prints} == {SAME}
    pages = program.with_suffix(".pages").read_text().split()
    assert all(page.startswith("file:///") and page.endswith(".html?paper=letter") for page in pages)
    assert not list(out.rglob(".*.tmp"))


def test_a4_is_the_sheet_where_none_is_named(call, tubes: Path, tmp_path: Path, program: Path) -> None:
    assert run(call, tubes, tmp_path / "out", "--pdf").exit_code == 0
    assert "?paper=a4" in program.with_suffix(".pages").read_text()


@pytest.mark.usefixtures("nothing_prints")
@pytest.mark.parametrize("verb", ["run", "report"])
def test_without_a_browser_it_ends_before_any_work(call, said, tubes: Path, tmp_path: Path, verb: str) -> None:
    out = tmp_path / "out"
    asked = {"run": (tubes, "-t", tubes / "small.yaml", "-o", out), "report": (out,)}[verb]
    result = call(verb, *asked, "--pdf", "--json")
    assert result.exit_code == 2
    error = said(result)["error"]
    assert error["code"] == "pdf.no_browser"
    for way in ("apt-get install chromium", "STROMAGATE_CHROMIUM", "print report.html from any browser"):
        assert way in error["hint"]
    assert not out.exists()


def test_a_program_that_is_named_and_not_there_is_an_error(
    call, said, tubes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STROMAGATE_CHROMIUM", str(tmp_path / "nowhere"))
    result = run(call, tubes, tmp_path / "out", "--pdf", "--json")
    assert (result.exit_code, said(result)["error"]["code"]) == (2, "pdf.program")
    assert said(result)["error"]["where"] == str(tmp_path / "nowhere")
    assert not (tmp_path / "out").exists()


def test_a_sheet_without_pdf_is_wrong_usage(call, said, tubes: Path, tmp_path: Path) -> None:
    result = run(call, tubes, tmp_path / "out", "--paper", "letter", "--json")
    assert (result.exit_code, said(result)["error"]["hint"]) == (2, "add --pdf")


def test_a_page_that_is_not_printed_costs_a_line_and_no_result(
    call, tubes: Path, tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUSED", "samples/b/")
    out = tmp_path / "out"
    result = run(call, tubes, out, "--pdf")
    assert result.exit_code == 0
    why = "the browser ended without a PDF (its exit code was 21)"
    assert f"not printed: samples/b/report.html: {why}" in result.stderr
    index = json.loads((out / "run.json").read_text())
    assert index["not_printed"] == {"samples/b/report.html": why}
    assert (out / "samples/b/report.html").is_file()
    assert not (out / "samples/b/report.pdf").exists()
    assert (out / "samples/a/report.pdf").is_file()
    # The note is no part of the pages, and the next print takes it back.
    page = (out / "index.html").read_bytes()
    monkeypatch.setenv("REFUSED", "no page")
    assert call("report", out, "--pdf").exit_code == 0
    assert (out / "index.html").read_bytes() == page
    assert json.loads((out / "run.json").read_text())["not_printed"] == {}
    assert (out / "samples/b/report.pdf").read_bytes() == SAME


@pytest.mark.usefixtures("program")
def test_a_pdf_stays_as_long_as_its_page_says_the_same(call, tubes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(call, tubes, out, "--pdf").exit_code == 0
    assert call("report", out).exit_code == 0
    assert len(list(out.rglob("*.pdf"))) == 4
    assert call("report", out, "--standalone").exit_code == 0  # other pages
    assert list(out.rglob("*.pdf")) == []
    assert run(call, tubes, out, "--pdf").exit_code == 0
    assert run(call, tubes, out, "--seed", "7").exit_code == 0  # other numbers
    assert list(out.rglob("*.pdf")) == []


def test_what_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    program = script(tmp_path / "browser", HANGS)
    page = tmp_path / "report.html"
    page.write_text("<p>page</p>")
    faults = print_pages(Printer(str(program), limit_s=0.5), [page])
    assert faults == {page: "the browser was not done after 0.5 s"}
    child = int(program.with_suffix(".child").read_text())
    assert ended(child)


def test_an_interrupt_ends_every_browser_at_once(tmp_path: Path, program: Path) -> None:
    """One page is done and says so to a person who has had enough; the other would take a minute."""
    slow = program.read_text().replace(
        'cat "$0.pdf"', 'case "$word" in *slow*) sleep 60 & echo $! > "$0.child"; wait;; esac; cat "$0.pdf"'
    )
    script(program, slow)
    pages = [tmp_path / "slow.html", tmp_path / "quick.html"]
    for page in pages:
        page.write_text("<p>page</p>")

    @contextmanager
    def stage(_title: str, _n: int):
        def enough(_name: str) -> None:
            while not program.with_suffix(".child").exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

        yield enough

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        print_pages(find_printer(), pages, jobs=2, stage=stage)
    assert time.monotonic() - begun < 20
    assert ended(int(program.with_suffix(".child").read_text()))
    assert not (tmp_path / "slow.pdf").exists()


def ended(process: int) -> bool:
    """Wait until a process is gone, or dead and not yet buried."""
    for _ in range(100):
        try:
            os.kill(process, 0)
            status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if status == "Z":
            return True
        time.sleep(0.02)
    return False


def test_half_a_pdf_is_none(tmp_path: Path, program: Path) -> None:
    program.with_suffix(".pdf").write_bytes(PDF[:40])
    page = tmp_path / "report.html"
    page.write_text("<p>page</p>")
    page.with_suffix(".pdf").write_bytes(b"of another day")
    assert list(print_pages(find_printer(), [page]).values()) == [
        "the browser ended without a PDF (its exit code was 0)"
    ]
    assert not page.with_suffix(".pdf").exists()


def test_what_is_no_program_cannot_be_started(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("<p>page</p>")
    (why,) = print_pages(Printer(str(page)), [page]).values()
    assert why.startswith("the browser cannot be started: ")


def test_names_with_marks_of_addresses_reach_the_browser_whole(tmp_path: Path, program: Path) -> None:
    page = tmp_path / "a #1?b %20.html"
    page.write_text("<p>page</p>")
    assert print_pages(find_printer(), [page]) == {}
    assert program.with_suffix(".pages").read_text().strip().endswith("a%20%231%3Fb%20%2520.html?paper=a4")


def test_progress_names_every_page(tmp_path: Path, program: Path) -> None:
    told: list[object] = []

    @contextmanager
    def stage(title: str, n: int):
        told.append((title, n))
        yield told.append

    for name in ("samples/t1/report.html", "index.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("<p>page</p>")
    pages = [tmp_path / "index.html", tmp_path / "samples/t1/report.html"]
    assert print_pages(find_printer(), pages, jobs=2, stage=stage) == {}
    assert told[0] == ("Printing pages", 2)
    assert sorted(map(str, told[1:])) == ["index.html", "t1"]


def test_dates_are_one_day_and_nothing_moves() -> None:
    assert without_dates(PDF) == SAME
    assert len(SAME) == len(PDF)
    assert without_dates(SAME) == SAME
    assert without_dates(b"no dates (D:2031)") == b"no dates (D:2031)"
