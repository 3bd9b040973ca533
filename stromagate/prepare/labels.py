"""What a channel's name says: which markers it names, and whether every word of it is understood.

Words are matched whole: ``CD45 PE`` names CD45, ``CD45RA`` and ``CD45 RA`` do not. A name with a word that is not
understood is never bound by itself, because that word may turn it into another marker.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stromagate.templates.aliases import Vocabulary, squash, vocabulary

# How FlowJo, Diva and others name columns that were exported after compensation: Comp-PE-A, <PE-A>, PE-A (comp).
_COMPENSATED = re.compile(
    r"\s*(?:comp[-_ .]+(?P<prefixed>.+)|<(?P<bracketed>[^<>]+)>|(?P<suffixed>.+?)\s*\(comp\))\s*", re.IGNORECASE
)
# Optics say nothing about the marker: "530/30@488/B", "(530/30)", "488/552nm", "405nm", "740LP".
_OPTICS = re.compile(r"\b\d{3}/\d{2,3}(?:@\d{3}(?:/[A-Z])?|nm)?|\b\d{3}\s?(?:nm|LP|BP)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_ANTIGEN = re.compile(r"cd\d+[a-z]{0,3}")
_PULSE = re.compile(r"(?P<stem>.+?)[-_ .]+(?P<pulse>area|height|width|a|h|w)", re.IGNORECASE)
_TRADE_MARKS = str.maketrans("\N{TRADE MARK SIGN}\N{REGISTERED SIGN}", "  ")
_LONGEST_NAME_WORDS = 5


@dataclass(frozen=True, slots=True)
class Label:
    """One name taken apart. ``markers`` leads from each marker named to the folded words that named it."""

    text: str
    markers: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def names_only(self, marker: str) -> bool:
        """Say whether the name means this marker and nothing else."""
        return not self.unknown and set(self.markers) == {marker}


@dataclass(frozen=True, slots=True)
class Names:
    """The names a template gives to its markers, beside the known ones.

    ``own`` leads from folded names to the template's markers; a joined name (``CD235a+CD71``: one colour for both) is
    kept as the set of its markers.
    """

    own: Mapping[str, str]
    joined: Mapping[str, tuple[frozenset[str], ...]]
    words: Vocabulary

    def canonical(self, word: str) -> str | None:
        """Return the marker a folded word names: the template's own, else the known one."""
        return self.own.get(word) or self.own_of(self.words.markers.get(word))

    def own_of(self, marker: str | None) -> str | None:
        """Return the template's marker that is the same as a known marker under another name."""
        return None if marker is None else self.own.get(f"={squash(marker)}", marker)


def names_of(markers: Iterable[str], aliases: Mapping[str, Iterable[str]]) -> Names:
    """Return the names of a template's markers.

    Parameters
    ----------
    markers : iterable of str
        The template's markers.
    aliases : mapping of str to iterable of str
        Further names the template gives to them.
    """
    words = vocabulary()
    own: dict[str, str] = {}
    for marker in markers:
        known = words.markers.get(squash(marker)) or words.dye(squash(marker)) or marker
        own[f"={squash(known)}"] = marker
        own[squash(marker)] = marker
    plain = Names(own, {}, words)
    joined: dict[str, list[frozenset[str]]] = {}
    for marker, further in aliases.items():
        for name in further:
            parts = frozenset(read_label(name, plain).markers)
            if len(parts) > 1:
                joined.setdefault(marker, []).append(parts)
            else:
                own[squash(name)] = marker
    return Names(own, {marker: tuple(sets) for marker, sets in joined.items()}, words)


def read_label(text: str, names: Names, *, detector: bool = False) -> Label:
    """Take a name apart into markers, words that may stand beside one, and words that are not understood.

    Parameters
    ----------
    text : str
        ``$PnS``, ``$PnN``, or a cell of a panel file.
    names : Names
        The template's markers and all names known for them.
    detector : bool
        The name is a detector's: dyes in it (``7-AAD-A``) say nothing about what the lab has put there.
    """
    bare = strip_compensated(text).translate(_TRADE_MARKS)
    folded = unicodedata.normalize("NFKC", _OPTICS.sub(" ", bare))
    tokens = [squash(word) for word in _WORD.findall(folded)]
    detector = detector or bool(_PULSE.fullmatch(text.strip()))
    markers: dict[str, str] = {}
    unknown: list[str] = []
    position = 0
    while position < len(tokens):
        taken = _longest(tokens, position, names)
        run = "".join(tokens[position : position + taken]) if taken else tokens[position]
        found = _marker(run, names, single=taken <= 1)
        if found is None and not detector and (dye := names.own_of(names.words.dye(run))):
            found = dye, run
        if found:
            markers.setdefault(*found)
        elif not taken:
            unknown.append(tokens[position])
        position += max(taken, 1)
    return Label(text, markers, tuple(unknown))


def is_marker_name(name: str) -> bool:
    """Say whether a name is a marker's and not a detector's, such as ``FL1-A``."""
    words, folded = vocabulary(), squash(name)
    return bool(folded in words.markers or words.dye(folded) or _ANTIGEN.fullmatch(folded))


def split_pulse(pnn: str) -> tuple[str, str]:
    """Return the detector behind a ``$PnN`` and what of the pulse it is: ``a``, ``h``, ``w`` or empty."""
    bare = strip_compensated(pnn).strip()
    match = _PULSE.fullmatch(bare)
    return (match["stem"].casefold(), match["pulse"][0].casefold()) if match else (bare.casefold(), "")


def is_compensated_name(pnn: str) -> bool:
    """Say whether a ``$PnN`` says that its values were compensated before they were written (``Comp-PE-A``)."""
    return bool(_COMPENSATED.fullmatch(pnn))


def strip_compensated(pnn: str) -> str:
    """Return a ``$PnN`` without the mark of earlier compensation."""
    match = _COMPENSATED.fullmatch(pnn)
    return match["prefixed"] or match["bracketed"] or match["suffixed"] if match else pnn


def _longest(tokens: list[str], position: int, names: Names) -> int:
    """Return how many words from here make the longest name that is understood; 0 where none does."""
    for taken in range(min(_LONGEST_NAME_WORDS, len(tokens) - position), 0, -1):
        run = "".join(tokens[position : position + taken])
        if _marker(run, names, single=taken == 1) or names.words.dye(run) or names.words.beside.fullmatch(run):
            return taken
    return 0


def _marker(run: str, names: Names, *, single: bool) -> tuple[str, str] | None:
    """Return the marker that a run of words names, and the name itself."""
    direct = names.canonical(run)
    if direct:
        return direct, run
    if not single or names.words.beside.fullmatch(run) or names.words.dye(run):
        return None
    for cut in range(len(run) - 2, 1, -1):  # "CD146PE": a marker and its fluorochrome without a space
        head, tail = run[:cut], run[cut:]
        if tail[0].isalpha() and names.words.beside.fullmatch(tail):
            glued = names.canonical(head) or (head if _ANTIGEN.fullmatch(head) else None)
            if glued:
                return glued, head
    return (run, run) if _ANTIGEN.fullmatch(run) else None
