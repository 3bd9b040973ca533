"""One plugin mechanism for every kind of plugin: the name of the file is the name of the plugin.

A built-in plugin is a module in the registry's package and declares itself in one constant
(``METHOD``, ``CHECK``, ``SECTION``, ``EXPORTER``). Third parties come in through a versioned
entry-point group and must offer the same constant. Listing names imports no plugin.

A plugin of a third party that cannot be loaded is an error for whoever asks for it by name, and for nobody else: all
others are there, and ``broken`` says what is missing and why.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from itertools import groupby
from operator import attrgetter
from typing import Generic, TypeVar

from stromagate.errors import SpecificationError, did_you_mean

T = TypeVar("T")

HOUSE = "stromagate"


@dataclass(frozen=True, slots=True)
class Offer:
    """One plugin as it is offered: by whom, in which version, and by which module.

    ``package`` is the name of the distribution, ``stromagate`` for a built-in plugin; ``version`` is empty for these.
    """

    name: str
    package: str
    version: str
    origin: str
    point: EntryPoint | None = None

    def __str__(self) -> str:
        """Return the package with its version, as messages name it."""
        return " ".join(filter(None, (self.package, self.version)))


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
    declares : type
        What the constant must be.
    own : callable, optional
        What no two plugins may share beside their name, such as the file that they write.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        attribute: str,
        group: str,
        declares: type[T],
        own: Callable[[T], str] | None = None,
    ) -> None:
        self.kind = kind
        self.package = package
        self.attribute = attribute
        self.group = group
        self.declares = declares
        self.own = own

    def names(self) -> list[str]:
        """Return all plugin names, sorted, without importing any plugin."""
        return sorted({offer.name for offer in self.offers()})

    def offers(self) -> list[Offer]:
        """Return every plugin that is offered, sorted by name, without importing any; a name may be there twice."""
        house = [Offer(name, HOUSE, "", f"{self.package}.{name}") for name in self._builtin_names()]
        return sorted([*house, *_foreign(self.group)], key=lambda offer: (offer.name, offer.origin))

    def get(self, name: str) -> T:
        """Import the one plugin called ``name`` and return its declaration.

        Raises
        ------
        SpecificationError
            Unknown name (with the nearest valid one), two plugins of one name, or a plugin that cannot be imported.
        """
        offers = [offer for offer in self.offers() if offer.name == name]
        if not offers:
            raise SpecificationError(
                "plugin.unknown", f"no {self.kind} is named '{name}'", hint=did_you_mean(name, self.names())
            )
        return self._load(self._only(offers))

    def all(self) -> dict[str, T]:
        """Import and return every plugin by name, but for those of third parties that cannot be loaded.

        Raises
        ------
        SpecificationError
            Two plugins share a name, or what else is to be each one's own; a built-in plugin that cannot be imported.
        """
        found: dict[str, T] = {}
        seen: dict[str, str] = {}
        for offer in (self._only(list(same)) for _, same in groupby(self.offers(), key=attrgetter("name"))):
            try:
                found[offer.name] = self._load(offer)
            except SpecificationError:
                if offer.point is None:
                    raise
                continue
            self._refuse_twin(offer.name, found[offer.name], seen)
        return found

    def broken(self) -> dict[str, SpecificationError]:
        """Return the plugins of third parties that cannot be loaded, by name, and why; no built-in one is imported."""
        faults = {}
        for offer in _foreign(self.group):
            try:
                self._load(offer)
            except SpecificationError as fault:
                faults[offer.name] = fault
        return faults

    def examined(self) -> list[tuple[Offer, SpecificationError | None]]:
        """Import every plugin that is offered, and return each with what is wrong with it."""
        told: list[tuple[Offer, SpecificationError | None]] = []
        seen: dict[str, str] = {}
        offers = self.offers()
        for offer in offers:
            fault = None
            try:
                self._refuse_twin(offer.name, self._load(offer), seen)
                self._only([other for other in offers if other.name == offer.name])
            except SpecificationError as wrong:
                fault = wrong
            told.append((offer, fault))
        return told

    def _only(self, offers: list[Offer]) -> Offer:
        if len(offers) > 1:
            origins = ", ".join(offer.package if offer.point is None else offer.origin for offer in offers)
            raise SpecificationError(
                "plugin.ambiguous",
                f"the {self.kind} '{offers[0].name}' is offered {len(offers)} times: {origins}",
                hint="uninstall or rename one of them",
            )
        return offers[0]

    def _load(self, offer: Offer) -> T:
        point = offer.point
        # A third party's module may fail in any way that there is; of ours a missing library is all that is expected.
        expected = (ImportError, AttributeError) if point is None else Exception
        try:
            module = point.load() if point is not None else importlib.import_module(offer.origin)
            made = getattr(module, self.attribute)
            if not isinstance(made, self.declares):
                message = f"its {self.attribute} is no {self.declares.__name__}"
                raise AttributeError(message)
        except expected as cause:
            raise SpecificationError(
                "plugin.broken",
                f"the {self.kind} '{offer.name}' of {offer} could not be loaded: {_reason(cause)}",
                where=offer.origin,
                hint=f"its module must load and declare {self.attribute}: repair or uninstall {offer.package}",
            ) from cause
        return made

    def _refuse_twin(self, name: str, plugin: T, seen: dict[str, str]) -> None:
        if self.own is None:
            return
        other = seen.setdefault(self.own(plugin), name)
        if other != name:
            raise SpecificationError(
                "plugin.twin",
                f"the {self.kind}s '{other}' and '{name}' have both {self.own(plugin)}",
                hint="uninstall or change one of them; stromagate plugins says where they come from",
            )

    def _builtin_names(self) -> set[str]:
        spec = importlib.util.find_spec(self.package)
        locations = list(spec.submodule_search_locations or []) if spec else []
        return {module.name for module in pkgutil.iter_modules(locations) if not module.name.startswith("_")}


def _foreign(group: str) -> list[Offer]:
    offers = []
    for point in _points(group):
        package = point.dist
        name, version = ("an unnamed package", "") if package is None else (package.name, package.version)
        offers.append(Offer(point.name, name, version, point.value, point))
    return offers


# Remembered: it reads a file of every installed package, and packages do not change under a running process.
@cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))


def _reason(cause: BaseException) -> str:
    text = str(cause)
    return text if isinstance(cause, ImportError | AttributeError) and text else f"{type(cause).__name__}: {text}"
