"""Drawings as Plotly JSON: densities with their gates, and the look all drawings share. The only home of plotly.

A figure is a plain object (``data``, ``layout``) that plotly.js draws in the browser; building one loads no library.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from stromagate.model.result import AxisView, DensityView
from stromagate.report.control_outlines import control_lines
from stromagate.report.outlines import GATE_COLOUR, Outline
from stromagate.report.text import plot_text
from stromagate.report.wording import count_text

Json = dict[str, Any]

# One hue turning from cyan to indigo while lightness falls evenly (OKLCH, L 0.83 to 0.21): more ink is more events, on
# screen, on paper and without colour vision. The palest step still stands out from white: single events are the point.
RAMP = ("#a1d0e3", "#76b8dc", "#529fd2", "#3b84c3", "#346aad", "#32518e", "#2d3b6a", "#242846", "#161330")
_NOTHING = "rgba(255,255,255,0)"
_INK, _GREY, _RULE = "#1b1f24", "#5c6670", "#c9ced4"
_FONT = {"family": "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif", "size": 11, "color": _GREY}
_WIDTH, _HEIGHT = 340, 318
_LEVELS = 255


@dataclass(frozen=True, slots=True)
class Figure:
    """One drawing: its id on the page, what plotly.js is given, and what a screen reader says instead."""

    id: str
    spec: Json
    alt: str
    width: int = _WIDTH
    height: int = _HEIGHT


def plotly_asset() -> bytes:
    """Return plotly.js as it came with the plotly package: drawing and library always fit each other."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


def density_figure(view: DensityView, figure_id: str, *, gate: Outline, share: str, alt: str) -> Figure:
    """Return the drawing of one gate: the parent's events as a density, the gate over it, its share beside it.

    Parameters
    ----------
    view : DensityView
        Binned events; a view of one axis becomes a histogram.
    figure_id : str
        Unique on the page.
    gate : Outline
        Shapes over the density; see ``report.borders``.
    share : str
        What is written beside the gate, such as ``"23.4 %"``.
    alt : str
        What the drawing shows, in words.
    """
    data, vertical = (_histogram(view), _count_axis(view)) if view.y is None else (_heatmap(view), _axis(view.y))
    data += [line for control in view.controls for line in control_lines(view, control)]
    notes = [_share_note(view, gate, share)] if gate.anchor is not None and share else []
    if view.n_shown == 0:
        notes.append(_note("no events to show", 0.5, 0.5, "paper"))
    layout = layout_of(_WIDTH, _HEIGHT, xaxis=_axis(view.x), yaxis=vertical, shapes=gate.shapes, annotations=notes)
    return Figure(figure_id, {"data": data, "layout": layout}, alt)


def _heatmap(view: DensityView) -> list[Json]:
    y = view.y or view.x
    dx, dy = (view.x.high - view.x.low) / view.nx, (y.high - y.low) / view.ny
    return [
        {
            "type": "heatmap",
            "z": {"dtype": "u1", "bdata": view.grid, "shape": f"{view.ny}, {view.nx}"},
            "x0": view.x.low + dx / 2,
            "dx": dx,
            "y0": y.low + dy / 2,
            "dy": dy,
            "zmin": 0,
            "zmax": _LEVELS,
            "zsmooth": False,
            "hoverinfo": "skip",
            "colorscale": _colours(),
            "colorbar": _colour_bar(view.peak),
        }
    ]


def _colours() -> list[list[Any]]:
    """Return the ramp over levels 1 to 255; level 0 (no event) is nothing at all."""
    first = 0.5 / _LEVELS
    steps = [[first + (1 - first) * i / (len(RAMP) - 1), colour] for i, colour in enumerate(RAMP)]
    return [[0.0, _NOTHING], [first, _NOTHING], *steps]


def _colour_bar(peak: int) -> Json:
    shown = _decades(peak)
    return {
        "thickness": 6,
        "len": 0.5,
        "y": 1,
        "yanchor": "top",
        "x": 1.02,
        "xpad": 2,
        "ypad": 0,
        "outlinewidth": 0,
        "tickvals": [_LEVELS * math.log1p(count) / math.log1p(peak) for count in shown] if peak else [],
        "ticktext": [count_text(count) for count in shown],
        "tickfont": {"size": 9, "color": _GREY},
        "ticklen": 2,
        "tickcolor": _RULE,
    }


def _decades(peak: int) -> list[int]:
    """Return 1, 10, 100 ... up to the fullest bin, and that bin itself where it stands apart."""
    shown = [10**k for k in range(len(str(max(peak, 1))))] if peak else []
    return [*shown, peak] if shown and peak > 3 * shown[-1] else shown


def _histogram(view: DensityView) -> list[Json]:
    """Return the outline of the bins on the same log scale as the grid: rare events stay to be seen."""
    levels = base64.b64decode(view.grid)
    width = (view.x.high - view.x.low) / view.nx
    xs = [view.x.low + i * width for i in range(view.nx + 1)]
    heights = [level / _LEVELS for level in levels]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": xs,
            "y": [*heights, heights[-1] if heights else 0],
            "line": {"shape": "hv", "color": RAMP[5], "width": 1},
            "fill": "tozeroy",
            "fillcolor": "rgba(82,159,210,0.35)",
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _count_axis(view: DensityView) -> Json:
    shown = [0, *_decades(view.peak)]
    places = [math.log1p(count) / math.log1p(view.peak) if view.peak else 0.0 for count in shown]
    return axis_look("events per bin", (0, 1.08), [*zip(places, (count_text(count) for count in shown), strict=True)])


def _axis(axis: AxisView) -> Json:
    return axis_look(plot_text(axis.title), (axis.low, axis.high), axis.ticks)


def axis_look(title: str, limits: tuple[float, float], ticks: Sequence[tuple[float, str]]) -> Json:
    """Return an axis with its title, its limits and its ticks (place, text)."""
    return {
        "title": {"text": title, "font": {"size": 12, "color": _INK}, "standoff": 6},
        "range": list(limits),
        "tickvals": [at for at, _ in ticks],
        "ticktext": [plot_text(text) for _, text in ticks],
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": _GREY,
        "showgrid": False,
        "zeroline": False,
        "showline": True,
        "linecolor": _GREY,
        "linewidth": 1,
        "mirror": False,
    }


def _share_note(view: DensityView, gate: Outline, share: str) -> Json:
    """Write the share on the kept side of the gate; where it has no room there, on the other side with an arrow."""
    x, y = gate.anchor or (view.x.low, None)
    place = (x - view.x.low) / (view.x.high - view.x.low)
    edge = "left" if place < 0.15 else "right" if place > 0.85 else "center"
    beside = {"left": "left", "right": "right", "squeezed right": "right", "squeezed left": "left"}.get(gate.side, edge)
    text = {"squeezed right": f"{share} →", "squeezed left": f"← {share}"}.get(gate.side, share)
    note = _note(plot_text(text), x, 1 if y is None else y, "x", "y domain" if y is None else "y")
    above = gate.side == "above"
    return {
        **note,
        "font": {"size": 12, "color": GATE_COLOUR, "weight": 600},
        "bgcolor": "rgba(255,255,255,0.8)",
        "xanchor": beside,
        "yanchor": "bottom" if above else "top",
        "xshift": {"left": 3, "right": -3, "center": 0}[beside],
        "yshift": 2 if above else -2,
    }


def _note(text: str, x: float, y: float, xref: str, yref: str | None = None) -> Json:
    return {"text": text, "x": x, "y": y, "xref": xref, "yref": yref or xref, "showarrow": False, "borderpad": 1}


def layout_of(width: int, height: int, **more: Any) -> Json:
    """Return the layout all drawings share, in pixels."""
    return {
        "width": width,
        "height": height,
        "margin": {"l": 58, "r": 46, "t": 8, "b": 46},
        "font": _FONT,
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "showlegend": False,
        **more,
    }
