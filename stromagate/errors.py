"""Every error a user may see: what, where, and what to do next.

Each error knows the exit code the command line ends with, so that nobody has to map exceptions twice.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


class StromagateError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    code : str
        Stable machine-readable name, such as ``"fcs.truncated"``.
    message : str
        One sentence in lab words.
    where : str, optional
        File, line, keyword or population the sentence speaks of.
    hint : str, optional
        What is allowed, or what to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Place, sentence and hint on as few lines as they need."""
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  {self.hint}" if self.hint else head

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way between worker processes with code, place and hint."""
        return (_rebuild, (type(self), self.code, self.message, self.where, self.hint))

    def as_json(self) -> dict[str, str | None]:
        """Return the object that ``--json`` prints under ``error``."""
        return {"code": self.code, "message": self.message, "where": self.where, "hint": self.hint}


def _rebuild(
    kind: type[StromagateError], code: str, message: str, where: str | None, hint: str | None
) -> StromagateError:
    return kind(code, message, where=where, hint=hint)


class UsageError(StromagateError):
    """The command or function was called in a way it does not allow."""

    exit_code = 2


class InputError(StromagateError):
    """An input file could not be read, or holds something that must not be guessed at."""

    exit_code = 3


class OutputError(InputError):
    """Results cannot be written: the disk is full, the place is not ours. It meets every tube, so a batch ends."""


class SpecificationError(StromagateError):
    """A template, sample sheet, panel, matrix or plugin name is wrong."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a document: where it stands, what it is, what would be right."""

    line: int | None
    path: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        """Return ``line 12, populations[3].parent: message (hint)``."""
        place = f"line {self.line}, {self.path}" if self.line is not None else self.path
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class DocumentError(SpecificationError):
    """All problems of one document at once."""

    def __init__(self, code: str, where: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        n = len(self.problems)
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(code, f"{n} problem{'s' if n != 1 else ''}\n{listed}", where=where)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the list of problems between processes."""
        return (DocumentError, (self.code, self.where or "", self.problems))


def fault_text(error: BaseException) -> str:
    """Return what an error that nobody meant says of itself, and where it was when it happened."""
    where = ", ".join(getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error}" + (f" ({where})" if where else "")


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed word closest to ``word``, or None where nothing comes close."""
    by_folded = {candidate.casefold(): candidate for candidate in allowed}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return the hint for an unknown word: the nearest valid one first, then what is allowed."""
    words = sorted(allowed)
    close = nearest(word, words)
    listed = f"allowed: {', '.join(words)}" if words else "none are available"
    return f"did you mean '{close}'? {listed}" if close else listed
