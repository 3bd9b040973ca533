"""The whole way from a tube's result to its call. The function reads as the list of reasons to say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stromagate.model.calibration import MIN_RANGE_90, ControlCalibration
from stromagate.model.pattern import (
    BETWEEN,
    INDETERMINATE,
    METHOD_DEPENDENT,
    NOT_ASSESSABLE,
    NOT_ASSIGNED,
    CalibrationRef,
    Index,
    IndexValue,
    PatternCall,
    RobustnessCell,
)
from stromagate.model.result import SampleResult
from stromagate.model.specimen import is_stained
from stromagate.pattern.assessable import caveats, could_tell, failed_checks, to_acquire
from stromagate.pattern.cut_points import AnyCalibration, Cuts, cut_points
from stromagate.pattern.evidence import Evidence, evidence
from stromagate.pattern.indices import index_values
from stromagate.pattern.probabilities import ASSIGNED_FROM, most_probable, probabilities
from stromagate.pattern.rates import Rates, draw_rates, point_rates
from stromagate.pattern.robustness import Reckoning, in_words, robustness
from stromagate.pattern.statement import probability_text, statement
from stromagate.pattern.strata import mismatches

N_DRAWS = 10_000
_ONE_SIDED = 0.95
_HAIR = 1e-6
_NO_PLACE = {"percentile": None, "position": "", "cut_low": None, "cut_high": None}
_UNKNOWN = "no control of this tube shows enough of its background, and the calibration is net of it"
_UPPER = "no control shows enough of its background: rates are as counted, and without it they would be lower still"

CutsBy = dict[str, dict[Index, Cuts]]


def call_pattern(
    result: SampleResult, calibration: AnyCalibration | None = None, *, draws: int = N_DRAWS
) -> PatternCall:
    """Call the stromal pattern of a tube, or say why there is none.

    A pure function of its arguments: the seed is that of the run which made the result.

    Parameters
    ----------
    result : SampleResult
        One tube.
    calibration : calibration of level L1 to L4, optional
        What low and high mean; without one no pattern is assigned.
    draws : int
        Monte Carlo draws.

    Returns
    -------
    PatternCall
        The indices are reckoned with or without a calibration, wherever the tube has counts.
    """
    call = _called(result, calibration, draws)
    if calibration is not None:
        call = call.model_copy(update={"level": calibration.level, "calibration": reference_of(calibration)})
    return call.model_copy(update={"sentence": statement(call, calibration)})


def reference_of(calibration: AnyCalibration) -> CalibrationRef:
    """Return how results and runs name a calibration."""
    return CalibrationRef(
        name=calibration.name,
        level=calibration.level,
        sha256=calibration.digest,
        n=calibration.n,
        note=calibration.note,
    )


@dataclass(frozen=True, slots=True)
class _Reckoned:
    """Rates of a tube beside the cut-points of a calibration.

    ``at_most``: the calibration is net of background and the tube is not, for no control shows enough of it. Its rates
    are upper bounds then: they may be shown to be low and never to be high.
    """

    evidence: Evidence
    rates: Mapping[str, Rates]
    cuts: CutsBy
    net: bool
    at_most: bool


def _called(result: SampleResult, calibration: AnyCalibration | None, n: int) -> PatternCall:
    if not is_stained(result.labels):
        return _none(NOT_ASSIGNED, "a control tube has none")
    told = evidence(result)
    if isinstance(told, str):
        return _none(NOT_ASSIGNED if calibration is None else NOT_ASSESSABLE, told)
    reckoned = _reckoned(result, told, calibration, n)
    call = _with_indices(result, reckoned, calibration, n)
    if calibration is None:
        return call
    refused = _refused(result, reckoned, calibration)
    if refused:
        return _with(call, *refused)
    assessed = _assessed(result, reckoned, calibration, call, n)
    return assessed.model_copy(update={"reasons": (*assessed.reasons, *caveats(result))})


def _refused(result: SampleResult, reckoned: _Reckoned, calibration: AnyCalibration) -> tuple[str, list[str]] | None:
    """Return what is said instead of a pattern, and why; None where nothing forbids one."""
    if unlike := mismatches(result, calibration):
        return NOT_ASSIGNED, unlike
    if isinstance(calibration, ControlCalibration) and calibration.n < MIN_RANGE_90:
        few = f"a range needs {MIN_RANGE_90} controls and the calibration has {calibration.n}: percentiles alone"
        return NOT_ASSIGNED, [few]
    if failed := failed_checks(result):
        return NOT_ASSESSABLE, failed
    main = calibration.denominators[0]
    if main not in reckoned.rates or main not in reckoned.cuts:
        name = result.labels_of_populations.get(main, main)
        return NOT_ASSESSABLE, [f"this tube has no rate per million of “{name}”, by which is called"]
    # Zero comes out of logarithms and back as a hair beside zero; any cell at all, or none, would be high by it.
    nothing = [index for index, cut in reckoned.cuts[main].items() if cut.high <= _HAIR * calibration.offset_ppm]
    if nothing:
        return NOT_ASSIGNED, [f"the calibration's cut-point of {' and of '.join(nothing)} is zero, and parts nothing"]
    return None


def _reckoned(result: SampleResult, told: Evidence, calibration: AnyCalibration | None, n: int) -> _Reckoned:
    """Draw the tube's rates and the calibration's cut-points."""
    seed = result.record.config.seed
    asked = calibration is None or calibration.background == "net"
    net = asked and told.is_net
    rates = draw_rates(told, told.redrawn, n, np.random.default_rng([seed, 0]), net=net)
    known: CutsBy = {}
    if calibration is not None:
        every = [*calibration.denominators, *(name for name in rates if name not in calibration.denominators)]
        for name in every:
            # The same draws of the calibration's tubes under every denominator.
            found = cut_points(calibration, name, n, np.random.default_rng([seed, 1]))
            if found is not None:
                known[name] = found
    return _Reckoned(told, rates, known, net, at_most=asked and not net and calibration is not None)


def _with_indices(result: SampleResult, reckoned: _Reckoned, calibration: AnyCalibration | None, n: int) -> PatternCall:
    """Return a call that has its indices and nothing else."""
    told = reckoned.evidence
    points = point_rates(told, told.counted, net=reckoned.net)
    confidence = result.record.config.confidence
    # Beside a calibration of another kind a rate has no place.
    beside = calibration if calibration and not mismatches(result, calibration) else None
    values = index_values(
        {name: points[name] for name in reckoned.rates},
        reckoned.rates,
        confidence,
        beside,
        reckoned.cuts if beside else {},
    )
    if reckoned.at_most:
        values = tuple(_at_most(value) for value in values)
    roles = dict.fromkeys(each.role for each in (told.background_p, told.background_msc) if each and reckoned.net)
    first = next(iter(reckoned.rates)) if calibration is None else calibration.denominators[0]
    return PatternCall(
        indices=values,
        background=", ".join(roles),
        denominator=first,
        draws=n,
        seed=result.record.config.seed,
    )


def _at_most(value: IndexValue) -> IndexValue:
    """Return an upper bound beside the cut-points: where it lies below them it says so, and nothing elsewhere."""
    return value if value.position == "below" else value.model_copy(update=_NO_PLACE)


def _assessed(
    result: SampleResult, reckoned: _Reckoned, calibration: AnyCalibration, call: PatternCall, n: int
) -> PatternCall:
    main, told = calibration.denominators[0], reckoned.evidence
    cuts, rates = reckoned.cuts[main], reckoned.rates[main]
    found = probabilities(rates, cuts)
    name, probability = most_probable(found)
    reckoning = Reckoning(
        result, told, reckoned.cuts, reckoned.rates, calibration.denominators, reckoned.net, n, call.seed
    )
    cells = robustness(reckoning, name)
    call = call.model_copy(
        update={
            "probability": round(probability, 4),
            "probabilities": {key: round(value, 4) for key, value in found.items()},
            "robustness": cells,
        }
    )
    if not could_tell(told.counted, told, cuts, main):
        acquire = to_acquire(told.counted, told, cuts, main)
        few = "too few cells: even a high index would be fewer events here than are told from none"
        return _with(call, NOT_ASSESSABLE, [few, acquire.sentence]).model_copy(update={"acquire": acquire})
    return _with(call, *_verdict(reckoned, name, probability, _not_low(rates, cuts), _differing(cells)))


def _verdict(
    reckoned: _Reckoned, name: str, probability: float, not_low: list[str], differing: list[str]
) -> tuple[str, list[str]]:
    """Return what is called of the most probable pattern, and why; whatever speaks against it comes first."""
    said = probability_text(probability)
    if reckoned.at_most and name != "mesenchymal-low":
        return NOT_ASSESSABLE, [_UNKNOWN]
    if name == BETWEEN and probability >= ASSIGNED_FROM:
        return NOT_ASSIGNED, ["neither index leaves the calibration's range far enough for a pattern"]
    if probability < ASSIGNED_FROM:
        likeliest = f"the most probable is {in_words(name)} with {said}, and {ASSIGNED_FROM:.2f} is asked for"
        return INDETERMINATE, [likeliest]
    if name == "mesenchymal-low" and not_low:
        return INDETERMINATE, not_low
    if differing:
        return METHOD_DEPENDENT, differing
    beside = [_UPPER] if reckoned.at_most else []
    return name, [f"probability {said}, the same by every way of reckoning that decides", *beside]


def _not_low(rates: Rates, cuts: Mapping[Index, Cuts]) -> list[str]:
    """Return why a tube is not low although it looks so: low is said only where the upper bound lies below the cut."""
    above = [index for index, cut in cuts.items() if float(np.quantile(rates.of(index), _ONE_SIDED)) >= cut.low]
    return [
        f"the upper bound of {index} does not lie below the cut-point, so that it is not shown to be low"
        for index in above
    ]


def _differing(cells: tuple[RobustnessCell, ...]) -> list[str]:
    return [
        f"{'with ' if cell.kind == 'gate' else ''}{cell.name} it would be {in_words(cell.pattern)}"
        for cell in cells
        if cell.decides and cell.differs
    ]


def _none(pattern: str, reason: str) -> PatternCall:
    return _with(PatternCall(), pattern, [reason])


def _with(call: PatternCall, pattern: str, reasons: list[str]) -> PatternCall:
    return call.model_copy(update={"pattern": pattern, "reason": reasons[0], "reasons": tuple(reasons)})
