"""Calls made by hand, with one of everything, for tests of what shows them: pages and tables."""

from __future__ import annotations

from typing import Any

from stromagate.model.pattern import METHOD_DEPENDENT, CalibrationRef, IndexValue, PatternCall, RobustnessCell

OWN = CalibrationRef(name="Our controls 2026", level="L1", sha256="4c" * 32, n=44)
_WITHIN = {"cut_low": 11.5, "cut_high": 21.25}
_BESIDE = {"cut_low": 22.5, "cut_high": 60.0}


def uncalibrated() -> PatternCall:
    """Return what a result without a calibration holds: rates, and no pattern."""
    call = PatternCall(indices=_indices(cuts=False), denominator="nucleated", draws=10_000)
    return call.model_copy(update={"sentence": f"Pattern: not assigned, because {call.reason}."})


def called(**changes: Any) -> PatternCall:
    """Return a tube called by own controls, with every kind of row in its table of robustness."""
    fields = {
        "level": "L1",
        "pattern": "progenitor-high",
        "reason": "probability 0.91, the same by every way of reckoning that decides",
        "reasons": ("probability 0.91, the same by every way of reckoning that decides",),
        "probability": 0.9123,
        "probabilities": {
            "mesenchymal-low": 0.0, "progenitor-high": 0.9123, "MSC-high": 0.0004, "both-high": 0.0402,
            "between": 0.0471,
        },
        "calibration": OWN,
        "denominator": "nucleated",
        "background": "fmo:CD146, fmo:CD271",
        "indices": _indices(cuts=True),
        "robustness": _cells(),
        "draws": 10_000,
        "sentence": "Pattern: progenitor-high (probability 0.91, calibration L1 “Our controls 2026”, 44 of the "
        "laboratory's own controls). It is a place beside the 90 % range of the laboratory's controls; nothing about "
        "a course follows.",
    }  # fmt: skip
    return PatternCall(**{**fields, **changes})


def method_dependent() -> PatternCall:
    """Return the same tube with a gate that says otherwise when it is moved."""
    *others, last = called().robustness
    last = last.model_copy(update={"pattern": "between", "probability": 0.55, "differs": True})
    reason = f"with {last.name} it would be within the range"
    return called(
        pattern=METHOD_DEPENDENT,
        reason=reason,
        reasons=(reason, "the sample sheet does not say the donor's age, and CD146 on these cells falls with it"),
        robustness=(*others, last),
        sentence=f"Pattern: {METHOD_DEPENDENT} (calibration L1 “Our controls 2026”), because {reason}.",
    )


def _indices(*, cuts: bool) -> tuple[IndexValue, ...]:
    def rate(index: str, denominator: str, value: float, low: float, high: float, **beside: Any) -> IndexValue:
        known = beside if cuts else {}
        return IndexValue.model_validate(
            {"index": index, "denominator": denominator, "value": value, "unit": "per million", "ci_low": low,
             "ci_high": high, **known}
        )  # fmt: skip

    return (
        # The denominator that is called by comes second here: the page turns the two round.
        rate("P", "msc", 338710.0, 220000.0, 470000.0),
        rate("Q", "msc", 661290.0, 530000.0, 780000.0),
        rate("P", "nucleated", 24.94, 15.4, 38.1, **_WITHIN, percentile=0.977273, position="above"),
        rate("Q", "nucleated", 48.69, 34.9, 66.1, **_BESIDE, percentile=0.545455, position="within"),
        IndexValue(index="P/MSC", value=0.33871, unit="fraction", ci_low=0.22, ci_high=0.47),
    )


def _cells() -> tuple[RobustnessCell, ...]:
    by, same = {"denominator": "nucleated"}, {"pattern": "progenitor-high"}
    few = "too few of its cells in this tube to tell"
    return (
        RobustnessCell(kind="denominator", name="per million of nucleated", probability=0.9123, **by, **same),
        RobustnessCell(
            kind="denominator", name="per million of msc", denominator="msc", pattern="between", probability=0.6,
            decides=False, differs=True, reason=few,
        ),
        RobustnessCell(
            kind="hemodilution", name="without the blood in it (61 % of its nucleated cells, by red cells)",
            decides=False, reason="that share cannot be corrected for", **by,
        ),
        RobustnessCell(
            kind="gate", name="CD146 cut 10 % of the way towards its negatives", probability=0.9951, **by, **same
        ),
        RobustnessCell(
            kind="gate", name="CD146 cut 10 % of the way towards its positives", probability=0.8204, **by, **same
        ),
    )  # fmt: skip
