"""Whether the rare cells scatter light as stroma does, and not like the small smooth cells that leak into its gate."""

from __future__ import annotations

import numpy as np

from stromagate.model.detection import LOD_FLOOR_EVENTS
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import judged_rows, main_denominator, main_target, no_target
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import percent

_AXIS = "SSC-A"
# Lymphocytes and blasts are the smoothest cells of a marrow: a low quantile finds them where they are one in ten.
_SMOOTH_QUANTILE = 0.1
# Stroma has four times their side scatter, blasts one and a half times; own choice, between the two.
_TIMES = 2.0


def look(evidence: Evidence) -> list[Finding]:
    """Judge the share of the main target with less than twice the side scatter of the smoothest tenth of all cells."""
    name, base = main_target(evidence), main_denominator(evidence)
    if name is None:
        return [no_target(CHECK)]
    rows = judged_rows(CHECK, evidence, name)
    if isinstance(rows, Finding):
        return [rows]
    if _AXIS not in {item.axis for item in evidence.panel.bindings}:
        return [not_applicable(CHECK, f"The tube has no {_AXIS} to compare {evidence.called(name)} by.", name)]
    everything = evidence.linear(_AXIS, evidence.members.get(base, rows[:0]))
    everything = everything[np.isfinite(everything)]
    if everything.size < LOD_FLOOR_EVENTS:
        return [not_applicable(CHECK, f"{evidence.called(base)} has too few events to compare with.", name)]
    smooth = float(np.quantile(everything, _SMOOTH_QUANTILE))
    if not smooth > 0:
        return [not_applicable(CHECK, f"{_AXIS} of {evidence.called(base)} reaches zero.", name)]
    values = evidence.linear(_AXIS, rows)
    small_pct = 100 * int(np.count_nonzero(values < _TIMES * smooth)) / rows.size
    sentence = (
        f"{percent(small_pct)} of {evidence.called(name)} have less than {_TIMES:g} times the {_AXIS} of the smoothest "
        f"tenth of {evidence.called(base)}."
    )
    remedy = "Blasts, lymphocytes or debris may be counted as stroma: look at where these events lie in light scatter."
    return [judge(CHECK, small_pct, sentence, remedy=remedy, population=name)]


# Not held against gated lymphocytes: most templates gate none, and no line by them parts better. No more forward light
# than their 95th percentile have up to 32 % of the target in clean simulated tubes; than their 75th hardly any of it
# even where erythroblasts leak in. Below twice the smoothest tenth are 14 % at most in 14 clean tubes, and 42 and 54 %
# of it in two with such erythroblasts. The limit of failure is an own choice: most of the target is something else.
CHECK = Check(
    code="Q19",
    stage="result",
    title="target scatters like stroma",
    run=look,
    not_of_controls=BACKGROUND,
    warn=30.0,
    fail=50.0,
    unit="%",
)
