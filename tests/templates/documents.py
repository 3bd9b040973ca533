"""A right template to break in one place at a time, and ways to load it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stromagate.errors import DocumentError, Problem
from stromagate.pipeline.template import load_template
from stromagate.templates import LoadedTemplate

RIGHT = """\
format: stromagate.template/1
name: lab_panel
version: 1.0.0
status: local
title: A panel to break
panel:
  required: [Viability, CD45, CD271]
  optional: [CD105]
aliases:
  CD271: [ME20]
scales:
  default: {transform: logicle, top: from_range}
populations:
  - name: singlets
    parent: all
    gate: {method: singlet, axes: [FSC-A, FSC-H]}
  - name: viable
    parent: singlets
    gate: {method: tail, axis: Viability, keep: below}
  - name: cd45_low
    parent: viable
    gate: {method: valley, axis: CD45, keep: below}
  - name: msc
    parent: cd45_low
    gate: {method: fixed, axes: [CD271], low: [0.5]}
    plot: [CD271, CD45]
  - name: msc_cd105
    parent: msc
    requires: [CD105]
    gate: {method: tail, axis: CD105, keep: above}
  - name: rest
    parent: viable
    gate: {method: boolean, operation: none, of: [cd45_low]}
denominators: [viable, all]
intensities: [CD271]
indices: {msc: msc}
"""


def load_text(folder: Path, text: str | bytes) -> LoadedTemplate:
    """Write a template and load it."""
    path = folder / "lab_panel.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_template(path)


def problems_of(folder: Path, text: str | bytes) -> tuple[Problem, ...]:
    """Load a template that must be refused, and return everything said about it."""
    with pytest.raises(DocumentError) as caught:
        load_text(folder, text)
    assert caught.value.exit_code == 4
    assert caught.value.code == "template.invalid"
    return caught.value.problems
