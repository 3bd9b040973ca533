"""The versions of everything that makes numbers."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from typing import Any

from stromagate import __version__

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "flowutils", "pydantic")


def environment() -> dict[str, Any]:
    """Return the versions of everything that makes numbers, as a result records them."""
    libraries = {name: _version(name) for name in _LIBRARIES}
    return {"stromagate": __version__, "python": platform.python_version(), "libraries": libraries}


@cache
def _version(name: str) -> str:
    # Remembered: it reads the package's papers, and packages do not change under a running process.
    return version(name)
