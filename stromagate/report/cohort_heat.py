"""Populations by tube as a heat map: each rate beside the cohort's median of it, in decades."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from stromagate.model.cohort import Cohort, CohortNumber, CohortTube
from stromagate.report.cohort_look import groups
from stromagate.report.figures import Figure, Json, axis_look, layout_of
from stromagate.report.text import plot_text

_REACH = 2.0  # decades from the median at which a colour is full
NAMED_UP_TO = 40
_ROW, _LEFT, _WIDTH, _NAME = 21, 292, 1090, 22
# From deep blue over near white to brown: told apart by everyone, and no light that says stop or go.
_COLOURS = ((0.0, "#1f3f6e"), (0.25, "#7fa3cd"), (0.5, "#f5f5f3"), (0.75, "#cfae82"), (1.0, "#6f4310"))
_NOT_DETECTED = "#d9dde1"
_LINE_OF_GATES = "Boundary of "


def heat_figure(cohort: Cohort, denominator: str) -> Figure | None:
    """Return the heat map under one denominator; None where no population is detected anywhere.

    A population that was not detected in a tube is grey and crossed: it is no low value, for the tube could not have
    shown one. Tubes stand by group, and within it by their rate of the last quantity of the table.

    Parameters
    ----------
    cohort : Cohort
        Its tubes, with the rates of their populations as they were counted.
    denominator : str
        One of its denominators.
    """
    tubes = _ordered(cohort, denominator)
    rates = [_rates(tube, cohort, denominator) for tube in tubes]
    own = {one.quantity: one.population for tube in tubes for one in tube.numbers}
    asked = [own.get(key, key) for key in cohort.quantities] + list(cohort.indices.values())
    first = [name for name in asked if any(name in one for one in rates)]
    names = [name for name in dict.fromkeys([*first, *(name for one in rates for name in one)]) if _shown(cohort, name)]
    rows = {name: row for name in names if (row := _row(name, rates)) is not None}
    if not rows:
        return None
    populations = list(reversed(rows))
    x, y = _unlike([tube.name for tube in tubes]), _unlike([cohort.label(name) for name in populations])
    grey = [[None if one is None else 0 for one in _missing(name, rates)] for name in populations]
    data = [
        _map(x, y, [rows[name] for name in populations]),
        {**_plain(x, y, grey), "colorscale": [[0, _NOT_DETECTED], [1, _NOT_DETECTED]], "showscale": False},
    ]
    if len(tubes) <= NAMED_UP_TO:
        data.append(_crosses(x, y, grey))
    foot = _foot(tubes)
    height = 8 + _ROW * len(populations) + foot
    layout = layout_of(_WIDTH, height, xaxis=_across(x, [tube.name for tube in tubes]), yaxis=_down(y))
    layout |= {"margin": {"l": _LEFT, "r": 74, "t": 8, "b": foot}}
    below = cohort.label(denominator)
    alt = f"Rates per million {below} of {len(populations)} populations in {len(tubes)} tubes, beside their medians."
    return Figure("heat", {"data": data, "layout": layout}, alt, _WIDTH, height)


def _foot(tubes: Sequence[CohortTube]) -> int:
    """Return the room that slanted names need below, in pixels."""
    longest = max(len(plot_text(tube.name, _NAME)) for tube in tubes)
    return 18 + 5 * longest if len(tubes) <= NAMED_UP_TO else 34


def _ordered(cohort: Cohort, denominator: str) -> list[CohortTube]:
    last = list(cohort.quantities)[-1] if cohort.quantities else ""

    def rate(tube: CohortTube) -> float:
        found = tube.number(last, denominator)
        return -(found.value or 0.0) if found else 0.0

    return [tube for some in groups(cohort).values() for tube in sorted(some, key=rate)]


def _rates(tube: CohortTube, cohort: Cohort, denominator: str) -> dict[str, CohortNumber]:
    """Return the rates of a tube's populations; of replicates those of the pooled quantities."""
    own = [one for one in tube.numbers if one.denominator == denominator]
    plain = {one.population: one for one in own if one.quantity == one.population}
    return plain or {one.population: one for one in own if one.quantity in cohort.quantities}


def _shown(cohort: Cohort, name: str) -> bool:
    """Whether a population is one of cells: a boundary that other gates are put together from is none."""
    return not cohort.label(name).startswith(_LINE_OF_GATES)


def _seen(found: CohortNumber | None) -> bool:
    return found is not None and bool(found.value) and found.state != "not detected"


def _row(name: str, rates: Sequence[dict[str, CohortNumber]]) -> list[float | None] | None:
    """Return decades from the median of the tubes in which it was detected; None where it was in none."""
    logs = [math.log10(one[name].value or 1.0) for one in rates if _seen(one.get(name))]
    if not logs:
        return None
    middle = median(logs)
    return [
        round(math.log10(found.value or 1.0) - middle, 2) if (found := one.get(name)) and _seen(found) else None
        for one in rates
    ]


def _missing(name: str, rates: Sequence[dict[str, CohortNumber]]) -> list[int | None]:
    """Return a mark for each tube in which it was looked for and not detected."""
    found = [one.get(name) for one in rates]
    return [0 if each is not None and each.value is not None and not _seen(each) else None for each in found]


def _unlike(names: Sequence[str]) -> list[str]:
    """Return names as a drawing shows them; those that come out alike are numbered."""
    found: list[str] = []
    for name in names:
        shown, n = plot_text(name, 46), 2
        while shown in found:
            shown, n = f"{plot_text(name, 42)} {n}", n + 1
        found.append(shown)
    return found


def _plain(x: list[str], y: list[str], z: Sequence[Sequence[float | None]]) -> Json:
    return {
        "type": "heatmap",
        "x": x,
        "y": y,
        "z": z,
        "xgap": 1 if len(x) <= 150 else 0,
        "ygap": 1,
        "hoverongaps": False,
        "hovertemplate": "%{y}<br>%{x}: not detected<extra></extra>",
    }


def _map(x: list[str], y: list[str], z: Sequence[Sequence[float | None]]) -> Json:
    ticks = (-2, -1, 0, 1, 2)
    return {
        **_plain(x, y, z),
        "zmin": -_REACH,
        "zmax": _REACH,
        "colorscale": [list(step) for step in _COLOURS],
        "hovertemplate": "%{y}<br>%{x}: %{z:+.2f} decades from the median<extra></extra>",
        "colorbar": {
            "thickness": 10,
            "len": 0.9,
            "x": 1.01,
            "outlinewidth": 0,
            "tickvals": list(ticks),
            "ticktext": ["÷100", "÷10", "median", "×10", "×100"],
            "tickfont": {"size": 11},
        },
    }


def _crosses(x: list[str], y: list[str], grey: Sequence[Sequence[int | None]]) -> Json:
    at = [(x[i], y[j]) for j, row in enumerate(grey) for i, one in enumerate(row) if one is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [across for across, _ in at],
        "y": [down for _, down in at],
        "marker": {"symbol": "x-thin", "size": 6, "color": "#7b858f", "line": {"width": 1.2, "color": "#7b858f"}},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _across(x: list[str], names: Sequence[str]) -> Json:
    """Return the axis of tubes: named where there is room, else their number."""
    named = len(x) <= NAMED_UP_TO
    look = axis_look("" if named else f"{len(x)} tubes", (-0.5, len(x) - 0.5), [])
    look |= {"tickvals": x, "ticktext": [plot_text(name, _NAME) for name in names]} if named else {}
    return {**look, "type": "category", "ticks": "", "showline": False, "tickangle": -50, "showticklabels": named}


def _down(y: list[str]) -> Json:
    look = axis_look("", (-0.5, len(y) - 0.5), [])
    return {**look, "type": "category", "ticks": "", "showline": False, "tickvals": y, "ticktext": y}
