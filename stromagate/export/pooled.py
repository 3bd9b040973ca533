"""``pooled.csv``: the rates of replicates together, one a row, beside what each tube had counted."""

from __future__ import annotations

from stromagate.export.table import table
from stromagate.model.pooled import PooledRun

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
