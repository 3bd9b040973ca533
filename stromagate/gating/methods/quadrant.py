"""One part of a cross on two axes: the first axis is cut, then the second on the events of one side of that cut.

The cuts are those of the methods on one axis. Neither depends on which part is kept, nor on the draws that its spread
is estimated with: the four parts of a cross have one origin, whatever their populations are called.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from numpy.random import Generator
from pydantic import Discriminator, Field, Tag, create_model, field_validator, model_validator

from stromagate.errors import nearest
from stromagate.gating.method import Fit, GatingMethod, Outside, PopulationView, not_evaluable
from stromagate.gating.methods import control, shoulder, tail, valley
from stromagate.gating.wording import listed, number
from stromagate.model.gates import Interval, QuadrantPart, Side
from stromagate.model.sample import F32
from stromagate.model.scales import Scale
from stromagate.model.template import AxisName, ControlNeed, Document, GateParams

_RULES: Mapping[str, ModuleType] = MappingProxyType(
    {"valley": valley, "tail": tail, "shoulder": shoulder, "control": control}
)


class Cut(Document):
    """The rule that places one of the two cuts, with the parameters of the method of that name."""

    rule: str

    def on(self, axis: str, keep: Side) -> GateParams:
        """Return that method's parameters on an axis."""
        known: type[GateParams] = _RULES[self.rule].Params
        return known.model_validate({**self.model_dump(exclude={"rule"}), "axis": axis, "keep": keep})


def _cut_by(rule: str) -> type[Cut]:
    """Return the cut by a method: all its parameters but those that the cross itself has."""
    params: type[GateParams] = _RULES[rule].Params
    own: dict[str, Any] = {"rule": (Literal[rule], Field(description="Method that places the cut."))}
    own |= {name: (info.annotation, info) for name, info in params.model_fields.items() if name not in {"axis", "keep"}}
    name = f"{rule.capitalize()}Cut"
    return create_model(name, __base__=Cut, __module__=__name__, __doc__=f"A cut by the method `{rule}`.", **own)


ValleyCut, TailCut, ShoulderCut, ControlCut = (_cut_by(rule) for rule in _RULES)


def _branch(value: Any) -> str:
    # A branch must not be called like a key: places of mistakes are told by the keys of the document.
    return f"by {value.get('rule') if isinstance(value, dict) else getattr(value, 'rule', None)}"


if TYPE_CHECKING:
    AnyCut = Cut
else:
    AnyCut = Annotated[
        Annotated[ValleyCut, Tag("by valley")]
        | Annotated[TailCut, Tag("by tail")]
        | Annotated[ShoulderCut, Tag("by shoulder")]
        | Annotated[ControlCut, Tag("by control")],
        Discriminator(_branch),
    ]


class Params(GateParams):
    """Two axes, how each is cut, and which part of the cross is kept."""

    axes: tuple[AxisName, AxisName] = Field(description="The two axes; the first is cut first.")
    keep: tuple[Side, Side] = Field(
        description="Side of each cut that is kept, in the order of the axes; the cut itself counts as above."
    )
    first_cut: AnyCut = Field(
        ValleyCut(rule="valley"), description="How the first axis is cut: a method as `rule`, and its parameters."
    )
    second_cut: AnyCut = Field(
        ValleyCut(rule="valley"), description="How the second axis is cut: a method as `rule`, and its parameters."
    )
    second_on: Literal["below", "above", "all"] = Field(
        "below",
        description="Events that the second cut is found on: those below or above the first, or all. Say the same for "
        "every part of a cross, or their cuts differ.",
    )

    @field_validator("first_cut", "second_cut", mode="before")
    @classmethod
    def _known_rule(cls, given: Any) -> Any:
        if isinstance(given, Cut):
            return given
        if not isinstance(given, dict):
            raise ValueError("a cut is written as a rule and its parameters, such as {rule: tail, mads: 6}")
        rule = given.get("rule")
        if not isinstance(rule, str) or rule not in _RULES:
            close = nearest(rule, _RULES) if isinstance(rule, str) else None
            asked = "`rule` is missing" if rule is None else f"no rule is named '{rule}'"
            raise ValueError(f"{asked}: {listed(_RULES, 'or')}" + (f"; did you mean '{close}'?" if close else ""))
        # What has been looked at is no JSON any more to the strict reading of templates, and its lists are no tuples.
        return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}

    @model_validator(mode="after")
    def _two_axes(self) -> Self:
        if self.axes[0] == self.axes[1]:
            raise ValueError(f"the axis {self.axes[0]} is named twice")
        return self

    @property
    def steps(self) -> tuple[GateParams, GateParams]:
        """The parameters of the methods that cut the two axes."""
        return self.first_cut.on(self.axes[0], self.keep[0]), self.second_cut.on(self.axes[1], self.keep[1])

    def axes_used(self) -> tuple[str, ...]:
        """Return both axes, and what their cuts look at besides."""
        return tuple(dict.fromkeys([*self.axes, *(axis for step in self.steps for axis in step.axes_used())]))

    def populations_used(self) -> tuple[str, ...]:
        """Return the populations that the cuts are set on."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.populations_used()))

    def controls_used(self) -> tuple[ControlNeed, ...]:
        """Return what the cuts want to know of control tubes."""
        return tuple(need for step in self.steps for need in step.controls_used())


class _SideOf:
    """Some events of a population, as a method may look at them (``method.PopulationView``)."""

    def __init__(self, whole: PopulationView, axis: str, cut: float, side: Side) -> None:
        self._whole = whole
        values = whole.display(axis)
        at = np.float64(cut)
        # A value that is no number lies on neither side.
        self._inside = np.isfinite(values) & ((values >= at) if side == "above" else (values < at))
        self.name, self.axes, self.outside = whole.name, whole.axes, whole.outside
        self.n = int(np.count_nonzero(self._inside))

    name: str
    axes: tuple[str, ...]
    outside: Outside
    n: int

    def display(self, axis: str) -> F32:
        return self._whole.display(axis)[self._inside]

    def linear(self, axis: str) -> F32:
        return self._whole.linear(axis)[self._inside]

    def scale(self, axis: str) -> Scale:
        return self._whole.scale(axis)

    def to_display(self, axis: str, linear: float) -> float:
        return self._whole.to_display(axis, linear)

    def to_linear(self, axis: str, display: float) -> float:
        return self._whole.to_linear(axis, display)

    def population(self, name: str) -> PopulationView:
        return self._whole.population(name)


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Cut one axis, then the other on one side of that cut, and return the part; or say which of them cannot be cut."""
    x, y = params.axes
    for axis in (x, y):
        if axis not in parent.axes:
            return not_evaluable(f"{axis} not cut: the tube has no axis {axis}")
    rules = (_RULES[params.first_cut.rule], _RULES[params.second_cut.rule])
    steps = params.steps
    first: Fit = rules[0].fit(parent, steps[0], rng)
    at_x = _place(first)
    if at_x is None:
        return not_evaluable(f"no cross on {x} and {y}: {first.sentence}", *first.doubts)
    part = parent if params.second_on == "all" else _SideOf(parent, x, at_x, params.second_on)
    second: Fit = rules[1].fit(part, steps[1], rng)
    at_y = _place(second)
    if at_y is None:
        where = f" among the {part.n:,} events {_on(params)}" if params.second_on != "all" else ""
        return not_evaluable(f"no cross on {x} and {y}{where}: {second.sentence}", *second.doubts)
    return Fit(
        QuadrantPart(params.axes, (at_x, at_y), params.keep),
        _sentence(params, part.n, first, second),
        "fallback" if "fallback" in {first.state, second.state} else "fitted",
        spread=first.spread,
        spread_second=second.spread,
        source="; ".join(dict.fromkeys(cut.source for cut in (first, second) if cut.source)),
        doubts=tuple(dict.fromkeys([*first.doubts, *second.doubts])),
    )


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    first, second = (_RULES[cut.rule].explain(step) for cut, step in zip(_cuts(params), params.steps, strict=True))
    on = "" if params.second_on == "all" else f", found on the events {_on(params)}"
    return f"{first} and {second}{on}"


def _cuts(params: Params) -> tuple[Cut, Cut]:
    return params.first_cut, params.second_cut


def _place(fit: Fit) -> float | None:
    """Return where a fit cuts; None where it does not."""
    if not isinstance(fit.geometry, Interval):
        return None
    return fit.geometry.high if fit.geometry.low is None else fit.geometry.low


def _on(params: Params) -> str:
    return f"{params.second_on} the cut on {params.axes[0]}"


def _sentence(params: Params, n: int, first: Fit, second: Fit) -> str:
    on = "" if params.second_on == "all" else f", on the {n:,} events {_on(params)}"
    known = [
        f"{number(spread)} on {axis}"
        for axis, spread in zip(params.axes, (first.spread, second.spread), strict=True)
        if spread is not None
    ]
    spreads = f"; spread {listed(known, 'and')}" if known else ""
    return f"{first.sentence}; then{on}, {second.sentence}{spreads}"


METHOD = GatingMethod(Params, fit, explain, "One part of a cross on two axes, which are cut one after the other.")
