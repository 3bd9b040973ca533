"""What the three MultiQC files share: custom content, one section a file, found by MultiQC by the end of its name.

MultiQC puts titles and descriptions into its page as they are, so text from templates is escaped here; names of tubes
are plain by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from stromagate.model.result import RESEARCH_USE, SampleResult, Statistic

Data = Mapping[str, Mapping[str, Any]]
PARENT = {
    "parent_id": "stromagate",
    "parent_name": "stromagate",
    "parent_description": f"Rare stroma in bone marrow by flow cytometry. {RESEARCH_USE}",
}
"""Puts the sections below one heading."""


def section(kind: str, name: str, description: str, data: Data, **further: Any) -> bytes:
    """Return the bytes of one ``_mqc.json``.

    Parameters
    ----------
    kind : str
        MultiQC's ``plot_type``.
    name : str
        What the section is called; its id follows from it.
    description : str
        Plain text; the research use statement is added.
    data : mapping of str to mapping
        Values by tube and column; what is None is left out, as MultiQC has it.
    further : object
        Other keys, such as ``headers``.
    """
    identity = f"stromagate_{name.lower().replace(' ', '_')}"
    told = {tube: {key: value for key, value in row.items() if value is not None} for tube, row in data.items()}
    document = {
        "id": identity,
        "section_name": name,
        "description": f"{escape(description)} {RESEARCH_USE}",
        "plot_type": kind,
        **further,
        "data": told,
    }
    return (json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode()


def populations(results: Sequence[SampleResult]) -> list[str]:
    """Return the populations that the templates ask for, each once: those that stromal patterns are made of first."""
    asked = {role: name for result in results for role, name in result.indices.items()}
    first = [asked[role] for role in ("msc", "progenitors") if role in asked]
    return list(dict.fromkeys([*first, *(name for result in results for name in result.indices.values())]))


def title(results: Sequence[SampleResult], population: str) -> str:
    """Return what a population is called, escaped."""
    labels = (result.labels_of_populations.get(population) for result in results)
    return escape(next((label for label in labels if label), population))


def statistic(result: SampleResult, population: str, kind: str, denominator: str = "") -> Statistic:
    """Return one number of a tube; one without a value where it has none such."""
    for each in result.statistics:
        if (each.population, each.statistic, each.denominator) == (population, kind, denominator):
            return each
    return Statistic(population=population, parent="", statistic=kind, value=None, unit="")


def denominators(results: Sequence[SampleResult]) -> list[str]:
    """Return what rates are divided by, each once, the template's first one first."""
    return list(dict.fromkeys(name for result in results for name in result.denominators))
