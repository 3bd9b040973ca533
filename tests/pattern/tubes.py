"""Tubes and calibrations made by hand, down to the counts: what is called of them can be reckoned with a pencil."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stromagate.model.calibration import (
    CalibrationTube,
    CohortCalibration,
    ControlCalibration,
    CutPoint,
    CutPoints,
    OutcomeCalibration,
    OutcomeFit,
    Performance,
    Reference,
)
from stromagate.model.detection import BackgroundCount, DetectionLimits
from stromagate.model.result import SampleResult, Statistic
from tests.results import make_result

LABELS = {"role": "stained", "patient_id": "P1", "specimen": "aspirate", "preparation": "whole"}
STRATA = {"specimen": "aspirate", "preparation": "whole", "pull": "not said", "storage": "not said"}
TOTALS = {"nucleated": 1_000_000, "viable": 1_200_000}


def tube(
    p: int,
    q: int,
    *,
    totals: Mapping[str, int] = TOTALS,
    background: int | None = 0,
    labels: Mapping[str, str] = LABELS,
    **changes: Any,
) -> SampleResult:
    """Return a tube that holds P and Q, whose controls hold so much of either; None: it has no controls."""
    counts = {"all": 2_000_000, **totals, "msc": p + q, "progenitors": p}
    known = () if background is None else tuple(_background(name, background) for name in ("msc", "progenitors"))
    return make_result(
        **{
            "labels": dict(labels),
            "statistics": tuple(_count(name, n) for name, n in counts.items()),
            "denominators": tuple(totals),
            "indices": {"msc": "msc", "progenitors": "progenitors"},
            "findings": (),
            "background": known,
            "detection": tuple(_limits(name) for name in ("msc", "progenitors")),
            "instrument": {"$CYT": "Cytometer 1"},
            **changes,
        }
    )


def controls(
    n: int = 44, *, p: float = 20.0, q: float = 40.0, spread: float = 0.1, **changes: Any
) -> ControlCalibration:
    """Return own controls whose P and Q lie about these rates (per million), spread by so many decades (SD)."""
    return ControlCalibration.model_validate({**_shared(n), "rates": _rates(n, p, q, spread), **changes}).sealed()


def cohort(n: int = 30, *, cut: str = "median", **changes: Any) -> CohortCalibration:
    """Return a cohort about P 20 and Q 40 per million."""
    values = {**_shared(n), "cut": cut, "rates": _rates(n, 20.0, 40.0, 0.3), **changes}
    return CohortCalibration.model_validate(values).sealed()


def fitted(
    p: float = 20.0, q: float = 40.0, *, draws: Sequence[float] = (1.0,) * 100, **changes: Any
) -> OutcomeCalibration:
    """Return cut-points that were fitted on outcomes; ``draws`` are factors on them."""
    values = {key: value for key, value in _shared(3).items() if key != "tubes"}
    point = CutPoints(
        P=CutPoint(value=p, draws=tuple(p * each for each in draws)),
        Q=CutPoint(value=q, draws=tuple(q * each for each in draws)),
    )
    fit = OutcomeFit(
        cohort="a made cohort",
        n_patients=60,
        events={"kept remission": 20, "early relapse": 20, "late relapse": 20},
        performance=Performance(measure="balanced accuracy", apparent=0.71, nested=0.44),
    )
    return OutcomeCalibration.model_validate({**values, "cuts": {"nucleated": point}, "fit": fit, **changes}).sealed()


def _shared(n: int) -> dict[str, Any]:
    result = make_result()
    return {
        "name": "made controls",
        "template": result.template.name,
        "template_version": result.template.version,
        "template_sha256": result.template.sha256,
        "stromagate": "0.1.0",
        "strata": STRATA,
        "instrument": "Cytometer 1",
        "denominators": ("nucleated",),
        "offset_ppm": 5.0,
        "tubes": tuple(CalibrationTube(sample_id=f"C{i}", sha256=f"{i:064x}") for i in range(n)),
    }


def _rates(n: int, p: float, q: float, spread: float) -> dict[str, Reference]:
    """Return rates at the middle quantiles of a normal distribution of logarithms, P and Q in another order."""
    from scipy.stats import norm

    steps = norm.ppf((np.arange(n) + 0.5) / n)
    other = steps[np.random.default_rng(0).permutation(n)]
    return {"nucleated": Reference(P=tuple(p * 10 ** (spread * steps)), Q=tuple(q * 10 ** (spread * other)))}


def _count(name: str, n: int) -> Statistic:
    return Statistic(population=name, parent="", statistic="count", value=n, unit="events", n=n)


def _background(name: str, events: int) -> BackgroundCount:
    return BackgroundCount(
        population=name,
        role="fmo:CD146",
        n_blanks=1,
        events=events,
        scale=1.0,
        scaled_by="nucleated",
        low=0.0,
        high=9.0,
    )


def _limits(name: str) -> DetectionLimits:
    return DetectionLimits(population=name, lob_events=3, lod_events=20.0, lloq_events=50.0, source="fmo:CD146")
