"""An ellipse written in the template by its mean, covariance and Mahalanobis distance."""

from __future__ import annotations

from typing import Literal

from numpy.random import Generator
from pydantic import Field, model_validator

from stromagate.gating.method import Fit, GatingMethod, PopulationView
from stromagate.gating.wording import listed, number
from stromagate.model.gates import Ellipse
from stromagate.model.template import AxisName, GateParams


class Params(GateParams):
    """Centre, shape and size of an ellipse on two axes or more."""

    axes: tuple[AxisName, ...] = Field(min_length=2, max_length=8, description="The axes, two or more.")
    mean: tuple[float, ...] = Field(description="Centre, one value per axis, in display units.")
    covariance: tuple[tuple[float, ...], ...] = Field(
        description="Covariance in squared display units, one row per axis, symmetric and positive definite."
    )
    distance: float = Field(1.0, gt=0, description="Mahalanobis distance of the border from the centre (not squared).")
    inside: bool = Field(True, description="false keeps what lies outside the ellipse.")
    units: Literal["display"] = Field(
        "display", description="Always display units: an ellipse before the scale is no ellipse on the plot."
    )

    @model_validator(mode="after")
    def _is_an_ellipse(self) -> Params:
        n_axes = len(self.axes)
        if len(set(self.axes)) < n_axes:
            raise ValueError("an axis is named twice")
        if len(self.mean) != n_axes or len(self.covariance) != n_axes:
            raise ValueError(f"`mean` and `covariance` need one value and one row per axis ({n_axes})")
        if any(len(row) != n_axes for row in self.covariance):
            raise ValueError(f"every row of `covariance` needs {n_axes} values")
        if any(self.covariance[i][j] != self.covariance[j][i] for i in range(n_axes) for j in range(i)):
            raise ValueError("`covariance` is not symmetric")
        if not _positive_definite(self.covariance):
            raise ValueError("`covariance` is not positive definite: it describes no ellipse")
        return self


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Return the ellipse of the template as geometry; no data are looked at."""
    geometry = Ellipse(params.axes, params.mean, params.covariance, params.distance**2, params.inside)
    return Fit(geometry, f"{explain(params)}, as the template says", "fixed", source="template")


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    side = "inside" if params.inside else "outside"
    centre = ", ".join(number(value) for value in params.mean)
    return f"{listed(params.axes, 'and')} {side} the ellipse around ({centre})"


def _positive_definite(matrix: tuple[tuple[float, ...], ...]) -> bool:
    """Tell by Gaussian elimination: all pivots of a positive definite matrix are positive."""
    rows = [list(row) for row in matrix]
    for i, row in enumerate(rows):
        # A pivot that elimination leaves at rounding error is a matrix without inverse.
        if not row[i] > 1e-12 * matrix[i][i]:
            return False
        for below in rows[i + 1 :]:
            factor = below[i] / row[i]
            for j in range(i, len(row)):
                below[j] -= factor * row[j]
    return True


METHOD = GatingMethod(Params, fit, explain, "An ellipse written in the template.", written=True)
