"""The group of verbs: wrong usage that the parser finds is said as JSON too where JSON was asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import typer
from typer.core import TyperGroup

from stromagate.cli.console import ErrorObject, refuse


class Verbs(TyperGroup):
    """Verbs whose parsing errors follow ``--json``."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Parse and run; see ``typer.core.TyperGroup.main``."""
        parse = partial(super().main, args, prog_name, complete_var, windows_expand_args=windows_expand_args, **extra)
        words = list(sys.argv[1:] if args is None else args)
        asked = words[: words.index("--")] if "--" in words else words
        if not standalone_mode or "--json" not in asked:
            return parse(standalone_mode=standalone_mode)
        try:
            code = parse(standalone_mode=False)
        except typer.TyperException as wrong:
            refuse(_as_object(wrong), "", as_json=True)
            sys.exit(getattr(wrong, "exit_code", 2))
        sys.exit(code if isinstance(code, int) else 0)


def _as_object(wrong: typer.TyperException) -> ErrorObject:
    context = getattr(wrong, "ctx", None)
    command = context.command_path if context is not None else "stromagate"
    said = getattr(wrong, "format_message", wrong.__str__)()
    return {"code": "usage", "message": said.rstrip("."), "where": command, "hint": f"{command} --help"}
