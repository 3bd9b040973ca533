"""Whether the sample sheet says what a stroma count must be read beside: age, material, and the hours before staining.

In children most CD271-bright stroma carries CD146, in adults most does not (Maijenburg 2012), and CD146 follows oxygen
(Tormin 2011, 10.1182/blood-2010-08-304287): without them two tubes cannot be compared, whatever was counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import listed


@dataclass(frozen=True, slots=True)
class _Known:
    """Something a sheet can say: its name, the columns it may stand in, how to write it, its range where a number."""

    called: str
    columns: tuple[str, ...]
    how: str
    range: tuple[float, float] | None = None


# The columns are those that the report's section on confounders reads.
_WANTED = (
    _Known("age", ("age", "age_years", "donor_age"), "age (years)", (0.0, 120.0)),
    _Known(
        "hours to staining",
        ("hours_to_stain", "processing_hours", "hours", "time_to_stain_h"),
        "hours_to_stain (hours from aspiration to staining)",
        (0.0, 1000.0),
    ),
    _Known(
        "specimen or preparation",
        ("specimen", "specimen_type", "material", "preparation"),
        "specimen (such as aspirate or digest)",
    ),
)
_UNKNOWN = frozenset({"", "unknown", "na", "n/a", "nan", "none", "?", "-"})


def look(evidence: Evidence) -> list[Finding]:
    """Warn of a stained tube of a sheet whose row lacks one of them, or holds something else there."""
    every = listed(item.called for item in _WANTED)
    if not evidence.labels:
        return [not_applicable(CHECK, f"No sample sheet says anything of this tube; not known: {every}.")]
    stated = {item: _stated(evidence.labels, item) for item in _WANTED}
    missing = [item.called for item, text in stated.items() if not text]
    bad = [item for item, text in stated.items() if text and item.range and not _within(text, item.range)]
    wrong = [f"{item.called} ({item.range[0]:g} to {item.range[1]:g})" for item in bad if item.range]
    if not missing and not wrong:
        return [judge(CHECK, 0.0, f"The sample sheet says of this tube: {every}.")]
    lacking = [item for item, text in stated.items() if not text or item in bad]
    faults = [f"says nothing of {listed(missing)}"] if missing else []
    if wrong:
        faults.append(f"holds no number in the range of {listed(wrong)}")
    sentence = f"The sample sheet {', and '.join(faults)}."
    return [judge(CHECK, float(len(missing) + len(wrong)), sentence, remedy=_remedy(lacking))]


def _stated(labels: Mapping[str, str], item: _Known) -> str:
    texts = (labels.get(column, "").strip() for column in item.columns)
    return next((text for text in texts if text.casefold() not in _UNKNOWN), "")


def _within(text: str, limits: tuple[float, float]) -> bool:
    try:
        return limits[0] <= float(text.replace(",", ".")) <= limits[1]
    except ValueError:
        return False


def _remedy(lacking: list[_Known]) -> str:
    """Ask for what is lacking, and for nothing that the sheet says."""
    return (
        f"Write {_and([item.how for item in lacking])} into the sample sheet; until then compare the CD146+ share and "
        "the count with no other patient."
    )


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


CHECK = Check(
    code="Q27",
    stage="file",
    title="age and processing known",
    run=look,
    not_of_controls=BACKGROUND,
    warn=0.0,
    unit="columns",
)
