"""A template in plain sentences, for the person who has to agree with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from stromagate.model.gates import ROOT
from stromagate.model.template import Expectation, GatingTemplate, PopulationSpec, Readout, ReadoutRow
from stromagate.templates.load import LoadedTemplate

_Called = Callable[[str], str]

_STANDING = {
    "reconstruction": "a reconstruction from published descriptions, not the authors' own protocol",
    "preprint": "taken from a preprint that has not been reviewed",
}


def explain(loaded: LoadedTemplate, clauses: Mapping[str, str]) -> list[str]:
    """Say what a template keeps.

    Parameters
    ----------
    loaded : LoadedTemplate
        The template.
    clauses : mapping of str to str
        What each population's gate keeps, in one clause such as ``CD45 below the valley``.

    Returns
    -------
    list of str
        One sentence or two a population, numbered, in order; before them, where the template is a reconstruction or
        comes from a preprint, one that says so, and its warnings; after them its beads, its ratios, what its
        expectations ask for, and its read-outs with their warnings.
    """
    return list(_sentences(loaded.template, clauses))


def _sentences(template: GatingTemplate, clauses: Mapping[str, str]) -> Iterator[str]:
    labels = {each.name: each.label for each in template.populations}

    def called(name: str) -> str:
        return "all events" if name == ROOT else f"“{labels[name]}”" if labels.get(name) else name

    if template.status in _STANDING:
        yield f"{template.name} {template.version} is {_STANDING[template.status]}."
    yield from (f"Warning: {warning}" for warning in template.warnings)
    for number, population in enumerate(template.populations, start=1):
        yield f"{number}. {_sentence(population, clauses[population.name])}"
    if template.beads is not None:
        yield f"Counting beads: {called(template.beads)}, by which a tube that was not washed gives cells per µL."
    yield from (f"Ratio: {called(name)} to {called(other)}." for name, other in template.ratios)
    yield from (f"Expected: {_expected(each, called)} ({each.source})." for each in template.expectations)
    for readout in template.readouts:
        yield from _read_out(readout, called)


def _read_out(readout: Readout, called: _Called) -> Iterator[str]:
    """Say what a read-out reports, and then each of its warnings with what makes it apply."""
    yield f"Read-out {readout.title}: {'; '.join(_row(row, called) for row in readout.rows)}."
    for each in readout.warnings:
        mark = f", marked “{each.flag}”" if each.flag else ""
        when = f", {_WHEN[each.when]}{mark}" if each.when else ""
        source = f" (doi:{each.doi})" if each.doi else ""
        yield f"Warning of {readout.title}{when}: {each.text}{source}"


_WHEN = {
    "aml_at_diagnosis": "in AML at diagnosis",
    "blood_in_marrow": "where blood dilutes the marrow",
    "not_digested": "unless the sheet gives a digest",
    "not_fixed_at_bedside": "unless the sheet says that it was fixed at the bedside",
}


def _row(row: ReadoutRow, called: _Called) -> str:
    """Say what one row reports: ``median of CD339 on “MSC” over that of its FMO tube``."""
    population, other = called(row.population), called(row.denominator or "")
    if row.kind == "mfi_ratio":
        beside = f", beside {called(row.carried_by)}, which carries it" if row.carried_by else ""
        strata = f", with the strata of {row.strata.source}" if row.strata else ""
        return f"median of {row.marker} on {population} over that of its FMO tube{beside}{strata}"
    if row.kind == "share":
        return f"{population} as a share of {other}"
    if row.kind == "ratio":
        return f"{population} to {other}"
    lost = f", not for leukaemia without {row.lost_without}" if row.lost_without else ""
    return f"logarithm of {population} over {other}, both of {called(row.within or '')}{lost}"


def _expected(asked: Expectation, called: _Called) -> str:
    """Say what is asked for: ``“CD73-positive cells” at least 95 % of “Viable cells”``."""
    side = "at most" if asked.at_least is None else "at least"
    return f"{called(asked.population)} {side} {100 * asked.limit:g} % of {called(asked.denominator)}"


def _sentence(population: PopulationSpec, clause: str) -> str:
    title = f" ({population.label})" if population.label and population.label != population.name else ""
    parent = "all events" if population.parent == ROOT else population.parent
    # A combination of populations speaks of membership, and "events with membership in" is not English.
    kept = clause.removeprefix("membership ") if clause.startswith("membership ") else f"with {clause}"
    sentence = f"{population.name}{title}: of {parent}, keep events {kept.rstrip('.')}."
    if not population.requires:
        return sentence
    return f"{sentence} Needs {_listed(population.requires)}; left out where the tube does not carry it."


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
