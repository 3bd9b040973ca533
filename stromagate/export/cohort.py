"""Tables of a cohort: one number a row, or one tube a row with the denominator in the name of each column."""

from __future__ import annotations

from collections.abc import Iterator

from stromagate.export.cells import Cell
from stromagate.export.table import table
from stromagate.model.calibration import STRATA
from stromagate.model.cohort import SHARE, Cohort, CohortTube

_NUMBER = ("quantity", "population", "value", "unit", "denominator", "ci_low", "ci_high", "state", "n", "net")
_LABELS = ("timepoint", "visit", "day", "batch", "age", "hours_to_stain", "diagnosis")


def cohort_csv(cohort: Cohort) -> bytes:
    """Return ``cohort.csv``: every number of every tube, one a row, with its denominator, interval and state.

    ``quantity`` is an index (``P``, ``Q``, ``MSC``, ``P/MSC``) or a population whose rate it is; ``net`` says whether
    background was taken off. ``samples`` are the tubes of a line, parted by ``;``.
    """
    columns = ["tube", "run", "samples", "patient_id", "group", *_NUMBER]
    rows = (
        [*_who(tube), *(getattr(number, field) for field in _NUMBER)]
        for tube in cohort.tubes
        for number in tube.numbers
    )
    return table(columns, rows)


def _who(tube: CohortTube) -> list[Cell]:
    return [tube.name, tube.run, "; ".join(tube.samples), tube.patient_id, tube.group]


def cohort_wide_csv(cohort: Cohort) -> bytes:
    """Return ``cohort_wide.csv``: one tube a row; each rate's column names its population and its denominator.

    Such as ``progenitors_per_million_viable_cd235a_neg``, as it was counted, and where the cohort is net of background
    also ``progenitors_net_per_million_viable_cd235a_neg``. Limits stand beside as ``_ci_low`` and ``_ci_high``; what
    was counted, and its state, once a population.
    """
    fields = [*dict.fromkeys((*STRATA, *_LABELS))]
    populations = _populations(cohort)
    rates = list(_rates(cohort, populations))
    columns = ["tube", "run", "samples", "patient_id", "group", *fields, "instrument", "n_events"]
    columns += [
        "pattern",
        "pattern_probability",
        "pattern_reason",
        "calibration_level",
        "background",
        "worst_finding",
        "adjusted",
    ]
    for population in populations:
        columns += [f"{population}_events", f"{population}_state"]
    for _, _, name in rates:
        columns += [name, f"{name}_ci_low", f"{name}_ci_high"]
    return table(
        columns, ([*_about(tube, fields), *_values(tube, cohort, rates, populations)] for tube in cohort.tubes)
    )


def _about(tube: CohortTube, fields: list[str]) -> list[Cell]:
    labels: dict[str, str] = {**tube.labels, **tube.strata}
    described: list[Cell] = [labels.get(field, "") for field in fields]
    called: list[Cell] = [
        tube.pattern,
        tube.probability,
        tube.reason,
        tube.level,
        tube.background,
        tube.worst or "",
        tube.adjusted,
    ]
    return [*_who(tube), *described, tube.instrument, tube.n_events, *called]


Rate = tuple[str, str, str]


def _populations(cohort: Cohort) -> list[str]:
    """Return the populations of the table, then the other ones that the template asks for."""
    named = {one.quantity: one.population for tube in cohort.tubes for one in tube.numbers}
    return [*dict.fromkeys([*(named.get(key, key) for key in cohort.quantities), *cohort.indices.values()])]


def _rates(cohort: Cohort, populations: list[str]) -> Iterator[Rate]:
    """Yield quantity, denominator and column of every rate."""
    named = {one.quantity: one.population for tube in cohort.tubes for one in tube.numbers}
    for population in populations:
        for below in cohort.denominators:
            yield population, below, f"{population}_per_million_{below}"
    if SHARE in cohort.quantities:
        name, msc = named[SHARE], cohort.indices["msc"]
        yield name, msc, f"{name}_fraction_of_{msc}"
    if cohort.net:
        for quantity in cohort.quantities:
            for below in ("",) if quantity == SHARE else cohort.denominators:
                per = f"fraction_of_{cohort.indices['msc']}" if quantity == SHARE else f"per_million_{below}"
                yield quantity, below, f"{named.get(quantity, quantity)}_net_{per}"


def _values(tube: CohortTube, cohort: Cohort, rates: list[Rate], populations: list[str]) -> Iterator[Cell]:
    for population in populations:
        first = tube.number(population, cohort.denominators[0]) if cohort.denominators else None
        yield None if first is None else first.n
        yield None if first is None else first.state
    for quantity, below, _ in rates:
        number = tube.number(quantity, below)
        yield None if number is None else number.value
        yield None if number is None else number.ci_low
        yield None if number is None else number.ci_high
