"""A polygon drawn in the template."""

from __future__ import annotations

from typing import Annotated, Literal

from numpy.random import Generator
from pydantic import Field, model_validator

from stromagate.gating.method import Fit, GatingMethod, PopulationView
from stromagate.gating.wording import listed
from stromagate.model.gates import Polygon
from stromagate.model.template import AxisName, GateParams


class Params(GateParams):
    """Vertices of a polygon on two axes."""

    axes: tuple[AxisName, AxisName] = Field(description="The two axes the vertices are given on.")
    vertices: Annotated[tuple[tuple[float, float], ...], Field(min_length=3, max_length=1000)] = Field(
        description="Corners in order, [x, y] each, at least three; the last is joined to the first."
    )
    inside: bool = Field(True, description="false keeps what lies outside the polygon.")
    units: Literal["display", "linear"] = Field(
        "display", description="What the vertices are given in: display units, or compensated values before the scale."
    )

    @model_validator(mode="after")
    def _has_an_area(self) -> Params:
        if self.axes[0] == self.axes[1]:
            raise ValueError(f"the axis {self.axes[0]} is named twice")
        (x0, y0), *others = dict.fromkeys(self.vertices)
        spans = [(x - x0, y - y0) for x, y in others]
        if not any(ax * by != ay * bx for ax, ay in spans for bx, by in spans):
            raise ValueError("the vertices lie on one line: a polygon needs three corners that do not")
        return self


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Return the polygon of the template as geometry; no data are looked at."""
    x, y = params.axes
    vertices = params.vertices
    if params.units == "linear":
        # Corners move to display units and edges are straight there, as every plot and every export shows them.
        vertices = tuple((parent.to_display(x, a), parent.to_display(y, b)) for a, b in vertices)
    sentence = f"{explain(params)}, as the template says"
    return Fit(Polygon((x, y), vertices, params.inside), sentence, "fixed", source="template")


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    side = "inside" if params.inside else "outside"
    return f"{listed(params.axes, 'and')} {side} a drawn polygon of {len(params.vertices)} corners"


METHOD = GatingMethod(Params, fit, explain, "A polygon drawn in the template.", written=True)
