"""What the formats made from events share: that these are the events of the result, and files that are whole or not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from stromagate.errors import InputError, OutputError
from stromagate.model.gates import ROOT
from stromagate.model.result import SampleResult
from stromagate.model.sample import Rows


def require_those_of(result: SampleResult, members: Mapping[str, Rows]) -> None:
    """Refuse members that are not as many as the result counted (InputError ``export.changed``)."""
    for name, rows in members.items():
        if name != ROOT and len(rows) != result.count(name):
            raise InputError(
                "export.changed",
                f"{name} holds {len(rows)} events now and held {result.count(name)} before",
                where=result.source.path,
                hint="the file was changed while it was analysed; run the tube again",
            )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it (OutputError ``file.unwritable``)."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as cause:
        raise OutputError(
            "file.unwritable",
            f"the file cannot be written: {cause.strerror or cause}",
            where=str(path),
            hint="free space or check the folder and its permissions, and give the command again",
        ) from cause
    finally:
        partial.unlink(missing_ok=True)
