"""What tubes of one patient say together: ``pooled.csv`` of replicates, ``without_blood.csv`` of marrow and blood."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.export.table import table
from stromagate.model.pooled import BloodCorrected, PooledRun

_FIELDS = (
    "population",
    "statistic",
    "denominator",
    "unit",
    "method",
    "n",
    "total",
    "value",
    "ci_low",
    "ci_high",
    "counting_low",
    "counting_high",
    "state",
    "p",
    "dispersion",
    "cv_pct",
    "poisson_cv_pct",
    "reason",
)


def pooled_csv(pooled: PooledRun) -> bytes:
    """Return the table of all groups.

    ``group`` numbers them in the order of the run, ``specimen`` says which it is; ``samples``, ``counts`` and
    ``totals`` are of its tubes, parted by ``;``.
    """
    rows = (
        [
            number,
            group.title,
            "; ".join(group.samples),
            "; ".join("none" if count is None else str(count) for count in rate.counts),
            "; ".join("none" if total is None else str(total) for total in rate.totals),
            *(getattr(rate, field) for field in _FIELDS),
        ]
        for number, group in enumerate(pooled.groups, start=1)
        for rate in group.rates
    )
    return table(["group", "specimen", "samples", "counts", "totals", *_FIELDS], rows)


def without_blood_csv(rows: Sequence[BloodCorrected]) -> bytes:
    """Return the table of rates without the blood in the marrow, per million, of cells that blood has as well."""
    fields = list(BloodCorrected.model_fields)
    return table(fields, ([getattr(row, field) for field in fields] for row in rows))
