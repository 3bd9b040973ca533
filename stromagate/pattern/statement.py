"""A call in words: what it is, how probable, by what calibration, and what does not follow from it."""

from __future__ import annotations

from stromagate.model.calibration import CohortCalibration, ControlCalibration, OutcomeCalibration, ValidatedCalibration
from stromagate.model.pattern import NOT_ASSESSABLE, NOT_ASSIGNED, PatternCall
from stromagate.pattern.cut_points import AnyCalibration, levels

KIM = "Kim 2015, doi:10.1158/0008-5472.CAN-14-3379"

_COURSE = {
    "mesenchymal-low": "remission kept for 5 to 8 years",
    "progenitor-high": "relapse within one year",
    "MSC-high": "relapse after more than one year",
}


def statement(call: PatternCall, calibration: AnyCalibration | None) -> str:
    """Return a call in one or two sentences, as it may be quoted.

    Of outcomes only a calibration that was fitted on outcomes may speak, and then of one cohort and never of a patient.
    """
    if call.pattern in {NOT_ASSIGNED, NOT_ASSESSABLE} or calibration is None:
        return f"Pattern: {call.pattern}, because {call.reason}."
    if call.probability is None or call.pattern.startswith("indeterminate"):
        return f"Pattern: {call.pattern} ({by(calibration)}), because {call.reason}."
    head = f"Pattern: {call.pattern} (probability {probability_text(call.probability)}, {by(calibration)})."
    return f"{head} {_meaning(call.pattern, calibration)}"


def probability_text(probability: float) -> str:
    """Return a probability with two decimals, which neither rounds to certainty nor to impossibility."""
    return "> 0.99" if probability > 0.99 else "< 0.01" if probability < 0.01 else f"{probability:.2f}"


def by(calibration: AnyCalibration) -> str:
    """Return what a call is calibrated by, in words."""
    return f"calibration {calibration.level} “{calibration.name}”, {_made_of(calibration)}"


def _made_of(calibration: AnyCalibration) -> str:
    if isinstance(calibration, ControlCalibration):
        return f"{calibration.n} of the laboratory's own controls"
    if isinstance(calibration, CohortCalibration):
        return f"{calibration.n} tubes of one cohort ({calibration.digest[:8]})"
    second = (
        f", validated on {calibration.validation.n_patients}" if isinstance(calibration, ValidatedCalibration) else ""
    )
    return f"fitted on {calibration.n} patients{second}"


def _meaning(pattern: str, calibration: AnyCalibration) -> str:
    """Return what a pattern is beside, and what it is not."""
    if isinstance(calibration, ControlCalibration):
        ends = levels(calibration)
        share = f"{100 * (ends[1] - ends[0]):.0f} % " if ends else ""
        return f"It is a place beside the {share}range of the laboratory's controls; nothing about a course follows."
    if isinstance(calibration, CohortCalibration):
        return "It is a place within this cohort and changes when the cohort does; nothing about a course follows."
    assert isinstance(calibration, OutcomeCalibration)
    course = _COURSE.get(pattern)
    said = (
        f"In one published cohort ({KIM}) this pattern was associated with {course}; the direction is contested."
        if course
        else f"The published cohort ({KIM}) does not speak of this pattern."
    )
    fit = calibration.fit.performance
    quoted = f"{fit.measure} {fit.nested:.2f} by nested cross-validation ({fit.apparent:.2f} apparent)"
    return f"{said} {quoted[0].upper()}{quoted[1:]}. Not validated for individual patients. Research use only."
