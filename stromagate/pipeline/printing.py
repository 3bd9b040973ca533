"""Pages to PDF by a Chromium or Chrome of this machine: headless, without network, with a profile of its own.

What is printed is the page as a browser prints it, on the sheet that is asked for. The same page gives the same bytes:
the two dates that Chromium writes into a PDF are set to one day, in their place and at their length.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stromagate.errors import StromagateError, UsageError
from stromagate.pipeline import bundle

if TYPE_CHECKING:
    from stromagate.model.result import RunIndex
    from stromagate.pipeline.controls.first_stage import Stage

Paper = Literal["a4", "letter"]

PROGRAM_VARIABLE = "STROMAGATE_CHROMIUM"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

TIME_LIMIT_S = 120.0
"""A report of twenty plots takes 5 s on a quiet machine; after this much a page is given up. Own choice."""
_LOOK_EVERY_S = 0.05

# Nothing of the browser's own may reach for the network; the pages ask for nothing by themselves.
_QUIET = (
    "--headless",
    "--disable-gpu",
    "--window-size=1240,1754",  # plots are drawn as wide as on a screen, and then fitted to the sheet
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
    "--print-to-pdf-no-header",  # the same in older versions
    "--virtual-time-budget=30000",  # waits until nothing is left to draw, not this long
)
_DATES = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}[+\-Z]\d\d'\d\d'")
_ONE_DAY = b"19700101000000+00'00'"


@dataclass(frozen=True, slots=True)
class Printer:
    """The program that prints, and the sheet it prints on."""

    program: str
    paper: Paper = "a4"
    limit_s: float = TIME_LIMIT_S


class PrintError(StromagateError):
    """A page of which no PDF came; never the end of a run."""


def find_printer(paper: Paper = "a4") -> Printer:
    """Return what prints pages on this machine.

    Parameters
    ----------
    paper : {"a4", "letter"}
        The sheet.

    Raises
    ------
    UsageError
        There is no Chromium or Chrome, or the one that the environment names cannot be started.
    """
    named = os.environ.get(PROGRAM_VARIABLE, "").strip()
    if named:
        program = shutil.which(named)
        if program is None:
            raise UsageError(
                "pdf.program",
                f"{PROGRAM_VARIABLE} names no program that can be started",
                where=named,
                hint="give the whole path of chromium or chrome, or take the variable away",
            )
        return Printer(program, paper)
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        raise UsageError(
            "pdf.no_browser",
            "--pdf needs Chromium or Chrome, and none was found on this machine",
            hint=f"install it (Debian, Ubuntu: apt-get install chromium), name its program in {PROGRAM_VARIABLE}, or "
            "leave --pdf away and print report.html from any browser",
        )
    return Printer(program, paper)


def print_run(
    out: Path, run: RunIndex, printer: Printer | None, *, jobs: int = 1, stage: Stage | None = None
) -> RunIndex:
    """Print every page of a finished run beside it, and note in ``run.json`` which could not be.

    Parameters
    ----------
    out : path
        Folder of results.
    run : RunIndex
        As it lies there.
    printer : Printer, optional
        Without one nothing is done.
    jobs : int
        Pages printed at once.
    stage : callable, optional
        Progress.

    Returns
    -------
    RunIndex
        With the pages that could not be printed, and why, in ``not_printed``.
    """
    if printer is None:
        return run
    pages = pages_of(out, run)
    faults = print_pages(printer, pages, jobs=jobs, stage=stage)
    noted = {page.relative_to(out).as_posix(): why for page, why in faults.items()}
    if noted == run.not_printed:
        return run
    run = run.model_copy(update={"not_printed": noted})
    bundle.write_file(out / bundle.RUN_FILE, bundle.to_json_bytes(run))
    return run


def pages_of(out: Path, run: RunIndex) -> list[Path]:
    """Return every page of a run that is there: its own first, those of patients, and the tubes in the run's order."""
    own = [out / name for name in bundle.RUN_FILES if name.endswith(".html")]
    own += sorted((out / bundle.PATIENTS).glob("*.html"))
    tubes = [out / bundle.SAMPLES / entry.sample_id / "report.html" for entry in run.samples]
    return [page for page in (*own, *tubes) if page.is_file()]


def print_pages(
    printer: Printer, pages: Sequence[Path], *, jobs: int = 1, stage: Stage | None = None
) -> dict[Path, str]:
    """Write ``NAME.pdf`` beside each ``NAME.html``.

    Parameters
    ----------
    printer : Printer
        What prints.
    pages : sequence of path
        The pages.
    jobs : int
        How many are printed at once.
    stage : callable, optional
        Progress: told a title and the number of pages, gives what is told the name of each.

    Returns
    -------
    dict of path to str
        The pages of which there is no PDF, and why, in the order of ``pages``. An older PDF of such a page is removed:
        it might show other numbers.
    """
    from stromagate.pipeline.controls.first_stage import silent

    faults: dict[Path, str] = {}
    stop = threading.Event()
    with (stage or silent)("Printing pages", len(pages)) as step, ThreadPoolExecutor(max(1, jobs)) as printers:
        waiting = {printers.submit(_print, printer, page, stop): page for page in pages}
        try:
            for done in as_completed(waiting):
                page = waiting[done]
                if why := done.result():
                    faults[page] = why
                step(page.parent.name if page.name == "report.html" else page.name)
        except BaseException:
            stop.set()  # ends the browsers that are at work
            printers.shutdown(wait=False, cancel_futures=True)
            raise
    return {page: faults[page] for page in pages if page in faults}


def _print(printer: Printer, page: Path, stop: threading.Event) -> str:
    """Print one page; return why not, or nothing."""
    target = page.with_suffix(".pdf")
    try:
        if stop.is_set():
            return "interrupted"
        bundle.write_file(target, without_dates(_pdf_of(printer, page, stop)))
    except StromagateError as error:
        with suppress(OSError):
            target.unlink(missing_ok=True)
        return error.message
    return ""


def without_dates(pdf: bytes) -> bytes:
    """Return a PDF whose dates are all one day, byte for byte as long as it was.

    Parameters
    ----------
    pdf : bytes
        As Chromium writes it.
    """
    return _DATES.sub(lambda found: found.group(1) + _ONE_DAY, pdf)


def _pdf_of(printer: Printer, page: Path, stop: threading.Event) -> bytes:
    """Return a page as the browser prints it.

    Raises
    ------
    PrintError
        It cannot be started, takes too long, or leaves no PDF.
    """
    # Beside the page, not in the folder of temporary files: a Chromium in a cage of its own (snap) has another one.
    target = page.with_name(f".{page.name}.{os.getpid()}.tmp")
    # As root, which a container often is, Chromium refuses to start with its sandbox.
    root = ("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()
    with tempfile.TemporaryDirectory(prefix="stromagate-print-", ignore_cleanup_errors=True) as profile:
        command = [printer.program, *_QUIET, *root, f"--user-data-dir={profile}", f"--print-to-pdf={target.resolve()}"]
        try:
            code = _ended([*command, f"{page.resolve().as_uri()}?paper={printer.paper}"], printer.limit_s, stop)
            pdf = target.read_bytes() if target.is_file() else b""
        finally:
            target.unlink(missing_ok=True)
    if not (pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")):
        raise PrintError("pdf.none", f"the browser ended without a PDF (its exit code was {code})")
    return pdf


def _ended(command: list[str], limit_s: float, stop: threading.Event) -> int:
    """Run a program to its end and return its exit code; whatever it started ends with it.

    Raises
    ------
    PrintError
        It cannot be started, or was still at work when the time was over or the run interrupted.
    """
    nowhere = subprocess.DEVNULL
    try:
        process = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
    except OSError as cause:
        raise PrintError("pdf.start", f"the browser cannot be started: {cause.strerror or cause}") from cause
    end = time.monotonic() + limit_s
    try:
        while process.poll() is None:
            if stop.is_set():
                raise PrintError("pdf.interrupted", "interrupted")
            if time.monotonic() > end:
                raise PrintError("pdf.time", f"the browser was not done after {limit_s:g} s")
            time.sleep(_LOOK_EVERY_S)
    finally:
        _kill(process)
    return process.returncode


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and those it started, as far as any is left."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
