"""Values that look like a person's identity: names, dates of birth, hospital numbers, national numbers, addresses.

Patterns know how identities are written, not who people are: a name of one word, a number without a check digit and a
study's own code are not seen. What is looked for is the product's own choice; check digits are those of the issuers.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Final

DATE_OF_BIRTH = "a date of birth"
NAME = "a name"
HOSPITAL_NUMBER = "a hospital number"
NATIONAL_NUMBER = "a national number"
MAIL_ADDRESS = "a mail address"

_LONGEST_LOOKED_AT = 20_000  # characters of a value: embedded documents are no places for one name
_LONGEST_NAME = 120  # characters in which a name at the beginning of a value must be found
_DAYS_APART = 365  # a full date at least so long before the measurement is one of birth rather than of the work
_OLD_YEAR = 1990  # where the day of measurement is not known: before the first FCS files
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"),
        start=1,
    )
    for name in names.split()
}

_BEGIN, _END = r"(?<![^\W_])", r"(?![^\W_])"
_ISO = re.compile(rf"{_BEGIN}((?:18|19|20)\d\d)([-./]?)(\d\d)\2(\d\d){_END}")
_DAY_FIRST = re.compile(rf"{_BEGIN}(\d\d?)([-./ ])(\d\d?)\2((?:18|19|20)\d\d){_END}")
_WORDED = re.compile(rf"{_BEGIN}(\d\d?)[-./ ]+([^\W\d_]{{3}})[^\W\d_]*[-./, ]+((?:18|19|20)\d\d){_END}", re.IGNORECASE)
_ISO_WORDED = re.compile(rf"{_BEGIN}((?:18|19|20)\d\d)[-./ ]([^\W\d_]{{3}})[^\W\d_]*[-./ ](\d\d?){_END}", re.IGNORECASE)
_BORN = re.compile(
    rf"{_BEGIN}(?:d\.?o\.?b\.?|date[ _]of[ _]birth|birth[ _]?da(?:te|y)|born|geb(?:oren|\.?[ _]?dat(?:um)?)?\.?|"
    rf"née?e?|nato|nata|nacid[oa])[ _]{{0,3}}(?:on|am|le|il|el)?[ _]{{0,3}}[:=]?[ _]{{0,3}}"
    rf"(?:\d\d?[-./ ]\d\d?[-./ ]\d{{2,4}}|\d{{4}}[-./]?\d\d[-./]?\d\d|"
    rf"\d\d?[-./ ]?[^\W\d_]{{3,9}}[-./ ]?\d{{2,4}}){_END}",
    re.IGNORECASE,
)

_WORD = r"[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_]))+"
_CAPITAL = rf"(?=[^\W\d_a-zß-öø-ÿ]){_WORD}"
_FAMILY_FIRST = re.compile(
    rf"((?:(?:von|van|der|den|ten|de|di|da|del|della|zu|zur|le|la|el|al)[ -]){{0,2}}{_CAPITAL}(?:[ -]{_CAPITAL})?),[ ]*"
    rf"({_CAPITAL}(?:[ -]{_CAPITAL})?(?:[ ][^\W\d_]\.)?)(?=[ ]*[,;(/*]|[ ]+\d|(?:[ ]+[^ ]+){{0,3}}$)"
)
_CARETS = re.compile(rf"({_WORD})\^({_WORD})(?:\^.*)?")
_GIVEN_FIRST = re.compile(rf"({_CAPITAL})[ _](?:[^\W\d_]\.[ _])?({_CAPITAL})(?:[ _]{_CAPITAL})?")
_ADDRESSED = re.compile(
    rf"{_BEGIN}(?i:mr|mrs|ms|herr|frau|señora?|signora?|madame|monsieur|mme)\.?[ _]{{1,3}}{_CAPITAL}"
)
_SAID_NAME = re.compile(
    rf"{_BEGIN}(?:patient(?:in)?(?:'?s)?(?:[ _]?name)?|name(?:[ _]of[ _]patient)?|surname|nachname|vorname|"
    rf"(?:first|last)[ _]?name)[ _]{{0,3}}[:=][ _]{{0,3}}({_WORD})",
    re.IGNORECASE,
)

_NUMBERED = re.compile(
    rf"{_BEGIN}(?:mrn|m\.r\.n\.|pid|pat(?:ient(?:en)?)?[-. _]*(?:id|nr|no|num(?:mer|ber)?)|fall[-. _]*(?:nr|nummer|id)|"
    rf"case[-. _]*(?:id|no|number)|hospital[-. _]*(?:id|no|number)|hosp[-. _]*(?:id|no)|medical[-. _]*record(?:[-. _]*"
    rf"(?:no|number))?|accession[-. _]*(?:no|number)?|nhs(?:[-. _]*(?:no|number))?|ssn|kvnr|ahv(?:[-. _]*nr)?|"
    rf"cpr|nir)\.?[ _]{{0,3}}[:=#]?[ _]{{0,3}}[A-Z]{{0,3}}[-#/ ]{{0,2}}\d[\d ./-]{{3,}}",
    re.IGNORECASE,
)
_MAIL = re.compile(rf"{_BEGIN}[\w.+-]{{1,64}}@[\w-]+(?:\.[\w-]+)*\.[a-z]{{2,}}{_END}", re.IGNORECASE)

# Words of the laboratory: two capitalised words with one of these among them name no person.
_LAB_WORDS: Final = frozenset(
    """
    absolute acquired acquisition activated activation adult aml anti antibody apc aspirate barcode batch bead
    beads biopsy blank blood blue bone brilliant buffer buffy calibration cell cells center centre clinic
    clinical clone coat cohort comp compensation control controls copy cord count culture cy cytometer data
    dataset day dead default demo department diagnosis digest donor dump dye empty erythroid experiment export
    female fetal file fitc fixed flow fluor fmo fraction fresh frozen full gate gated gating granulocytes green
    group health healthy hospital hour human ice id infected institute instrument iso isotype kit lab label
    laboratory leukemia line live lot lymph lymphocytes lysed male marker marrow mastermix memory mesenchymal
    method mix mixed mock monocytes mononuclear mouse msc murine naive name negative new niche night no nodes
    normal not null old orange organ other overnight pacific panel patient patients pbmc pe peripheral plasma
    plate positive post pre project protocol quality rat red reference relapse remission replicate research run
    sample samples science sciences serum set setup single skin sort sorted source specimen spike spleen stain
    stained staining standard state stem stimulated stroma stromal study subject synthetic test texas thymus
    time tissue total treated treatment true tube universal university unknown unstained untitled untreated
    viability violet volume wash water week well whole wild with without worklist yellow
    """.split()  # noqa: SIM905  (a table of words reads best as words)
)


def reasons(value: str, *, names: bool = False, measured: dt.date | None = None) -> tuple[str, ...]:
    """Return what in a value looks like a person's identity, in words; nothing where nothing does.

    Parameters
    ----------
    value : str
        Any text.
    names : bool
        The text is where people write names: two capitalised words are taken for one, and a bare number of 7 to 10
        digits for a hospital's.
    measured : date, optional
        Day of the measurement; a full date a year or more before it is taken for one of birth.

    Returns
    -------
    tuple of str
        Kinds such as ``"a name"``, each once.
    """
    text = " ".join(value[:_LONGEST_LOOKED_AT].split())
    if not text:
        return ()
    tests: tuple[tuple[str, Callable[[str], bool]], ...] = (
        (NAME, lambda said: _is_name(said, loosely=names)),
        (DATE_OF_BIRTH, lambda said: bool(_BORN.search(said)) or _has_old_date(said, measured)),
        (HOSPITAL_NUMBER, lambda said: bool(_NUMBERED.search(said)) or (names and _is_bare_number(said))),
        (NATIONAL_NUMBER, has_national_number),
        (MAIL_ADDRESS, lambda said: bool(_MAIL.search(said))),
    )
    return tuple(kind for kind, test in tests if test(text))


def dates_in(text: str) -> list[dt.date]:
    """Return every full date in a text, in the order of the notations: ISO, day or month first, with the month's name.

    ``03/04/1960`` is read as the third of April; ``04/13/1960``, which cannot be, as the month first.
    """
    found = [_date(year, month, day) for year, _, month, day in _ISO.findall(text)]
    for first, _, second, year in _DAY_FIRST.findall(text):
        found.append(_date(year, second, first) or _date(year, first, second))
    for first, month, year in _WORDED.findall(text):
        found.append(_date(year, _MONTHS.get(month.casefold(), 0), first))
    for year, month, day in _ISO_WORDED.findall(text):
        found.append(_date(year, _MONTHS.get(month.casefold(), 0), day))
    return [date for date in found if date is not None]


def _date(year: str, month: str | int, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _has_old_date(text: str, measured: dt.date | None) -> bool:
    before = dt.date(_OLD_YEAR, 1, 1) if measured is None else measured - dt.timedelta(days=_DAYS_APART)
    return any(date <= before for date in dates_in(text))


def _is_name(text: str, *, loosely: bool) -> bool:
    begin = text[:_LONGEST_NAME]
    family_first = _FAMILY_FIRST.match(begin) or _CARETS.fullmatch(begin)
    # A given name may be followed by words of the lab: `Mustermann, Erika FMO`.
    if family_first and not _of_the_lab(family_first.group(1), family_first.group(2).split(" ")[0]):
        return True
    said = _SAID_NAME.search(text)
    if (said and not _of_the_lab(said.group(1))) or _ADDRESSED.search(text):
        return True
    given_first = _GIVEN_FIRST.fullmatch(begin) if loosely else None
    return given_first is not None and not _of_the_lab(*re.split("[ _]", text))


def _of_the_lab(*words: str) -> bool:
    return any(part.casefold().rstrip(".") in _LAB_WORDS for word in words for part in re.split(r"[ '’-]", word))


def _is_bare_number(text: str) -> bool:
    """Say whether a value is one number as long as hospitals' are: not a date of the work, and not a count of zeros."""
    return bool(re.fullmatch(r"[1-9]\d{6,9}", text)) and not _ISO.fullmatch(text)


def has_national_number(text: str) -> bool:
    """Say whether a text holds a national number of a person: those that a form or a check digit tells from others."""
    return any(
        all(test(found.group()) for test in tests) for form, *tests in _NATIONAL for found in form.finditer(text)
    )


def _digits(text: str) -> list[int]:
    return [int(letter) for letter in text if letter.isdigit()]


def _not_trivial(text: str) -> bool:
    return len(set(_digits(text))) > 2


def _nhs(text: str) -> bool:
    """Test the check digit of the United Kingdom's NHS number (modulus 11)."""
    *body, check = _digits(text)
    return (11 - sum(weight * digit for weight, digit in zip(range(10, 1, -1), body, strict=True)) % 11) % 11 == check


def _ahv(text: str) -> bool:
    """Test the check digit of the Swiss AHV number (EAN-13)."""
    *body, check = _digits(text)
    return -sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10 == check


def _kvnr(text: str) -> bool:
    """Test the check digit of the German health insurance number: the letter as two digits, weights 1 and 2 in turn."""
    number = f"{ord(text[0]) - 64:02d}{text[1:9]}"
    products = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(number))
    return sum(product // 10 + product % 10 for product in products) % 10 == int(text[9])


def _nir(text: str) -> bool:
    """Test the key of the French NIR (97 minus the number modulo 97)."""
    number = "".join(map(str, _digits(text)))
    return 97 - int(number[:13]) % 97 == int(number[13:])


def _dni(text: str) -> bool:
    """Test the letter of the Spanish DNI (number modulo 23)."""
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(text[:8]) % 23] == text[-1]


def _luhn(text: str) -> bool:
    """Test the check digit of the Swedish personal number, of its last ten digits."""
    doubled = (digit * (2 if place % 2 == 0 else 1) for place, digit in enumerate(_digits(text)[-10:]))
    return sum(product // 10 + product % 10 for product in doubled) % 10 == 0


def _ssn(text: str) -> bool:
    """Exclude numbers of the United States that are never given out."""
    area, group, serial = text.split("-")
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-]){pattern}(?![\w-]|\.\d)")


_NATIONAL: Final[tuple[tuple[re.Pattern[str], *tuple[Callable[[str], bool], ...]], ...]] = (
    (_form(r"\d{3}-\d{2}-\d{4}"), _ssn),
    (_form(r"\d{3}[ -]\d{3}[ -]\d{4}"), _not_trivial, _nhs),
    (_form(r"756\.?\d{4}\.?\d{4}\.?\d{2}"), _ahv),
    (_form(r"[A-Z]\d{9}"), _kvnr),
    (_form(r"[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?\d\d ?\d{3} ?\d{3} ?\d\d"), _nir),
    (_form(r"\d{8}-?[A-Z]"), _dni),
    (_form(r"(?:19|20)?\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[-+]\d{4}"), _luhn),
    (_form(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"),),
)
