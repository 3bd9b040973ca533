"""The contract of an exporter: results in, one file out.

Adding a format is adding ``export/formats/NAME.py`` with ``EXPORTER = Exporter(...)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stromagate.model.result import SampleResult
from stromagate.registry import Registry


@dataclass(frozen=True, slots=True)
class Exporter:
    """Declaration of a format: the file's name and a pure function from results to its bytes."""

    filename: str
    summary: str
    render: Callable[[Sequence[SampleResult]], bytes]


exporters: Registry[Exporter] = Registry(
    kind="exporter", package="stromagate.export.formats", attribute="EXPORTER", group="stromagate.exporters.v1"
)
