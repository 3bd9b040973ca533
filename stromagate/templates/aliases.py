"""The names of markers, dyes and fluorochromes as data (``aliases.yaml``), read once a process."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

SCATTER_AND_TIME = ("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H", "SSC-W", "Time")

_GREEK = str.maketrans({"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "µ": "u", "μ": "u"})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the words of a channel's name may mean; all words are folded by ``squash``, # standing for a digit.

    ``markers`` and ``dyes`` lead from every name to the one marker it names; ``beside`` matches what may stand
    beside a marker and says nothing about which marker it is.
    """

    markers: Mapping[str, str]
    dyes: Mapping[str, str]
    dye_patterns: tuple[tuple[re.Pattern[str], str], ...]
    beside: re.Pattern[str]

    def dye(self, word: str) -> str | None:
        """Return the dye marker (``Viability``, ``DNA``) that a folded word names."""
        direct = self.dyes.get(word)
        return direct or next((name for pattern, name in self.dye_patterns if pattern.fullmatch(word)), None)


def squash(text: str) -> str:
    """Fold a name to letters and digits: capitals, spaces, hyphens and accents do not tell markers apart."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_GREEK)
    return "".join(character for character in folded if character.isalnum())


def known_aliases() -> Mapping[str, str]:
    """Return the marker behind every known name, by the folded name; a marker's own name included."""
    words = vocabulary()
    return MappingProxyType({**words.markers, **words.dyes})


@cache
def vocabulary() -> Vocabulary:
    """Return the packaged table."""
    from stromagate.templates.yaml_tree import read_tree

    tree = read_tree(Path(__file__).with_name("aliases.yaml").read_bytes())
    if tree.faults:
        message = f"aliases.yaml: {tree.faults[0]}"
        raise ValueError(message)
    table: dict[str, Any] = tree.value
    dyes = _by_name(table["dyes"])
    fluorochromes = [name for row in table["fluorochromes"] for name in row]
    return Vocabulary(
        markers=MappingProxyType(_by_name(table["markers"])),
        dyes=MappingProxyType({name: marker for name, marker in dyes.items() if "#" not in name}),
        dye_patterns=tuple((_pattern([name]), marker) for name, marker in dyes.items() if "#" in name),
        beside=_beside(fluorochromes, table["metals"], table["words"]),
    )


def _by_name(table: Mapping[str, list[str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for marker, names in table.items():
        for name in (marker, *names):
            # Two markers of one name would make every binding a guess, so the table itself is refused.
            if found.setdefault(_folded(name), marker) != marker:
                message = f"aliases.yaml: '{name}' names both {found[_folded(name)]} and {marker}"
                raise ValueError(message)
    return found


def _folded(name: str) -> str:
    """Fold a name of the table, keeping # for a digit."""
    return "#".join(squash(part) for part in name.split("#"))


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    words = sorted({_folded(name).replace("#", r"\d") for name in names})
    return re.compile("|".join(words))


def _beside(fluorochromes: list[str], metals: list[str], words: list[str]) -> re.Pattern[str]:
    symbols = "|".join(sorted(squash(metal) for metal in metals))
    metal = rf"(\d{{2,3}}({symbols})|({symbols})\d{{2,3}})(di)?"
    return re.compile(f"{_pattern([*fluorochromes, *words]).pattern}|{metal}")
