"""How the command line speaks: data on stdout, talk on stderr, one JSON object where ``--json`` is asked.

Every verb runs inside ``speaking``, so that an error is said once, the same way, with the exit code it carries.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from stromagate.errors import StromagateError

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault of ours.", hidden=True)]


def say(text: str = "") -> None:
    """Talk to the person: on stderr, so that stdout stays data."""
    typer.echo(text, err=True)


def emit(data: dict[str, Any], text: str | Callable[[], str], *, as_json: bool) -> None:
    """Print a verb's answer: the object where JSON was asked, else the text."""
    if as_json:
        typer.echo(json.dumps({"ok": True, **data}, ensure_ascii=False, allow_nan=False, indent=1))
    else:
        typer.echo(text if isinstance(text, str) else text())


@contextmanager
def speaking(*, as_json: bool = False, debug: bool = False) -> Iterator[None]:
    """Turn errors into one clear message and the right exit code."""
    try:
        yield
    except StromagateError as error:
        _refuse(error.as_json(), f"error: {error}", as_json=as_json)
        raise typer.Exit(error.exit_code) from error
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(0) from None
    except KeyboardInterrupt:
        say("interrupted; what was finished is kept")
        raise typer.Exit(130) from None
    except Exception as error:
        if debug or isinstance(error, typer.Exit | typer.Abort | typer.TyperException):
            raise
        message = f"{type(error).__name__}: {error}"
        hint = "this is a fault of stromagate; run again with --debug and report what it prints"
        said = {"code": "internal", "message": message, "where": None, "hint": hint}
        _refuse(said, f"internal error: {message}\n  {hint}", as_json=as_json)
        raise typer.Exit(1) from error


def _refuse(error: dict[str, str | None], text: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"ok": False, "error": error}, ensure_ascii=False, indent=1))
    else:
        say(text)
