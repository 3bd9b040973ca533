"""The comparison of tubes: a dot and its interval for each rate, one line a tube, on a log axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stromagate.report.figures import RAMP, Figure, Json, axis_look, layout_of
from stromagate.report.outlines import GATE_COLOUR
from stromagate.report.text import plot_text
from stromagate.report.wording import number_text

_WIDTH = 690


@dataclass(frozen=True, slots=True)
class Mark:
    """One rate of one tube in the comparison."""

    tube: str
    series: str
    value: float
    low: float
    high: float
    quantifiable: bool


def tubes_figure(marks: Sequence[Mark], tubes: Sequence[str], figure_id: str, *, unit: str, alt: str) -> Figure:
    """Return the comparison of tubes: one line a tube, a dot and its interval for each series, on a log axis.

    A rate of zero has no place on a log axis: it is drawn as an open mark at its upper bound. Rates that are not
    quantifiable are grey and open.

    Parameters
    ----------
    marks : sequence of Mark
        Rates; tubes without one keep their line.
    tubes : sequence of str
        From top to bottom.
    unit : str
        Title of the axis of rates, with its denominator.
    """
    series = list(dict.fromkeys(mark.series for mark in marks))
    rows = {tube: len(tubes) - 1 - i for i, tube in enumerate(tubes)}
    ends = [value for mark in marks for value in (mark.low, mark.value, mark.high) if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(ends))), math.ceil(math.log10(max(ends)))
    low, high = (low, high) if high > low else (low - 1, high + 1)
    data = [
        trace
        for i, name in enumerate(series)
        for trace in _series(
            [mark for mark in marks if mark.series == name], rows, 0.15 - 0.3 * i, _SERIES_LOOK[i % 2], 10.0**low
        )
    ]
    steps = (1, 2, 5) if high - low < 3 else (1,)
    ticks = [step * 10.0**k for k in range(low, high) for step in steps] + [10.0**high]
    across = axis_look(plot_text(unit), (low, high), [(at, number_text(at, 1)) for at in ticks])
    across |= {"type": "log", "showgrid": True, "gridcolor": "#eceff2"}
    down = axis_look("", (-0.7, len(tubes) - 0.3), [(rows[tube], plot_text(tube, 32)) for tube in tubes])
    down |= {"ticks": "", "showline": False, "automargin": True, "showgrid": True, "gridcolor": "#f2f4f6"}
    height = 110 + 30 * len(tubes)
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "yref": "paper", "font": {"size": 12}}
    layout = layout_of(_WIDTH, height, xaxis=across, yaxis=down, legend=legend)
    layout |= {"showlegend": True, "margin": {"l": 60, "r": 20, "t": 34, "b": 48}}
    return Figure(figure_id, {"data": data, "layout": layout}, alt, _WIDTH, height)


_SERIES_LOOK = (("circle", RAMP[5]), ("diamond", GATE_COLOUR))
_UNSURE = "#7b858f"


def _series(marks: list[Mark], rows: dict[str, int], offset: float, look: tuple[str, str], floor: float) -> list[Json]:
    """Return the traces of one series: sure and unsure marks with their intervals, and one mark for the legend."""
    symbol, colour = look
    traces = []
    for kept, mark_symbol, mark_colour in ((True, symbol, colour), (False, f"{symbol}-open", _UNSURE)):
        some = [mark for mark in marks if mark.quantifiable is kept]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [mark.value if mark.value > 0 else max(mark.high, floor) for mark in some],
                "y": [rows[mark.tube] + offset for mark in some],
                "error_x": _whiskers(some, mark_colour, floor),
                "marker": {"symbol": mark_symbol, "color": mark_colour, "size": 9, "line": {"width": 1.6}},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    legend = {"type": "scatter", "mode": "markers", "name": plot_text(marks[0].series), "x": [None], "y": [None]}
    return [*traces, {**legend, "marker": {"symbol": symbol, "color": colour, "size": 9}}]


def _whiskers(marks: list[Mark], colour: str, floor: float) -> Json:
    """Return the intervals as distances from the dots; below the floor of the axis they end at it."""
    dots = [mark.value if mark.value > 0 else max(mark.high, floor) for mark in marks]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(mark.high - dot, 0.0) for mark, dot in zip(marks, dots, strict=True)],
        "arrayminus": [dot - min(max(mark.low, floor), dot) for mark, dot in zip(marks, dots, strict=True)],
        "color": colour,
        "thickness": 1.4,
        "width": 0,
    }
