"""The indices of one patient over the tubes in the order of time."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.model.cohort import SHARE, Cohort, CohortNumber, CohortTube
from stromagate.report.cohort_look import is_sure, place, rate_ticks, said_of
from stromagate.report.figures import Figure, Json, axis_look, layout_of
from stromagate.report.text import plot_text

_WIDTH, _HEIGHT = 530, 350
_LOOKS = (("diamond", "#8a3f9e"), ("square", "#2b4a86"), ("circle", "#5c6670"))


def course_figure(
    cohort: Cohort, tubes: Sequence[CohortTube], denominator: str, *, share: bool, joined: Sequence[bool]
) -> Figure | None:
    """Return the rates, or the share, tube by tube with intervals; None where no tube has one.

    Parameters
    ----------
    cohort : Cohort
        Says what the quantities are.
    tubes : sequence of CohortTube
        In the order of time.
    denominator : str
        What rates are per million of.
    share : bool
        P/MSC instead of the rates.
    joined : sequence of bool
        For each tube but the first, whether it can be compared with the one before: only these are joined by a line.
    """
    keys = [key for key in cohort.quantities if (key == SHARE) is share]
    c = cohort.offset_ppm.get(denominator, 1.0)
    data, top = list[Json](), 3 * c
    for i, key in enumerate(keys):
        found = [tube.number(key, denominator) for tube in tubes]
        known = [(at, number) for at, number in enumerate(found) if number is not None and number.value is not None]
        if known:
            shift = 0.0 if len(keys) == 1 else 0.14 * (i - (len(keys) - 1) / 2)
            data += _series(key, known, tubes, joined, (shift, c, _LOOKS[i % len(_LOOKS)]), share=share)
            top = max(top, *(number.ci_high or number.value or 0.0 for _, number in known))
    if not data:
        return None
    names = [(float(at), plot_text(_when(tube), 16)) for at, tube in enumerate(tubes)]
    across = axis_look("", (-0.5, len(tubes) - 0.5), names)
    down = _down(cohort, denominator, c, top, share=share)
    layout = layout_of(_WIDTH, _HEIGHT, xaxis=across, yaxis=down)
    layout |= {"showlegend": len(keys) > 1, "margin": {"l": 70, "r": 18, "t": 34, "b": 40}, "hovermode": "closest"}
    layout |= {"legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom", "font": {"size": 12}}}
    told = " and ".join(keys)
    alt = f"{told} of {len(tubes)} tubes in the order of time; the table above has every number."
    return Figure("course-share" if share else "course", {"data": data, "layout": layout}, alt, _WIDTH, _HEIGHT)


def _when(tube: CohortTube) -> str:
    labels = tube.labels
    return labels.get("timepoint", "") or labels.get("visit", "") or labels.get("day", "") or tube.name


def _down(cohort: Cohort, denominator: str, c: float, top: float, *, share: bool) -> Json:
    if share:
        look = axis_look("progenitors, % of MSC", (-3, 103), [(float(at), f"{at} %") for at in (0, 25, 50, 75, 100)])
    else:
        title = f"per million {plot_text(cohort.label(denominator), 40)}"
        look = axis_look(title, (place(0.0, c) - 0.06, place(top, c) + 0.06), rate_ticks(c, top))
    return {**look, "showgrid": True, "gridcolor": "#eceff2"}


def _series(
    key: str,
    known: Sequence[tuple[int, CohortNumber]],
    tubes: Sequence[CohortTube],
    joined: Sequence[bool],
    look: tuple[float, float, tuple[str, str]],
    *,
    share: bool,
) -> list[Json]:
    """Return the marks of a quantity with their intervals, and lines between neighbours that can be compared."""
    shift, c, (symbol, colour) = look

    def at(value: float | None, otherwise: float) -> float:
        plain = otherwise if value is None else value
        return round(100 * plain, 3) if share else place(plain, c)

    marks = [at(number.value, 0.0) for _, number in known]
    ends = [(at(one.ci_low, one.value or 0.0), at(one.ci_high, one.value or 0.0)) for _, one in known]
    xs: list[float | None] = []
    ys: list[float | None] = []
    for i, (where, _) in enumerate(known):
        if i and not all(joined[known[i - 1][0] : where]):
            xs.append(None)
            ys.append(None)
        xs.append(where + shift)
        ys.append(marks[i])
    line = {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "hoverinfo": "skip", "showlegend": False}
    dots = {
        "type": "scatter",
        "mode": "markers",
        "name": plot_text(key, 40),
        "x": [where + shift for where, _ in known],
        "y": marks,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [round(max(high - mark, 0.0), 4) for (_, high), mark in zip(ends, marks, strict=True)],
            "arrayminus": [round(max(mark - low, 0.0), 4) for (low, _), mark in zip(ends, marks, strict=True)],
            "color": colour,
            "thickness": 1.3,
            "width": 0,
        },
        "marker": {
            "symbol": [symbol if is_sure(number) else f"{symbol}-open" for _, number in known],
            "color": colour,
            "size": 9,
            "line": {"width": 1.4},
        },
        "hovertext": [said_of(tubes[where], (key, number)) for where, number in known],
        "hoverinfo": "text",
    }
    return [{**line, "line": {"color": colour, "width": 1, "dash": "dot"}}, dots]
