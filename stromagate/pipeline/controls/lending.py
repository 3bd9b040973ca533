"""Markers that a control's own file does not name: an antibody left out, or no antibody at all, leaves no label.

The stained tubes it belongs to were measured on the same detectors, and lend their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stromagate.errors import SpecificationError
from stromagate.model.config import RunConfig
from stromagate.model.template import GatingTemplate
from stromagate.pipeline.controls.header import Facts, detectors
from stromagate.pipeline.controls.pairing import Member, Register, belongs
from stromagate.prepare import bind_template


@dataclass(frozen=True, slots=True)
class Loan:
    """What a control borrowed: marker to ``$PnN``, and its header with them."""

    markers: Mapping[str, str]
    facts: Facts

    def given_to(self, member: Member) -> Member:
        """Return the control with what it borrowed."""
        return replace(member, facts=self.facts, markers=self.markers)


@dataclass(frozen=True, slots=True)
class _Run:
    register: Register
    template: GatingTemplate
    config: RunConfig


def borrow(members: Sequence[Member], template: GatingTemplate, config: RunConfig) -> dict[str, Loan]:
    """Return the loans of all controls that the template does not fit without, by the control's name.

    Parameters
    ----------
    members : sequence of Member
        All tubes of a run.
    template : GatingTemplate
        Names the markers.
    config : RunConfig
        What was bound by hand stays.
    """
    loans, run = {}, _Run(Register(members), template, config)
    for member in members:
        unnamed = _unnamed(member.role, (*template.panel.required, *template.panel.optional))
        if member.facts is None or unnamed <= set(member.facts.detectors):
            continue
        loan = next(_offers(member, member.facts, unnamed, run), None)
        if loan is not None:
            loans[member.sample_id] = loan
    return loans


def _offers(control: Member, facts: Facts, unnamed: set[str], run: _Run) -> Iterator[Loan]:
    """Yield what the stained tubes a control belongs to can lend it, in the order of the sheet."""
    for member in run.register.stained_near(control):
        if member.facts is None or not belongs(member, control):
            continue
        wanted = unnamed - set(facts.detectors)
        lent = {axis: pnn for axis, pnn in member.facts.detectors.items() if axis in wanted and pnn in facts.pnn}
        markers = {**lent, **run.config.markers}
        try:
            bound = bind_template(facts, run.template, run.config.model_copy(update={"markers": markers}))
        except SpecificationError:
            continue
        if lent:
            yield Loan(lent, replace(facts, detectors=detectors(bound.bindings)))


def _unnamed(role: str, markers: Sequence[str]) -> set[str]:
    """Return the markers whose antibodies are not in a tube of that role."""
    kind, _, marker = role.partition(":")
    return {marker} if kind == "fmo" else set(markers) if kind in {"unstained", "blank"} else set()
