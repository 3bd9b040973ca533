"""Read-outs of the niche: from how many events on there is a number, the words for none, and what a sheet says of them.

A median over that of the FMO tube needs 50 events in both, the logarithm of LSC over HSC 20 HSC. A condition is read
off the sample sheet alone, so that report and checks come to the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from stromagate.model.detection import LLOQ_FLOOR_EVENTS, LOD_FLOOR_EVENTS
from stromagate.model.diagnosis import (
    CARRIED_SHARE,
    DIAGNOSIS,
    LEUKAEMIA_SHARE,
    MIN_BLASTS,
    UNSTATED_SHARE,
    is_aml,
    is_leukaemia,
    lacks,
)
from stromagate.model.specimen import blood_shares, is_blood, specimen
from stromagate.model.template import Readout, ReadoutCondition, ReadoutRow, ReadoutWarning

MFI_RATIO, CONTROL_MEDIAN, MEDIAN_DIFFERENCE, LOG_RATIO = (
    "mfi_ratio",
    "control_median",
    "median_difference",
    "log_ratio",
)

MIN_MEDIAN_EVENTS = LLOQ_FLOOR_EVENTS
"""Fewer events, in the tube or in its FMO control, give no ratio of medians. Own choice, the floor of counts."""
MIN_DENOMINATOR_EVENTS = LOD_FLOOR_EVENTS
"""Fewer HSC are not told from none, and a ratio to them means nothing. Own choice, the floor of counts."""

NO_CONTROL = "no FMO control"
TOO_FEW = f"fewer than {MIN_MEDIAN_EVENTS} events"
TOO_FEW_BELOW = f"denominator under {MIN_DENOMINATOR_EVENTS} events"
NOT_POSITIVE = "median not above zero"
NOT_APPLICABLE = "not applicable"

BLOOD_SHARE = 0.3
"""From this share of blood on a marrow is called diluted, as by the check Q24."""

FIXATION = "fixation"
"""Column of the sheet that says when cells were fixed; ``bedside`` is what hypoxia markers need."""

_TIME_COLUMNS = ("timepoint", "visit")
_REMISSION = r"remission|\bCR[i12]?\b|\bMRD\b"
_LATER = (
    rf"{_REMISSION}|follow|after|post|\bday\s*\+?\s*[1-9]|\bd\s*\+?\s*[1-9]"
    r"|\bweek|\bmonth|cycle|treat|transplant|end of|\bEOT\b|consolid|inducti"
)
_FIRST = r"diagnos|\bdx\b|\bD0\b|\bday 0\b|baseline|de novo|new|untreated|initial|before|pre-?treat"
_DIGEST = r"digest|collagen|bone chip|femoral head|trephine|biops|explant"


@dataclass(frozen=True, slots=True)
class Blasts:
    """Blasts of a tube, those of them that carry a marker, and the leukocytes they are among; None: not evaluated."""

    carriers: int | None
    blasts: int | None
    leukocytes: int | None


def lost(row: ReadoutRow, labels: Mapping[str, str], seen: Blasts) -> str:
    """Return why a number is not applicable to a tube's leukaemia, as a clause; empty where it is.

    Parameters
    ----------
    row : ReadoutRow
        Names the marker that the leukaemia must not lack.
    labels : mapping of str to str
        Columns of the sheet's row.
    seen : Blasts
        Counts of the tube.
    """
    diagnosis = labels.get(DIAGNOSIS, "")
    if row.lost_without is None:
        return ""
    if lacks(diagnosis, row.lost_without):
        return f"the sample sheet gives the diagnosis “{diagnosis}”"
    if seen.carriers is None or not seen.leukocytes or (seen.blasts or 0) < MIN_BLASTS:
        return ""
    assert seen.blasts is not None
    least = LEUKAEMIA_SHARE if is_leukaemia(diagnosis) else UNSTATED_SHARE
    if seen.blasts < least * seen.leukocytes or seen.carriers >= CARRIED_SHARE * seen.blasts:
        return ""
    share = 100 * seen.carriers / seen.blasts
    return f"{share:.1f} % of the {seen.blasts:,} blasts carry {row.lost_without}"


def reason(condition: ReadoutCondition, labels: Mapping[str, str]) -> str:
    """Return why a condition holds of a tube, as a clause about its sheet; empty where it does not.

    Parameters
    ----------
    condition : str
        As templates name it.
    labels : mapping of str to str
        Columns of the sheet's row; what the sheet leaves unsaid counts as not done.
    """
    return _REASONS[condition]({name.strip().casefold(): text.strip() for name, text in labels.items()})


def is_on_tube(readout: Readout, populations: Collection[str], axes: Collection[str]) -> bool:
    """Say whether a tube carries anything of a read-out: a population of it, and the marker of a median ratio."""
    return any(row.population in populations and (row.marker is None or row.marker in axes) for row in readout.rows)


def applies(warning: ReadoutWarning, labels: Mapping[str, str]) -> bool:
    """Say whether a warning with a condition applies to a tube; one without is no sign and applies to none."""
    return warning.when is not None and bool(reason(warning.when, labels))


def flags(readout: Readout, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the flags that the numbers of a read-out bear in a tube, each once."""
    return tuple(dict.fromkeys(each.flag for each in readout.warnings if each.flag and applies(each, labels)))


def _aml_at_diagnosis(labels: Mapping[str, str]) -> str:
    """Return why: an AML and no time after treatment; silence is no remission, and a relapse has blasts."""
    diagnosis = labels.get(DIAGNOSIS, "")
    if not is_aml(diagnosis):
        return ""
    when = " ".join(labels.get(column, "") for column in _TIME_COLUMNS)
    first = re.search(_FIRST, when, re.IGNORECASE)
    later = re.search(_LATER, when, re.IGNORECASE) or re.search(_REMISSION, diagnosis, re.IGNORECASE)
    if later and not first:
        return ""
    said = f"the sample sheet gives the diagnosis “{diagnosis}”"
    return said if first else f"{said} and no time after treatment"


def _blood_in_marrow(labels: Mapping[str, str]) -> str:
    if is_blood(labels):
        return "the sample sheet calls this tube one of blood"
    inside = [one for one in blood_shares(specimen(labels)) if one.purity[0] <= 1 - _part(one.share) <= one.purity[1]]
    if inside and (share := _part(inside[0].share)) > BLOOD_SHARE:
        return f"by {inside[0].method}, {100 * share:.0f} % of the nucleated cells came from blood"
    return ""


def _part(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def _not_digested(labels: Mapping[str, str]) -> str:
    stated = " ".join(labels.get(column, "") for column in ("specimen", "specimen_type", "material", "preparation"))
    if re.search(_DIGEST, stated, re.IGNORECASE):
        return ""
    return f"the sample sheet gives “{stated.strip()}”, no digest" if stated.strip() else _SILENT.format("a digest")


def _not_fixed_at_bedside(labels: Mapping[str, str]) -> str:
    stated = labels.get(FIXATION, "")
    if re.search(r"bed-?\s?side", stated, re.IGNORECASE) and not re.search(r"\b(?:not|no)\b", stated, re.IGNORECASE):
        return ""
    return f"the sample sheet gives the fixation “{stated}”" if stated else _SILENT.format("fixation at the bedside")


_SILENT = "the sample sheet says nothing of {}"
_REASONS: dict[ReadoutCondition, Callable[[Mapping[str, str]], str]] = {
    "aml_at_diagnosis": _aml_at_diagnosis,
    "blood_in_marrow": _blood_in_marrow,
    "not_digested": _not_digested,
    "not_fixed_at_bedside": _not_fixed_at_bedside,
}
