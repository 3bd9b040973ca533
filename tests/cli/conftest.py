"""What every test of the command line needs: a way to call it, and a folder of tubes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stromagate.cli.app import app
from tests.tubes import write_template, write_tube

Call = Callable[..., Result]


@pytest.fixture
def call() -> Call:
    """Call the command line in this process; arguments may be paths."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def said() -> Callable[[Result], dict[str, Any]]:
    """Return the one JSON object a verb printed."""
    return lambda result: json.loads(result.stdout)


@pytest.fixture(scope="session")
def tubes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small tubes in a folder, one with a name in capitals, beside a template."""
    folder = tmp_path_factory.mktemp("tubes")
    for seed, name in enumerate(["a.fcs", "b.FCS", "deep/c.fcs"]):
        (folder / name).parent.mkdir(exist_ok=True)
        write_tube(folder / name, seed)
    write_template(folder / "small.yaml")
    return folder
