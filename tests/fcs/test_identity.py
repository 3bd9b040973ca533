"""Which keywords and values are taken for a patient's identity, and which are not."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import InputError
from stromagate.fcs import read_header
from stromagate.fcs.identity import FILE_NAME, NAMELESS, day_of, purpose, shown, suspicions
from stromagate.fcs.person_patterns import (
    DATE_OF_BIRTH,
    HOSPITAL_NUMBER,
    MAIL_ADDRESS,
    NAME,
    NATIONAL_NUMBER,
    dates_in,
    has_national_number,
    reasons,
)
from tests.reference_data import DATA, needs_reference_data

MEASURED = dt.date(2025, 1, 15)

PERSONS = {
    "Mustermann, Erika": NAME,
    "MUSTERMANN, ERIKA": NAME,
    "Mustermann, Erika FMO CD146": NAME,
    "Mustermann,Erika 12.3.1950": NAME,
    "von der Müller-Lüdenscheidt, Karl": NAME,
    "O'Brien, Seán": NAME,
    "DOE^JANE^M": NAME,
    "tube of Frau Mustermann": NAME,
    "relapse; patient: Mustermann": NAME,
    "geb. 12.08.1964": DATE_OF_BIRTH,
    "DOB 8/12/64": DATE_OF_BIRTH,
    "born 12 Aug 1964": DATE_OF_BIRTH,
    "1964-08-12": DATE_OF_BIRTH,
    "aspirate 12-AUG-1964": DATE_OF_BIRTH,
    "MRN 00123456": HOSPITAL_NUMBER,
    "Pat.-Nr. 47110815": HOSPITAL_NUMBER,
    "Fallnummer: 9001234": HOSPITAL_NUMBER,
    "078-05-1120": NATIONAL_NUMBER,
    "943 476 5919": NATIONAL_NUMBER,
    "AHV 756.9217.0769.85": NATIONAL_NUMBER,
    "A123456780": NATIONAL_NUMBER,
    "2 55 08 14 168 025 38": NATIONAL_NUMBER,
    "12345678Z": NATIONAL_NUMBER,
    "19811228-9874": NATIONAL_NUMBER,
    "RSSMRA85T10A562S": NATIONAL_NUMBER,
    "write to erika.mustermann@example.org": MAIL_ADDRESS,
}
LAB = (
    "Specimen_001",
    "Patient 1",
    "Healthy Donor",
    "Bone Marrow, Fresh",
    "Stained, Fixed",
    "Alexa Fluor 488",
    "PE-Cy7, APC",
    "Washed Cells, Fixed overnight",
    "Bone Marrow",
    "3.1",
    "20250114",
    "14-JAN-2025",
    "BD FACSDiva Software Version 8.0.1",
    "8,FITC-A,PE-A,APC-A,1,0,0",
    "9FF0B5CA-239B-11E3-A725-000D93643CFA",
    "AML-12 d0",
    "1-800-555-0199",
    "000-12-3456",
    "943 476 5918",
    "756.9217.0769.84",
    "A123456781",
    "12345678A",
)


@pytest.mark.parametrize("value", PERSONS)
def test_identities_are_recognised(value: str) -> None:
    assert PERSONS[value] in reasons(value, measured=MEASURED)


@pytest.mark.parametrize("value", LAB)
def test_words_of_the_lab_are_not(value: str) -> None:
    assert reasons(value, names=True, measured=MEASURED) == ()


@pytest.mark.parametrize("value", ["Erika Mustermann", "Hans_Müller", "Karl M. Huber", "4711081500"])
def test_where_names_are_written_less_is_enough(value: str) -> None:
    assert reasons(value, names=True)
    assert not reasons(value)
    assert suspicions({"$SRC": value})
    assert suspicions({"@SAMPLEID1": value})
    assert not suspicions({"$CELLS": value})


def test_a_date_is_one_of_birth_only_long_before_the_measurement() -> None:
    assert reasons("14.01.2025", measured=MEASURED) == ()
    assert reasons("17.01.2024", measured=MEASURED) == ()
    assert reasons("16.01.2024", measured=MEASURED) == (DATE_OF_BIRTH,)
    assert reasons("15.01.2024") == ()
    assert reasons("31.12.1989") == (DATE_OF_BIRTH,)


@settings(max_examples=40)
@given(st.dates(dt.date(1800, 1, 1), dt.date(2099, 12, 31)))
def test_every_date_is_read_in_every_notation(day: dt.date) -> None:
    notations = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%b-%Y", "%Y-%b-%d", "%d %B %Y")
    for notation in notations:
        assert day in dates_in(f"x {day.strftime(notation)}, y"), notation


@given(st.text())
def test_any_text_has_an_answer_and_it_never_quotes(text: str) -> None:
    seen = reasons(text, names=True, measured=MEASURED)
    assert set(seen) <= {NAME, DATE_OF_BIRTH, HOSPITAL_NUMBER, NATIONAL_NUMBER, MAIL_ADDRESS}
    assert purpose(text.upper()) in {"person", "text", "staff", "day", "machine"}


@pytest.mark.parametrize("piece", ["Aa-", "Aa ", "born_", "_", "a.", "pid 1 ", "1-", "o'", "von "])
def test_long_values_take_no_time_to_speak_of(piece: str) -> None:
    """Patterns that try every way to part a text would need minutes for one of these."""
    used = time.process_time()
    reasons(piece * (20_000 // len(piece)), names=True)
    assert time.process_time() - used < 5


@settings(max_examples=40)
@given(st.integers(0, 10**9 - 1))
def test_exactly_one_check_digit_makes_an_nhs_number(body: int) -> None:
    digits = f"{body:09d}"
    right = [n for n in range(10) if has_national_number(f"{digits[:3]} {digits[3:6]} {digits[6:]}{n}")]
    assert len(right) <= 1


@settings(max_examples=20)
@given(st.integers(0, 10**8 - 1))
def test_exactly_one_letter_makes_a_dni(number: int) -> None:
    assert sum(has_national_number(f"{number:08d}{letter}") for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 1


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("PATIENT NAME", "person"),
        ("&10PATIENT ID", "person"),
        ("$PATIENT_ID", "person"),
        ("DATE OF BIRTH", "person"),
        ("DOB", "person"),
        ("MRN", "person"),
        ("$OP", "staff"),
        ("EXPORT USER NAME", "staff"),
        ("$DATE", "day"),
        ("EXPORT TIME", "day"),
        ("$P3S", "text"),
        ("$P3N", "machine"),
        ("$SPILLOVER", "machine"),
        ("CST BASELINE DATE", "machine"),
        ("$SRC", "text"),
        ("TUBE NAME", "text"),
    ],
)
def test_purposes(keyword: str, expected: str) -> None:
    assert purpose(keyword) == expected


@pytest.mark.parametrize("value", ["", " ", "0", "NA", "none", "unknown", "xxxx", "Default Patient ID", "anonymous"])
def test_a_patients_keyword_that_says_nothing_is_no_alarm(value: str) -> None:
    assert suspicions({"PATIENT ID": value}) == ()


def test_staff_and_days_are_no_patients() -> None:
    assert suspicions({"$OP": "Roe, Jane", "$DATE": "12-AUG-1964", "$CYT": "Roe, Jane"}) == ()


def test_labels_of_channels_are_looked_at() -> None:
    (found,) = suspicions({"$P3S": "Mustermann, Erika", "$P4S": "CD3, CD19", "$P5S": "PE-Cy7"})
    assert str(found) == "$P3S (a name)"


def test_the_name_of_a_keyword_may_itself_be_one() -> None:
    (found,) = suspicions({"MRN 12345678": "Mustermann, Erika"})
    assert found.keyword == NAMELESS
    assert shown("$SRC") == "$SRC"
    assert shown("A\x00B") == "A\N{REPLACEMENT CHARACTER}B"
    assert len(shown("K" * 500)) < 70


def test_names_of_files() -> None:
    assert [str(item) for item in suspicions({}, "a/Mustermann, Erika.fcs")] == [f"{FILE_NAME} (a name)"]
    assert suspicions({}, "Mustermann, Erika/tube.fcs") == ()
    assert suspicions({}, "experiment_2011-03-04_tube_1.fcs") == ()


def test_the_day_of_the_measurement() -> None:
    assert day_of({"$DATE": "15-JAN-2025"}) == MEASURED
    assert day_of({"$BEGINDATETIME": "2025-01-15T10:00:00Z"}) == MEASURED
    assert day_of({"$DATE": "xxxx"}) is None


@needs_reference_data
def test_few_real_files_raise_an_alarm_and_rightly() -> None:
    """Two files with a PATIENT ID, one with the date of a seroconversion; no other of all that can be read."""
    alarms, read = {}, 0
    for path in sorted(DATA.rglob("*")):
        if path.suffix.lower() in {".fcs", ".lmd"}:
            try:
                header = read_header(path)
            except InputError:
                continue
            read += 1
            if found := suspicions(header.keywords, str(path)):
                alarms[path.name] = [item.keyword for item in found]
    assert read > 80
    assert sorted(keyword for keywords in alarms.values() for keyword in keywords) == [
        "&10PATIENT ID",
        "CD SEROCONVERSION DATAE",
        "PATIENT ID",
    ]
