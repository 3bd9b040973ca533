"""Which plugins there are: where each comes from, and what keeps one from being loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stromagate import __version__
from stromagate.errors import SpecificationError
from stromagate.export.exporter import exporters
from stromagate.gating.method import methods
from stromagate.qc.check import checks
from stromagate.qc.run_check import run_checks
from stromagate.registry import Registry
from stromagate.report.section import sections

REGISTRIES: tuple[Registry[Any], ...] = (methods, checks, run_checks, sections, exporters)
"""In the order in which a tube meets them."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin that is offered.

    ``package`` is the distribution it comes from and ``origin`` the module; ``error`` says why it cannot be used.
    """

    kind: str
    name: str
    version: str
    package: str
    origin: str
    group: str
    foreign: bool
    error: SpecificationError | None

    def to_json(self) -> dict[str, Any]:
        """Return the plain object that ``stromagate plugins --json`` prints."""
        return {
            "kind": self.kind,
            "name": self.name,
            "version": self.version,
            "package": self.package,
            "origin": self.origin,
            "group": self.group,
            "error": None if self.error is None else self.error.as_json(),
        }


def installed() -> list[Plugin]:
    """Return every plugin that is offered, loaded to see whether it can be; kind by kind, sorted by name."""
    return [
        Plugin(
            kind=registry.kind,
            name=offer.name,
            version=__version__ if offer.point is None else offer.version,
            package=offer.package,
            origin=offer.origin,
            group=registry.group,
            foreign=offer.point is not None,
            error=error,
        )
        for registry in REGISTRIES
        for offer, error in registry.examined()
    ]


def foreign() -> list[Plugin]:
    """Return those of third parties; nothing is loaded where there is none."""
    if not any(offer.point for registry in REGISTRIES for offer in registry.offers()):
        return []
    return [plugin for plugin in installed() if plugin.foreign]


def faults() -> list[SpecificationError]:
    """Return why plugins of third parties cannot be loaded; nothing else is loaded."""
    return [fault for registry in REGISTRIES for fault in registry.broken().values()]
