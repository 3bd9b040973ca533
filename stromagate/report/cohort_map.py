"""The map of a cohort: P against Q with intervals, and where a calibration parts the patterns."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.model.cohort import Cohort, CohortCuts, CohortNumber, CohortTube
from stromagate.report.cohort_look import MARKS, is_sure, mark_of, place, rate_ticks, said_of
from stromagate.report.figures import Figure, Json, axis_look, layout_of
from stromagate.report.text import plot_text

_WIDTH, _HEIGHT = 720, 600
_MARGIN = {"l": 74, "r": 24, "t": 58, "b": 58}
_NAMED_UP_TO = 12
_CROWD = 120
WHISKERS_UP_TO = 200
"""More intervals than this hide the marks, and are left to the table."""

_AREA, _AREA_INK, _LINE = "#f3f5f7", "#5c6670", "#8b95a0"

Point = tuple[CohortTube, CohortNumber, CohortNumber]


def map_figure(cohort: Cohort, denominator: str) -> Figure | None:
    """Return the map under one denominator; None where no tube has both P and Q.

    Parameters
    ----------
    cohort : Cohort
        Its tubes, and the cut-points where there is a calibration.
    denominator : str
        One of its denominators.
    """
    points = [
        (tube, p, q)
        for tube in cohort.tubes
        if (p := tube.number("P", denominator)) and (q := tube.number("Q", denominator))
        if p.value is not None and q.value is not None
    ]
    if not points:
        return None
    c = cohort.offset_ppm.get(denominator, 1.0)
    cuts = cohort.cuts.get(denominator)
    limits, tops = _limits(points, c, cuts)
    shapes, notes = _areas(cuts, c, limits, cohort) if cuts else ([], [])
    below = plot_text(cohort.label(denominator), 60)
    across = axis_look(f"P, progenitors per million {below}", limits[0], rate_ticks(c, tops[0]))
    down = axis_look(f"Q, other MSC per million {below}", limits[1], rate_ticks(c, tops[1]))
    data = [trace for name in _names(points) for trace in _traces(points, name, c)]
    legend = {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom", "font": {"size": 12}}
    layout = layout_of(_WIDTH, _HEIGHT, xaxis=across, yaxis=down, legend=legend, shapes=shapes, annotations=notes)
    layout |= {"showlegend": True, "margin": _MARGIN, "hovermode": "closest"}
    return Figure("map", {"data": data, "layout": layout}, _alt(cohort, points, denominator), _WIDTH, _HEIGHT)


def _names(points: Sequence[Point]) -> list[str]:
    there = [tube.pattern for tube, _, _ in points]
    return [*(name for name in MARKS if name in there), *dict.fromkeys(name for name in there if name not in MARKS)]


def _limits(
    points: Sequence[Point], c: float, cuts: CohortCuts | None
) -> tuple[tuple[tuple[float, float], tuple[float, float]], tuple[float, float]]:
    """Return the ends of both axes, from nothing to the highest mark or limit, and the highest rates."""
    ends, tops = [], []
    for at, high_cut in ((1, cuts.p_high if cuts else 0.0), (2, cuts.q_high if cuts else 0.0)):
        numbers = [number for point in points for number in point[at : at + 1] if isinstance(number, CohortNumber)]
        values = [number.value or 0.0 for number in numbers]
        highs = [min(number.ci_high or 0.0, 30 * (number.value or c)) for number in numbers]
        top = max([*values, *highs, 1.6 * high_cut, 3 * c])
        ends.append((place(0.0, c) - 0.09, place(top, c) + 0.09))
        tops.append(top)
    return (ends[0], ends[1]), (tops[0], tops[1])


def _traces(points: Sequence[Point], name: str, c: float) -> list[Json]:
    """Return the tubes of one pattern: filled marks for quantities, open ones for the others; one in the legend."""
    mine = [point for point in points if point[0].pattern == name]
    symbol, colour = mark_of(mine[0][0])
    known = len(points) <= _CROWD
    traces = []
    for sure, look in ((False, f"{symbol}-open"), (True, symbol)):
        some = [point for point in mine if (is_sure(point[1]) and is_sure(point[2])) is sure]
        if not some:
            continue
        trace: Json = {
            "type": "scatter",
            "mode": "markers+text" if len(points) <= _NAMED_UP_TO else "markers",
            "x": [place(p.value or 0.0, c) for _, p, _ in some],
            "y": [place(q.value or 0.0, c) for _, _, q in some],
            "marker": {"symbol": look, "color": colour, "size": 10 if known else 7, "line": {"width": 1.3}},
            "hovertext": [said_of(tube, ("P", p), ("Q", q)) for tube, p, q in some],
            "hoverinfo": "text",
            "customdata": [tube.name for tube, _, _ in some],
            "showlegend": False,
        }
        if len(points) <= WHISKERS_UP_TO:
            trace["error_x"] = _whiskers([p for _, p, _ in some], c, colour, clear=known)
            trace["error_y"] = _whiskers([q for _, _, q in some], c, colour, clear=known)
        if len(points) <= _NAMED_UP_TO:
            trace |= {
                "text": [plot_text(tube.name, 24) for tube, _, _ in some],
                "textposition": [_side(p.value or 0.0, c, points) for _, p, _ in some],
                "textfont": {"size": 10.5, "color": "#4c555e"},
            }
        traces.append(trace)
    key = {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "hoverinfo": "skip"}
    marker = {"symbol": symbol, "color": colour, "size": 10}
    return [*traces, {**key, "name": f"{plot_text(name)} ({len(mine)})", "marker": marker}]


def _side(value: float, c: float, points: Sequence[Point]) -> str:
    """Return on which side of a mark its name has room."""
    highest = max(place(p.value or 0.0, c) for _, p, _ in points)
    lowest = place(0.0, c)
    return "top left" if place(value, c) > lowest + 0.6 * (highest - lowest) else "top right"


def _whiskers(numbers: Sequence[CohortNumber], c: float, colour: str, *, clear: bool) -> Json:
    """Return intervals as distances from the marks on the axis; faint in a crowd."""
    at = [place(number.value or 0.0, c) for number in numbers]
    up = [
        place(number.ci_high, c) if number.ci_high is not None else here
        for number, here in zip(numbers, at, strict=True)
    ]
    down = [
        place(number.ci_low, c) if number.ci_low is not None else here for number, here in zip(numbers, at, strict=True)
    ]
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "type": "data",
        "symmetric": False,
        "array": [round(max(end - here, 0.0), 4) for end, here in zip(up, at, strict=True)],
        "arrayminus": [round(max(here - end, 0.0), 4) for end, here in zip(down, at, strict=True)],
        "color": f"rgba({red},{green},{blue},{0.45 if clear else 0.16})",
        "thickness": 1.1 if clear else 0.8,
        "width": 0,
    }


def _areas(
    cuts: CohortCuts, c: float, limits: tuple[tuple[float, float], tuple[float, float]], cohort: Cohort
) -> tuple[list[Json], list[Json]]:
    """Return the lines at the cut-points, and what the areas between them are called."""
    (left, right), (bottom, top) = limits
    x_low, x_high, y_low, y_high = (place(cut, c) for cut in (cuts.p_low, cuts.p_high, cuts.q_low, cuts.q_high))
    ranged = cuts.p_low < cuts.p_high or cuts.q_low < cuts.q_high
    rect = {"type": "rect", "layer": "below", "line": {"width": 0}}
    line = {"type": "line", "layer": "below", "line": {"color": _LINE, "width": 1.2}}
    shapes = [
        {**rect, "x0": x_high, "x1": right, "y0": bottom, "y1": y_high, "fillcolor": "#f6f1f8"},
        {**rect, "x0": left, "x1": x_high, "y0": y_high, "y1": top, "fillcolor": "#eef2f8"},
        {**rect, "x0": x_high, "x1": right, "y0": y_high, "y1": top, "fillcolor": "#efeaf2"},
        {**rect, "x0": left, "x1": x_low, "y0": bottom, "y1": y_low, "fillcolor": "#eff6fa"},
        {**line, "x0": x_high, "x1": x_high, "y0": bottom, "y1": top},
        {**line, "x0": left, "x1": right, "y0": y_high, "y1": y_high},
    ]
    if ranged:
        dotted = {**line, "line": {"color": _LINE, "width": 1.2, "dash": "dot"}}
        shapes.append({**dotted, "x0": x_low, "x1": x_low, "y0": bottom, "y1": y_low})
        shapes.append({**dotted, "x0": left, "x1": x_low, "y0": y_low, "y1": y_low})
    named = [
        (right, bottom, "right", "bottom", "progenitor-high"),
        (left, top, "left", "top", "MSC-high"),
        (right, top, "right", "top", "both-high"),
        (left, bottom, "left", "bottom", "mesenchymal-low"),
    ]
    if ranged:
        own = cohort.calibration is not None and cohort.calibration.level == "L1"
        between = "within the controls' range" if own else "between the cut-points"
        named.append((x_high, y_high, "right", "top", between))
    return shapes, [_name(*one) for one in named]


def _name(x: float, y: float, across: str, down: str, text: str) -> Json:
    return {
        "x": x,
        "y": y,
        "xanchor": across,
        "yanchor": down,
        "xshift": -5 if across == "right" else 5,
        "yshift": -3 if down == "top" else 3,
        "text": text,
        "showarrow": False,
        "font": {"size": 12.5, "color": _AREA_INK},
        "bgcolor": "rgba(255,255,255,0.6)",
    }


def _alt(cohort: Cohort, points: Sequence[Point], denominator: str) -> str:
    below = cohort.label(denominator)
    called = ", ".join(f"{sum(tube.pattern == name for tube, _, _ in points)} {name}" for name in _names(points))
    return f"P against Q per million {below} in {len(points)} tubes: {called}; the table below has every number."
