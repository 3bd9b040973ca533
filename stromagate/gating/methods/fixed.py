"""Edges written in the template: an interval on one axis or a rectangle on two."""

from __future__ import annotations

from typing import Literal

from numpy.random import Generator
from pydantic import Field, model_validator

from stromagate.gating.method import Fit, GatingMethod, PopulationView
from stromagate.gating.wording import listed, number
from stromagate.model.gates import Interval, Rectangle
from stromagate.model.template import AxisName, GateParams

Edges = float | tuple[float | None, ...] | None


class Params(GateParams):
    """Edges of a fixed gate, one per axis."""

    axis: AxisName | None = Field(None, description="The one axis; give either this or `axes`.")
    axes: tuple[AxisName, ...] = Field((), max_length=2, description="One axis or two; give either this or `axis`.")
    low: Edges = Field(None, description="Lower edge, or one per axis; null leaves that side open. The edge is inside.")
    high: Edges = Field(None, description="Upper edge, or one per axis; null leaves that side open.")
    inside: bool = Field(True, description="false keeps what lies outside the edges.")
    closed: bool = Field(False, description="true counts the upper edge in.")
    units: Literal["display", "linear"] = Field(
        "display", description="What the edges are given in: display units, or compensated values before the scale."
    )

    @property
    def looked_at(self) -> tuple[str, ...]:
        """The axes, whichever field named them."""
        return (self.axis,) if self.axis else self.axes

    def edges(self, which: Literal["low", "high"]) -> tuple[float | None, ...]:
        """Return the edges of one side, one per axis."""
        given = self.low if which == "low" else self.high
        if given is None:
            return (None,) * len(self.looked_at)
        return given if isinstance(given, tuple) else (given,)

    @model_validator(mode="after")
    def _edges_fit_axes(self) -> Params:
        if bool(self.axis) == bool(self.axes):
            raise ValueError("name one axis with `axis`, or one or two with `axes`")
        n_axes = len(self.looked_at)
        if len(set(self.looked_at)) < n_axes:
            raise ValueError(f"the axis {self.looked_at[0]} is named twice")
        lows, highs = self.edges("low"), self.edges("high")
        if len(lows) != n_axes or len(highs) != n_axes:
            raise ValueError(f"`low` and `high` need one value per axis ({n_axes}), null for an open side")
        for axis, low, high in zip(self.looked_at, lows, highs, strict=True):
            if low is not None and high is not None and low >= high:
                raise ValueError(f"on {axis} the lower edge {low:g} is not below the upper edge {high:g}")
        given = [edge for edge in (*lows, *highs) if edge is not None]
        if not given:
            raise ValueError("all sides are open: give `low`, `high` or both")
        if n_axes == 1 and not self.inside and (len(given) == 2 or self.closed):
            raise ValueError("`inside: false` on one axis needs one open side and `closed: false`; else use `boolean`")
        return self


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Return the edges of the template as geometry; no data are looked at."""
    axes = params.looked_at
    lows = tuple(_display(parent, axis, edge, params) for axis, edge in zip(axes, params.edges("low"), strict=True))
    highs = tuple(_display(parent, axis, edge, params) for axis, edge in zip(axes, params.edges("high"), strict=True))
    sentence = f"{_clause(params)}, as the template says"
    if len(axes) == 1:
        (low,), (high,) = lows, highs
        if not params.inside:
            low, high = high, low
        return Fit(Interval(axes[0], low, high, params.closed), sentence, "fixed", source="template")
    geometry = Rectangle(
        (axes[0], axes[1]), (lows[0], lows[1]), (highs[0], highs[1]), closed=params.closed, inside=params.inside
    )
    return Fit(geometry, sentence, "fixed", source="template")


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    return _clause(params)


def _display(parent: PopulationView, axis: str, edge: float | None, params: Params) -> float | None:
    if edge is None or params.units == "display":
        return edge
    return parent.to_display(axis, edge)


def _clause(params: Params) -> str:
    parts = [
        _side(axis, low, high)
        for axis, low, high in zip(params.looked_at, params.edges("low"), params.edges("high"), strict=True)
        if low is not None or high is not None
    ]
    units = " (linear units)" if params.units == "linear" else ""
    return ("" if params.inside else "not ") + listed(parts, "and") + units


def _side(axis: str, low: float | None, high: float | None) -> str:
    if low is None:
        return f"{axis} below {number(high or 0.0)}"
    if high is None:
        return f"{axis} at or above {number(low)}"
    return f"{axis} from {number(low)} to {number(high)}"


METHOD = GatingMethod(Params, fit, explain, "Edges written in the template, on one axis or two.", written=True)
