"""What a tube may be for, by the words of its name: a proposal for a person to look through, and never more."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stromagate.model.template import GatingTemplate
from stromagate.pipeline.controls.roles import Roles, roles_of
from stromagate.prepare.labels import names_of
from stromagate.templates.aliases import known_aliases, squash, vocabulary

STAINED = "stained"
_WORD = re.compile(r"[^\W_]+")
_LEAVES_OUT = re.compile(r"fmo|minus|without|isotype|iso", re.IGNORECASE)
_COMPENSATION = re.compile(r"comp|comps|compensation|compbeads", re.IGNORECASE)
_UNSTAINED = re.compile(r"unstained|unstain|unst|nostain", re.IGNORECASE)
_NOT_OF_THE_PATIENT = re.compile(
    r"controls?|ctrl|tubes?|stained|full|fluorescence|minus|one|fmo|isotype|iso|blank|beads?|without|copy",
    re.IGNORECASE,
)
_GLUED = re.compile(r"(fmo|iso|isotype)(?=[a-z]*\d)", re.IGNORECASE)
_ANTIGEN = re.compile(r"cd\d+[a-z]{0,3}", re.IGNORECASE)
_TUBE_NUMBER = re.compile(r"0\d{2,}")
_MOST_WORDS = 3


@dataclass(frozen=True, slots=True)
class Guess:
    """A role, the words that say so, and what is left of the name: as a rule the patient."""

    role: str
    why: str
    rest: str


@dataclass(frozen=True, slots=True)
class Guesser:
    """Names taken apart by the markers of a template, and by all that are known."""

    roles: Roles

    def guess(self, name: str) -> Guess:
        """Return what a tube of that name may be for; ``stained`` where no word of it names a control.

        An FMO whose marker is not understood has the role ``fmo:?``, which no run accepts: a person must say which.
        """
        words = _WORD.findall(_GLUED.sub(r"\1 ", name))
        for number, word in enumerate(words):
            if _COMPENSATION.fullmatch(word):
                dye = " ".join(item for item in words[number + 1 :] if not _dull(item))
                return self._found(f"comp:{dye or '?'}", word, words, set(words[number:]))
        for number, word in enumerate(words):
            if _LEAVES_OUT.fullmatch(word):
                return self._left_out(words, number)
        for word in words:
            if _UNSTAINED.fullmatch(word):
                return self._found("unstained", word, words, {word})
            if word.casefold() == "blank":
                return self._found("blank", word, words, {word})
        return Guess(STAINED, "no word of a control", _rest(words, set()))

    def _left_out(self, words: list[str], number: int) -> Guess:
        """Return the guess for a tube in whose name a word says that an antibody was left out, or put in its place."""
        kind = "isotype" if words[number].casefold().startswith("iso") else "fmo"
        after = [word for word in words[number + 1 :] if not _dull(word)]
        before = [word for word in words[:number] if not _dull(word)]
        windows = [after[:n] for n in range(_MOST_WORDS, 0, -1)] + [before[-n:] for n in range(_MOST_WORDS, 0, -1)]
        for window in windows:
            marker = self._marker(window)
            if marker:
                return self._found(f"{kind}:{marker}", " ".join([words[number], *window]), words, set(window))
        return self._found(f"{kind}:?", words[number], words, set())

    def _marker(self, window: list[str]) -> str | None:
        """Return the marker that words name; ``146`` beside FMO is CD146."""
        text = " ".join(window)
        known = known_aliases()
        for said in (text, f"CD{text}") if text.isdigit() else (text,):
            if marker := self.roles.marker(said) or known.get(squash(said)):
                return marker
        return text.upper() if _ANTIGEN.fullmatch(text) else None

    def _found(self, role: str, why: str, words: list[str], used: set[str]) -> Guess:
        return Guess(role, why, _rest(words, used))


def guesser(template: GatingTemplate | None = None) -> Guesser:
    """Return what takes names apart by a template's markers, or by the known ones alone."""
    if template is not None:
        return Guesser(roles_of(template))
    markers = tuple(dict.fromkeys(vocabulary().markers.values()))
    return Guesser(Roles(markers, names_of(markers, {})))


def _dull(word: str) -> bool:
    """Say whether a word says neither which marker nor which patient: ``control``, or the number of a tube."""
    return bool(_NOT_OF_THE_PATIENT.fullmatch(word)) or bool(_TUBE_NUMBER.fullmatch(word))


def _rest(words: list[str], used: set[str]) -> str:
    """Return the name without what says what the tube is for, and without the number of the tube behind that."""
    kept: list[str] = []
    role_was_said = False
    for word in words:
        if word in used or _NOT_OF_THE_PATIENT.fullmatch(word) or _UNSTAINED.fullmatch(word):
            role_was_said = True
        elif not (word.isdigit() and role_was_said) and not _TUBE_NUMBER.fullmatch(word):
            kept.append(word)
    return "_".join(kept)
