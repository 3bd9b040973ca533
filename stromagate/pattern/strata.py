"""Whether a tube and a calibration may be compared at all: same template, same kind of specimen, same instrument."""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.model.calibration import STRATA
from stromagate.model.result import SampleResult
from stromagate.pattern.cut_points import AnyCalibration

_TITLES = {
    "specimen": "the specimen",
    "preparation": "the preparation",
    "pull": "the pull of the aspirate",
    "storage": "whether it was fresh or frozen",
}
NOT_SAID = "not said"


def stratum(labels: Mapping[str, str], instrument: Mapping[str, str]) -> dict[str, str]:
    """Return the kind of specimen by column, in small letters; of what nobody states, that it is not said.

    The sheet's word comes first; a preparation may also be stated by the file.
    """
    found = {}
    for column in STRATA:
        said = labels.get(column, "")
        if not said.strip() and column == "preparation":
            said = instrument.get("STROMAGATE_PREPARATION", "")
        found[column] = " ".join(said.casefold().replace("_", " ").split()) or NOT_SAID
    return found


def mismatches(result: SampleResult, calibration: AnyCalibration) -> list[str]:
    """Return in what a tube is not of the calibration's kind, a sentence without its full stop each."""
    found = []
    if result.template.sha256 != calibration.template_sha256:
        theirs = f"{calibration.template} {calibration.template_version} ({calibration.template_sha256[:8]})"
        ours = f"{result.template.name} {result.template.version} ({result.template.sha256[:8]})"
        found.append(f"the calibration was made with the template {theirs}, this tube was gated with {ours}")
    here = stratum(result.labels, result.instrument)
    for column, there in calibration.strata.items():
        if here.get(column, NOT_SAID) != there:
            title = _TITLES.get(column, f"the column `{column}`")
            found.append(f"{title} is “{here.get(column, NOT_SAID)}” here and “{there}” in the calibration")
    cytometer = " ".join(result.instrument.get("$CYT", "").split())
    if calibration.instrument and cytometer != calibration.instrument:
        found.append(
            f"the cytometer is “{cytometer or NOT_SAID}” here and “{calibration.instrument}” in the calibration"
        )
    return found
