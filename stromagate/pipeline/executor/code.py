"""Whether another process would make the same results: by its program, its Python, and the libraries it has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import stromagate
from stromagate.pipeline.environment import environment

_OF_FILES = ("jinja2", "plotly", "pyarrow", "h5py")
"""Libraries that move no number and are in the bytes of pages and exports."""
_SOURCES = {".py", ".j2", ".css", ".js"}
"""Pages are made of more than modules. Templates of gates come with the work."""


@cache
def code() -> dict[str, str]:
    """Return the versions of everything that makes results, and a digest of the program, which changes more often."""
    found = environment()
    versions = {"stromagate": found["stromagate"], "python": found["python"], **found["libraries"], **_of_files()}
    return {**versions, "its source": _digest(Path(stromagate.__file__).parent)}


def _of_files() -> dict[str, str]:
    """Return the versions of those that are installed: what this process does not have, it asks of no other."""
    found = {}
    for name in _OF_FILES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _digest(package: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(each for each in package.rglob("*") if each.suffix in _SOURCES):
        total.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:12]


def differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Return what differs, as ``numpy 2.3.1 (here 2.4.6)``; nothing where all is the same."""
    names = [name for name in here if there.get(name) != here[name]]
    return ", ".join(f"{name} {there.get(name, 'missing')} (here {here[name]})" for name in names)
