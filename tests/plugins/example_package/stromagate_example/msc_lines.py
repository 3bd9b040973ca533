"""An exporter: a line a tube with its MSC, for a laboratory information system that reads such lines."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.export.exporter import Exporter
from stromagate.model.result import SampleResult


def render(results: Sequence[SampleResult]) -> bytes:
    """Return name and count, parted by a bar."""
    return "".join(f"{result.sample_id}|{result.count('msc')}\n" for result in results).encode()


EXPORTER = Exporter(filename="msc.lines", summary="a line a tube with its MSC", render=render, asked=True)
