"""Levey-Jennings charts: one point a batch, the baseline's mean and its deviations, and what falls outside."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.model.history import ChartPoint, ControlChart, Series
from stromagate.qc.places import from_decades
from stromagate.report.figures import Figure, Json, axis_look, layout_of
from stromagate.report.text import plot_text
from stromagate.report.wording import number_text

_WIDTH, _HEIGHT = 530, 214
_MOST_TICKS = 8
_FAR = 8.0  # standard deviations: points beyond are drawn at the edge, so that the rest can still be read
_BASE, _LATER, _NOW, _BROKEN = "#8b95a0", "#32518e", "#161330", "#9b1c1c"
_LINES = ((0, "#5c6670", "solid"), (1, "#dfe3e6", "solid"), (2, "#c28a2c", "dot"), (3, "#9b1c1c", "solid"))


def value_text(series: Series, value: float | None) -> str:
    """Return a value of a series as people read it: decades and logarithms as the numbers they stand for."""
    if value is None:
        return "–"
    match series.unit:
        case "decades":
            return number_text(from_decades(value))
        case "log10 events" | "log10 per million":
            return number_text(10.0**value)
        case "%":
            return f"{number_text(value)} %"
        case _:
            return number_text(value)


def deviations(series: Series, value: float | None) -> float | None:
    """Return how many standard deviations a value lies above the mean; None where there are no limits."""
    if value is None or series.mean is None or series.sd is None:
        return None
    return (value - series.mean) / series.sd


def chart_figure(chart: ControlChart, series: Series, figure_id: str) -> Figure:
    """Return the drawing of one series.

    Parameters
    ----------
    chart : ControlChart
        Says which batches are this run's and which the baseline's.
    series : Series
        One of its series.
    figure_id : str
        Unique on the page.
    """
    low, high = _reach(series)
    data = [
        _points(series, low, high, [i for i, point in enumerate(series.points) if kind == _kind(chart, i, point)], kind)
        for kind in ("baseline", "later", "now", "broken")
    ]
    across = axis_look("", (-0.7, len(series.points) - 0.3), _names(chart))
    down = axis_look("", (low, high), _ticks(series))
    layout = layout_of(_WIDTH, _HEIGHT, xaxis=across, yaxis=down, shapes=_shapes(chart, series, low, high))
    layout |= {"margin": {"l": 66, "r": 44, "t": 8, "b": 34}, "annotations": _marks(series)}
    return Figure(figure_id, {"data": data, "layout": layout}, _alt(series), _WIDTH, _HEIGHT)


def _kind(chart: ControlChart, place: int, point: ChartPoint) -> str:
    if point.rules:
        return "broken"
    return "now" if place in chart.now else "baseline" if point.baseline else "later"


def _reach(series: Series) -> tuple[float, float]:
    """Return the limits of the vertical axis: four deviations and all points, those very far out at the edge."""
    values = [point.value for point in series.points if point.value is not None]
    if series.mean is None or series.sd is None:
        ends = (min(values, default=0.0), max(values, default=1.0))
        pad = 0.15 * (ends[1] - ends[0]) or 0.1 * abs(ends[0]) or 1.0
        return ends[0] - pad, ends[1] + pad
    z = [(value - series.mean) / series.sd for value in values]
    low, high = max(min([-4.0, *z]), -_FAR) - 0.4, min(max([4.0, *z]), _FAR) + 0.4
    return series.mean + low * series.sd, series.mean + high * series.sd


def _points(series: Series, low: float, high: float, places: Sequence[int], kind: str) -> Json:
    look = {
        "baseline": {"symbol": "circle-open", "color": _BASE, "size": 7, "line": {"width": 1.4}},
        "later": {"symbol": "circle", "color": _LATER, "size": 6},
        "now": {"symbol": "diamond", "color": _NOW, "size": 10},
        "broken": {"symbol": "x", "color": _BROKEN, "size": 9},
    }[kind]
    shown = [(place, value) for place in places if (value := series.points[place].value) is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [place for place, _ in shown],
        "y": [min(max(value, low), high) for _, value in shown],
        "marker": look,
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def _names(chart: ControlChart) -> list[tuple[float, str]]:
    """Return batches to name on the axis: as many as there is room for, this run's among them."""
    n = len(chart.batches)
    step = -(-n // _MOST_TICKS)
    shown = {*range(0, n, step), *chart.now}
    last = max(chart.now)
    near = {place for place in shown if place not in chart.now and abs(place - last) < step}
    return [(place, plot_text(chart.batches[place], 12)) for place in sorted(shown - near)]


def _ticks(series: Series) -> list[tuple[float, str]]:
    if series.mean is None or series.sd is None:
        values = sorted(point.value for point in series.points if point.value is not None)
        middle = values[len(values) // 2] if values else 0.0
        places = sorted({values[0], middle, values[-1]}) if values else []
        return [(place, value_text(series, place)) for place in places]
    return [(at, value_text(series, at)) for k in (-3, -2, 0, 2, 3) for at in (series.mean + k * series.sd,)]


def _shapes(chart: ControlChart, series: Series, low: float, high: float) -> list[Json]:
    base = [place for place, point in enumerate(series.points) if point.baseline]
    first, last = (min(base), max(base)) if base else (0, 0)
    band = {"type": "rect", "x0": first - 0.5, "x1": last + 0.5, "y0": low, "y1": high, "line": {"width": 0}}
    shapes: list[Json] = [{**band, "fillcolor": "#f4f6f7", "layer": "below"}] if base else []
    if series.mean is None or series.sd is None:
        return shapes
    for k, colour, dash in _LINES:
        for sign in (1, -1) if k else (1,):
            at = series.mean + sign * k * series.sd
            line = {"color": colour, "width": 1.0, "dash": dash}
            ends = {"x0": -0.7, "x1": len(chart.batches) - 0.3, "y0": at, "y1": at}
            shapes.append({"type": "line", **ends, "line": line, "layer": "below"})
    return shapes


def _marks(series: Series) -> list[Json]:
    """Write the deviations at the right end of their lines."""
    if series.mean is None or series.sd is None:
        return []
    words = {-3: "−3 SD", -2: "−2 SD", 0: "mean", 2: "+2 SD", 3: "+3 SD"}
    place = {"x": 1.005, "xref": "paper", "xanchor": "left", "yanchor": "middle", "showarrow": False}
    return [
        {**place, "y": series.mean + k * series.sd, "yref": "y", "text": text, "font": {"size": 10}}
        for k, text in words.items()
    ]


def _alt(series: Series) -> str:
    n = sum(point.value is not None for point in series.points)
    odd = [point.batch for point in series.points if point.rules]
    told = f"outside of the limits: {', '.join(odd)}" if odd else "none outside of the limits"
    return f"{series.name} in {n} batches; {told if series.mean is not None else 'no limits yet'}."
