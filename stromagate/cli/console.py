"""How the command line speaks: data on stdout, talk on stderr, one JSON object where ``--json`` is asked.

Every verb runs inside ``speaking``, so that an error is said once, the same way, with the exit code it carries.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

import typer

from stromagate.errors import InputError, StromagateError, UsageError, fault_text

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault of ours.", hidden=True)]

ErrorObject = dict[str, str | None]

RESEARCH_USE = "For Research Use Only. Not for use in diagnostic procedures."
"""As results have it; said once more here, because the command line starts without loading their documents."""


_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def quietly(asked: bool) -> Iterator[None]:
    """Leave out all talk inside that is not of something gone wrong, where a person asked for it."""
    before = _QUIET.set(asked)
    try:
        yield
    finally:
        _QUIET.reset(before)


def is_quiet() -> bool:
    """Say whether talk is left out."""
    return _QUIET.get()


def say(text: str = "", *, always: bool = False) -> None:
    """Talk to the person: on stderr, so that stdout stays data; what went wrong is said ``always``."""
    if always or not is_quiet():
        typer.echo(printable(text), err=True)


def emit(
    data: dict[str, Any], text: str | Callable[[], str], *, as_json: bool, error: ErrorObject | None = None
) -> None:
    """Print a verb's answer: the object where JSON was asked, else the text.

    Parameters
    ----------
    data : dict
        What the object holds beside ``ok`` and the use it is for.
    text : str or callable
        What a person reads instead.
    as_json : bool
        Print the object.
    error : dict, optional
        What went wrong with a part of the work, where the verb ends with another code than 0: the object then says
        ``"ok": false``, and still holds all there is.

    Raises
    ------
    InputError
        Stdout cannot be written, such as a file on a full disk.
    """
    if as_json:
        head: dict[str, Any] = {"ok": True} if error is None else {"ok": False, "error": error}
        _print(
            json.dumps({**head, "research_use": RESEARCH_USE, **data}, ensure_ascii=False, allow_nan=False, indent=1)
        )
    else:
        _print(text if isinstance(text, str) else text())


def refuse(error: ErrorObject, text: str, *, as_json: bool) -> None:
    """Say why nothing came of it: the error object on stdout, or the text on stderr."""
    if as_json:
        _print(json.dumps({"ok": False, "error": error}, ensure_ascii=False, indent=1))
    else:
        say(text, always=True)


@contextmanager
def speaking(*, as_json: bool = False, debug: bool = False) -> Iterator[None]:
    """Turn errors into one clear message and the right exit code."""
    try:
        yield
    except StromagateError as error:
        heard = as_json and error.code != _NO_STDOUT
        _log(error.code, f"the verb gave up: {_KINDS.get(error.exit_code, 'an error')}")
        refuse(error.as_json(), f"error: {error}", as_json=heard)
        raise typer.Exit(error.exit_code) from error
    except BrokenPipeError:
        _silence()
        raise typer.Exit(0) from None
    except KeyboardInterrupt:
        _log("interrupted", "interrupted from outside")
        say("interrupted; what was finished is kept", always=True)
        if as_json:
            hint = "run the same command again to go on"
            refuse({"code": "interrupted", "message": "interrupted", "where": None, "hint": hint}, "", as_json=True)
        raise typer.Exit(130) from None
    except Exception as error:
        if debug or isinstance(error, typer.Exit | typer.Abort | typer.TyperException):
            raise
        _log("internal", _fault_place(error))
        message = fault_text(error)
        hint = "this is a fault of stromagate; run again with --debug and report what it prints"
        said: ErrorObject = {"code": "internal", "message": message, "where": None, "hint": hint}
        refuse(said, f"internal error: {message}\n  {hint}", as_json=as_json)
        raise typer.Exit(1) from error


_NO_STDOUT = "stdout.write"
_KINDS = {
    2: "wrong usage",
    3: "an input could not be read, or results not be written",
    4: "a document or a name in it is wrong",
}


def _log(code: str, message: str) -> None:
    import logging

    from stromagate.log import tell

    tell("cli", "answer", code, message, level=logging.ERROR)


def _fault_place(error: BaseException) -> str:
    from stromagate.log import fault_place

    return f"a fault of stromagate: {fault_place(error)}"


def printable(text: str) -> str:
    """Return text that any stream takes: half a surrogate pair, from a file's name that is no UTF-8, as its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _print(text: str) -> None:
    """Print on stdout; escapes of half surrogate pairs are what JSON has for them, so a path can be had back."""
    try:
        typer.echo(printable(text))
    except BrokenPipeError:
        raise
    except OSError as cause:
        _silence()
        raise InputError(
            _NO_STDOUT, f"the answer cannot be printed: {cause.strerror}", hint="look where stdout is led to"
        ) from cause


def _silence() -> None:
    """Lead stdout nowhere, so that what is left in its buffer does not fail once more at the end."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def spare(out: Path | None, code: str, *, force: bool) -> None:
    """Refuse to write over a file that is there, unless told to.

    Raises
    ------
    UsageError
        There is one.
    """
    if out is not None and out.exists() and not force:
        raise UsageError(code, "there is a file already", where=str(out), hint="--force writes over it")
