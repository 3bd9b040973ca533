"""Whether another process would make the same numbers: by its program, its Python, and the libraries it has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import stromagate
from stromagate.pipeline.environment import environment


@cache
def code() -> dict[str, str]:
    """Return the versions of everything that makes numbers, and a digest of the program, which changes more often."""
    found = environment()
    versions = {"stromagate": found["stromagate"], "python": found["python"], **found["libraries"]}
    return {**versions, "its source": _digest(Path(stromagate.__file__).parent)}


def _digest(package: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        total.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:12]


def differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Return what differs, as ``numpy 2.3.1 (here 2.4.6)``; nothing where all is the same."""
    names = [name for name in here if there.get(name) != here[name]]
    return ", ".join(f"{name} {there.get(name, 'missing')} (here {here[name]})" for name in names)
