"""One file a gating method, named like it: parameter sets for the contract that every method is held to."""

from __future__ import annotations

import importlib
from typing import Any

from stromagate.gating.method import methods


def examples() -> dict[str, list[dict[str, Any]]]:
    """Return the parameter sets of every method; a method without a file of its own has none."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in methods.names():
        try:
            found[name] = importlib.import_module(f"{__name__}.{name}").EXAMPLES
        except ModuleNotFoundError:
            found[name] = []
    return found
