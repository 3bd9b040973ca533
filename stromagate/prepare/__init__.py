"""Markers bound to channels, spillover taken out, scales chosen.

Names load on first use: the streaming count needs scales and weights, and no documents.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stromagate.prepare.bind import bind_template as bind_template
    from stromagate.prepare.prepared import Prepared as Prepared
    from stromagate.prepare.prepared import prepare as prepare

_HOMES = {
    "bind_template": "stromagate.prepare.bind",
    "Prepared": "stromagate.prepare.prepared",
    "prepare": "stromagate.prepare.prepared",
}


def __getattr__(name: str) -> object:
    """Import a name from its file on first use."""
    if name not in _HOMES:
        message = f"module 'stromagate.prepare' has no attribute '{name}'"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)
