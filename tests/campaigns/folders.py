"""A folder of results against the one that an undisturbed run left: what is torn, what differs, what lies about.

Same tubes, same bytes: a file under a final name is whole when it is the undisturbed one. Times, the command and the
place of the folder are left out, which stand in ``run.json`` and in the crate that speaks of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

Contents = dict[str, str]

_SPEAKS_OF_A_RUN = {"unfinished.json", ".stromagate", ".stromagate.workers", ".stromagate_cohort", ".lock"}
_UNDER_WAY = re.compile(r"\..+\.[0-9]+\.(?:tmp|partial)")
_WITH_TIMES = {"run.json", "ro-crate-metadata.json", "history.jsonl"}
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_COMMAND = re.compile(rb'stromagate (?:run|report) [^"]*')


def contents(out: Path) -> Contents:
    """Return the SHA-256 of every file below a folder, by its path there."""
    return {path.relative_to(out).as_posix(): _sha256(path) for path in sorted(out.rglob("*")) if path.is_file()}


def _sha256(path: Path) -> str:
    content = path.read_bytes()
    if path.name in _WITH_TIMES:
        content = _COMMAND.sub(b"COMMAND", _TIME.sub(b"TIME", content))
    return hashlib.sha256(content).hexdigest()


def under_way(name: str) -> bool:
    """Say whether a file is one that nobody takes for a result: it was being written, or speaks of that."""
    path = Path(name)
    return (
        path.name in _SPEAKS_OF_A_RUN
        or path.suffix == ".by"
        or ".partial" in path.parts
        or bool(_UNDER_WAY.fullmatch(path.name))
    )


def left_lying(out: Path) -> list[str]:
    """Return the files that nothing which has ended by itself leaves, and no restart."""
    return [name for name in contents(out) if under_way(name) and Path(name).name not in _SPEAKS_OF_A_RUN]


def torn(out: Path, *whole: Contents) -> list[str]:
    """Return the files under a final name that are in none of the undisturbed folders as they are here."""
    found = [
        name
        for name, sha256 in contents(out).items()
        if not under_way(name) and all(known.get(name) != sha256 for known in whole)
    ]
    return found + _without_its_list(out)


def _without_its_list(out: Path) -> list[str]:
    """Return ``unfinished.json`` where it cannot be read; it may be missing before a run has begun, and after it."""
    wrong = []
    for path in out.rglob("unfinished.json"):
        try:
            listed = json.loads(path.read_bytes())["samples"]
        except ValueError:
            listed = []
        if not listed or not all(tube["status"] for tube in listed):
            wrong.append(path.name)
    return wrong


def phase(out: Path) -> str:
    """Return in words how far a run had come."""
    if (out / "run.json").is_file():
        return "finished"
    path = out / "unfinished.json"
    if not path.is_file():
        return "before the folder was open"
    statuses = [tube["status"] for tube in json.loads(path.read_bytes())["samples"]]
    if any((out / name).exists() for name in ("index.html", "miflowcyt.csv", "README.txt", "exports")):
        return "closing the folder"
    there = len(list((out / "samples").glob("*"))) if (out / "samples").is_dir() else 0
    return "before the first tube" if not there else "all tubes there" if there == len(statuses) else "among the tubes"
