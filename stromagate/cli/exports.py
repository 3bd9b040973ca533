"""``--export``: said the same way by every verb that writes results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from stromagate.cli.console import say

if TYPE_CHECKING:
    from stromagate.cli.console import ErrorObject

_HELP = "Write this too: parquet, multiqc, ro_crate, gated_fcs, membership, clr, h5ad. May be given several times."

Exports = Annotated[list[str] | None, typer.Option("--export", metavar="NAME", help=_HELP, show_default=False)]


def tell_not_exported(missing: Mapping[str, ErrorObject]) -> None:
    """Name the files that could not be written, why, and what to do."""
    for path, error in missing.items():
        say(f"not exported: {path}: {error.get('message')}", always=True)
        if error.get("hint"):
            say(f"  {error['hint']}", always=True)
    if missing:
        say("  all numbers are complete")
