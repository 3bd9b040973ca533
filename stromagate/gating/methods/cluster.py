"""A cluster of events on two or three axes, such as lymphocytes on CD45 and side scatter, as an ellipse around it."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.random import Generator
from pydantic import Field, model_validator

from stromagate.gating.ascent import climbed
from stromagate.gating.clusters import Cluster, Outlined, belonging, cluster_of, joined, outlined
from stromagate.gating.frames import Seen, seen
from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.mixture_fit import chosen_mixture
from stromagate.gating.mixtures import FREEDOM, Mixture, Shape
from stromagate.gating.wording import listed, number, share
from stromagate.model.gates import NOT_SEPARABLE
from stromagate.model.sample import F64
from stromagate.model.template import AxisName, Document, GateParams

# Own choices, by the time a million events may take (under a second) and tubes of the simulator's tuning seeds.
SUBSAMPLE = 20_000
CHOICE = 4_000  # events that decide on the number of components, so that more events of a tube do not ask for more
COMPONENTS = (1, 2, 4, 8)  # too many do no harm, since what no valley parts is one cluster
STEPS = 20  # of the chosen mixture on all events looked at
REFIT, REFITS, REFIT_STEPS = 2_000, 20, 10
LEAST_KEPT = 0.5  # of a cluster inside its ellipse; where others take more of it, the ellipse is not around it

_ONE = ("lowest", "highest", "dimmest", "brightest", "largest")


class Rule(Document):
    """Which of the clusters that are left: one of them, or all on one side of an axis."""

    axis: AxisName | None = Field(None, description="Axis the clusters are compared on; none for `largest`.")
    which: Literal["low", "high", "dim", "bright", "lowest", "highest", "dimmest", "brightest", "largest"] = Field(
        description="low or dim, high or bright: all with their centres below or above the middle between the lowest "
        "and the highest centre of all clusters. lowest or dimmest, highest or brightest: that one. largest: the one "
        "with most events."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.axis is None) != (self.which == "largest"):
            raise ValueError("a rule needs an `axis`, but for `which: largest`, which has none")
        return self

    @property
    def words(self) -> str:
        """The rule as people say it, such as ``low SSC-A``."""
        return f"{self.which} {self.axis}" if self.axis else "most events"


class Params(GateParams):
    """Axes, number of clusters, which of them is kept, and how far its ellipse reaches."""

    axes: tuple[AxisName, ...] = Field(min_length=2, max_length=3, description="Two axes or three.")
    pick: tuple[Rule, ...] = Field(
        (),
        description="Rules that are applied one after the other to the clusters that the one before left, such as "
        "[{axis: SSC-A, which: low}, {axis: CD45, which: brightest}]; the last must leave one.",
    )
    nearest: tuple[float, ...] = Field(
        (), description="The cluster whose centre is nearest to this place, display units; instead of `pick`."
    )
    clusters: int | tuple[int, int] = Field(
        (2, 8),
        description="Number of clusters, or [fewest, most]. With fewer the gate cannot be placed; of more, those with "
        "the shallowest valleys between them are taken together.",
    )
    shape: Shape = Field(
        "t",
        description="Clusters are made of t distributions, which events far out hardly move (flowClust, "
        "10.1002/cyto.a.20531), or of normal ones.",
    )
    freedom: float | Literal["estimated"] = Field(
        FREEDOM, description="Degrees of freedom of t distributions: 4 as in flowClust, another number, or estimated."
    )
    quantile: float = Field(0.95, gt=0, lt=1, description="Share of the cluster inside the ellipse at most (0-1).")
    probability: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Where events at the border belong to the cluster with less than this probability, the ellipse is "
        "smaller (0-1).",
    )
    max_depth: float = Field(
        0.9,
        gt=0,
        lt=1,
        description="Clusters lie apart where the density between them falls below this share of the lower peak.",
    )
    min_share: float = Field(
        0.005, ge=0, lt=0.5, description="Clusters with a smaller share of the events are passed over (0-1)."
    )
    min_purity: float = Field(
        0.8, gt=0, le=1, description="Smallest share of the events inside that belong to the cluster."
    )
    min_events: int = Field(500, ge=200, description="Fewest events of the parent.")

    @property
    def cluster_range(self) -> tuple[int, int]:
        """Fewest and most clusters."""
        return self.clusters if isinstance(self.clusters, tuple) else (self.clusters, self.clusters)

    @property
    def tails(self) -> float | None:
        """Degrees of freedom: infinite for normal components, None where they are estimated."""
        if self.shape == "normal":
            return float("inf")
        return None if isinstance(self.freedom, str) else self.freedom

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.axes)) < len(self.axes):
            raise ValueError("an axis is named twice")
        if bool(self.pick) == bool(self.nearest):
            raise ValueError("give `pick` or `nearest`, one of them")
        if self.nearest and len(self.nearest) != len(self.axes):
            raise ValueError(f"`nearest` needs one value an axis ({len(self.axes)})")
        strangers = [rule.axis for rule in self.pick if rule.axis and rule.axis not in self.axes]
        if strangers:
            raise ValueError(f"`pick` compares clusters on {strangers[0]}, which is none of the `axes`")
        if self.pick and self.pick[-1].which not in _ONE:
            raise ValueError(f"the last rule of `pick` must leave one cluster: {listed(_ONE, 'or')}")
        if any(rule.which in _ONE for rule in self.pick[:-1]):
            raise ValueError("only the last rule of `pick` may leave one cluster")
        if not 1 <= self.cluster_range[0] <= self.cluster_range[1] <= COMPONENTS[-1]:
            raise ValueError(f"`clusters` must lie from 1 to {COMPONENTS[-1]}, the fewest first")
        if not isinstance(self.freedom, str) and not 1 <= self.freedom <= 200:
            raise ValueError("`freedom` must lie from 1 to 200, or be `estimated`")
        if self.shape == "normal" and self.freedom != FREEDOM:
            raise ValueError("normal distributions have no `freedom`: leave it out, or say `shape: t`")
        return self


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Find the clusters on a seeded subsample and return the ellipse around the one that is asked for."""
    axes = listed(params.axes, "and")
    events = seen(parent, params.axes, rng, what="no clusters looked for", min_events=params.min_events, most=SUBSAMPLE)
    if isinstance(events, Fit):
        return events
    body = events.body
    few = body if len(body) <= CHOICE else body[np.sort(rng.choice(len(body), CHOICE, replace=False))]
    try:
        start = chosen_mixture(few, COMPONENTS, rng, kind="bic", freedom=params.tails or FREEDOM)
    except np.linalg.LinAlgError:
        return not_evaluable(f"no clusters looked for on {axes}: the values lie on a line")
    model = climbed(body, start, estimated=params.tails is None, max_steps=STEPS)
    fewest, most = params.cluster_range
    groups = joined(model, params.max_depth, most)
    own = belonging(model, groups, body).argmax(axis=0)
    every = [cluster_of(model, group, body[own == i]) for i, group in enumerate(groups)]
    found = [one for one in every if one.weight >= params.min_share]
    if len(found) < fewest:
        few_found = f"{len(found)} {'cluster is' if len(found) == 1 else 'clusters are'} to be told apart"
        return not_evaluable(f"{axes} not gated: not separable, {few_found} (at least {fewest})", NOT_SEPARABLE)
    cluster = _picked(params, found, events)
    if isinstance(cluster, str):
        return not_evaluable(f"{axes} not gated: {cluster}")
    edges = _edges(params, model, groups, cluster, body, rng)
    members = belonging(model, [cluster.components], events.points)[0]
    outline = outlined(cluster, members, events.points, params.quantile, params.probability)
    return _placed(params, cluster, outline, edges, events, len(found))


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    fewest, most = params.cluster_range
    many = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return (
        f"{listed(params.axes, 'and')} inside the ellipse of up to {share(params.quantile)} of the cluster with "
        f"{_rule(params)}, of {many} clusters"
    )


def _rule(params: Params) -> str:
    if params.nearest:
        return f"its centre nearest to ({', '.join(map(number, params.nearest))})"
    return listed((rule.words for rule in params.pick), "and")


def _picked(params: Params, found: list[Cluster], events: Seen) -> Cluster | str:
    """Return the cluster that is asked for, or why none is."""
    if params.nearest:
        target = events.frame.framed(np.asarray(params.nearest))
        return min(found, key=lambda one: float(np.square(one.centre - target).sum()))
    left = found
    for rule in params.pick:
        if rule.axis is None:
            return max(left, key=lambda one: one.weight)
        column = params.axes.index(rule.axis)
        centres = [float(one.centre[column]) for one in found]
        middle, upward = (min(centres) + max(centres)) / 2, rule.which in {"high", "bright", "highest", "brightest"}
        if rule.which in _ONE:
            if len(left) == 1:
                return f"one cluster only is left, and nothing to compare it with tells whether it has {rule.words}"
            return (max if upward else min)(left, key=lambda one: float(one.centre[column]))
        left = [one for one in left if (one.centre[column] > middle) == upward]
        if not left:
            return f"none of {len(found)} clusters has {_rule(params)}"
    return left[0]


def _edges(
    params: Params, model: Mixture, groups: list[tuple[int, ...]], cluster: Cluster, body: F64, rng: Generator
) -> list[float]:
    """Return where the ellipse ends on the first axis in refits of small resamples, framed."""
    position, ends = groups.index(cluster.components), []
    for _ in range(REFITS):
        redrawn = body[rng.integers(0, len(body), min(REFIT, len(body)))]
        refit = climbed(redrawn, model, max_steps=REFIT_STEPS)
        members = belonging(refit, groups, redrawn)
        again = cluster_of(refit, cluster.components, redrawn[members.argmax(axis=0) == position])
        outline = outlined(again, members[position], redrawn, params.quantile, params.probability)
        if outline.inside > 0:
            ends.append(float(again.centre[0] + np.sqrt(outline.radius_squared * again.shape.scatters[0, 0, 0])))
    return ends


def _placed(params: Params, cluster: Cluster, outline: Outlined, edges: list[float], events: Seen, n_found: int) -> Fit:
    """Return the ellipse, or why the cluster cannot be told from others."""
    axes = listed(params.axes, "and")
    shape = cluster.shape
    geometry = events.frame.ellipse(params.axes, shape.means[0], shape.scatters[0], outline.radius_squared)
    middle = f"({', '.join(map(number, geometry.mean))})"
    doubt = f"{axes} not gated: not separable, the cluster at {middle}"
    if outline.purity < params.min_purity:
        return not_evaluable(
            f"{doubt} explains only {share(outline.purity)} of the events inside its ellipse "
            f"(at least {share(params.min_purity)})",
            NOT_SEPARABLE,
        )
    if outline.kept < LEAST_KEPT:
        return not_evaluable(f"{doubt} shares its place with others: {share(outline.kept)} inside", NOT_SEPARABLE)
    if len(edges) < REFITS / 2:
        return not_evaluable(f"{doubt} does not come back in resamples", NOT_SEPARABLE)
    n = len(events.points)
    spread = float(np.std(edges, ddof=1) * events.frame.unit[0] * np.sqrt(min(REFIT, n) / n))
    sentence = (
        f"{axes} inside {share(outline.kept)} of the cluster at {middle}, the one of {n_found} with {_rule(params)}: "
        f"{share(outline.inside)} of the events, {share(outline.purity)} of them explained by it"
    )
    return Fit(geometry, sentence, spread=spread)


METHOD = GatingMethod(Params, fit, explain, "One of several clusters on two or three axes, as an ellipse around it.")
