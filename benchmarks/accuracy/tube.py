"""One tube from plan to scores: simulated, written, analysed by the tool and by two rivals, held against the truth."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import warnings
from benchmarks.accuracy.controls import controls_of
from benchmarks.accuracy.plan import TubePlan, tube_order
from benchmarks.accuracy.rivals import AXES, COLOURS, FMO_EVENTS, Cuts, Values, fixed_gates, fmo_quadrants
from stromagate.errors import StromagateError
from stromagate.fcs import read_fcs
from stromagate.gating.method import Outside
from stromagate.gating.replay import members
from stromagate.model.detection import LLOQ_FLOOR_EVENTS
from stromagate.model.result import SampleResult
from stromagate.pipeline import analyze, load_template
from stromagate.prepare import prepare
from stromagate.quantify.intervals import clopper_pearson
from stromagate.simulate import Tube, simulate_tube, write_tube
from stromagate.simulate.panel import CEILING, SCATTER
from stromagate.simulate.populations import MSC, POPULATIONS
from stromagate.templates import LoadedTemplate

TOOL, BARE, FIXED, FMO = "stromagate", "bare", "fixed", "FMO 99.5"
METHODS = (TOOL, BARE, FIXED, FMO)
TEMPLATE = "bm_stroma_core"
DENOMINATOR = "viable_cd235a_neg"
ERYTHROID = ("proerythroblast", "early_erythroblast", "late_erythroblast")
"""What the dump colour (CD235a and CD71) takes away, so that it is not in the denominator."""

_COUNTED = tuple(item.name for item in POPULATIONS if item.nucleated and item.name not in ERYTHROID)
_MARKER_OF = {"CD235a": "CD235a+CD71"}


@dataclass(frozen=True, slots=True)
class Score:
    """One tube by one method. Rates are per million viable CD235a- cells; None where the method gave no number.

    ``expected_ppm`` is the rate that the tube was drawn from, which an interval should cover; ``true_ppm`` what was
    drawn. ``codes`` are the warnings and failures that speak of MSC, ``failures`` those that failed, whatever they
    speak of.
    """

    purpose: str
    scenario: str
    clean: bool
    prepared: str
    seed: int
    shift_decades: float
    family: str
    method: str
    true_msc: int
    called_msc: int | None
    right_msc: int
    true_progenitors: int
    called_progenitors: int | None
    true_ppm: float
    expected_ppm: float
    ppm: float | None
    ci_low: float | None
    ci_high: float | None
    codes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Truth:
    """What is really in a tube: rows as masks, shape (n_events,), and rates per million."""

    msc: NDArray[np.bool_]
    progenitors: NDArray[np.bool_]
    ppm: float
    expected_ppm: float


def score_tube(plan: TubePlan, fixed: Cuts | None = None) -> list[Score]:
    """Return the scores of one tube in the order of METHODS; without fixed gates those of the tool alone."""
    tube = _simulated(plan, "stained", plan.n_events)
    truth = _truth(tube)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{plan.name}.fcs"
        write_tube(tube, path)
        scores = [
            _by_tool(plan, TOOL, path, truth, Outside(controls=controls_of(plan, TEMPLATE))),
            _by_tool(plan, BARE, path, truth, Outside()),
        ]
        if fixed is not None:
            values = _values(path)
            without = {colour: _fmo_values(plan, colour, path) for colour in COLOURS}
            scores.append(_by_cuts(plan, FIXED, fixed, values, truth))
            scores.append(_by_cuts(plan, FMO, fmo_quadrants(fixed, without), values, truth))
    return scores


def place_fixed(plan: TubePlan) -> Cuts:
    """Place the fixed gates on a clean tube, once."""
    tube = _simulated(plan, "stained", plan.n_events)
    truth = _truth(tube)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clean.fcs"
        write_tube(tube, path)
        return fixed_gates(_values(path), truth.msc, truth.progenitors)


def expected_ppm(tube: Tube) -> float:
    """Return MSC per million viable CD235a- single cells that the tube was drawn from: its donor, not its draw."""
    alive = np.array([1 - min(tube.order.scenario.dead_frac * item.dead_factor, 0.9) for item in POPULATIONS])
    is_msc = np.array([item.name in MSC for item in POPULATIONS])
    counted = np.array([item.name in _COUNTED for item in POPULATIONS])
    # Two particles by chance take as many of every kind, and fall out of the rate.
    single = np.where(is_msc, 1 - tube.marrow.msc_bound_frac, 1 - tube.order.scenario.doublet_frac)
    left = tube.marrow.shares[: len(POPULATIONS)] * alive * single  # no others in this panel
    return float(1e6 * left[is_msc].sum() / left[counted].sum())


def _simulated(plan: TubePlan, role: str, n_events: int) -> Tube:
    tube = simulate_tube(tube_order(plan, role, n_events))
    return _shifted(tube, plan.shift_decades) if plan.shift_decades else tube


def _shifted(tube: Tube, decades: float) -> Tube:
    """Turn up the gain of every fluorescence detector alike: the spillover stays as it is."""
    events = tube.events.copy()
    colours = slice(len(SCATTER), -1)
    events[:, colours] = np.minimum(np.rint(events[:, colours] * 10**decades), CEILING)
    return replace(tube, events=events)


def _truth(tube: Tube) -> _Truth:
    alone = tube.truth.viable_singlet
    msc = alone & tube.truth.is_one_of(*MSC)
    counted = int((alone & tube.truth.is_one_of(*_COUNTED)).sum())
    progenitors = alone & tube.truth.is_one_of(MSC[1])
    return _Truth(msc, progenitors, 1e6 * int(msc.sum()) / counted, expected_ppm(tube))


@cache
def _template() -> LoadedTemplate:
    return load_template(TEMPLATE)


def _values(path: Path) -> dict[str, NDArray[np.float32]]:
    prepared = prepare(read_fcs(path), _template().template)
    return {axis: prepared.linear(axis) for axis in AXES}


def _fmo_values(plan: TubePlan, colour: str, beside: Path) -> Values:
    path = beside.with_name(f"fmo_{colour}.fcs")
    tube = _simulated(plan, f"fmo:{_MARKER_OF.get(colour, colour)}", min(FMO_EVENTS, plan.n_events))
    write_tube(tube, path)
    return _values(path)


def _by_tool(plan: TubePlan, method: str, path: Path, truth: _Truth, outside: Outside) -> Score:
    template = _template()
    try:
        result = analyze(path, template, outside=outside)
    except StromagateError as refused:  # a refusal is an answer, and a loud one
        return replace(_score(plan, method, truth, {}, None), failures=(refused.code,), error=str(refused))
    found = members(prepare(read_fcs(path), template.template), result.tree)
    rows = {name: found[name] for name in ("msc", "progenitors") if result.count(name) is not None}
    about = warnings.about_target(result)
    return replace(
        _score(plan, method, truth, rows, _printed(result)),
        codes=tuple(dict.fromkeys(item.code for item in about)),
        failures=tuple(dict.fromkeys(item.code for item in result.findings if item.status == "fail")),
    )


def _printed(result: SampleResult) -> tuple[float, float, float] | None:
    """Return rate and interval as the result prints them."""
    for item in result.statistics:
        if (item.population, item.statistic, item.denominator) == ("msc", "per_million", DENOMINATOR):
            numbers = (item.value, item.ci_low, item.ci_high)
            return None if None in numbers else numbers  # type: ignore[return-value]  # None is ruled out
    return None


def _by_cuts(plan: TubePlan, method: str, cuts: Cuts, values: Values, truth: _Truth) -> Score:
    rows = {"msc": np.flatnonzero(cuts.msc(values)), "progenitors": np.flatnonzero(cuts.progenitors(values))}
    count, total = rows["msc"].size, int(cuts.viable(values).sum())
    printed = None
    if total:
        low, high = clopper_pearson(count, total, 0.95)
        printed = (1e6 * count / total, 1e6 * low, 1e6 * high)
    # Any lab knows that few events are few: the rivals are granted the warning that the tool prints.
    codes = ("Q36",) if count < LLOQ_FLOOR_EVENTS else ()
    return replace(_score(plan, method, truth, rows, printed), codes=codes)


def _score(
    plan: TubePlan,
    method: str,
    truth: _Truth,
    rows: Mapping[str, NDArray[np.intp]],
    printed: tuple[float, float, float] | None,
) -> Score:
    ppm, low, high = printed or (None, None, None)
    called = {name: int(found.size) for name, found in rows.items()}
    return Score(
        purpose=plan.purpose,
        scenario=plan.scenario.name,
        clean=plan.clean,
        prepared=plan.prepared,
        seed=plan.seed,
        shift_decades=plan.shift_decades,
        family=plan.family,
        method=method,
        true_msc=int(truth.msc.sum()),
        called_msc=called.get("msc"),
        right_msc=int(truth.msc[rows["msc"]].sum()) if "msc" in rows else 0,
        true_progenitors=int(truth.progenitors.sum()),
        called_progenitors=called.get("progenitors"),
        true_ppm=truth.ppm,
        expected_ppm=truth.expected_ppm,
        ppm=ppm,
        ci_low=low,
        ci_high=high,
    )
