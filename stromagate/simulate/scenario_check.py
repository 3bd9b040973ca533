"""Whether a scenario can be carried out: every name is known, every share is one; all that is wrong is said at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator

from stromagate.errors import DocumentError, Problem, SpecificationError, nearest
from stromagate.simulate.faults import NO_LAB_FAULTS, LabFaults
from stromagate.simulate.panel import DETECTORS, Panel
from stromagate.simulate.panels import PANELS
from stromagate.simulate.populations import ALL_NAMES
from stromagate.simulate.scenario import Scenario

_MARKERS = tuple(dict.fromkeys(marker for each in PANELS for marker in each.markers))
_ANTIGENS = tuple(dict.fromkeys(antigen for each in PANELS for antigen in each.antigens))
_MOST = {"clogs": 10, "bubbles": 100, "drift_channels": len(DETECTORS)}
_MOST_CARRYOVER_FRAC = 0.1


def check_scenario(made: Scenario) -> None:
    """Refuse a scenario that holds something impossible.

    Raises
    ------
    DocumentError
        All that is wrong with it: populations, antigens and markers that are not there, numbers out of range.
    """
    labs = {"lab": made.lab, "fmo_lab": made.fmo_lab or NO_LAB_FAULTS}
    wrong = [problem for field, lab in labs.items() for problem in _lab(field, lab)]
    problems = [*_names(made), *_numbers(made), *_run(made), *wrong]
    if problems:
        raise DocumentError("simulate.scenario_invalid", f"scenario '{made.name}'", problems)


def check_panel(made: Scenario, panel: Panel) -> None:
    """Refuse a scenario about a colour that the panel does not have: nothing of it would be in the tube.

    Raises
    ------
    SpecificationError
        What the lab did wrong concerns a marker that is not in the panel.
    """
    lab, antigens = made.lab, {antibody.antigen for antibody in panel.antibodies}
    about = {*lab.omitted, *lab.wrong_antibody} - antigens
    about |= set(lab.wrong_antibody.values()) - set(panel.antigens)
    about |= {*lab.transposed, *lab.other_voltage_decades} - set(panel.markers)
    if about:
        named = ", ".join(sorted(about))
        message = f"scenario '{made.name}' is about {named}, which panel '{panel.name}' does not have"
        raise SpecificationError("simulate.panel_scenario", message, hint="choose another scenario, or another panel")
    if made.run.drift_channels > len(panel.detectors):
        message = f"scenario '{made.name}' drifts in {made.run.drift_channels} colours, panel '{panel.name}' has fewer"
        raise SpecificationError("simulate.panel_scenario", message, hint="choose another scenario, or another panel")


def _names(made: Scenario) -> Iterator[Problem]:
    for field in ("marrow", "blood", "signals"):
        yield from _unknown(field, getattr(made, field), ALL_NAMES)
    yield from _unknown("shifts_decades", made.shifts_decades, _ANTIGENS)
    for population, signals in made.signals.items():
        yield from _unknown(f"signals[{population}]", signals, _ANTIGENS)


def _numbers(made: Scenario) -> Iterator[Problem]:
    for field in ("marrow", "blood"):
        shares = getattr(made, field).values()
        if not (all(share >= 0 for share in shares) and 0 < sum(shares) < math.inf):
            yield Problem(None, field, "shares must be 0 or more, and not all 0")
    for field in ("cd146_share_frac", "dead_frac", "doublet_frac", "msc_bound_frac", "fmo_frac"):
        yield from _outside(field, getattr(made, field), 0.0, 1.0)
    for field in ("day", "fmo_days_later"):
        yield from _outside(field, getattr(made, field), 0, 36_500)
    yield from _outside("blood_frac", made.blood_frac, 0.0, 0.99)
    yield from _outside("msc_ppm_gsd", made.msc_ppm_gsd, 1.0, 100.0)
    for field in ("debris_per_nucleated", "erythrocytes_per_nucleated", "hours_to_stain"):
        yield from _outside(field, getattr(made, field), 0.0, 1e4)
    rare = (made.msc_ppm, made.endothelium_ppm, made.cd146_only_ppm, made.osteolineage_ppm)
    if not (all(ppm >= 0 for ppm in rare) and sum(rare) < 1e6):
        yield Problem(None, "msc_ppm", "rare cells must be 0 or more, and together fewer than a million per million")


def _run(made: Scenario) -> Iterator[Problem]:
    for field, most in _MOST.items():
        yield from _outside(f"run.{field}", getattr(made.run, field), 0, most)
    yield from _outside("run.carryover_frac", made.run.carryover_frac, 0.0, _MOST_CARRYOVER_FRAC)
    yield from _outside("run.drift_decades", made.run.drift_decades, -2.0, 2.0)


def _lab(part: str, lab: LabFaults) -> Iterator[Problem]:
    yield from _unknown(f"{part}.omitted", lab.omitted, _ANTIGENS)
    yield from _unknown(f"{part}.wrong_antibody", (*lab.wrong_antibody, *lab.wrong_antibody.values()), _ANTIGENS)
    yield from _unknown(f"{part}.transposed", lab.transposed, _MARKERS)
    yield from _unknown(f"{part}.other_voltage_decades", lab.other_voltage_decades, _MARKERS)
    if len(lab.transposed) not in {0, 2}:
        yield Problem(None, f"{part}.transposed", f"{len(lab.transposed)} names are given", "two, or none")
    for field in ("gain_sd_decades", "lot_sd_decades", "spillover_jitter_frac", "matrix_error_frac", "af_sd_frac"):
        yield from _outside(f"{part}.{field}", getattr(lab, field), 0.0, 1.0)
    yield from _outside(f"{part}.gain_shift_decades", lab.gain_shift_decades, -2.0, 2.0)
    yield from _outside(f"{part}.scatter_gain", lab.scatter_gain, 0.1, 10.0)
    for marker, decades in lab.other_voltage_decades.items():
        yield from _outside(f"{part}.other_voltage_decades[{marker}]", decades, -2.0, 2.0)


def _unknown(field: str, given: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    for name in given:
        if name not in known:
            close = nearest(name, known)
            hint = f"did you mean '{close}'?" if close else f"allowed: {', '.join(known)}"
            yield Problem(None, field, f"there is no '{name}'", hint)


def _outside(field: str, value: float, low: float, high: float) -> Iterator[Problem]:
    if not low <= value <= high:
        yield Problem(None, field, f"{value:g} is out of range", f"{low:g} to {high:g}")
