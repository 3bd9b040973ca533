"""YAML as plain values with line numbers, read from parser events so that nothing in the file is ever constructed.

Scalars follow one small rule instead of YAML 1.1: text, unless it is null, true, false or a plain decimal number.
What YAML 1.1 would have turned into something else is a fault with its line, never a silent value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from stromagate.templates.faults import Fault, Place

MAX_BYTES = 1_000_000
MAX_DEPTH = 32

_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[-+]?(\d+\.\d*|\.\d+)([eE][-+]\d+)?")
_SURPRISES = (
    (re.compile(r"yes|no|on|off|y|n", re.IGNORECASE), "reads as true or false in YAML 1.1", "write true or false"),
    (re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?"), "reads as a number to base 60 in YAML 1.1", None),
    (re.compile(r"[-+]?0[\d_]+"), "reads as an octal number in YAML 1.1", "write it without the leading 0"),
    (re.compile(r"[-+]?0([xX][\da-fA-F_]+|[oO][0-7_]+|[bB][01_]+)"), "is not a decimal number", "write it as one"),
    (re.compile(r"[-+]?[\d_]*\d_[\d_.]*"), "reads as a number in YAML 1.1", "write it without _"),
    (re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+"), "is text to some YAML readers", "write it like 1.0e+3"),
    (re.compile(r"\d{4}-\d\d?-\d\d?([Tt\s].*)?"), "reads as a date in YAML 1.1", None),
    (re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE), "is not a finite number", "leave a side open with null"),
    (re.compile(r"[-+]?\d{19,}"), "is a number of too many digits", None),
)


@dataclass(frozen=True, slots=True)
class Tree:
    """A document as plain values, the line of every place in it, and what is wrong with its YAML."""

    value: Any
    lines: dict[Place, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    readable: bool = True


def read_tree(data: bytes) -> Tree:
    """Read one YAML document.

    Parameters
    ----------
    data : bytes
        UTF-8, at most 1 MB, nested at most 32 deep; no anchors, aliases, tags, or second document.

    Returns
    -------
    Tree
        ``readable`` is False where the text ends before its value is known; ``faults`` then says why.
    """
    if len(data) > MAX_BYTES:
        return _unreadable(1, f"the file has more than {MAX_BYTES:,} bytes", "a template is a page or two")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = data.count(b"\n", 0, cause.start) + 1
        return _unreadable(line, f"byte {cause.start} is not UTF-8", "save the file as UTF-8")
    builder = _Builder(text)
    try:
        return builder.tree()
    except _Stop as stop:
        return _unreadable(stop.line, stop.message, stop.hint, builder.faults)
    except yaml.YAMLError as cause:
        return _unreadable(*_said(cause, text), builder.faults)


def _said(cause: yaml.YAMLError, text: str) -> tuple[int, str, str]:
    """Return line, message and hint for what the parser stumbled over."""
    if not isinstance(cause, yaml.MarkedYAMLError):
        line = text.count("\n", 0, getattr(cause, "position", 0)) + 1
        return line, f"not YAML: {getattr(cause, 'reason', cause)}", "remove the character"
    mark = cause.problem_mark or cause.context_mark
    line = mark.line + 1 if mark else 1
    said = " ".join(filter(None, (cause.context, cause.problem)))
    if "nesting depth" in said:
        return line, _TOO_DEEP, "templates are flat"
    tab = "\\t" in said or "tab character" in said
    return line, f"not YAML: {said}", "indent with spaces, not tabs" if tab else "look for a missing colon or bracket"


class _Stop(Exception):  # noqa: N818  (not an error: the end of reading)
    def __init__(self, line: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


def _unreadable(line: int, message: str, hint: str, so_far: list[Fault] | None = None) -> Tree:
    return Tree(None, {(): line}, (*(so_far or []), Fault((), message, hint, line)), readable=False)


class _Builder:
    """Turns parser events into values, one place after the other."""

    def __init__(self, text: str) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=loader))
        self.lines: dict[Place, int] = {}
        self.faults: list[Fault] = []

    def tree(self) -> Tree:
        next(self._events)  # stream start
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            return _unreadable(1, "the file is empty", "a template starts with `format: stromagate.template/1`")
        if start.version or start.tags:
            self._fault((), "YAML directives (%) are not read", "remove the line", start)
        value = self._node(next(self._events), ())
        next(self._events)  # document end
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            self._fault((), "a second document starts here", "keep one template a file", following)
        return Tree(value, self.lines, tuple(self.faults))

    def _node(self, event: Any, place: Place) -> Any:
        self.lines.setdefault(place, event.start_mark.line + 1)
        if len(place) > MAX_DEPTH:
            raise _Stop(event.start_mark.line + 1, _TOO_DEEP, "templates are flat")
        if isinstance(event, yaml.AliasEvent):
            self._fault(place, f"the alias *{event.anchor} is not read", "write the value out", event)
            return None
        if event.anchor:
            self._fault(place, f"the anchor &{event.anchor} is not read", "write the value out where it is used", event)
        if event.tag and event.tag != "!":
            self._fault(place, f"the tag {event.tag} is not read", "remove it", event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        return self._sequence(place) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(place)

    def _sequence(self, place: Place) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*place, len(items))))
        return items

    def _mapping(self, place: Place) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, place)
            inside = (*place, key)
            if key in items:
                first = self.lines[inside]
                self._fault(inside, f"the key `{key}` stands twice", f"the first is on line {first}", event)
                self._node(next(self._events), (*place, f"{key} (again)"))
                continue
            self.lines[inside] = event.start_mark.line + 1
            items[key] = self._node(next(self._events), inside)
        return items

    def _key(self, event: Any, place: Place) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._fault(place, "a key must be one word", "write `word: value`", event)
            self._node(event, (*place, "key"))
            return f"key of line {event.start_mark.line + 1}"
        if event.anchor or event.tag:
            self._fault(place, "anchors and tags are not read", "write the key alone", event)
        key = str(event.value)
        if key == "<<" and event.implicit[0]:
            self._fault(place, "merge keys (<<) are not read", "write the values out", event)
        elif event.implicit[0] and not isinstance(self._plain(event, (*place, key)), str):
            self._fault((*place, key), f"the key {key or 'null'} is not text", "quote it", event)
        return key

    def _scalar(self, event: Any, place: Place) -> Any:
        if event.implicit[0]:
            return self._plain(event, place)
        if re.search("[\ud800-\udfff]", event.value):
            self._fault(place, "half a character (a lone surrogate)", "write the character itself", event)
            return ""
        return event.value

    def _plain(self, event: Any, place: Place) -> Any:
        text = event.value
        if text in {"", "~", "null", "Null", "NULL"}:
            return None
        if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
            return text[0] in "tT"
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text) and abs(number := float(text)) < float("inf"):
            return number
        for pattern, message, hint in _SURPRISES:
            if pattern.fullmatch(text):
                quoted = f"quote it ('{text}') if text is meant"
                self._fault(place, f"{text} {message}", f"{hint}, or {quoted}" if hint else quoted, event)
                break
        return text

    def _fault(self, place: Place, message: str, hint: str, event: Any) -> None:
        self.faults.append(Fault(place, message, hint, event.start_mark.line + 1))
