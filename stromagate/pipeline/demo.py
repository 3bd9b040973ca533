"""The whole job on synthetic tubes: those of the checkout, or fresh ones from the simulator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stromagate.simulate import sample_set

DEMO_TEMPLATE = "bm_stroma_core"
_CALIBRATION = "controls_calibration.json"
_SHIPPED = Path(__file__).resolve().parents[2] / "sample_fcs"


def demo_sheet(out: Path, *, full: bool, progress: Callable[[str], None] | None = None) -> Path:
    """Return the sample sheet of the demonstration, making its tubes where they are not at hand.

    Parameters
    ----------
    out : path
        Folder that simulated tubes are written to (``out/tubes``).
    full : bool
        Whole aspirates of millions of events instead of the small enriched tubes.
    progress : callable, optional
        Told the name of each tube as it is finished.
    """
    shipped = _SHIPPED / "samples.csv"
    if not full and shipped.is_file():
        return shipped
    folder = out / ("tubes_full" if full else "tubes")
    sheet = folder / "samples.csv"
    return sheet if sheet.is_file() else sample_set(folder, full=full, progress=progress)


def demo_calibration(sheet: Path) -> Path | None:
    """Return what the patterns of the demonstration are called by: simulated controls, where they lie beside the tubes.

    They were made by ``python -m benchmarks.patterns`` with the tubes' own preparation and template. Whole aspirates
    and tubes made afresh have none, and get no pattern.
    """
    found = sheet.parent / _CALIBRATION
    return found if found.is_file() else None
