"""From text to a typed gating template, and where the shipped ones are.

Names load on first use: binding a panel needs the aliases alone and must not pay for documents.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stromagate.templates.load import LoadedTemplate as LoadedTemplate
    from stromagate.templates.load import load_template as load_template
    from stromagate.templates.prose import explain as explain
    from stromagate.templates.schema import json_schema as json_schema

_HOMES = {
    "LoadedTemplate": "stromagate.templates.load",
    "load_template": "stromagate.templates.load",
    "explain": "stromagate.templates.prose",
    "json_schema": "stromagate.templates.schema",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use."""
    if name not in _HOMES:
        message = f"module 'stromagate.templates' has no attribute '{name}'"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)
