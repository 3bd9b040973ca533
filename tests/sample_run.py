"""The demonstration on ``sample_fcs``, run once for all tests of a session: gating its tubes takes half a minute."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from typer.testing import CliRunner

from stromagate.cli.app import app
from stromagate.model.result import SampleResult
from stromagate.pipeline import bundle


@dataclass(frozen=True)
class SampleRun:
    """Where the results lie, to be read and never changed, and what the command printed."""

    results: Path
    stdout: str

    @cached_property
    def by_name(self) -> dict[str, SampleResult]:
        """The result of each tube by its sample id."""
        found = bundle.read_results(self.results, bundle.read_run(self.results))
        return {result.sample_id: result for result in found}


def once_for_all(base: Path) -> SampleRun:
    """Run ``demo``, or wait until another worker has.

    Parameters
    ----------
    base : path
        Folder of this worker; those of all workers of a session lie beside one another.
    """
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sample_run"
    shared.mkdir(exist_ok=True)
    said = shared / "stdout.txt"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            result = CliRunner().invoke(app, ["demo", "--out", str(shared / "demo"), "--jobs", "1"])
            assert result.exit_code == 0, result.output
            said.write_text(result.stdout, encoding="utf-8")
    return SampleRun(shared / "demo" / "results", said.read_text(encoding="utf-8"))
