"""What every test of the command line needs: a way to call it, and a folder of tubes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import typer.testing
from typer.testing import CliRunner, Result

from stromagate.cli.app import app
from tests.tubes import write_template, write_tube

Call = Callable[..., Result]


@pytest.fixture(scope="session", autouse=True)
def _one_parser() -> Iterator[None]:
    """Build the parser of all verbs once: the runner builds it for every call, which takes longer than most calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", functools.cache(typer.main.get_command))
        yield


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
