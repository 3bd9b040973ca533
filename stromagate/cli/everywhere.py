"""``--quiet`` and ``--log-json``: given to every verb in one place, so that no verb can lack them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from stromagate.cli.console import quietly, say, speaking
from stromagate.errors import UsageError

_QUIET = "Say on stderr nothing but what went wrong or was left out."
_LOG = "Append what happens to this file, a JSON object a line; no word in it is taken from a file or a sheet."

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=_QUIET)]
LogJson = Annotated[Path | None, typer.Option("--log-json", metavar="FILE", help=_LOG, show_default=False)]
_GIVEN = (("quiet", Quiet, False), ("log_json", LogJson, None))


def everywhere(app: typer.Typer, words: str = "") -> None:
    """Give every verb of an application, and of those below it, the options of all verbs."""
    for command in app.registered_commands:
        callback = command.callback
        if callback is not None:
            name = command.name or callback.__name__
            command.callback = _with_options(callback, f"{words} {name}".strip())
    for group in app.registered_groups:
        if group.typer_instance is not None:
            everywhere(group.typer_instance, f"{words} {group.name}".strip())


def _with_options(verb: Callable[..., None], name: str) -> Callable[..., None]:
    @functools.wraps(verb)
    def with_options(*, quiet: bool = False, log_json: Path | None = None, **options: Any) -> None:
        with quietly(quiet), _logged(name, log_json, as_json=bool(options.get("as_json"))):
            verb(**options)

    own = inspect.signature(verb, eval_str=True)
    kinds = [*own.parameters.values()]
    kinds += [
        inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for option, annotation, default in _GIVEN
    ]
    with_options.__signature__ = own.replace(parameters=kinds)  # type: ignore[attr-defined]  # what typer looks at
    with_options.__annotations__ = {each.name: each.annotation for each in kinds}
    return with_options


@contextmanager
def _logged(name: str, path: Path | None, *, as_json: bool) -> Iterator[None]:
    """Write the log of one verb, from its first line to the code it ends with."""
    if path is None:
        yield
        return
    from stromagate import __version__, log

    with speaking(as_json=as_json):
        to = log.log_file(path)
        _try(to.path)
    with log.written(to) as lines:
        log.tell("cli", name, "verb.begun", f"stromagate {__version__}")
        code: object = 1
        try:
            yield
            code = 0
        except typer.Exit as ended:
            code = ended.exit_code
            raise
        finally:
            log.tell("cli", name, "verb.ended", f"ended with {code}")
            if lines is not None and lines.fault is not None:
                say(f"the log is not whole: {lines.fault.strerror}: {path}", always=True)


def _try(path: str) -> None:
    """Refuse a log that cannot be written, and a file that is another's: FILE may be a tube by a slip of the shell."""
    from stromagate import log

    try:
        if not log.is_one(path):
            raise UsageError(
                "log.foreign",
                "this file is there already, and is no log: lines added to it would damage it",
                where=path,
                hint="name a new file, or a log of earlier calls",
            )
        log.append(path, b"")
    except OSError as cause:
        raise UsageError(
            "log.file",
            f"the log cannot be written: {cause.strerror}",
            where=path,
            hint="name a file in a folder that is there, and not in that of the results",
        ) from cause
