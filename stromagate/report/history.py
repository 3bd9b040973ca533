"""What the page of a run's history shows: what drifted, this run against the baseline, and every chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stromagate.model.history import ChartBook, ControlChart, Series
from stromagate.model.result import RunFinding
from stromagate.report.control_charts import chart_figure, deviations, value_text
from stromagate.report.run_findings import rows
from stromagate.report.wording import count_text, number_text

DRIFT_CODES = ("Q56", "Q57", "Q58")

_GROUPS = (
    ("boundary", "Boundaries", "Where each fitted gate cuts, as the median of a batch, in the units of the file."),
    ("reference", "Reference intensities", "For each marker the brightest and the dimmest reference population."),
    ("viability", "Viability", "Share that the viability gate keeps."),
    ("events", "Events", "Events of a tube."),
    ("rate", "Rates of the index populations", "Shown and not judged: patients differ."),
)


# What a percentage of the page is a percentage of, behind the name of its series.
_OF = {"viability": "% of the cells that its gate is asked about"}


def build(book: ChartBook, findings: Sequence[RunFinding]) -> dict[str, Any]:
    """Return the values of the page."""
    return {
        "findings": rows(finding for finding in findings if finding.code in DRIFT_CODES),
        "of": _OF,
        "charts": [_chart(chart, place) for place, chart in enumerate(book.charts)],
    }


def _chart(chart: ControlChart, place: int) -> dict[str, Any]:
    groups = []
    for kind, title, words in _GROUPS:
        some = [(i, series) for i, series in enumerate(chart.series) if series.kind == kind]
        if some:
            drawn = [(series, chart_figure(chart, series, f"chart-{place}-{i}"), _points(series)) for i, series in some]
            groups.append((title, words, drawn))
    baseline = "named by the lab" if chart.declared else "the first ones"
    return {
        "instrument": chart.instrument,
        "panel": chart.panel[:8],
        "id": place,
        "facts": [
            ("Batches", count_text(len(chart.batches))),
            (
                "Baseline",
                f"{count_text(chart.n_baseline)} {'batch' if chart.n_baseline == 1 else 'batches'}, {baseline}",
            ),
            ("This run", ", ".join(chart.batches[at] for at in chart.now)),
            ("Judged", "yes" if chart.ready else f"no: {chart.why}"),
        ],
        "table": [_row(chart, series) for series in chart.series],
        "groups": groups,
    }


def _row(chart: ControlChart, series: Series) -> dict[str, Any]:
    """Return one line of the table: this run's last batch against the baseline."""
    point = series.points[max(chart.now)]
    away = deviations(series, point.value)
    broken = [rule for at in chart.now for rule in series.points[at].rules] if series.judged else []
    return {
        "name": series.name + (f", {_OF[series.kind]}" if series.kind in _OF else ""),
        "value": value_text(series, point.value),
        "mean": value_text(series, series.mean),
        "limits": _limits(series),
        "away": "–" if away is None else f"{'+' if away >= 0 else '−'}{number_text(abs(away), 2)}",
        "status": "warn" if broken else "",
        "word": ", ".join(dict.fromkeys(broken)) if broken else _why(chart, series),
    }


def _why(chart: ControlChart, series: Series) -> str:
    """Return why a series alone is not judged; what holds for all of them is said above the table."""
    if series.why and series.why != chart.why:
        return series.why
    return "" if series.judged else "not judged"


def _limits(series: Series) -> str:
    if series.mean is None or series.sd is None:
        return "–"
    low, high = (value_text(series, series.mean + k * series.sd) for k in (-3, 3))
    return f"{low} to {high}"


def _points(series: Series) -> list[tuple[str, str, str, str]]:
    """Return every point in numbers: batch, value, tubes, and what is to be said of it."""
    return [
        (
            point.batch,
            value_text(series, point.value),
            count_text(point.n_tubes),
            ", ".join(point.rules) if point.rules and series.judged else "baseline" if point.baseline else "",
        )
        for point in series.points
    ]
