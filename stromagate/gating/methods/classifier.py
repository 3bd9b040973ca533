"""An ellipse that was learned from reviewed tubes (``stromagate train``), with what it is worth in donors left out.

The boundary is the document's own and the same for every tube. What is asked of the tube is whether it is like those
that were learned from: where the parent's events lie elsewhere than they did in any donor, nobody knows what the
boundary would find, and there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import numpy as np
from numpy.random import Generator
from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from stromagate.errors import SpecificationError
from stromagate.gating.geometry import check
from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.wording import listed, number
from stromagate.model.classifier import Classifier, TrainedAxis, two_digits
from stromagate.model.gates import Ellipse
from stromagate.model.scales import same_map
from stromagate.model.template import GateParams, MadeFor
from stromagate.prepare.scales import check_scale

ODD_ONE_IN = 100
"""Of tubes like those that were learned from, one in so many is refused: own choice."""
MAD_TO_SD = 1.482602  # of a normal distribution
MEDIAN_ERROR = 1.2533  # standard error of a median over that of a mean, normal distribution
SHORT = 12  # digits of a hash that people are shown


class Params(GateParams):
    """The document with the trained gate, and how many events its parent needs."""

    attached: ClassVar[Mapping[str, str]] = {"model": "trained"}

    model: str = Field(
        min_length=1, max_length=200, description="File made by `stromagate train`, as seen from the template's folder."
    )
    min_events: int = Field(20, ge=3, description="Fewest events of the parent.")
    trained: Annotated[SkipJsonSchema[Classifier | None], Field(description="What is in that file.")] = None

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if not self.document.sha256:
            raise ValueError(f"the model {self.model} cannot be used: `sha256` is empty; stromagate train writes it")
        try:
            check(_ellipse(self.document))
            for axis in self.document.axes:
                check_scale(axis.scale, where=axis.axis)
        except SpecificationError as cause:
            raise ValueError(f"the model {self.model} cannot be used: {cause.message}") from cause
        return self

    @property
    def document(self) -> Classifier:
        """The trained gate."""
        if self.trained is None:
            raise ValueError(f"the model {self.model} was not read")
        return self.trained

    def axes_used(self) -> tuple[str, ...]:
        """Return the axes of the document."""
        return self.document.names

    def made_for(self) -> MadeFor:
        """Return the parent, the scales and the gain convention that it was learned with."""
        scales = {axis.axis: axis.scale for axis in self.document.axes}
        return MadeFor(self.document.parent, scales, self.document.gain)


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Return the trained ellipse where this tube is like those it was learned from."""
    model = params.document
    axes = listed(model.names, "and")
    missing = [axis for axis in model.names if axis not in parent.axes]
    if missing:
        return not_evaluable(f"{axes} not gated: the tube has no axis {listed(missing, 'and')}")
    for axis in model.axes:
        if not same_map(parent.scale(axis.axis), axis.scale):
            return not_evaluable(f"{axes} not gated: {axis.axis} is not on the scale that the gate was trained on")
    points = np.stack([parent.display(axis) for axis in model.names], axis=1).astype(np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < params.min_events:
        few = f"{len(points):,} events are too few to see whether the tube is like the trained ones"
        return not_evaluable(f"{axes} not gated: {few} (at least {params.min_events:,})")
    odd = [said for column, axis in enumerate(model.axes) if (said := _unlike(points[:, column], axis, model))]
    if odd:
        return not_evaluable(f"{axes} not gated: the tube is unlike those that were trained on: {'; '.join(odd)}")
    return Fit(
        _ellipse(model),
        f"{explain(params)}; in this tube the medians of {model.parent} lie where they lay in those donors",
        spread=model.spread,
        source=f"model {model.digest()[:SHORT]}, {len(model.donors)} donors",
    )


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    model = params.document
    hands = sum(tube.by_hand for tube in model.tubes)
    return (
        f"{listed(model.names, 'and')} inside the ellipse learned from {len(model.donors)} donors ({len(model.tubes)} "
        f"tubes, {hands} of them labelled by hand, {sum(tube.n_members for tube in model.tubes):,} events of "
        f"{model.population}; model {model.digest()[:SHORT]}), which in donors left out had a median F1 of "
        f"{two_digits(model.f1_median)} and at worst {two_digits(model.f1_worst)}"
    )


def _ellipse(model: Classifier) -> Ellipse:
    return Ellipse(model.names, model.mean, model.covariance, model.distance_squared)


def _unlike(values: np.ndarray[tuple[int], np.dtype[np.float64]], axis: TrainedAxis, model: Classifier) -> str:
    """Return where the median lies and where it should, in words; empty where it lies there.

    The limits are those of a further donor (prediction interval of the normal distribution), over all axes together,
    and of the error of the median itself: with three donors they are wide, because little is known of the others.
    """
    from scipy.special import stdtrit

    n = len(model.donors)
    middle = float(np.median(values))
    width = MAD_TO_SD * float(np.median(np.abs(values - middle)))
    error = np.hypot(axis.parent_sd * np.sqrt(1 + 1 / n), MEDIAN_ERROR * width / np.sqrt(len(values)))
    reach = float(stdtrit(n - 1, 1 - 0.5 / ODD_ONE_IN / len(model.axes)) * error)
    if abs(middle - axis.parent_median) <= reach:
        return ""
    low, high = (number(axis.parent_median + sign * reach) for sign in (-1, 1))
    return f"the median {axis.axis} of {model.parent} is {number(middle)} as displayed, not from {low} to {high}"


METHOD = GatingMethod(Params, fit, explain, "An ellipse learned from reviewed tubes and scored on donors left out.")
