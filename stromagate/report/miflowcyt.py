"""The items of MIFlowCyt 1.0 (doi:10.1002/cyto.a.20623), filled as far as a result knows, the gaps with where to write.

Numbers are those of the standard. What a file or a sheet does not say is left empty, never guessed, and nothing is
taken from keywords that name a person, a place or a day. Section 4, the analysis, is in ``miflowcyt_analysis``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stromagate.model.panel import Binding
from stromagate.model.result import SampleResult
from stromagate.report.lookup import STATUS_WORDS, asked, label, role, tally
from stromagate.report.miflowcyt_analysis import analysis
from stromagate.report.wording import LLOQ_MARK

DOI = "10.1002/cyto.a.20623"
SECTIONS = {"1": "Experiment overview", "2": "Sample and specimen", "3": "Instrument", "4": "Data analysis"}

_BY_HAND = "where the data are published; results name no person and no place"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the table.

    Parameters
    ----------
    number : str
        Item of the standard, such as ``2.4``.
    title : str
        What the standard asks for.
    subject : str
        Marker, detector or population that the line is about; empty where it is about the tube.
    value : str
        What is known; empty where nothing is.
    source : str
        Where that is from.
    write_in : str
        Where to write what is missing.
    """

    number: str
    title: str
    subject: str
    value: str
    source: str
    write_in: str = ""

    @property
    def faint(self) -> bool:
        """Whether it is a number below the limit of quantification."""
        return self.value.endswith(LLOQ_MARK)

    @property
    def missing(self) -> bool:
        """Whether nothing is known of it."""
        return not self.value


@dataclass(frozen=True, slots=True)
class _FromSheet:
    """An item that only the sample sheet can fill: the columns that are understood, the first of them proposed."""

    number: str
    title: str
    columns: tuple[str, ...]
    subject: str = ""
    unit: str = ""


# Columns beside those that other parts understand are an own choice; all columns of a sheet travel to results.
_OVERVIEW = (
    _FromSheet("1.1", "Purpose", ("purpose",)),
    _FromSheet("1.2", "Keywords", ("experiment_keywords",)),
    _FromSheet("1.3", "Experiment variables", ("experiment_variables",)),
    _FromSheet("1.6", "Date of measurement", ("acquisition_date",)),
)
_MATERIAL = (
    _FromSheet("2.1", "Material", ("specimen", "specimen_type", "material"), "specimen"),
    _FromSheet("2.1", "Material", ("organism",), "organism"),
    _FromSheet("2.1", "Material", ("age", "age_years", "donor_age"), "age", "years"),
    _FromSheet("2.1", "Material", ("sex",), "sex"),
    _FromSheet("2.1", "Material", ("diagnosis", "phenotype"), "diagnosis or phenotype"),
)
_TREATMENT = (
    _FromSheet("2.3", "Treatment", ("preparation",), "preparation"),
    _FromSheet(
        "2.3",
        "Treatment",
        ("hours_to_stain", "processing_hours", "hours", "time_to_stain_h"),
        "hours from aspiration to staining",
        "h",
    ),
    _FromSheet("2.3", "Treatment", ("treatment",), "lysis, digestion, fixation, stimulation"),
)
_DETECTOR = (
    ("V", "voltage", " V"),
    ("L", "laser", " nm"),
    ("O", "power", " mW"),
    ("F", "filter", ""),
    ("T", "kind", ""),
    ("G", "gain", ""),
)
_NEEDED = "VLF"
_BY_CYTOMETER = (
    "file, keywords $PnV, $PnL and $PnF, where the cytometer exports them; else where the data are published"
)
_COLUMN = re.compile(r"sample sheet, column `([^`]*)`")


def items(result: SampleResult) -> list[Item]:
    """Return every line of the table of one tube, in the order of the standard.

    Parameters
    ----------
    result : SampleResult
        Everything known of the tube.
    """
    return [*_overview(result), *_sample(result), *_instrument(result), *(Item(*row) for row in analysis(result))]


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing of one item of the standard, and where to write it."""

    number: str
    title: str
    subjects: tuple[str, ...]
    write_in: str


def gaps(found: Sequence[Item]) -> list[Gap]:
    """Return what is missing, one line for each item of the standard and each place to write it in.

    Parameters
    ----------
    found : sequence of Item
        The table of one tube, or of several behind each other.
    """
    together: dict[tuple[str, str, str], list[Item]] = {}
    for item in found:
        if item.missing:
            place = "sample sheet" if _COLUMN.match(item.write_in) else item.write_in
            together.setdefault((item.number, item.title, place), []).append(item)
    return [
        Gap(number, title, tuple(dict.fromkeys(item.subject for item in some if item.subject)), _where(place, some))
        for (number, title, place), some in together.items()
    ]


def _where(place: str, some: Sequence[Item]) -> str:
    columns = dict.fromkeys(found.group(1) for item in some if (found := _COLUMN.match(item.write_in)))
    if not columns:
        return place
    return f"{place}, column{'s' if len(columns) > 1 else ''} {', '.join(f'`{name}`' for name in columns)}"


@dataclass(frozen=True, slots=True)
class Shared:
    """One line of the table of a run: the values that its tubes have, each with the tubes that have it."""

    number: str
    title: str
    subject: str
    values: tuple[tuple[str, tuple[str, ...]], ...]


def shared(tubes: Sequence[tuple[str, Sequence[Item]]]) -> list[Shared]:
    """Return the lines of all tubes together, in the order of the standard; a line that no tube fills has no values.

    Parameters
    ----------
    tubes : sequence of (str, sequence of Item)
        The name and the table of each tube of a run.
    """
    lines: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for name, table in tubes:
        for item in table:
            values = lines.setdefault((item.number, item.title, item.subject), {})
            if item.value:
                values.setdefault(item.value, []).append(name)
    # A population that only some tubes have must not end up behind the standard's next item.
    ordered = sorted(lines.items(), key=lambda line: [int(part) for part in line[0][0].split(".")])
    return [Shared(*key, tuple((value, tuple(names)) for value, names in found.items())) for key, found in ordered]


# So many different values are read beside each other; more are left to the table of all tubes. Own choice.
_MOST_VALUES = 4


def page_values(results: Sequence[SampleResult]) -> dict[str, Any]:
    """Return what the page of a run shows.

    Parameters
    ----------
    results : sequence of SampleResult
        The tubes of a run.
    """
    tubes = [(result.sample_id, items(result)) for result in results]
    lines = shared(tubes)
    return {
        "doi_of_standard": DOI,
        "gaps": gaps([item for _, table in tubes for item in table]),
        "sections": [
            (title, [line for line in lines if line.values and line.number.partition(".")[0] == number])
            for number, title in SECTIONS.items()
        ],
        "most": _MOST_VALUES,
        "n_tubes": len(results),
        "mark": LLOQ_MARK,
    }


def _stated(result: SampleResult, asked_for: _FromSheet) -> Item:
    labels = {key.casefold(): value.strip() for key, value in result.labels.items()}
    column = next((name for name in asked_for.columns if labels.get(name)), "")
    value = f"{labels[column]} {asked_for.unit}".strip() if column else ""
    return Item(
        asked_for.number,
        asked_for.title,
        asked_for.subject,
        value,
        f"sample sheet, `{column}`" if column else "",
        f"sample sheet, column `{asked_for.columns[0]}`",
    )


def _overview(result: SampleResult) -> Iterator[Item]:
    purpose, keywords, variables, date = (_stated(result, one) for one in _OVERVIEW)
    yield from (purpose, keywords, variables)
    yield Item("1.4", "Organization", "", "", "", _BY_HAND)
    yield Item("1.5", "Primary contact", "", "", "", _BY_HAND)
    yield date
    yield Item("1.7", "Conclusions", "", "", "", "where the data are published, if there are any")
    counts = [f"{n} {STATUS_WORDS[status][1]}" for status, n in tally(result.findings).items() if n]
    checks = f"{len(result.findings)} checks of the tube: {', '.join(counts)}" if counts else ""
    yield Item("1.8", "Quality control", "", checks, "result, findings", "run the tube again")


def _sample(result: SampleResult) -> Iterator[Item]:
    yield from (_stated(result, one) for one in _MATERIAL)
    sought = ", ".join(label(result, name) for name in asked(result))
    what = f"{role(result.labels).text} tube, {result.n_events:,} events" + (f"; asked for: {sought}" if sought else "")
    yield Item("2.2", "Sample characteristics", "", what, "result")
    preparation, *others = (_stated(result, one) for one in _TREATMENT)
    said = result.instrument.get("STROMAGATE_PREPARATION", "")
    if preparation.missing and said:
        preparation = Item("2.3", "Treatment", "preparation", said, "file, STROMAGATE_PREPARATION")
    yield from (preparation, *others)
    yield from _reagents(result)


def _reagents(result: SampleResult) -> Iterator[Item]:
    """Yield for each stained marker the detector that reads it, and the reagent if the sheet names it."""
    labels = {key.casefold(): value.strip() for key, value in result.labels.items()}
    for binding in _stains(result):
        marker = binding.axis
        read = f"read on {binding.pnn}" + (f", labelled {binding.pns}" if binding.pns else "")
        yield Item("2.4", "Fluorescence reagent", f"{marker}, detector", read, f"file, {binding.how}")
        column = reagent_column(marker)
        said = labels.get(column, "")
        source = f"sample sheet, `{column}`" if said else ""
        what = "Fluorescence reagent: dye, clone, maker, catalogue number"
        yield Item("2.4", what, marker, said, source, f"sample sheet, column `{column}`")


def reagent_column(marker: str) -> str:
    """Return the column of a sheet that names a marker's reagent, such as ``reagent_cd146``."""
    return "reagent_" + "_".join(marker.casefold().split())


def _stains(result: SampleResult) -> list[Binding]:
    """Return the bindings of what a reagent makes visible: neither scatter nor time."""
    axes = result.tree.axes
    return [each for each in result.panel.bindings if each.how != "scatter" and each.axis in axes] or [
        each for each in result.panel.bindings if each.how != "scatter"
    ]


def _instrument(result: SampleResult) -> Iterator[Item]:
    maker = _stated(result, _FromSheet("3.1", "Manufacturer", ("cytometer_maker",)))
    model = result.instrument.get("$CYT", "")
    yield maker
    yield Item("3.2", "Model", "", model, "file, $CYT" if model else "", "file, keyword $CYT")
    for binding in result.panel.bindings:
        if binding.axis.casefold() == "time":
            continue
        number = binding.channel + 1
        stated = {letter: result.instrument.get(f"$P{number}{letter}", "") for letter, _, _ in _DETECTOR}
        words = [f"{name} {stated[letter]}{unit}" for letter, name, unit in _DETECTOR if stated[letter]]
        title = "Configuration and settings"
        known = ", ".join(f"$P{number}{letter}" for letter in stated if stated[letter])
        yield Item(
            "3.3",
            title,
            f"{binding.pnn}",
            "; ".join(words),
            f"file, {known}" if known else "",
            _BY_CYTOMETER,
        )
        lacking = [name for letter, name, _ in _DETECTOR if letter in _NEEDED and not stated[letter]]
        if words and lacking:
            yield Item("3.3", f"{title}: {' and '.join(lacking)}", binding.pnn, "", "", _BY_CYTOMETER)
