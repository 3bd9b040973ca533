"""``membership.clr``: which populations every event of a tube lies in, as Classification Results (CLR) for FlowJo.

A table of commas with the names of the classes above it and one row an event of the file, in its order; the values are
the probabilities that the event is in the class, here 0 or 1 (Spidlen, Bray and Brinkman 2015, ISAC's format, version
1.0, DOI 10.1002/cyto.a.22586). A class is a population. They overlap, because a population lies in its parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stromagate.errors import InputError
from stromagate.export.from_events import from_events, require_those_of, whole
from stromagate.model.gates import ROOT
from stromagate.model.result import SampleResult
from stromagate.model.sample import Rows, Sample

_BLOCK_ROWS = 1 << 16
_ZERO, _ONE, _COMMA, _LINE_END = np.frombuffer(b"01,\n", dtype=np.uint8)


def write(result: SampleResult, sample: Sample, members: Mapping[str, Rows], path: Path) -> None:
    """Write the file; see ``gated_fcs.write`` for what it takes.

    Raises
    ------
    InputError
        ``export.changed``: the events are not those of the result; ``export.no_population``: none could be evaluated,
        and a table without columns has no rows; ``file.unwritable``.
    """
    require_those_of(result, members)
    classes = {name: rows for name, rows in members.items() if name != ROOT}
    if not classes:
        raise InputError(
            "export.no_population",
            "no population of this tube could be evaluated, so that there is no class to tell of its events",
            where=result.source.path,
            hint="the tube's report says why; the other files of the tube are complete",
        )
    with whole(path) as partial, partial.open("wb") as stream:
        stream.write((",".join(classes) + "\n").encode())
        for start in range(0, sample.n_events, _BLOCK_ROWS):
            stream.write(_lines(classes, start, min(start + _BLOCK_ROWS, sample.n_events)).tobytes())


def _lines(classes: Mapping[str, Rows], start: int, stop: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return the text of some rows: every value is one digit, so that all of them are of one length."""
    text = np.full((stop - start, 2 * len(classes)), _COMMA, dtype=np.uint8)
    text[:, ::2] = _ZERO
    text[:, -1] = _LINE_END
    for column, rows in enumerate(classes.values()):
        first, last = np.searchsorted(rows, (start, stop))
        text[rows[first:last] - start, 2 * column] = _ONE
    return text


EXPORTER = from_events(
    "clr",
    "membership.clr",
    "which populations every event of the tube lies in, as classification results (CLR) for FlowJo",
    write,
)
