"""``--pdf`` and ``--paper``: said the same way by every verb that writes pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stromagate.cli.console import say
from stromagate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stromagate.pipeline.printing import Printer

AsPdf = Annotated[bool, typer.Option("--pdf", help="A PDF beside each page, printed by Chromium or Chrome.")]
Sheet = Literal["a4", "letter"]
OnPaper = Annotated[Sheet | None, typer.Option("--paper", help="Sheet of PDFs: a4 by default.", show_default=False)]


def printer_for(paper: Sheet | None, *, pdf: bool) -> Printer | None:
    """Return what prints, before any work is begun; None where no PDF is asked for.

    Raises
    ------
    UsageError
        A sheet without ``--pdf``, or nothing on this machine that prints.
    """
    if not pdf:
        if paper is not None:
            raise UsageError("pdf.paper", f"--paper {paper} is for PDFs, and none was asked for", hint="add --pdf")
        return None
    from stromagate.pipeline.printing import find_printer

    return find_printer(paper or "a4")


def tell_not_printed(not_printed: Mapping[str, str]) -> None:
    """Say of which pages there is no PDF."""
    for page, why in not_printed.items():
        say(f"not printed: {page}: {why}", always=True)
    if not_printed:
        say("  the pages and all numbers are there; open a page and print it from the browser, or run the same again")
