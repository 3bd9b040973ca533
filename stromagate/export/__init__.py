"""Other people's formats: one file a format, each a pure function of results."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.errors import UsageError
from stromagate.export.exporter import exporters
from stromagate.model.result import SampleResult


def export(name: str, results: Sequence[SampleResult]) -> bytes:
    """Return results in another format.

    Parameters
    ----------
    name : str
        Name of the format; ``exporters.names()`` lists them.
    results : sequence of SampleResult
        Tubes, in the order in which they are to appear; exactly one for a format of one tube.

    Returns
    -------
    bytes
        Content of one file; the same results give the same bytes.

    Raises
    ------
    SpecificationError
        No format of that name, with the nearest one there is.
    UsageError
        Another number of tubes than one, for a format of one tube.
    """
    exporter = exporters.get(name)
    if exporter.a_tube and len(results) != 1:
        raise UsageError(
            "export.one_tube", f"'{name}' is of one tube, and {len(results)} are given", hint="export each on its own"
        )
    return exporter.render(results)
