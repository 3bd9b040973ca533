"""What else moves these numbers, and whether this tube's sheet says anything of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stromagate.model.diagnosis import is_of_blasts
from stromagate.model.result import SampleResult
from stromagate.report.lookup import find, label, primary_denominator
from stromagate.report.section import Section
from stromagate.report.wording import number_text, within


@dataclass(frozen=True, slots=True)
class _Confounder:
    name: str
    columns: tuple[str, ...]
    why: str
    doi: str = ""


_BLAST_SHARE = "Blast share"
_CONFOUNDERS = (
    _Confounder(
        "Donor age",
        ("age", "age_years", "donor_age"),
        "The CD146− subset dominates in adults and the CD146+ one in children (Maijenburg 2012, Haematologica).",
    ),
    _Confounder(
        "Hours from aspiration to staining",
        ("hours_to_stain", "processing_hours", "hours", "time_to_stain_h"),
        "CD146 falls in hypoxia and rises in normoxia (Tormin 2011).",
        "10.1182/blood-2010-08-304287",
    ),
    _Confounder(
        "Pull and aspirated volume",
        ("pull", "aspirate_pull", "volume_ml", "aspirate_ml"),
        "Larger aspirated volumes hold several-fold fewer stromal cells per mL (Cuthbert 2012).",
        "10.3109/14653249.2011.651533",
    ),
    _Confounder(
        "Dilution by blood",
        ("hemodilution", "haemodilution", "dilution", "pb_fraction"),
        "Blood in an aspirate lowers every stromal rate; no correction has been made here.",
    ),
    _Confounder(
        "Fibrosis or dry tap",
        ("fibrosis", "mf_grade", "dry_tap"),
        "Fibrosis changes how many stromal cells come out of the marrow at all.",
    ),
    _Confounder(
        _BLAST_SHARE,
        ("blasts", "blast_pct", "blasts_pct"),
        "Blasts inflate every denominator of nucleated cells: the same stroma then reads as a lower rate.",
    ),
    _Confounder(
        "Specimen and preparation",
        ("specimen", "preparation", "material"),
        "Aspirates, digests, Ficoll cells, fresh and frozen samples cannot be pooled.",
    ),
)


def _build(result: SampleResult) -> dict[str, Any]:
    stated = {key.casefold(): value for key, value in result.labels.items() if value.strip()}
    stated.setdefault("preparation", result.instrument.get("STROMAGATE_PREPARATION", ""))
    rows = [
        {
            "name": item.name,
            "value": ", ".join(stated[column] for column in item.columns if stated.get(column)),
            "measured": _blasts(result) if item.name == _BLAST_SHARE else "",
            "why": item.why,
            "doi": item.doi,
        }
        for item in _CONFOUNDERS
    ]
    return {"rows": rows}


def _blasts(result: SampleResult) -> str:
    """Return the share of blasts that the gates found in this tube, of the first denominator."""
    name = next((node.name for node in result.tree.nodes if is_of_blasts(node.name)), "")
    main = primary_denominator(result)
    row = find(result, name, "per_million", main) if name and main else None
    if row is None or row.value is None:
        return ""
    ends = "" if row.ci_low is None or row.ci_high is None else f" ({_percent(row.ci_low)}–{_percent(row.ci_high)})"
    of, by = within(label(result, main)), label(result, name)
    return f"measured: {_percent(row.value)} %{ends} of {of} in this tube, by the gate “{by}”"


def _percent(per_million: float) -> str:
    return number_text(per_million / 10_000)


SECTION = Section(
    title="Confounders",
    order=70,
    fragment="confounders.html.j2",
    build=_build,
    summary="Add a column of the same name to the sample sheet to record one.",
)
