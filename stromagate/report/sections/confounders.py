"""What else moves these numbers, and whether this tube's sheet says anything of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stromagate.model.result import SampleResult
from stromagate.report.section import Section


@dataclass(frozen=True, slots=True)
class _Confounder:
    name: str
    columns: tuple[str, ...]
    why: str
    doi: str = ""


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
        "Blast share",
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
            "why": item.why,
            "doi": item.doi,
        }
        for item in _CONFOUNDERS
    ]
    return {"rows": rows}


SECTION = Section(
    title="Confounders",
    order=70,
    fragment="confounders.html.j2",
    build=_build,
    summary="Add a column of the same name to the sample sheet to record one.",
)
