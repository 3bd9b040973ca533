"""A mixture of normal or t distributions on one axis (a cut between two components) or on two (an ellipse)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from numpy.random import Generator
from pydantic import Field, model_validator

from stromagate.gating.ascent import climbed
from stromagate.gating.frames import Seen, rounded, seen
from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.mixture_fit import chosen_mixture
from stromagate.gating.mixtures import FREEDOM, Mixture, Shape
from stromagate.gating.thresholds import half_line
from stromagate.gating.wording import listed, number, place, share
from stromagate.model.gates import Side
from stromagate.model.sample import F64
from stromagate.model.template import AxisName, GateParams

SUBSAMPLE = 50_000
REFIT = 2_000  # events of one bootstrap fit; its spread is scaled to the events of the real one
REFITS = 20
T_CHOICE = 10_000  # events that a t mixture is looked for in, before it is fitted to all
T_STEPS = 30


class Params(GateParams):
    """Axes, number of components, and which of them is kept."""

    axis: AxisName | None = Field(None, description="The one axis that is cut; give either this or `axes`.")
    axes: tuple[AxisName, ...] = Field((), max_length=2, description="One axis or two; give either this or `axis`.")
    components: int | tuple[int, int] = Field(
        2, description="Number of components, or [fewest, most] to choose from by the Bayesian information criterion."
    )
    keep: Side | None = Field(
        None,
        description="One axis: keep the highest component (above) or the lowest (below), cut towards the next one.",
    )
    pick: Literal["largest", "densest", "lowest", "highest"] | None = Field(
        None,
        description="Two axes: the component with most events, with the highest density at its centre, or with the "
        "lowest or highest centre on the first axis.",
    )
    nearest: tuple[float, float] | None = Field(
        None, description="Two axes: the component whose centre is nearest to [x, y], display units; instead of `pick`."
    )
    shape: Shape = Field(
        "normal",
        description="Components are normal distributions, or t distributions of 4 degrees of freedom (t), which events "
        "far out hardly move (flowClust, 10.1002/cyto.a.20531).",
    )
    quantile: float = Field(0.95, gt=0, lt=1, description="Two axes: share of the component inside the ellipse (0-1).")
    min_separation: float = Field(
        2.5, gt=0, description="One axis: smallest distance of the means in deviations (Ashman's D, 10.1086/117248)."
    )
    max_misfit_frac: float = Field(
        0.1, gt=0, le=1, description="One axis: largest difference of the cumulated shares of events and mixture (0-1)."
    )
    min_purity: float = Field(
        0.8, gt=0, le=1, description="Two axes: smallest share of the events inside that the component itself explains."
    )
    min_events: int = Field(500, ge=100, description="Fewest events of the parent.")

    @property
    def looked_at(self) -> tuple[str, ...]:
        """The axes, whichever field named them."""
        return (self.axis,) if self.axis else self.axes

    @property
    def component_range(self) -> tuple[int, int]:
        """Fewest and most components."""
        return self.components if isinstance(self.components, tuple) else (self.components, self.components)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if bool(self.axis) == bool(self.axes):
            raise ValueError("name one axis with `axis`, or one or two with `axes`")
        if len(set(self.looked_at)) < len(self.looked_at):
            raise ValueError(f"the axis {self.looked_at[0]} is named twice")
        fewest, most = self.component_range
        least = 2 if len(self.looked_at) == 1 else 1
        if not least <= fewest <= most <= 12:
            raise ValueError(f"`components` must lie from {least} to 12, the fewest first")
        if len(self.looked_at) == 1:
            if self.keep is None or self.pick is not None or self.nearest is not None:
                raise ValueError("one axis needs `keep`, and neither `pick` nor `nearest`")
        elif self.keep is not None or (self.pick is None) == (self.nearest is None):
            raise ValueError("two axes need `pick` or `nearest`, and no `keep`")
        return self


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Fit the mixture on a seeded subsample and return the cut or the ellipse."""
    axes = params.looked_at
    events = seen(parent, axes, rng, what="no mixture fitted", min_events=params.min_events, most=SUBSAMPLE)
    if isinstance(events, Fit):
        return events
    try:
        model, draws = _fit_alone(events.body, params, rng)
    except np.linalg.LinAlgError:
        return not_evaluable(f"no mixture fitted on {listed(axes, 'and')}: the values lie on a line")
    if len(axes) > 1:
        return _ellipse(params, model, draws, events)
    misfit = _misfit(model, events.points[:, 0])
    if misfit > params.max_misfit_frac:
        return not_evaluable(
            f"{axes[0]} not cut: {model.n_components} components do not describe it "
            f"(off by {share(misfit)} of the events)"
        )
    cut = _cut(parent, params, model, draws, events)
    return replace(cut, sentence=f"{cut.sentence}; the mixture is off by at most {share(misfit)} of the events")


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    axes = listed(params.looked_at, "and")
    fewest, most = params.component_range
    many = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    kind = "Gaussian" if params.shape == "normal" else "t"
    if params.keep:
        which = "highest" if params.keep == "above" else "lowest"
        return f"{axes} {params.keep} the cut that parts the {which} of {many} {kind} components from the next"
    rule = f"{params.pick}" if params.pick else f"one nearest to {params.nearest}"
    return f"{axes} inside the ellipse of {share(params.quantile)} of the {rule} of {many} {kind} components"


def _fit_alone(body: F64, params: Params, rng: Generator) -> tuple[Mixture, list[Mixture]]:
    """Return the mixture and its refits, made on one thread.

    The matrices are small: more threads add nothing, on a busy machine cost twenty times the time, and may sum in
    another order.
    """
    fewest, most = params.component_range
    counts = range(fewest, most + 1)
    if params.shape == "t":
        few = body if len(body) <= T_CHOICE else body[np.sort(rng.choice(len(body), T_CHOICE, replace=False))]
        model = climbed(body, chosen_mixture(few, counts, rng, freedom=FREEDOM), max_steps=T_STEPS)
        return model, [climbed(_redrawn(body, rng), model, max_steps=T_STEPS) for _ in range(REFITS)]
    import sklearn.mixture  # noqa: F401  (its libraries must be loaded before their threads can be limited)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        normal = _chosen_normal(body, counts, rng)
        return _as_mixture(normal), [_as_mixture(refit) for refit in _refits(body, normal, rng)]


def _redrawn(body: F64, rng: Generator) -> F64:
    return np.asarray(body[rng.integers(0, body.shape[0], min(REFIT, body.shape[0]))])


def _chosen_normal(body: F64, counts: range, rng: Generator) -> Any:
    """Return the fitted mixture with the lowest criterion among the allowed numbers of components."""
    # k-means++ starts alone: full k-means sums in an order that depends on the number of threads.
    models = [
        _fitted(body, k, init_params="k-means++", n_init=2, max_iter=200, random_state=int(rng.integers(2**31)))
        for k in counts
    ]
    return min(models, key=lambda model: model.bic(body)) if len(models) > 1 else models[0]


def _refits(body: F64, model: Any, rng: Generator) -> list[Any]:
    """Fit small resamples, started from the fit itself so that components keep their order."""
    return [
        _fitted(
            _redrawn(body, rng),
            model.n_components,
            means_init=model.means_,
            weights_init=model.weights_ / model.weights_.sum(),
            precisions_init=model.precisions_,
            max_iter=30,
            random_state=0,
        )
        for _ in range(REFITS)
    ]


def _fitted(points: F64, components: int, **options: Any) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(components, covariance_type="full", reg_covar=1e-4, **options)
    with warnings.catch_warnings():
        # A slow last step moves a cut by less than its spread, which is reported.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(points)


def _as_mixture(model: Any) -> Mixture:
    return Mixture(model.weights_, model.means_, model.covariances_, np.full(model.n_components, np.inf))


def _cut(parent: PopulationView, params: Params, model: Mixture, draws: list[Mixture], events: Seen) -> Fit:
    axis, keep = params.looked_at[0], params.keep or "above"
    centre, unit, n = float(events.frame.centre[0]), float(events.frame.unit[0]), events.sample.shape[0]
    order = np.argsort(model.means[:, 0], kind="stable")
    kept, following = (order[-1], order[-2]) if keep == "above" else (order[0], order[1])
    separation = _separation(model, kept, following)
    cut = _equal_posterior(model, kept, following)
    low, high = sorted(centre + unit * float(model.means[i, 0]) for i in (kept, following))
    where = f"components at {number(low)} and {number(high)}"
    if cut is None or separation < params.min_separation:
        return not_evaluable(
            f"{axis} not cut: not separable, the {where} lie {number(separation)} deviations apart "
            f"(at least {number(params.min_separation)})"
        )
    again = [found for draw in draws if (found := _equal_posterior(draw, kept, following)) is not None]
    if len(again) < REFITS / 2:
        return not_evaluable(f"{axis} not cut: not separable, the {where} do not come back in resamples")
    display = rounded(centre + unit * cut, unit)
    spread = float(np.std(again, ddof=1)) * unit * np.sqrt(min(REFIT, n) / n)
    sentence = (
        f"{axis} cut at {place(parent, axis, display)}: equally likely in the {where} "
        f"({share(float(model.weights[kept]))} in the kept one, {number(separation)} deviations apart, "
        f"{model.n_components} components)"
    )
    return Fit(half_line(axis, display, keep), sentence, spread=float(spread))


def _misfit(model: Mixture, points: F64) -> float:
    """Return the largest difference between the cumulated shares of the events and of the mixture (0-1)."""
    ordered = np.sort(points)
    return float(np.abs(model.cumulated(ordered) - (np.arange(ordered.size) + 0.5) / ordered.size).max())


def _separation(model: Mixture, i: int, j: int) -> float:
    """Return Ashman's D: distance of two means over their root mean square deviation."""
    means, variances = model.means[:, 0], model.scatters[:, 0, 0]
    return float(abs(means[i] - means[j]) / np.sqrt((variances[i] + variances[j]) / 2))


def _equal_posterior(model: Mixture, kept: int, following: int) -> float | None:
    """Return where two components are equally likely between their means; None where one outweighs the other."""
    means, variances = model.means[:, 0], model.scatters[:, 0, 0]

    def height(i: int, x: float) -> float:
        squared, freedom = (x - means[i]) ** 2 / variances[i], model.freedom[i]
        fall = 0.5 * squared if np.isinf(freedom) else 0.5 * (freedom + 1) * np.log1p(squared / freedom)
        return float(np.log(model.weights[i]) - 0.5 * np.log(variances[i]) - fall)

    def advantage(x: float) -> float:
        return height(kept, x) - height(following, x)

    inner, outer = float(means[following]), float(means[kept])
    if advantage(inner) >= 0 or advantage(outer) <= 0:
        return None
    for _ in range(60):
        middle = (inner + outer) / 2
        inner, outer = (inner, middle) if advantage(middle) > 0 else (middle, outer)
    return (inner + outer) / 2


def _ellipse(params: Params, model: Mixture, draws: list[Mixture], events: Seen) -> Fit:
    x, y = params.looked_at
    frame, points = events.frame, events.points
    i = _picked(params, model, events)
    radius_squared = model.radius_squared(i, params.quantile)
    inside = model.distances(points)[i] <= radius_squared
    purity = float(model.memberships(points[inside])[i].mean()) if inside.any() else 0.0
    geometry = frame.ellipse((x, y), model.means[i], model.scatters[i], radius_squared)
    middle = f"({', '.join(map(number, geometry.mean))})"
    if purity < params.min_purity:
        return not_evaluable(
            f"{x} and {y} not gated: not separable, the component at {middle} explains only {share(purity)} of the "
            f"events inside its ellipse (at least {share(params.min_purity)})"
        )
    edges = [draw.means[i, 0] + np.sqrt(radius_squared * draw.scatters[i, 0, 0]) for draw in draws]
    n = points.shape[0]
    spread = float(np.std(edges, ddof=1) * frame.unit[0] * np.sqrt(min(REFIT, n) / n))
    rule = params.pick or f"nearest to {params.nearest}"
    sentence = (
        f"{x} and {y} inside {share(params.quantile)} of the component at {middle}, the {rule} of {model.n_components}"
        f": {share(float(inside.mean()))} of the events, {share(purity)} of them explained by it"
    )
    return Fit(geometry, sentence, spread=spread)


def _picked(params: Params, model: Mixture, events: Seen) -> int:
    if params.nearest is not None:
        target = events.frame.framed(np.asarray(params.nearest))
        return int(np.argmin(((model.means - target) ** 2).sum(axis=1)))
    score = {
        "largest": model.weights,
        "densest": model.weights / np.sqrt(np.linalg.det(model.scatters)),
        "lowest": -model.means[:, 0],
        "highest": model.means[:, 0],
    }[params.pick or "largest"]
    return int(np.argmax(score))


METHOD = GatingMethod(
    Params, fit, explain, "A mixture of normal or t distributions: a cut on one axis, an ellipse on two."
)
