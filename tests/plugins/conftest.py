"""Packages that offer plugins: the example, installed by pip, and small ones with a fault of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stromagate import registry
from stromagate.cli.app import app
from stromagate.pipeline import environment
from tests.tubes import write_template, write_tube

EXAMPLE = Path(__file__).parent / "example_package"
GROUPS = {
    "gating_methods": "METHOD",
    "qc_checks": "CHECK",
    "run_checks": "RUN_CHECK",
    "report_sections": "SECTION",
    "exporters": "EXPORTER",
}
Offer = Callable[..., Path]
Call = Callable[..., Result]


@pytest.fixture
def call() -> Call:
    """Call the command line in this process; arguments may be paths."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def tube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tube beside a template for it."""
    folder = tmp_path_factory.mktemp("tube")
    write_template(folder / "small.yaml")
    return write_tube(folder / "a.fcs", n=1500)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the example package is installed, as pip does it and without the network."""
    folder = tmp_path_factory.mktemp("example")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--no-compile", "--target", str(folder)]
    done = subprocess.run([*pip, *options, str(EXAMPLE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Offer]:
    """Install a package for this test: told its modules by name, and (group, plugin, module) of each entry point."""
    loaded = set(sys.modules)

    def install(
        modules: Mapping[str, str], points: list[tuple[str, str, str]], package: str = "lab-gates", version: str = "0.3"
    ) -> Path:
        folder = tmp_path / package
        papers = folder / f"{package.replace('-', '_')}-{version}.dist-info"
        papers.mkdir(parents=True)
        (papers / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        lines = [f"[stromagate.{group}.v1]\n{name} = {module}" for group, name, module in points]
        (papers / "entry_points.txt").write_text("\n".join(lines))
        for name, text in modules.items():
            (folder / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(folder)
        _forget()
        return folder

    yield install
    for name in set(sys.modules) - loaded:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    registry._points.cache_clear()
    environment._plugins.cache_clear()
