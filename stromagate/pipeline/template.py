"""A template together with what the gating methods know of it: checked parameters and plain sentences."""

from __future__ import annotations

from pathlib import Path

from pydantic import model_validator

from stromagate.gating.method import methods
from stromagate.model.result import TemplateRef
from stromagate.model.template import GateParams
from stromagate.templates import LoadedTemplate, explain
from stromagate.templates import load_template as load_document


def load_template(source: str | Path) -> LoadedTemplate:
    """Load and check a template by its shipped name or by the path of a YAML file.

    Raises
    ------
    DocumentError
        Everything that is wrong in it, at once, with lines and the nearest valid words.
    SpecificationError
        No template of that name.
    """
    lost = {name: _refusing(fault.message) for name, fault in methods.broken().items()}
    return load_document(source, method_params() | lost)


def method_params() -> dict[str, type[GateParams]]:
    """Return the parameter model of every gating method, by the method's name."""
    return {name: method.params for name, method in methods.all().items()}


def _refusing(message: str) -> type[GateParams]:
    """Return parameters that no gate can have: the method is there by name, and cannot be loaded."""

    class Lost(GateParams):
        @model_validator(mode="before")
        @classmethod
        def refuse(cls, _values: object) -> object:
            raise ValueError(message)

    return Lost


def sentences(loaded: LoadedTemplate) -> list[str]:
    """Return the template in plain words, one sentence a population, in order."""
    clauses = {
        name: " (otherwise ".join(methods.get(step.method).explain(step.params) for step in steps)
        + ")" * (len(steps) - 1)
        for name, steps in loaded.gates.items()
    }
    return explain(loaded, clauses)


def reference(loaded: LoadedTemplate) -> TemplateRef:
    """Return what a result remembers of its template."""
    template = loaded.template
    return TemplateRef(
        name=template.name,
        version=template.version,
        status=template.status,
        title=template.title,
        sha256=loaded.sha256,
        sources=template.sources,
        warnings=template.warnings,
        sentences=tuple(sentences(loaded)),
        readouts=template.readouts,
    )
