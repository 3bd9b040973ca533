"""Other people's formats: one file a format, each a pure function of results."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.export.exporter import exporters
from stromagate.model.result import RunFinding, SampleResult


def export(name: str, results: Sequence[SampleResult]) -> bytes:
    """Return results in another format.

    Parameters
    ----------
    name : str
        Name of the format; ``exporters.names()`` lists them.
    results : sequence of SampleResult
        Tubes, in the order in which they are to appear.

    Returns
    -------
    bytes
        Content of one file; the same results give the same bytes.

    Raises
    ------
    SpecificationError
        No format of that name, with the nearest one there is.
    """
    return exporters.get(name).render(results)


def export_all(results: Sequence[SampleResult], findings: Sequence[RunFinding] = ()) -> dict[str, bytes]:
    """Return every format there is, by the name of its file; a new exporter needs no list to stand in.

    Parameters
    ----------
    results : sequence of SampleResult
        Tubes, in the order in which they are to appear.
    findings : sequence of RunFinding
        What was seen of all tubes together, for the formats that have a place for it.
    """
    return {
        exporter.filename: exporter.of_run(results, findings) if exporter.of_run else exporter.render(results)
        for exporter in exporters.all().values()
    }
