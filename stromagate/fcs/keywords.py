"""Which keywords decide the numbers, which must be there, and how supplemental text joins the primary."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stromagate.fcs.limits import MAX_CHANNELS
from stromagate.fcs.numbers import count, shortened
from stromagate.model.sample import Repair

_DECISIVE = frozenset(
    {
        "$BEGINDATA",
        "$ENDDATA",
        "$BYTEORD",
        "$DATATYPE",
        "$MODE",
        "$NEXTDATA",
        "$PAR",
        "$TOT",
        "$TIMESTEP",
    }
)
_DECISIVE_OF_CHANNEL = re.compile(r"\$P[0-9]{1,6}(?:[BRNEG]|DATATYPE)")

_GAIN = re.compile(r"\$P[0-9]{1,6}G")


def is_decisive(name: str) -> bool:
    """Say whether the keyword (upper case) is needed to get the numbers right."""
    return name in _DECISIVE or bool(_DECISIVE_OF_CHANNEL.fullmatch(name))


def is_optional(name: str) -> bool:
    """Say whether the keyword scales values without being required: gain and time step."""
    return name == "$TIMESTEP" or bool(_GAIN.fullmatch(name))


def missing(keywords: Mapping[str, str], version: str) -> tuple[list[str], list[str]]:
    """Return the keywords without which nothing can be decoded, and those that are merely required.

    Parameters
    ----------
    keywords : mapping
        By upper-case name.
    version : str
        FCS version.
    """
    needed = [name for name in ("$PAR", "$DATATYPE", "$BYTEORD") if name not in keywords]
    if version != "2.0" and "$TOT" not in keywords:
        needed.append("$TOT")
    wanted = [name for name in ("$MODE", "$NEXTDATA") if name not in keywords]
    n_channels = count(keywords.get("$PAR"))
    if n_channels is None or n_channels > MAX_CHANNELS:
        return [*needed, "$PAR"], wanted
    for n in range(1, n_channels + 1):
        needed += [name for name in (f"$P{n}B", f"$P{n}R") if name not in keywords]
        wanted += [name for name in (f"$P{n}N", f"$P{n}E") if name not in keywords]
    return needed, wanted


def join(
    primary: Mapping[str, str], supplement: Mapping[str, str], version: str
) -> tuple[dict[str, str], list[Repair]]:
    """Return both segments' keywords as one, primary first, and what was odd about it."""
    repairs = []
    needed, _ = missing(primary, version)
    rescued = [name for name in needed if name in supplement]
    if rescued:
        repairs.append(
            Repair(
                "text.stext_required",
                ", ".join(rescued[:5]),
                "taken from the supplemental TEXT",
                "a required keyword stands in the supplemental TEXT alone",
            )
        )
    contradicted = [name for name, value in supplement.items() if name in primary and primary[name] != value]
    if contradicted:
        repairs.append(
            Repair(
                "text.duplicate_keyword",
                ", ".join(map(shortened, contradicted[:5])),
                "the primary TEXT counts",
                "primary and supplemental TEXT give a keyword different values",
            )
        )
    return {**supplement, **primary}, repairs
