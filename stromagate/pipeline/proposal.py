"""A sample sheet proposed from a folder of files, with the reason for every role, for a person to look through."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import StromagateError
from stromagate.fcs import read_header
from stromagate.model.template import GatingTemplate
from stromagate.pipeline.guess import STAINED, Guess, guesser
from stromagate.pipeline.tubes import Tube, printable, slug

COLUMNS = ("file", "sample_id", "patient_id", "role", "batch", "role_guessed_from")


@dataclass(frozen=True, slots=True)
class Proposal:
    """One row of a proposed sheet."""

    path: Path
    sample_id: str
    patient_id: str
    role: str
    batch: str
    why: str


def propose(tubes: Sequence[Tube], template: GatingTemplate | None = None) -> list[Proposal]:
    """Propose a row for every tube.

    A role comes from the file's name, else from the name that the acquisition program gave the tube. The patient is
    what is left of the name, else the folder. Tubes of one day and cytometer are one batch; no day is written.

    Parameters
    ----------
    tubes : sequence of Tube
        Files with the names they would have in a run.
    template : GatingTemplate, optional
        By whose markers names are understood; by all that are known where there is none.
    """
    take_apart = guesser(template)
    batches: dict[tuple[str, str], str] = {}
    rows = []
    for tube in tubes:
        words, trouble = _keywords(tube.path)
        found = take_apart.guess(printable(tube.path.stem))
        why = f"file name: {found.why}"
        if found.role == STAINED and words.get("TUBE NAME", "").strip():
            inside = take_apart.guess(words["TUBE NAME"])
            if inside.role != STAINED:
                found, why = Guess(_known_words(inside.role), "", found.rest), f"TUBE NAME: {inside.why}"
        day = (words.get("$DATE", "").strip().casefold(), words.get("$CYT", "").strip().casefold())
        batch = batches.setdefault(day, f"batch_{len(batches) + 1}") if day[0] else ""
        patient = found.rest or slug(Path(tube.shown).parent.name) * ("/" in tube.shown)
        rows.append(Proposal(tube.path, tube.sample_id, patient, found.role, batch, f"{why}{trouble}"))
    return rows


def sheet_text(rows: Sequence[Proposal], folder: Path) -> str:
    """Return the proposal as the text of a CSV sheet that lies in ``folder``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sheet_cells(rows, folder))
    return out.getvalue()


def sheet_cells(rows: Sequence[Proposal], folder: Path) -> list[list[str]]:
    """Return the proposal's cells, a list a row in the order of ``COLUMNS``, for a sheet that lies in ``folder``."""
    files = (printable(Path(os.path.relpath(row.path, folder)).as_posix()) for row in rows)
    return [
        [file, row.sample_id, row.patient_id, row.role, row.batch, row.why]
        for file, row in zip(files, rows, strict=True)
    ]


def looks_like_controls(tubes: Sequence[Tube]) -> list[Tube]:
    """Return the tubes that are named like controls and that no sheet gives a role."""
    take_apart = guesser()
    return [
        tube
        for tube in tubes
        if "role" not in tube.labels and take_apart.guess(printable(tube.path.stem)).role != STAINED
    ]


def tally(rows: Sequence[Proposal]) -> str:
    """Return how many tubes there are of each role, in one clause."""
    return ", ".join(f"{n} {role}" for role, n in Counter(row.role for row in rows).items())


def _known_words(role: str) -> str:
    """Return a role without the words behind ``comp``: inside a file any word may stand there, a patient's name too."""
    return "comp:?" if role.startswith("comp:") else role


def _keywords(path: Path) -> tuple[dict[str, str], str]:
    """Return what a file says of itself, and what is wrong with it."""
    try:
        return dict(read_header(path).keywords), ""
    except StromagateError as error:
        return {}, f"; the file cannot be read: {error.message}"
