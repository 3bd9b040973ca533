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
from benchmarks.accuracy.locks import GATE, locked_template
from benchmarks.accuracy.plan import TubePlan, tube_order
from benchmarks.accuracy.rivals import (
    AXES,
    COLOURS,
    FMO_EVENTS,
    FMO_PERCENTILE,
    Cuts,
    Values,
    fixed_gates,
    fmo_quadrants,
)
from benchmarks.accuracy.scores import BARE, FIXED, FMO, LOCKED, TOOL, Score
from stromagate.errors import StromagateError
from stromagate.fcs import read_fcs
from stromagate.gating.controls import pooled, quantiles
from stromagate.gating.method import Outside
from stromagate.gating.methods.control import Params as ByControl
from stromagate.gating.replay import members
from stromagate.model.detection import LLOQ_FLOOR_EVENTS
from stromagate.model.locks import Locks
from stromagate.model.result import SampleResult
from stromagate.pipeline import analyze, load_template
from stromagate.prepare import prepare
from stromagate.prepare.prepared import Prepared
from stromagate.quantify.intervals import clopper_pearson
from stromagate.simulate import Tube, simulate_tube, write_tube
from stromagate.simulate.panel import CEILING, SCATTER
from stromagate.simulate.populations import ALL_POPULATIONS, MSC
from stromagate.templates import LoadedTemplate

TEMPLATE = "bm_stroma_core"
DENOMINATOR = "viable_cd235a_neg"
ANCHOR = "cd31neg_cd34neg"
ERYTHROID = ("proerythroblast", "early_erythroblast", "late_erythroblast")
"""What the dump colour (CD235a and CD71) takes away, so that it is not in the denominator."""

_COUNTED = tuple(item.name for item in ALL_POPULATIONS if item.nucleated and item.name not in ERYTHROID)
_NUCLEATED = tuple(item.name for item in ALL_POPULATIONS if item.nucleated)
_CD271 = (*MSC, "endothelium", "cd146_only")
"""Kinds of cells of which some carry CD271."""
_SERVED = (GATE, "locked", "fitted")
"""Gate, method and state of a cut that earlier batches set."""
_MARKER_OF = {"CD235a": "CD235a+CD71"}


@dataclass(frozen=True, slots=True)
class _Truth:
    """What is really in a tube: rows as masks, shape (n_events,), and rates per million.

    ``without_cd271`` are living single cells of the kinds that carry none.
    """

    msc: NDArray[np.bool_]
    progenitors: NDArray[np.bool_]
    without_cd271: NDArray[np.bool_]
    ppm: float
    expected_ppm: float
    nucleated_ppm: float


@dataclass(frozen=True, slots=True)
class _Printed:
    """A rate as a method prints it, with its interval and the part of it that counting alone leaves open."""

    ppm: float | None = None
    low: float | None = None
    high: float | None = None
    counting_low: float | None = None
    counting_high: float | None = None


def score_tube(
    plan: TubePlan, fixed: Cuts | None = None, locks: Locks | None = None, kept: Path | None = None
) -> list[Score]:
    """Return the scores of one tube in the order of METHODS; without fixed gates those of the tool alone.

    With locks that of the tool with locked gates comes last. ``kept`` is the folder of controls gated before.
    """
    tube = _simulated(plan, "stained", plan.n_events)
    truth = _truth(tube)
    controls = controls_of(plan, TEMPLATE, kept)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{plan.name}.fcs"
        write_tube(tube, path)
        scores = [
            _by_tool(plan, TOOL, path, truth, Outside(controls)),
            _by_tool(plan, BARE, path, truth, Outside()),
        ]
        if fixed is not None:
            values = _values(path)
            without = {colour: _fmo_values(plan, colour, path) for colour in COLOURS}
            scores.append(_by_cuts(plan, FIXED, fixed, values, truth))
            scores.append(_by_cuts(plan, FMO, fmo_quadrants(fixed, without), values, truth))
        if locks is not None:
            scores.append(_by_tool(plan, LOCKED, path, truth, Outside(controls, locks)))
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
    alive = np.array([1 - min(tube.order.scenario.dead_frac * item.dead_factor, 0.9) for item in ALL_POPULATIONS])
    is_msc = np.array([item.name in MSC for item in ALL_POPULATIONS])
    counted = np.array([item.name in _COUNTED for item in ALL_POPULATIONS])
    # Two particles by chance take as many of every kind, and fall out of the rate.
    single = np.where(is_msc, 1 - tube.marrow.msc_bound_frac, 1 - tube.order.scenario.doublet_frac)
    left = tube.marrow.shares * alive * single
    return float(1e6 * left[is_msc].sum() / left[counted].sum())


def _simulated(plan: TubePlan, role: str, n_events: int) -> Tube:
    tube = simulate_tube(tube_order(plan, role, n_events))
    return _shifted(tube, plan.shift_decades, plan.shifted) if plan.shift_decades else tube


def _shifted(tube: Tube, decades: float, marker: str) -> Tube:
    """Turn up the gain of every fluorescence detector alike, or of one: the matrix in the file stays as it is."""
    events = tube.events.copy()
    first, last = len(SCATTER), events.shape[1] - 1
    if marker:
        first += tube.panel.markers.index(marker)
        last = first + 1
    events[:, first:last] = np.minimum(np.rint(events[:, first:last] * 10**decades), CEILING)
    return replace(tube, events=events)


def _truth(tube: Tube) -> _Truth:
    alone = tube.truth.viable_singlet
    msc = alone & tube.truth.is_one_of(*MSC)
    counted = int((alone & tube.truth.is_one_of(*_COUNTED)).sum())
    progenitors = alone & tube.truth.is_one_of(MSC[1])
    return _Truth(
        msc,
        progenitors,
        alone & ~tube.truth.is_one_of(*_CD271),
        1e6 * int(msc.sum()) / counted,
        expected_ppm(tube),
        1e6 * int(msc.sum()) / int((alone & tube.truth.is_one_of(*_NUCLEATED)).sum()),
    )


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
    template = locked_template(TEMPLATE) if method == LOCKED else _template()
    try:
        result = analyze(path, template, outside=outside)
    except StromagateError as refused:  # a refusal is an answer, and a loud one
        return replace(_score(plan, method, truth, {}, _Printed()), failures=(refused.code,), error=str(refused))
    prepared = prepare(read_fcs(path), template.template)
    found = members(prepared, result.tree)
    rows = {name: found[name] for name in ("msc", "progenitors") if result.count(name) is not None}
    about = warnings.about_target(result)
    return replace(
        _score(plan, method, truth, rows, _printed(result)),
        leak=_leak_of_control(result, found, truth),
        by_locks=any((node.name, node.method, node.state) == _SERVED for node in result.tree.nodes)
        if method == LOCKED
        else None,
        progenitors_by_anchor=_progenitors_by_anchor(prepared, found, outside) if "msc" in rows else None,
        codes=tuple(dict.fromkeys(item.code for item in about)),
        failures=tuple(dict.fromkeys(item.code for item in result.findings if item.status == "fail")),
    )


def _printed(result: SampleResult) -> _Printed:
    """Return rate and interval as the result prints them."""
    for item in result.statistics:
        if (item.population, item.statistic, item.denominator) == ("msc", "per_million", DENOMINATOR):
            numbers = (item.value, item.ci_low, item.ci_high)
            return _Printed() if None in numbers else _Printed(*numbers, item.counting_low, item.counting_high)
    return _Printed()


def _leak_of_control(result: SampleResult, found: Mapping[str, NDArray[np.intp]], truth: _Truth) -> float | None:
    """Return the cells without CD271 beyond its cut for each that may be; None where no control promises any."""
    node = next((node for node in result.tree.nodes if node.name == GATE), None)
    promise = next((step.params for step in _template().gates[GATE] if isinstance(step.params, ByControl)), None)
    if node is None or promise is None or (node.method, node.state) != ("control", "fitted"):
        return None
    return float(truth.without_cd271[found[GATE]].sum() / promise.max_false)


def _progenitors_by_anchor(prepared: Prepared, found: Mapping[str, NDArray[np.intp]], outside: Outside) -> int | None:
    """Return the MSC beyond the percentile that the FMO tubes' anchor gives; None where there are no such tubes."""
    known = [control.distribution(ANCHOR, "CD146") for control in outside.controls if control.role == "fmo:CD146"]
    pool = [values for values in known if values is not None and values.n]
    if not pool:
        return None
    cut = quantiles(pooled(pool), (FMO_PERCENTILE / 100,))[0]
    return int(np.count_nonzero(prepared.linear("CD146", found["msc"]) >= cut))


def _by_cuts(plan: TubePlan, method: str, cuts: Cuts, values: Values, truth: _Truth) -> Score:
    rows = {"msc": np.flatnonzero(cuts.msc(values)), "progenitors": np.flatnonzero(cuts.progenitors(values))}
    viable = cuts.viable(values)
    count, total = rows["msc"].size, int(viable.sum())
    printed, leak = _Printed(), None
    if total:
        low, high = (1e6 * end for end in clopper_pearson(count, total, 0.95))
        printed = _Printed(1e6 * count / total, low, high, low, high)
    if method == FMO:
        # Held to its promise on the cells that it was made for, whatever their CD235a.
        every = Cuts({**cuts.at, "CD235a": np.inf}).viable(values)
        beyond = values["CD271"][every & truth.without_cd271] >= cuts.at["CD271"]
        leak = float(beyond.mean() / (1 - FMO_PERCENTILE / 100)) if beyond.size else None
    # Any lab knows that few events are few: the rivals are granted the warning that the tool prints.
    codes = ("Q36",) if count < LLOQ_FLOOR_EVENTS else ()
    return replace(_score(plan, method, truth, rows, printed), codes=codes, leak=leak)


def _score(
    plan: TubePlan,
    method: str,
    truth: _Truth,
    rows: Mapping[str, NDArray[np.intp]],
    printed: _Printed,
) -> Score:
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
        ppm=printed.ppm,
        ci_low=printed.low,
        ci_high=printed.high,
        shifted=plan.shifted,
        true_nucleated_ppm=truth.nucleated_ppm,
        counting_low=printed.counting_low,
        counting_high=printed.counting_high,
    )
