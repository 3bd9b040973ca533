"""What every wrapper is tested with: a shell that finds the program, and small tubes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stromagate.cli.app import app
from tests.tubes import write_template, write_tube

Shell = Callable[[str, Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The programs of this interpreter's environment come first on the PATH, as in a job of a pipeline."""
    beside = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def shell(environment: dict[str, str]) -> Shell:
    """Run a script in a folder by bash, as Nextflow and Galaxy do."""

    def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
        line = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def call() -> Callable[..., Result]:
    """Call the command line in this process; arguments may be paths."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def tubes(tmp_path: Path) -> Path:
    """Two small tubes, a sheet that names them, and a template."""
    folder = tmp_path / "tubes"
    folder.mkdir()
    for seed, name in enumerate(["a", "b"]):
        write_tube(folder / f"{name}.fcs", seed, 1500)
    (folder / "samples.csv").write_text("file,sample_id\na.fcs,donor_a\nb.fcs,donor_b\n", encoding="utf-8")
    write_template(folder / "small.yaml")
    return folder
