"""What the three checks of drift share: one rule, asked of every series of this run's instruments and panels."""

from __future__ import annotations

from stromagate.model.history import ChartPoint, ControlChart, Rule, Series
from stromagate.model.result import RunFinding
from stromagate.qc.run_check import RunCheck, RunEvidence, not_applicable, said
from stromagate.qc.wording import listed

_TEN = 10


def judge_rule(check: RunCheck, rule: Rule, words: str, evidence: RunEvidence) -> list[RunFinding]:
    """Return one finding an instrument and panel: which series break a rule in this run.

    Parameters
    ----------
    check : RunCheck
        Who asks.
    rule : {"1-3s", "2-2s", "10x"}
        As in ``qc.westgard``.
    words : str
        The rule in words.
    evidence : RunEvidence
        Its charts hold the rules that each batch breaks.
    """
    if evidence.charts is None:
        return [not_applicable(check, "The run keeps no history (run --history DIR).")]
    if not evidence.charts:
        return [not_applicable(check, "The run has no stained tube to compare with earlier ones.")]
    return [_of_chart(check, rule, words, chart, len(evidence.charts) > 1) for chart in evidence.charts]


def _of_chart(check: RunCheck, rule: Rule, words: str, chart: ControlChart, several: bool) -> RunFinding:
    where = f" on {chart.instrument}, panel {chart.panel[:8]}" if several else ""
    if not chart.ready:
        return not_applicable(check, f"Nothing is judged{where}: {chart.why}.")
    judged = [series for series in chart.series if series.judged and series.mean is not None]
    if rule == "10x" and not any(_enough(series, chart) for series in judged):
        return not_applicable(check, f"Fewer than ten batches{where} come after the baseline.")
    if not judged:
        return not_applicable(check, f"No series{where} has a spread to judge by.")
    odd = {
        series.name: point
        for series in judged
        if (point := next((series.points[at] for at in chart.now if rule in series.points[at].rules), None))
    }
    if not odd:
        n = len(judged)
        return said(check, "pass", f"No series of {n} over earlier runs{where} has {words}.", measured=0.0)
    named = listed(f"{name} ({_side(series_of(judged, name), point)})" for name, point in odd.items())
    sentence = f"{len(odd)} of {len(judged)} series over earlier runs{where} have {words}: {named}."
    return said(check, "warn", sentence, measured=float(len(odd)), remedy=_LOOK)


def _enough(series: Series, chart: ControlChart) -> bool:
    """Say whether ten values come after the baseline, this run's among them."""
    judged = series.points[chart.judged_from : max(chart.now) + 1]
    return sum(point.value is not None for point in judged) >= _TEN


def series_of(many: list[Series], name: str) -> Series:
    """Return the series of a name."""
    return next(series for series in many if series.name == name)


def _side(series: Series, point: ChartPoint) -> str:
    """Return how far a point lies from the mean, such as ``3.4 SD above``."""
    assert series.mean is not None
    assert series.sd is not None
    assert point.value is not None
    z = (point.value - series.mean) / series.sd
    return f"{abs(z):.1f} SD {'above' if z > 0 else 'below'}"


_LOOK = (
    "Look at history.html before these numbers are compared with earlier ones: a detector, a lot or a way of working "
    "has changed. A new baseline is declared in baseline.txt of the history."
)
