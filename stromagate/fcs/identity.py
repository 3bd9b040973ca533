"""Which keywords of a file may tell who a patient is: by what they are for, and by what their values look like.

A table says what is known of keywords; patterns (``person_patterns``) look at the values of all others that people
write. Neither can be complete: a silent answer means that nothing was recognised, not that a file is anonymous. A value
never leaves this module: what is reported is the keyword's name and what kind of identity was seen.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Final, Literal

from stromagate.fcs.numbers import shortened
from stromagate.fcs.person_patterns import dates_in, reasons

Purpose = Literal["person", "text", "staff", "day", "machine"]

BY_PURPOSE = "made to hold it"
FILE_NAME = "the file's name"
NAMELESS = "a keyword whose own name looks like an identity"

_VENDOR = re.compile(r"^(?:BDPM\$|BD\$|FJ\$|P\$|[$#@&\d]+)+ ?")

# First match counts; names are compared in capitals, without `$`, `#`, `@` and a vendor's number in front, one blank
# for every `_`, `-` and `.`.
_NAMED: Final[tuple[tuple[Purpose, str], ...]] = (
    ("machine", r"P\d+[B-RT-Z]\w*|P\d+|R\d+[IW]|PK\d+|DFC\d+TO\d+|G\d+.*|CSV\d+FLAG|WORD\d+|BEGIN(?!DATE)\w+"),
    ("machine", r"END(?!DATE)\w+|CYT|CYTNUM|CYTSN|SYS|BYTEORD|DATATYPE|MODE|NEXTDATA|PAR|TOT|TIMESTEP|TR|UNICODE"),
    ("machine", r"VOL|ABRT|LOST|.*SPILL(OVER)?|.*COMP(ENSATION)?|CREATOR|.*SOFTWARE.*|.*VERSION|(FILE )?GUID.*"),
    ("machine", r"FILEGUID|CHECKSUM|CST .*|CYTOMETER .*|.*LASER.*|.*CALIB.*|.*BEAD.*|.*SETTINGS?.*|FLOWCORE .*"),
    ("machine", r"MB .*|MCA.*|(.* )?(LOT|EXPIR\w*)( .*)?|THRESHOLD|WINDOW EXTENSION|FSC ASF|INDEX SORTING .*"),
    ("machine", r"PT(DATE|RESULT)|STROMAGATE (SIMULATED|PREPARATION|SIMULATOR|SEED|FAMILY)"),
    ("person", r"(.* )?(PATIENT|PAT|PATIENTEN?|PATIENTIN)S?( ?(NAME|ID|NO|NR|NUMBER|NUMMER|CODE|DOB|SEX|AGE))*"),
    ("person", r"(.* )?(SUBJECT|PERSON|DONOR)S? ?NAME"),
    ("person", r"(.* )?(FIRST|LAST|GIVEN|FAMILY|MAIDEN|SUR) ?NAME|NACHNAME|VORNAME|FAMILIENNAME"),
    ("person", r"(.* )?(DOB|DATE ?OF ?BIRTH|BIRTH ?DA(TE|Y)|GEBURTSDATUM|GEB ?DATUM|GEB)( .*)?"),
    ("person", r"(.* )?(MRN|MEDICAL RECORD( (NO|NUMBER))?|SSN|KVNR|NHS ?(NO|NUMBER)|AHV( ?NR)?|FALLNUMMER)"),
    ("person", r"(.* )?(HOSPITAL|CASE|ACCESSION) ?(ID|NO|NR|NUMBER)"),
    ("day", r"DATE|BTIM|ETIM|ETIME|BEGINDATETIME|ENDDATETIME|LAST MODIFIED|EXPORT TIME|(.* )?DATE(TIME)?"),
    ("staff", r"OP|INST|INSTADDRESS|LOCATION|LAST (LAST )?MODIFIER|EXPORT USER NAME|LOGIN NAME|EXP"),
    ("staff", r"(.* )?(USER|OPERATOR|INVESTIGATOR|PHYSICIAN|DOCTOR)( ?(NAME|ID))?"),
)
_PURPOSES: Final = tuple((held, re.compile(names)) for held, names in _NAMED)
# Free text where labs write whose tube it is.
_WHOSE: Final = re.compile(
    r"SRC|SMNO|(.* )?(SAMPLE|SPECIMEN|TUBE|SUBJECT|DONOR|VIAL)S? ?(ID|NAME|NO|NUMBER)?\d*|SAMPLEID\d*|GROUP ?NAME"
)
_SAYS_NOTHING: Final = re.compile(
    r"(|0+|-?1|x+|z+|n/?a|none|no|null|unknown|unnamed|untitled|empty|blank|not (set|specified|available|given)|"
    r"(default|test)( .*)?|anonym\w*|pseudonym\w*|de-?identified|removed|redacted|simulat\w*|synthetic|[-._ ?*]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One keyword, or the file's name, that looks like a patient's identity, and why; never its value."""

    keyword: str
    why: tuple[str, ...]

    def __str__(self) -> str:
        """Return ``$SRC (a name, a date of birth)``."""
        return f"{self.keyword} ({', '.join(self.why)})"


def purpose(keyword: str) -> Purpose:
    """Return what a keyword is for.

    Parameters
    ----------
    keyword : str
        Upper-case name as the reader gives it.

    Returns
    -------
    {"person", "text", "staff", "day", "machine"}
        Who the patient is; text that people write; who measured and where; when; what the cytometer says of itself.
    """
    return _purpose(re.sub(r"\d+", "1", _folded(keyword)))


@lru_cache(maxsize=4_096)  # channels by the hundred differ by their number alone
def _purpose(folded: str) -> Purpose:
    return next((found for found, names in _PURPOSES if names.fullmatch(folded)), "text")


def suspicions(keywords: Mapping[str, str], path: str = "") -> tuple[Suspicion, ...]:
    """Return every keyword that looks like a patient's identity, and the file's name where it does.

    Parameters
    ----------
    keywords : mapping
        All keywords of a data set, by upper-case name.
    path : str, optional
        Of the file; only its last part is looked at.

    Returns
    -------
    tuple of Suspicion
        In the order of the file; the file's name last.
    """
    measured = day_of(keywords)
    found = [_of_keyword(name, value, measured) for name, value in keywords.items()]
    stem = PurePath(path).stem
    # Names of files hold dates of experiments as a rule, so that an old one says nothing.
    seen = reasons(stem.replace("_", " "), measured=dt.date.min + dt.timedelta(days=400))
    found.append(Suspicion(FILE_NAME, seen) if seen else None)
    return tuple(item for item in found if item is not None)


def seen_in(keyword: str, value: str, measured: dt.date | None = None) -> tuple[str, ...]:
    """Return what in a value, under that keyword, looks like a person's identity; see ``person_patterns.reasons``."""
    return reasons(value, names=bool(_WHOSE.fullmatch(_folded(keyword))), measured=measured)


def names_someone(keyword: str, value: str) -> bool:
    """Say whether a keyword's value names a patient, a specimen or a member of staff, and says something."""
    somebody = purpose(keyword) in {"person", "staff"} or keyword in {"$SRC", "$SMNO"}
    return somebody and not _SAYS_NOTHING.fullmatch(value.strip())


def shown(keyword: str) -> str:
    """Return a keyword's name as messages may show it: in odd TEXT a value can stand in a name's place."""
    return NAMELESS if reasons(keyword) else shortened(keyword)


def day_of(keywords: Mapping[str, str]) -> dt.date | None:
    """Return the day of the measurement; None where the file does not say it."""
    for name in ("$DATE", "$BEGINDATETIME"):
        found = dates_in(keywords.get(name, "").replace("T", " "))
        if found:
            return found[0]
    return None


def _of_keyword(name: str, value: str, measured: dt.date | None) -> Suspicion | None:
    kind, said = purpose(name), value.strip()
    if kind in {"machine", "staff", "day"} or _SAYS_NOTHING.fullmatch(said):
        return None
    seen = seen_in(name, said, measured)
    if kind == "person":
        return Suspicion(shown(name), (BY_PURPOSE, *seen))
    return Suspicion(shown(name), seen) if seen else None


def _folded(keyword: str) -> str:
    bare = _VENDOR.sub("", keyword.upper())
    return " ".join(re.sub(r"[_.\s-]+", " ", bare).split())
