"""What a tube of a sheet is for, in the words of the template: ``FMO:MCAM`` of a sheet is ``fmo:CD146``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stromagate.errors import DocumentError, Problem, did_you_mean, nearest
from stromagate.model.template import GatingTemplate
from stromagate.pipeline.tubes import Tube
from stromagate.prepare.labels import Names, names_of, read_label
from stromagate.templates.aliases import known_aliases, squash

WITH_MARKER = ("fmo", "isotype")


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of tubes as a template calls them."""

    markers: tuple[str, ...]
    names: Names

    def of(self, tube: Tube) -> str:
        """Return the role of a tube: ``stained``, ``unstained``, ``blank``, ``fmo:MARKER`` or ``isotype:MARKER``.

        A marker that the template does not know keeps the sheet's word.
        """
        kind, _, word = tube.labels.get("role", "stained").strip().partition(":")
        if kind.casefold() not in WITH_MARKER:
            return kind.casefold() or "stained"
        return f"{kind.casefold()}:{self.marker(word) or word.strip()}"

    def marker(self, word: str) -> str | None:
        """Return the template's marker behind a word; None where the template has none."""
        label = read_label(word, self.names)
        if label.unknown or not label.markers:
            return next((marker for marker in self.markers if squash(marker) == squash(word)), None)
        meant = frozenset(label.markers)
        if len(meant) == 1:
            (only,) = meant
            return only if only in self.markers else None
        return next((marker for marker, sets in self.names.joined.items() if meant in sets), None)

    def known(self, word: str) -> bool:
        """Say whether a word is the name of a marker at all, of this template or of another."""
        label = read_label(word, self.names)
        known = {squash(name) for name in known_aliases().values()}
        understood = bool(label.markers) and not label.unknown
        return self.marker(word) is not None or (understood and all(squash(name) in known for name in label.markers))


def roles_of(template: GatingTemplate) -> Roles:
    """Return how a template calls roles."""
    markers = (*template.panel.required, *template.panel.optional)
    return Roles(markers, names_of(markers, template.aliases))


def check_roles(tubes: Sequence[Tube], template: GatingTemplate) -> None:
    """Refuse a sheet whose roles name markers that nobody knows: their tubes would be controls of nothing.

    A marker that is known and that the template has no use for is no mistake: one sheet serves several templates.

    Raises
    ------
    DocumentError
        Every such row, with its line and the nearest word.
    """
    roles = roles_of(template)
    problems: list[Problem] = []
    for tube in tubes:
        kind, _, word = tube.labels.get("role", "").partition(":")
        if kind.strip().casefold() in WITH_MARKER and not roles.known(word):
            message = f"'{kind}:{word}' names no marker that '{template.name}' or the table of markers knows"
            problems.append(Problem(tube.line, "role", message, _hint(word, roles)))
    if problems:
        raise DocumentError("sheet.roles", tubes[0].sheet or "the sample sheet", problems)


def _hint(word: str, roles: Roles) -> str:
    own = nearest(word.strip(), roles.markers)
    return did_you_mean(own or word.strip(), roles.markers)
