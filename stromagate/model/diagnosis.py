"""What the sheet's diagnosis says of a leukaemia, and from how many blasts on one is seen in a tube."""

from __future__ import annotations

import re

DIAGNOSIS = "diagnosis"
"""Column of the sample sheet."""

CARRIED_SHARE = 0.1
"""With fewer of the blasts beyond a marker's boundary most laboratories say that it is not there. Own choice."""
LEUKAEMIA_SHARE = 0.2
"""From this share of blasts on a stated leukaemia is taken to be in the tube (ELN 2022, 10.1182/blood.2022016867)."""
UNSTATED_SHARE = 0.5
"""The same where none is stated. Own choice: in healthy marrow freed of CD45-bright cells a third is CD45-dim."""
MIN_BLASTS = 200
"""Fewer blasts say nothing of what they carry. Own choice."""

_AML = r"\bt?AML\b|\bs-?AML\b|acute (?:pro)?myel\w+ leuk|\bAPL\b|\bA?M[0-7][ab]?\b(?=.*leuk)"
# A word against it stands before it: "AML without maturation" and "AML, not otherwise specified" are AML.
_NOT_AML = (
    rf"\b(?:no|not|without|exclud\w*|ruled? out|healthy)\b[\w ]{{0,24}}?(?:{_AML})"
    rf"|(?:{_AML})[\w ]{{0,5}}(?:exclud|ruled out)"
)


def is_of_blasts(population: str) -> bool:
    """Say whether a population of a template is that of the blasts, by its name."""
    return bool(re.fullmatch(r"blasts?(_aml)?", population))


def lacking(marker: str) -> str:
    """Return the words for the lack of a marker, as a pattern: ``CD34-negative``, ``CD34-``, ``without CD34``."""
    name = re.escape(marker)
    return (
        rf"(?<!\w){name}\s*(?:-|−|–)?\s*(?:neg|-(?!\w)|−(?!\w)|–(?!\w))"
        rf"|(?:no|without|lacks?|lacking|loss of)\s+{name}(?!\w)"
    )


def lacks(diagnosis: str, marker: str) -> bool:
    """Say whether a diagnosis states that a marker is lacking."""
    return bool(re.search(lacking(marker), diagnosis, re.IGNORECASE))


def is_aml(diagnosis: str) -> bool:
    """Say whether a diagnosis is one of acute myeloid leukaemia, and not that of somebody without."""
    return bool(re.search(_AML, diagnosis, re.IGNORECASE)) and not re.search(_NOT_AML, diagnosis, re.IGNORECASE)


def is_leukaemia(diagnosis: str) -> bool:
    """Say whether a diagnosis is one of a leukaemia or of MDS."""
    return bool(re.search(r"leuk|\bA[MLP]+L\b|\bMDS\b", diagnosis, re.IGNORECASE))
