"""The contract of an exporter: results in, one file out.

Adding a format is adding ``export/formats/NAME.py`` with ``EXPORTER = Exporter(...)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stromagate.model.result import RunFinding, SampleResult
from stromagate.registry import Registry


@dataclass(frozen=True, slots=True)
class Exporter:
    """Declaration of a format: the file's name and a pure function from results to its bytes.

    ``of_run`` also takes what was seen of all tubes together, where the format has a place for it.
    """

    filename: str
    summary: str
    render: Callable[[Sequence[SampleResult]], bytes]
    of_run: Callable[[Sequence[SampleResult], Sequence[RunFinding]], bytes] | None = None


exporters: Registry[Exporter] = Registry(
    kind="exporter", package="stromagate.export.formats", attribute="EXPORTER", group="stromagate.exporters.v1"
)
