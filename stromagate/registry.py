"""One plugin mechanism for every kind of plugin: the name of the file is the name of the plugin.

A built-in plugin is a module in the registry's package and declares itself in one constant
(``METHOD``, ``CHECK``, ``SECTION``, ``EXPORTER``). Third parties come in through a versioned
entry-point group and must offer the same constant. Listing names imports no plugin.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from stromagate.errors import SpecificationError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """Find plugins of one kind.

    Parameters
    ----------
    kind : str
        What a plugin is called in messages, such as ``"gating method"``.
    package : str
        Package whose modules are the built-in plugins.
    attribute : str
        Constant that every plugin module declares.
    group : str
        Entry-point group for third parties; ends in the version of the contract.
    """

    def __init__(self, kind: str, package: str, attribute: str, group: str) -> None:
        self.kind = kind
        self.package = package
        self.attribute = attribute
        self.group = group
        self._points: dict[str, list[EntryPoint]] | None = None

    def names(self) -> list[str]:
        """Return all plugin names, sorted, without importing any plugin."""
        return sorted({*self._builtin_names(), *self._foreign()})

    def get(self, name: str) -> T:
        """Import the one plugin called ``name`` and return its declaration.

        Raises
        ------
        SpecificationError
            Unknown name (with the nearest valid one), two plugins of one name, or a plugin that cannot be imported.
        """
        builtin, foreign = name in self._builtin_names(), self._foreign().get(name, [])
        if not builtin and not foreign:
            raise SpecificationError(
                "plugin.unknown", f"no {self.kind} is named '{name}'", hint=did_you_mean(name, self.names())
            )
        if builtin + len(foreign) > 1:
            origins = ", ".join(["stromagate"] * builtin + [point.value for point in foreign])
            raise SpecificationError(
                "plugin.ambiguous",
                f"the {self.kind} '{name}' is offered {builtin + len(foreign)} times: {origins}",
                hint="uninstall or rename one of them",
            )
        return self._load(name, foreign[0] if foreign else None)

    def all(self) -> dict[str, T]:
        """Import and return every plugin by name."""
        return {name: self.get(name) for name in self.names()}

    def _load(self, name: str, point: EntryPoint | None) -> T:
        origin = point.value if point else f"{self.package}.{name}"
        try:
            module = point.load() if point else importlib.import_module(origin)
            return cast(T, getattr(module, self.attribute))
        except (ImportError, AttributeError) as cause:
            raise SpecificationError(
                "plugin.broken",
                f"the {self.kind} '{name}' could not be loaded: {cause}",
                where=origin,
                hint=f"a {self.kind} is a module that declares {self.attribute}",
            ) from cause

    def _builtin_names(self) -> set[str]:
        spec = importlib.util.find_spec(self.package)
        locations = list(spec.submodule_search_locations or []) if spec else []
        return {module.name for module in pkgutil.iter_modules(locations) if not module.name.startswith("_")}

    def _foreign(self) -> dict[str, list[EntryPoint]]:
        # Remembered: it reads a file of every installed package, and packages do not change under a running process.
        if self._points is None:
            found: dict[str, list[EntryPoint]] = {}
            for point in entry_points(group=self.group):
                found.setdefault(point.name, []).append(point)
            self._points = found
        return self._points
