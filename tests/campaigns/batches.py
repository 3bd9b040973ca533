"""Batches of simulated tubes: donors with their FMO and unstained tubes, and five ways in which a file goes bad."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stromagate.fcs import read_fcs, write_fcs

COMPANIONS = "fmo:CD146,fmo:CD271,unstained"
TUBES_A_DONOR = 4
TEMPLATE = "bm_stroma_core"


def simulated(folder: Path, donors: int, *, events: int, companion_events: int) -> Path:
    """Make the tubes of so many healthy donors and return their sheet.

    Each donor is a batch of its own: controls of a batch are pooled, and a damaged one would be seen in all its tubes.
    """
    asked = {"--scenario": "healthy", "--donors": donors, "--events": events, "--companions": COMPANIONS,
             "--companion-events": companion_events, "--seed": 8, "--out": folder}  # fmt: skip
    line = [sys.executable, "-m", "stromagate", "simulate", *(str(word) for pair in asked.items() for word in pair)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sheet = folder / "samples.csv"
    write_rows(sheet, [{**row, "batch": row["patient_id"]} for row in rows(sheet)])
    return sheet


def rows(sheet: Path) -> list[dict[str, str]]:
    """Return the rows of a sheet."""
    return list(csv.DictReader(sheet.read_text(encoding="utf-8").splitlines()))


def write_rows(sheet: Path, listed: Sequence[Mapping[str, str]]) -> None:
    """Write a sheet."""
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)


def _truncated(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _header_garbage(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:10] + random.Random(8).randbytes(48) + whole[58:])


def _no_bytes(path: Path) -> None:
    path.write_bytes(b"")


def _wrong_panel(path: Path) -> None:
    sample = read_fcs(path)
    labels = [f"CD{number}" if channel.pns else "" for number, channel in enumerate(sample.channels, 2)]
    write_fcs(path, sample.events, list(sample.pnn), labels=labels, keywords={"$TIMESTEP": "1"})


def _no_fcs(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + random.Random(9).randbytes(4000))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "truncated": _truncated,
    "garbage in the header": _header_garbage,
    "zero bytes": _no_bytes,
    "wrong panel": _wrong_panel,
    "no FCS file": _no_fcs,
}
