"""Promises of the house that no linter holds."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stromagate
import stromagate.errors
from tests.reference_data import ROOT

PACKAGE = ROOT / "stromagate"
SOURCES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {
    "numpy",
    "scipy",
    "sklearn",
    "pandas",
    "plotly",
    "flowkit",
    "flowio",
    "fcsparser",
    "pydantic",
    "jinja2",
    "joblib",
}


def _imported_by(*arguments: str) -> set[str]:
    """Return the top-level modules that a fresh process has loaded when it is done."""
    script = (
        "import sys, atexit\n"
        "tops = lambda: sorted({name.partition('.')[0] for name in sys.modules})\n"
        "atexit.register(lambda: print('LOADED', *tops(), file=sys.stderr))\n"
        f"sys.argv = ['stromagate', *{list(arguments)!r}]\n"
        "from stromagate.cli.app import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("LOADED")]
    return set(line.split()[1:])


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("run", "--help"), ("templates", "--help")])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    by_typer = {"pydantic"} if len(arguments) > 1 else set()  # it coerces the options of a verb with pydantic
    assert not _imported_by(*arguments) & (HEAVY - by_typer)


def test_version_is_the_bare_number() -> None:
    done = subprocess.run([sys.executable, "-m", "stromagate", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{stromagate.__version__}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", stromagate.__version__)


def test_counting_a_known_tree_loads_no_documents_and_no_statistics() -> None:
    script = "import stromagate, sys; stromagate.count_populations; print(*{n.partition('.')[0] for n in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & (HEAVY - {"numpy"})


def test_public_names_are_there() -> None:
    for name in stromagate.__all__:
        assert getattr(stromagate, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = stromagate.nothing


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_readable(path: Path) -> None:
    """Near 300 lines a file and 40 a function; the hard stop leaves room for a table or a long docstring."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            assert (node.end_lineno or 0) - first.lineno < 60, f"{node.name} is long"


@pytest.mark.parametrize("room", ["fcs", "gating", "simulate"])
def test_the_table_of_a_large_room_names_every_file(room: str) -> None:
    said = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    there = {path.stem for path in (PACKAGE / room).glob("*.py")} - {"__init__"}
    assert set(re.findall(r"``(\w+)``", said)) == there


def test_error_codes_are_dotted_and_each_belongs_to_one_kind_of_error() -> None:
    """A code is what a script branches on: it must not end with 3 here and with 4 there."""
    kinds: dict[str, set[str]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error"):
                code = node.args[0] if node.args else None
                if isinstance(code, ast.Constant) and node.func.id in vars(stromagate.errors):
                    kinds.setdefault(str(code.value), set()).add(node.func.id)
    assert len(kinds) > 50
    assert [code for code in kinds if not re.fullmatch(r"[a-z]+(_[a-z]+)*(\.[a-z0-9_]+)+", code)] == []
    assert {code: found for code, found in kinds.items() if len(found) > 1} == {}


def test_no_room_is_called_utils() -> None:
    banned = {"utils", "util", "core", "common", "helpers", "misc"}
    assert not {path.stem for path in SOURCES} & banned
    assert not {path.name for path in PACKAGE.rglob("*") if path.is_dir()} & banned


def test_nothing_dangerous_is_called() -> None:
    """No evaluation of data, no pickles, no shell: the rules that remove whole classes of attack."""
    pattern = re.compile(r"(?<![\w.])(eval|exec)\(|pickle\.loads?|yaml\.load\(|os\.system|shell=True|allow_pickle=True")
    for path in SOURCES:
        assert not pattern.search(path.read_text(encoding="utf-8")), path


def test_the_tree_carries_no_foreign_paths() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    text_like = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".csv", ".j2", ".css", ".js", ".txt", ""}
    for name in filter(None, listed):
        path = ROOT / name
        if path.suffix in text_like and path.is_file():
            assert not re.search(r"(?<![\w.])/(work|root|home)/\w", path.read_text(encoding="utf-8")), name
