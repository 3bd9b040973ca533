"""``--export``: said the same way by every verb that writes results."""

from __future__ import annotations

from typing import Annotated

import typer

_HELP = "Write this too: parquet, multiqc, ro_crate, gated_fcs, membership, clr, h5ad. May be given several times."

Exports = Annotated[list[str] | None, typer.Option("--export", metavar="NAME", help=_HELP, show_default=False)]
