"""What the three checks of drift share: one rule, asked of every series of this run's instruments and panels."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.model.history import ChartPoint, ControlChart, Rule, Series
from stromagate.model.result import RunFinding
from stromagate.qc.run_check import RunCheck, RunEvidence, not_applicable, said
from stromagate.qc.westgard import beyond_chance

_TEN, _NAMED = 10, 4
_FEW_SERIES = 3  # so few that a rule broken by one of them is no chance of many; own choice


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
    if not judged:
        return not_applicable(check, f"No series{where} has a spread to judge by.")
    if rule == "10x" and not any(_enough(series, chart) for series in judged):
        return not_applicable(check, f"Fewer than ten batches{where} come after the baseline.")
    odd = [
        (series, point)
        for series in judged
        if (point := next((series.points[at] for at in chart.now if rule in series.points[at].rules), None))
    ]
    n = len(judged)
    if not odd:
        return said(check, "pass", f"No series of {n} over earlier runs{where} has {words}.", measured=0.0)
    further_first = sorted(odd, key=lambda item: -abs(_deviations(*item)))
    named = "; ".join(f"{series.name}, {_side(series, point)}" for series, point in further_first[:_NAMED])
    named += f"; and {len(odd) - _NAMED} more" if len(odd) > _NAMED else ""
    have = "has" if len(odd) == 1 else "have"
    sentence = f"{len(odd)} of {n} series over earlier runs{where} {have} {words}: {named}"
    if _by_chance(odd, n):
        return said(check, "pass", f"{sentence}. Among so many this comes by chance now and then.")
    return said(check, "warn", f"{sentence}.", measured=float(len(odd)), remedy=_LOOK)


def _by_chance(odd: Sequence[tuple[Series, ChartPoint]], n_judged: int) -> bool:
    """Say whether what breaks a rule does not stand out among so many series.

    Of two dozen series one breaks a rule in every tenth steady run. What counts as drift is a rule broken on two axes
    or more (series of one axis go together), by a series that breaks another rule as well, or by a value further out
    than any of them lies by chance in one of a hundred runs.
    """
    if len({series.axis for series, _ in odd}) > 1 or n_judged <= _FEW_SERIES:
        return False
    far = beyond_chance(n_judged)
    return not any(len(point.rules) > 1 or abs(_deviations(series, point)) > far for series, point in odd)


def _enough(series: Series, chart: ControlChart) -> bool:
    """Say whether ten values come after the baseline, this run's among them."""
    judged = series.points[chart.judged_from : max(chart.now) + 1]
    return sum(point.value is not None for point in judged) >= _TEN


def _deviations(series: Series, point: ChartPoint) -> float:
    """Return how many standard deviations a point lies above the mean."""
    if series.mean is None or series.sd is None or point.value is None:
        return 0.0
    return (point.value - series.mean) / series.sd


def _side(series: Series, point: ChartPoint) -> str:
    """Return how far a point lies from the mean, such as ``3.4 SD above``."""
    z = _deviations(series, point)
    return f"{abs(z):.1f} SD {'above' if z > 0 else 'below'}"


_LOOK = (
    "Look at the control charts (history.html) before these numbers are compared with earlier ones: a detector, a lot "
    "or a way of working has changed. After a service, name the batches of a new baseline in baseline.txt of the "
    "history."
)
