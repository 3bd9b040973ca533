"""Two tubes compared key by key: on what they agree, and what differs that should not, in lab words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stromagate.pipeline.controls.header import Facts, same_matrix

MIN_KEYS = 2
_LABELS = ("batch", "patient_id", "panel", "specimen", "preparation", "lot")
# Keys that say that two tubes belong together; the others say that they were measured alike.
_BELONG = ("batch", "patient_id", "day", "name")
_MOST_LISTED = 4
_PART = re.compile(r"[A-Za-z]+\d*|\d+")
_ROLE_WORDS = re.compile(r"fmo|fluorescence|minus|one|isotype|iso|stained|unstained|blank|control|ctrl|cd\d+[a-z]{0,3}")

Seen = tuple[str, Mapping[str, str], Facts | None]
"""A tube's name, the sheet's columns, and its header."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What two tubes share and where they differ.

    Attributes
    ----------
    matched : tuple of str
        Keys that both state alike.
    mismatched : tuple of str
        What differs and should not, in words; ``detectors`` is the part of it after which one tube says nothing about
        the other.
    one_batch : bool
        Whether they are of one batch, by the sheet or else by day and cytometer.
    belong : bool
        Whether they belong together by what they state.
    """

    matched: tuple[str, ...]
    mismatched: tuple[str, ...]
    detectors: tuple[str, ...]
    one_batch: bool
    belong: bool

    @property
    def score(self) -> int:
        """Keys that agree less those that contradict."""
        return len(self.matched) - len(self.mismatched)


def compare(tube: Seen, control: Seen) -> Compared:
    """Compare a tube with a control.

    Parameters
    ----------
    tube, control : tuple of str, mapping of str to str, and Facts or None
        Name, columns of the sheet, and header; None where the file could not be read.
    """
    agreed: dict[str, bool] = {}
    differs: list[str] = []
    apart: tuple[str, ...] = ()
    for key in _LABELS:
        one, other = (seen[1].get(key, "").strip() for seen in (tube, control))
        if one and other:
            agreed[key] = one.casefold() == other.casefold()
            if not agreed[key] and key != "patient_id":
                differs.append(f"another {key} ({other}, not {one})")
    if tube[2] is not None and control[2] is not None:
        apart = tuple(_other_detectors(tube[2], control[2]))
        for key, same, words in _measured(tube[2], control[2]):
            agreed[key] = same
            if not same:
                differs.append(words)
        if tube[2].detectors and control[2].detectors:
            agreed["detectors"] = not apart
    agreed["name"] = _name_parts(tube[0]) == _name_parts(control[0]) != ()
    matched = tuple(key for key, same in agreed.items() if same)
    by_day = agreed.get("day", False) and agreed.get("cytometer", True)
    binding = [key for key in _BELONG if key in matched and not (key == "day" and agreed.get("batch") is False)]
    return Compared(
        matched=matched,
        mismatched=(*differs, *apart),
        detectors=apart,
        one_batch=agreed.get("batch", by_day),
        belong=len(matched) >= MIN_KEYS and bool(binding),
    )


def binding_keys(seen: Seen) -> frozenset[tuple[str, object]]:
    """Return what a tube states of the keys that bind: two tubes that share none of it do not belong together."""
    name, labels, facts = seen
    stated: dict[str, object] = {key: labels.get(key, "").strip().casefold() for key in _BELONG if key in _LABELS}
    stated |= {"day": "" if facts is None else facts.day, "name": _name_parts(name)}
    return frozenset((key, value) for key, value in stated.items() if value)


def _measured(tube: Facts, control: Facts) -> Iterator[tuple[str, bool, str]]:
    """Yield each key of the files that both state: its name, whether they agree, and what to say if not."""
    for key, one, other in (
        ("cytometer", tube.cytometer, control.cytometer),
        ("serial", tube.serial, control.serial),
        ("day", tube.day, control.day),
    ):
        if one and other:
            words = {"serial": "another cytometer of the same kind", "day": "another day"}.get(key, f"another {key}")
            yield key, one == other, words
    here, there = tube.axis_volts(), control.axis_volts()
    shared = [axis for axis in here if axis in there]
    if shared:
        moved = [f"{axis} {there[axis]:g} V, not {here[axis]:g} V" for axis in shared if here[axis] != there[axis]]
        more = f" and {len(moved) - _MOST_LISTED} more" if len(moved) > _MOST_LISTED else ""
        yield "voltages", not moved, f"other detector voltages: {', '.join(moved[:_MOST_LISTED])}{more}"
    same = same_matrix(tube.spillover, control.spillover)
    if same is not None:
        yield "matrix", same, "another spillover matrix"


def _other_detectors(tube: Facts, control: Facts) -> Iterator[str]:
    """Yield what the control reads on another detector, or on none, in words."""
    for axis, pnn in tube.detectors.items():
        there = control.detectors.get(axis)
        if there is not None and there != pnn:
            yield f"{axis} is on {there}, not on {pnn}"
        elif there is None and pnn not in control.pnn:
            yield f"the detector {pnn} of {axis} is missing"


def _name_parts(name: str) -> tuple[str, ...]:
    """Return the words of a name without those that say what the tube is for."""
    words = [word.casefold() for word in _PART.findall(name)]
    return tuple(word for word in words if not _ROLE_WORDS.fullmatch(word))
