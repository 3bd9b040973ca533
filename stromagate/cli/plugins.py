"""``plugins``: what is installed beside what the program brings, and what of it cannot be loaded."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stromagate.pipeline.plugins import Plugin


def plugins(as_json: AsJson = False, debug: Debug = False) -> None:
    """List gating methods, checks, report sections and exporters, and where they come from.

    Those of other packages come first, each with its version and its module.
    Ends with 4 when one cannot be loaded, or two have the same name.
    """
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.plugins import installed

        found = installed()
        wrong = [plugin.error for plugin in found if plugin.error is not None]
        data = {"format": "stromagate.plugins/1", "plugins": [plugin.to_json() for plugin in found]}
        error = wrong[0].as_json() if wrong else None
        emit(data, lambda: "\n".join(_lines(found)), as_json=as_json, error=error)
    if wrong:
        raise typer.Exit(wrong[0].exit_code)


def _lines(found: list[Plugin]) -> Iterator[str]:
    foreign = [plugin for plugin in found if plugin.foreign]
    for plugin in found:
        if plugin.foreign or plugin.error is not None:
            yield f"{plugin.kind} {plugin.name}: {plugin.package} {plugin.version}, {plugin.origin}"
        if plugin.error is not None:
            yield f"  cannot be used: {plugin.error.message}"
            yield f"  what to do: {plugin.error.hint}"
    if not foreign:
        yield "no other package offers a plugin"
    ours = [plugin for plugin in found if not plugin.foreign]
    for kind, same in groupby(ours, key=lambda plugin: plugin.kind):
        yield f"{kind}, stromagate {ours[0].version}: {', '.join(plugin.name for plugin in same)}"


def tell_not_loaded() -> None:
    """Name the plugins that a run goes without."""
    from stromagate.pipeline.logged import of_plugin
    from stromagate.pipeline.plugins import faults

    for fault in faults():
        of_plugin(fault)
        say(f"left out: {fault.message}", always=True)
