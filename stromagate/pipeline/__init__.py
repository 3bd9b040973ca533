"""The stages put together: one tube, a batch, and what lies on disk.

Names load on first use: counting a known tree on a file must not pay for documents and statistics.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stromagate.pipeline.count import count_populations as count_populations
    from stromagate.pipeline.gated_files import export_events as export_events
    from stromagate.pipeline.template import load_template as load_template
    from stromagate.pipeline.together import analyze_together as analyze_together
    from stromagate.pipeline.together import analyze_with_controls as analyze_with_controls
    from stromagate.pipeline.tube import analyze as analyze

_HOMES = {
    "analyze": "stromagate.pipeline.tube",
    "analyze_together": "stromagate.pipeline.together",
    "analyze_with_controls": "stromagate.pipeline.together",
    "count_populations": "stromagate.pipeline.count",
    "export_events": "stromagate.pipeline.gated_files",
    "load_template": "stromagate.pipeline.template",
}


def __getattr__(name: str) -> object:
    """Import a stage on first use."""
    if name not in _HOMES:
        message = f"module 'stromagate.pipeline' has no attribute '{name}'"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)
