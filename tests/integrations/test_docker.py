"""The Dockerfile, read: no root, no network at run time, and what it copies is enough to make the wheel.

The image is not built here: that needs a daemon and a registry.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stromagate import __version__
from tests.reference_data import ROOT

FOLDER = ROOT / "integrations" / "docker"


@pytest.fixture(scope="module")
def stages() -> list[list[tuple[str, str]]]:
    """Return the instructions of every stage, as word and rest, with continued lines joined."""
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    found: list[list[tuple[str, str]]] = []
    for line in filter(None, joined.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def of(stage: list[tuple[str, str]], word: str) -> list[str]:
    return [rest for name, rest in stage if name == word]


def test_there_are_two_stages_of_slim_python(stages: list[list[tuple[str, str]]]) -> None:
    assert [of(stage, "FROM") for stage in stages] == [["python:3.11-slim AS wheels"], ["python:3.11-slim"]]


def test_the_image_ends_as_a_user_that_is_not_root(stages: list[list[tuple[str, str]]]) -> None:
    (user,) = of(stages[-1], "USER")
    assert user == "stromagate"
    words = [word for word, _ in stages[-1]]
    assert "RUN" not in words[words.index("USER") :]
    made = " ".join(of(stages[-1], "RUN"))
    assert re.search(r"useradd --uid [1-9]\d{3,} [^&]*\bstromagate\b", made)


def test_nothing_is_fetched_at_run_time(stages: list[list[tuple[str, str]]]) -> None:
    (command,) = of(stages[-1], "CMD")
    assert command == '["stromagate", "--help"]'
    assert of(stages[-1], "ENTRYPOINT") == ["[]"]
    everything = "\n".join(rest for stage in stages for _, rest in stage)
    assert not re.search(r"\b(curl|wget|git)\b|https?://", everything)
    (installed,) = [rest for rest in of(stages[-1], "RUN") if "pip " in rest]
    assert "--no-index" in installed
    assert of(stages[-1], "COPY") == []
    assert not any(of(stage, "ADD") for stage in stages)


def test_the_label_is_of_this_version(stages: list[list[tuple[str, str]]]) -> None:
    (labels,) = of(stages[-1], "LABEL")
    assert f'version="{__version__}"' in labels
    assert f"stromagate:{__version__}" in (FOLDER / "README.md").read_text(encoding="utf-8")


def copied(stages: list[list[tuple[str, str]]]) -> list[str]:
    return [name for rest in of(stages[0], "COPY") for name in rest.split()[:-1]]


def test_what_is_ignored_lets_through_what_is_copied_and_nothing_else(stages: list[list[tuple[str, str]]]) -> None:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert [line[1:] for line in lines if line.startswith("!")] == copied(stages)


def test_what_is_copied_makes_the_wheel(stages: list[list[tuple[str, str]]], tmp_path: Path) -> None:
    for name in copied(stages):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    line = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "wheels", "."]
    subprocess.run(line, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"stromagate/cli/app.py", "stromagate/_templates/bm_stroma_core.yaml"} <= names
