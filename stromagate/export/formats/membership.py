"""``membership.parquet``: which populations every event of a tube lies in, one row an event, in the order of the file.

One column of yes and no a population; a population that was not evaluable has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stromagate.export.columns import Kind, Values, parquet_file
from stromagate.export.from_events import from_events, inside, require_those_of, write_whole
from stromagate.model.gates import ROOT
from stromagate.model.result import SampleResult
from stromagate.model.sample import Rows, Sample


def write(result: SampleResult, sample: Sample, members: Mapping[str, Rows], path: Path) -> None:
    """Write the file; see ``gated_fcs.write`` for what it takes.

    Raises
    ------
    InputError
        ``export.changed``: the events are not those of the result; ``file.unwritable``.
    """
    require_those_of(result, members)
    columns: dict[str, tuple[Kind, Values]] = {
        name: ("truth", inside(rows, sample.n_events)) for name, rows in members.items() if name != ROOT
    }
    about = {
        "research_use": result.research_use,
        "sample_id": result.sample_id,
        "file_sha256": result.source.sha256 or "",
        "boundaries_sha256": result.tree.digest(),
        "n_events": str(sample.n_events),
    }
    write_whole(path, parquet_file(columns, about))


EXPORTER = from_events(
    "membership",
    "membership.parquet",
    "which populations every event of the tube lies in, as Parquet",
    write,
)
