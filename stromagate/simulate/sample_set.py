"""The demonstration set on disk: four marrows with three tubes each, their sample sheet, their truth and a manifest."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import InputError
from stromagate.simulate.keywords import tube_keywords
from stromagate.simulate.marrow import preparation
from stromagate.simulate.panel import STROMA_CORE_8
from stromagate.simulate.scenarios import scenario
from stromagate.simulate.set_readme import readme
from stromagate.simulate.truth import TRUTH_COLUMNS, count_rows, save_truth
from stromagate.simulate.tube import Tube, TubeOrder, simulate_tube

SHEET_COLUMNS = (
    "file",
    "sample_id",
    "patient_id",
    "role",
    "panel",
    "batch",
    "scenario",
    "preparation",
    "age",
)
MANIFEST_COLUMNS = ("file", "sha256", "bytes", "n_events", "purpose")
PANEL = STROMA_CORE_8.name


@dataclass(frozen=True, slots=True)
class SetSize:
    """How large the tubes of a set are, and of what preparation."""

    prepared: str
    stained_events: int
    fmo_events: int
    rate_per_s: float


# Whole aspirates hold tens of MSC per million; the small set is enriched so that its few megabytes hold some hundred.
SMALL = SetSize("cd45_depleted", 80_000, 24_000, 1_000.0)
FULL = SetSize("whole", 3_000_000, 1_000_000, 5_000.0)

_DONORS = (
    ("healthy_01", "healthy"),
    ("aml_mesenchymal_low_01", "aml_mesenchymal_low"),
    ("aml_progenitor_high_01", "aml_progenitor_high"),
    ("aml_msc_high_01", "aml_msc_high"),
)
_ROLES = ("stained", "fmo:CD146", "fmo:CD271")
_SEED = 1
_BATCH = "simulated_01"


def sample_set(folder: Path, *, full: bool = False, progress: Callable[[str], None] | None = None) -> Path:
    """Simulate the demonstration set: a healthy marrow and three leukaemic ones, each with two FMO tubes.

    Parameters
    ----------
    folder : path
        Made where it is not there; files of the set in it are replaced.
    full : bool
        Whole aspirates of three million events (1.1 GB in all) instead of small enriched tubes (28 MB).
    progress : callable, optional
        Told the file name of each tube as it is finished.

    Returns
    -------
    path
        ``samples.csv``. It is written last: where it stands, the set is complete.

    Raises
    ------
    InputError
        The folder cannot be written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "samples.csv").unlink(missing_ok=True)
        return _write_set(folder, orders(FULL if full else SMALL), progress)
    except OSError as cause:
        raise InputError(
            "simulate.folder",
            f"the tubes cannot be written: {cause.strerror or cause}",
            where=str(folder),
            hint="choose a folder that can be written to, with room enough (1.2 GB for the full set)",
        ) from cause


def orders(size: SetSize) -> list[TubeOrder]:
    """Return what the set consists of, in the order of its sheet."""
    return [
        TubeOrder(
            scenario=scenario(name),
            sample_id=f"{donor}_{role.replace(':', '_')}",
            donor=donor,
            role=role,
            prepared=size.prepared,
            batch=_BATCH,
            n_events=size.stained_events if role == "stained" else size.fmo_events,
            rate_per_s=size.rate_per_s,
            seed=_SEED,
        )
        for donor, name in _DONORS
        for role in _ROLES
    ]


def write_tube(tube: Tube, path: Path) -> None:
    """Write the events of a tube as FCS 3.1 with its keywords, labels and the ``$SPILLOVER`` it is to state."""
    from stromagate.fcs import write_fcs

    write_fcs(
        path,
        tube.events,
        tube.panel.channel_names(),
        labels=tube.instrument.labels,
        keywords=tube_keywords(tube, path.name),
    )


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV, one line a row."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue()


def _write_set(folder: Path, tubes: Sequence[TubeOrder], progress: Callable[[str], None] | None) -> Path:
    truth: list[tuple[str | int | float, ...]] = []
    for order in tubes:
        path = folder / _file_name(order)
        tube = simulate_tube(order, workers=2)
        write_tube(tube, path)
        save_truth(folder / _truth_name(order), tube.truth)
        truth.extend(count_rows(order.sample_id, tube.truth))
        if progress is not None:
            progress(path.name)
    _write_csv(folder / "truth.csv", TRUTH_COLUMNS, truth)
    (folder / "README.md").write_text(readme(tubes), encoding="utf-8", newline="\n")
    sheet = folder / "samples.csv"
    rows = list(_sheet_rows(tubes))
    _write_csv(folder / "MANIFEST.csv", MANIFEST_COLUMNS, _manifest_rows(folder, tubes, csv_text(SHEET_COLUMNS, rows)))
    _write_csv(sheet, SHEET_COLUMNS, rows)
    return sheet


def _file_name(order: TubeOrder) -> str:
    return f"{order.sample_id}.fcs"


def _truth_name(order: TubeOrder) -> str:
    return f"{order.sample_id}.truth.npz"


def _sheet_rows(tubes: Iterable[TubeOrder]) -> Iterator[tuple[str | int, ...]]:
    for order in tubes:
        yield (
            _file_name(order),
            order.sample_id,
            order.donor,
            order.role,
            PANEL,
            order.batch,
            order.scenario.name,
            order.prepared,
            order.scenario.age_years,
        )


def _manifest_rows(folder: Path, tubes: Iterable[TubeOrder], sheet: str) -> Iterator[tuple[str | int, ...]]:
    for order in tubes:
        what = "all antibodies" if order.role == "stained" else f"all antibodies but {order.role.partition(':')[2]}"
        purpose = f"{order.scenario.title}, {preparation(order.prepared).title}: {what}"
        yield (*_fingerprint(folder / _file_name(order)), order.n_events, purpose)
        yield (*_fingerprint(folder / _truth_name(order)), order.n_events, f"what every event of {order.sample_id} is")
    yield (*_fingerprint(folder / "truth.csv"), "", "true counts of every tube and population")
    yield (*_fingerprint(folder / "README.md"), "", "what this folder is")
    encoded = sheet.encode()
    yield ("samples.csv", hashlib.sha256(encoded).hexdigest(), len(encoded), "", "the sample sheet to run")


def _fingerprint(path: Path) -> tuple[str, str, int]:
    with path.open("rb") as file:
        return path.name, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    path.write_text(csv_text(columns, rows), encoding="utf-8", newline="")
