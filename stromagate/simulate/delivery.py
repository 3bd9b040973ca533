"""Simulated tubes on disk as they were asked for: for each its file, its truth, its counts and a row in the sheet."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stromagate.errors import InputError, UsageError
from stromagate.simulate.request import Order
from stromagate.simulate.sample_set import SHEET_COLUMNS, csv_text, write_tube
from stromagate.simulate.spike_in import SpikeOrder, spike_in, write_spiked
from stromagate.simulate.truth_report import spiked_report, tube_report
from stromagate.simulate.truth_table import save_truth_table
from stromagate.simulate.tube import simulate_tube

COLUMNS = (*SHEET_COLUMNS, "hours_to_stain", "seed", "family")
SHEET = "samples.csv"


@dataclass(frozen=True, slots=True)
class Delivered:
    """One tube on disk: its files, and what is true of it as in ``<sample_id>.truth.json``."""

    order: Order
    fcs: Path
    truth_table: Path
    truth_report: Path
    report: dict[str, Any]


def deliver(
    orders: Sequence[Order],
    folder: Path,
    *,
    workers: int = 1,
    force: bool = False,
    keep_signals: bool = False,
    on_done: Callable[[str], None] | None = None,
) -> list[Delivered]:
    """Make tubes and write them.

    Parameters
    ----------
    folder : path
        Made where it is not there. ``samples.csv`` is written last: where it stands, all tubes are complete.
    workers : int
        Threads; the bytes do not depend on it.
    force : bool
        Replace files of the same names.
    keep_signals : bool
        Write the antigens of every event beside its truth.
    on_done : callable, optional
        Told the sample of each tube as it is finished.

    Raises
    ------
    UsageError
        Files would be replaced and ``force`` is not given; nothing was written.
    InputError
        The folder cannot be written to, or a background cannot be read.
    SpecificationError
        A background is no tube of cells.
    """
    _refuse_to_replace(orders, folder, force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SHEET).unlink(missing_ok=True)
        delivered = []
        for order in orders:
            delivered.append(_write(order, folder, workers, keep_signals))
            if on_done is not None:
                on_done(order.sample_id)
        _write_text(folder / SHEET, csv_text(COLUMNS, _rows(orders)))
    except OSError as cause:
        raise InputError(
            "simulate.folder",
            f"the tubes cannot be written: {cause.strerror or cause}",
            where=str(folder),
            hint="choose a folder that can be written to, with room enough (about 60 MB a million events)",
        ) from cause
    return delivered


def _refuse_to_replace(orders: Sequence[Order], folder: Path, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError("simulate.out", "the output is a file", where=str(folder), hint="name a folder")
    names = [SHEET, *(path.name for order in orders for path in _paths(order, folder))]
    there = [name for name in names if (folder / name).exists()]
    if there and not force:
        shown = ", ".join(there[:3]) + (f" and {len(there) - 3} more" if len(there) > 3 else "")
        raise UsageError(
            "simulate.exists",
            f"the folder holds {shown} already",
            where=str(folder),
            hint="name another folder, or replace them with --force",
        )


def _paths(order: Order, folder: Path) -> tuple[Path, Path, Path]:
    fcs, table, report = (folder / f"{order.sample_id}{end}" for end in (".fcs", ".truth.parquet", ".truth.json"))
    return fcs, table, report


def _write(order: Order, folder: Path, workers: int, keep_signals: bool) -> Delivered:
    fcs, table, report = _paths(order, folder)
    if isinstance(order, SpikeOrder):
        spiked = spike_in(order)
        write_spiked(spiked, fcs)
        save_truth_table(table, spiked.truth)
        said = spiked_report(spiked)
    else:
        tube = simulate_tube(order, workers=workers, keep_signals=keep_signals)
        write_tube(tube, fcs)
        save_truth_table(table, tube.truth, tube.signals, tube.panel.antigens)
        said = tube_report(tube)
    _write_text(report, json.dumps({"file": fcs.name, **said}, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    return Delivered(order, fcs, table, report, said)


def _rows(orders: Sequence[Order]) -> Iterator[tuple[str | int | float, ...]]:
    """Yield the rows of the sheet, in the order of COLUMNS."""
    for order in orders:
        made = order.scenario
        if isinstance(order, SpikeOrder):
            # Its panel, its preparation and the age of its donor are the background's, and not known here.
            known: tuple[str | int, ...] = ("stained", "", "background", made.name, "background", "")
        else:
            known = (order.role, order.panel, order.batch, made.name, order.prepared, made.age_years)
        named = (f"{order.sample_id}.fcs", order.sample_id, order.donor)
        yield (*named, *known, f"{made.hours_to_stain:g}", order.seed, order.family)


def _write_text(path: Path, text: str) -> None:
    waiting = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        waiting.write_text(text, encoding="utf-8", newline="")
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)
