"""How an index spreads over groups of tubes: every tube a point, a box where a group has tubes enough for one."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from stromagate.model.cohort import SHARE, Cohort, CohortNumber, CohortTube
from stromagate.report.cohort_look import groups, is_sure, mark_of, place, rate_ticks, said_of
from stromagate.report.figures import Figure, Json, axis_look, layout_of
from stromagate.report.text import plot_text

MIN_BOX = 5
"""Fewer tubes are shown as points alone: quartiles of four are the points themselves."""

_WIDTH = 530
_GOLDEN = 0.6180339887498949

Found = tuple[CohortTube, CohortNumber]


def spread_figure(cohort: Cohort, quantity: str, denominator: str) -> Figure | None:
    """Return the distribution of one quantity; None where no tube has it.

    Parameters
    ----------
    cohort : Cohort
        Its tubes, by their groups.
    quantity : str
        One of the cohort's.
    denominator : str
        What a rate is per million of; a share has none.
    """
    by_group = {
        name: [
            (tube, found) for tube in tubes if (found := tube.number(quantity, denominator)) and found.value is not None
        ]
        for name, tubes in groups(cohort).items()
    }
    every = [found.value or 0.0 for some in by_group.values() for _, found in some]
    if not every:
        return None
    share, c = quantity == SHARE, cohort.offset_ppm.get(denominator, 1.0)
    rows = {name: len(by_group) - 1 - i for i, name in enumerate(by_group)}
    data: list[Json] = []
    for name, some in by_group.items():
        places = [_place(found, c, share=share) for _, found in some]
        if len(some) >= MIN_BOX:
            data.append(_box(places, rows[name]))
        data += _points(some, places, rows[name])
    height = 92 + 62 * len(by_group)
    across = _axis(cohort, quantity, denominator, every, c)
    names = [(float(rows[name]), f"{plot_text(name, 22)} (n = {len(some)})") for name, some in by_group.items()]
    down = axis_look("", (-0.6, len(by_group) - 0.4), names)
    down |= {"ticks": "", "showline": False, "automargin": True}
    layout = layout_of(_WIDTH, height, xaxis=across, yaxis=down)
    layout |= {"margin": {"l": 84, "r": 20, "t": 8, "b": 52}, "hovermode": "closest"}
    told = ", ".join(f"{name} {len(some)}" for name, some in by_group.items())
    alt = f"{quantity} of {len(every)} tubes by group ({told}); the table has every number."
    return Figure(
        f"spread-{list(cohort.quantities).index(quantity)}", {"data": data, "layout": layout}, alt, _WIDTH, height
    )


def _place(found: CohortNumber, c: float, *, share: bool) -> float:
    value = found.value or 0.0
    return round(100 * value, 3) if share else place(value, c)


def _axis(cohort: Cohort, quantity: str, denominator: str, every: Sequence[float], c: float) -> Json:
    if quantity == SHARE:
        ticks = [(float(at), f"{at} %") for at in (0, 25, 50, 75, 100)]
        look = axis_look("progenitors, % of MSC", (-3, 103), ticks)
    else:
        top = max([*every, 3 * c])
        title = f"per million {plot_text(cohort.label(denominator), 50)}"
        look = axis_look(title, (place(0.0, c) - 0.1, place(top, c) + 0.1), rate_ticks(c, top))
    return {**look, "showgrid": True, "gridcolor": "#eceff2"}


def _box(places: Sequence[float], row: int) -> Json:
    """Return median, quartiles and whiskers to the last tube within 1.5 times the box (Tukey)."""
    low, middle, high = quantiles(places, n=4, method="inclusive")
    reach = 1.5 * (high - low)
    within = [at for at in places if low - reach <= at <= high + reach]
    return {
        "type": "box",
        "orientation": "h",
        "y": [row],
        "q1": [low],
        "median": [middle],
        "q3": [high],
        "lowerfence": [min(within)],
        "upperfence": [max(within)],
        "width": 0.5,
        "line": {"color": "#9aa4ad", "width": 1.3},
        "fillcolor": "#f1f3f5",
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _points(some: Sequence[Found], places: Sequence[float], row: int) -> list[Json]:
    """Return a point a tube, shifted up and down by a fixed sequence so that none hides another."""
    shifts = [0.36 * (((i + 1) * _GOLDEN) % 1 - 0.5) if len(some) > 1 else 0.0 for i in range(len(some))]
    size = 7 if len(some) <= 80 else 5
    traces = []
    for sure in (True, False):
        chosen = [i for i, (_, found) in enumerate(some) if is_sure(found) is sure]
        marks = [mark_of(some[i][0]) for i in chosen]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [places[i] for i in chosen],
                "y": [round(row + shifts[i], 3) for i in chosen],
                "marker": {
                    "symbol": [symbol if sure else f"{symbol}-open" for symbol, _ in marks],
                    "color": [colour for _, colour in marks],
                    "size": size,
                    "line": {"width": 1.1},
                    "opacity": 0.9,
                },
                "hovertext": [said_of(some[i][0], (some[i][1].quantity, some[i][1])) for i in chosen],
                "hoverinfo": "text",
                "showlegend": False,
                "cliponaxis": False,
            }
        )
    return traces
