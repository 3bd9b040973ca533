"""The versions of everything that makes numbers."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from typing import Any

from stromagate import __version__
from stromagate.pipeline.plugins import foreign

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "flowutils", "pydantic")


def environment() -> dict[str, Any]:
    """Return the versions of everything that makes numbers, as a result records them."""
    libraries = {name: _version(name) for name in _LIBRARIES} | _plugins()
    return {"stromagate": __version__, "python": platform.python_version(), "libraries": libraries}


@cache
def _plugins() -> dict[str, str]:
    """Return the packages that plugins come from: another version, or one less that is loaded, gives other results."""
    packages: dict[str, str] = {}
    for each in foreign():
        packages.setdefault(each.package, each.version)
        packages[each.package] += f"; {each.name} is not loaded" if each.error else ""
    return packages


@cache
def _version(name: str) -> str:
    # Remembered: it reads the package's papers, and packages do not change under a running process.
    return version(name)
