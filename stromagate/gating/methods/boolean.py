"""Events of the parent that are in all, any or none of other populations."""

from __future__ import annotations

from typing import Literal

from numpy.random import Generator
from pydantic import Field, field_validator

from stromagate.gating.method import Fit, GatingMethod, PopulationView
from stromagate.gating.wording import listed
from stromagate.model.gates import Boolean
from stromagate.model.template import GateParams, Name


class Params(GateParams):
    """Which populations are combined, and how."""

    operation: Literal["all", "any", "none"] = Field(
        description="Keep events that are in all of the populations, in any of them, or in none."
    )
    of: tuple[Name, ...] = Field(min_length=1, description="Populations that stand above this one.")

    @field_validator("of")
    @classmethod
    def _named_once(cls, of: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for name in dict.fromkeys(of) if of.count(name) > 1]
        if twice:
            raise ValueError(f"named twice: {listed(twice, 'and')}")
        return of

    def populations_used(self) -> tuple[str, ...]:
        """Return the combined populations."""
        return self.of


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Return the combination as geometry; no data are looked at."""
    sentence = f"{explain(params)}, as the template says"
    return Fit(Boolean(params.operation, params.of), sentence, "fixed", source="template")


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    if len(params.of) == 1:
        return f"membership {'outside' if params.operation == 'none' else 'in'} {params.of[0]}"
    word = {"all": "in all of", "any": "in any of", "none": "in none of"}[params.operation]
    return f"membership {word} {listed(params.of, 'and')}"


METHOD = GatingMethod(Params, fit, explain, "Events in all, any or none of other populations.", written=True)
