"""The wheel holds what the program needs, and both ways of installing find the templates."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.reference_data import ROOT
from tests.tubes import write_template, write_tube


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_templates_pages_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for template in (ROOT / "gating_templates").glob("*.yaml"):
        assert f"stromagate/_templates/{template.name}" in names
    assert {"stromagate/py.typed", "stromagate/templates/aliases.yaml"} <= names
    assert any(name.startswith("stromagate/report/html/") and name.endswith(".j2") for name in names)
    assert not any(name.startswith(("tests/", "sample_fcs/", "benchmarks/")) for name in names)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of a fresh environment in which the wheel is installed."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    site = _said(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=environment).strip()
    with zipfile.ZipFile(wheel) as archive:  # a wheel of pure Python is installed by unpacking it
        archive.extractall(site)
    # The libraries come from this environment, appended at the end: what is tested is where *our* files are found.
    ours = [path for path in sys.path if path.endswith("site-packages")]
    Path(site, "libraries.pth").write_text("\n".join(ours), encoding="utf-8")
    return python


def _said(python: Path, *arguments: str, cwd: Path) -> str:
    return subprocess.run([str(python), *arguments], check=True, capture_output=True, text=True, cwd=cwd).stdout


def test_templates_are_found_from_a_wheel_in_a_fresh_environment(installed: Path, tmp_path: Path) -> None:
    script = (
        "import stromagate, stromagate.templates.library as shelf; print(stromagate.__file__); print(*shelf.names())"
    )
    where, names = _said(installed, "-c", script, cwd=tmp_path).splitlines()
    assert where.startswith(str(installed.parents[1]))
    assert "bm_stroma_core" in names.split()


def test_a_wheel_gates_a_tube_and_writes_its_pages(installed: Path, tmp_path: Path) -> None:
    write_tube(tmp_path / "a.fcs")
    write_template(tmp_path / "small.yaml")
    _said(installed, "-m", "stromagate", "run", "a.fcs", "-t", "small.yaml", "-o", "out", cwd=tmp_path)
    assert {"index.html", "populations.csv", "run.json"} <= {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.soak
def test_the_demonstration_simulates_its_tubes_where_none_are_beside_the_package(
    installed: Path, tmp_path: Path
) -> None:
    """A wheel brings no sample_fcs: the same tubes are made afresh, and the whole job runs on them."""
    said = json.loads(_said(installed, "-m", "stromagate", "demo", "--out", "demo", "--json", cwd=tmp_path))
    assert said["ok"]
    assert Path(said["index"]).is_file()
    made, shipped = (_files(folder / "MANIFEST.csv") for folder in (tmp_path / "demo" / "tubes", ROOT / "sample_fcs"))
    assert made == shipped


def _files(manifest: Path) -> list[str]:
    return [line.partition(",")[0] for line in manifest.read_text(encoding="utf-8").splitlines()]


def test_templates_are_found_from_this_installation() -> None:
    from stromagate.templates import library

    assert "bm_stroma_core" in library.names()
