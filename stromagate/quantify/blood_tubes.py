"""Cells that blood has as well, without the blood in the marrow: by a tube of the patient's blood in the same run.

``(observed - f_PB * in blood) / (1 - f_PB)``, with ``f_PB`` by the erythrocyte method as elsewhere. The limits are
those of a difference of two rates (MOVER, doi:10.1002/sim.3095), widened by what the blood counts leave open of
``f_PB``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from stromagate.model.pooled import BloodCorrected
from stromagate.model.result import SampleResult, Statistic
from stromagate.model.specimen import blood_shares, is_blood, specimen
from stromagate.quantify.combine import difference
from stromagate.quantify.hemodilution import BLOOD_COUNT_CV, MARROW_ONLY, without_blood
from stromagate.quantify.intervals import normal_quantile, settled

NO_BLOOD = "no blood tube"
NOT_ASSESSABLE = "not assessable"
NOT_DETECTED = "not detected"
_MOMENT = ("timepoint", "visit", "day")  # a patient's blood of another day says nothing of this marrow


def blood_corrected(results: Sequence[SampleResult]) -> tuple[BloodCorrected, ...]:
    """Return the index populations that blood has of every marrow whose share of blood the sheet gives.

    MSC and progenitors are not among them: blood has none, and each tube's own numbers say what they were without it.

    Parameters
    ----------
    results : sequence of SampleResult
        Tubes of one run; a blood tube has ``blood`` in the column ``specimen``, and the patient, panel and batch of
        the marrow it belongs to. Where both state a time point, a visit or a day, it is the same.

    Returns
    -------
    tuple of BloodCorrected
        In the order of the tubes, per million of the first denominator; the value is None where there is no blood tube
        or more than half of the cells are blood's.
    """
    stained = [result for result in results if result.role.casefold() == "stained"]
    blood = [result for result in stained if is_blood(result.labels)]
    return tuple(
        row
        for result in stained
        if not is_blood(result.labels) and _patient(result)[0]
        for row in _of_tube(result, _blood_of(result, blood))
    )


def _patient(result: SampleResult) -> tuple[str, ...]:
    return _stated(result, "patient_id", "panel", "batch")


def _stated(result: SampleResult, *columns: str) -> tuple[str, ...]:
    return tuple(result.labels.get(name, "").strip() for name in columns)


def _blood_of(marrow: SampleResult, blood: Sequence[SampleResult]) -> SampleResult | None:
    """Return the blood drawn with a marrow: that which shares most of its moment, the first of several."""
    found: dict[int, SampleResult] = {}
    for one in blood:
        moments = [pair for pair in zip(_stated(one, *_MOMENT), _stated(marrow, *_MOMENT), strict=True) if all(pair)]
        if _patient(one) == _patient(marrow) and all(own == other for own, other in moments):
            found.setdefault(len(moments), one)
    return found[max(found)] if found else None


def _of_tube(result: SampleResult, blood: SampleResult | None) -> Iterator[BloodCorrected]:
    by_red = [found.share for found in blood_shares(specimen(result.labels)) if found.method == "erythrocytes"]
    for key, name in result.indices.items() if by_red else ():
        observed = _rate(result, name)
        if key in MARROW_ONLY or observed is None:
            continue
        seen = None if blood is None else _rate(blood, name, observed.denominator)
        yield _corrected(result, observed, by_red[0], blood, seen)


def _rate(result: SampleResult, name: str, denominator: str | None = None) -> Statistic | None:
    """Return the rate per million of the first denominator, or of a named one; None where it has no value."""
    for row in result.statistics:
        here = row.population == name and row.statistic == "per_million" and denominator in {None, row.denominator}
        if here:
            return row if row.value is not None else None
    return None


def _corrected(
    result: SampleResult, observed: Statistic, share: float, blood: SampleResult | None, seen: Statistic | None
) -> BloodCorrected:
    plain = BloodCorrected(
        sample_id=result.sample_id,
        blood_id="" if blood is None else blood.sample_id,
        population=observed.population,
        denominator=observed.denominator,
        share=settled(share) or 0.0,
        observed=observed.value,
        in_blood=None if seen is None else seen.value,
        state=NO_BLOOD if seen is None else NOT_ASSESSABLE,
    )
    if seen is None or seen.value is None or observed.value is None:
        return plain
    value = without_blood(observed.value, share, seen.value)
    if value is None:
        return plain
    low, high = _limits(observed, seen, share, result.record.config.confidence)
    # Where blood may have brought them all, none is shown to be of the marrow, however many were counted.
    state = observed.state if low > 0 else NOT_DETECTED
    said = {"value": settled(value), "ci_low": settled(low), "ci_high": settled(high), "state": state}
    return plain.model_copy(update=said)


def _limits(observed: Statistic, seen: Statistic, share: float, confidence: float) -> tuple[float, float | None]:
    marrow, blood = observed.value or 0.0, seen.value or 0.0
    scaled = (share * (seen.ci_low or 0.0), None if seen.ci_high is None else share * seen.ci_high)
    low, high = difference(marrow, (observed.ci_low or 0.0, observed.ci_high), share * blood, scaled)
    middle, kept = marrow - share * blood, 1 - share
    # The derivative by f_PB, times what the four counts of the analyser leave open of it.
    counts = abs(marrow - blood) / kept**2 * share * 2 * BLOOD_COUNT_CV * normal_quantile(confidence)
    down, up = math.hypot((middle - low) / kept, counts), None
    if high is not None:
        up = math.hypot((high - middle) / kept, counts)
    here = middle / kept
    return max(0.0, here - down), None if up is None else max(0.0, here + up)
