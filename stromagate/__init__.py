"""stromagate: rare bone-marrow stroma in flow cytometry, counted with honest uncertainty.

For Research Use Only. Not for use in diagnostic procedures.

The public names load on first use, so that ``import stromagate`` costs nothing:

>>> import stromagate as sg  # doctest: +SKIP
>>> result = sg.analyze("tube.fcs", "bm_stroma_core")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from stromagate.export.frame import numbers as numbers
    from stromagate.fcs import read_fcs as read_fcs
    from stromagate.fcs import read_header as read_header
    from stromagate.fcs import read_raw as read_raw
    from stromagate.fcs import write_fcs as write_fcs
    from stromagate.pipeline import analyze as analyze
    from stromagate.pipeline import count_populations as count_populations
    from stromagate.pipeline import load_template as load_template
    from stromagate.report.inline import figures as figures

_HOMES = {
    "read_fcs": "stromagate.fcs",
    "read_header": "stromagate.fcs",
    "read_raw": "stromagate.fcs",
    "write_fcs": "stromagate.fcs",
    "load_template": "stromagate.pipeline",
    "analyze": "stromagate.pipeline",
    "count_populations": "stromagate.pipeline",
    "figures": "stromagate.report.inline",
    "numbers": "stromagate.export.frame",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604  (names come from the table above)


def __getattr__(name: str) -> object:
    """Import a public name from its room on first use."""
    if name not in _HOMES:
        message = f"module 'stromagate' has no attribute '{name}'"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
