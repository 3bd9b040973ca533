"""F1 of the automatic gates and of the baselines against what people drew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.labelled.rivals import gaussian_mixture, minimum_density
from benchmarks.labelled.sets import Asked, LabelledTube, Mask
from stromagate.fcs import read_fcs
from stromagate.gating import engine
from stromagate.pipeline import load_template
from stromagate.prepare import prepare
from stromagate.prepare.prepared import Prepared

TOOL, GMM, DENSITY = "stromagate", "GMM", "min. density"
METHODS = (TOOL, GMM, DENSITY)
SEED = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One population of one tube by one method; ``f1`` is None where the method was not asked."""

    set_name: str
    tube: str
    tried: bool
    population: str
    gated_as: str
    method: str
    drawn: int
    found: int
    right: int

    @property
    def f1(self) -> float:
        """Twice the events in both, over the events of each."""
        total = self.drawn + self.found
        return 2 * self.right / total if total else 1.0


def score(tube: LabelledTube) -> Iterator[Row]:
    """Gate one tube by every method and yield one row a drawn population and method that was asked for it."""
    loaded = load_template(tube.template)
    prepared = prepare(read_fcs(tube.path), loaded.template, tube.config)
    gated = engine.gate(prepared, loaded.template, gates=loaded.gates, seed=SEED)
    masks = {TOOL: {item.name: _mask(prepared.n, gated.members.get(item.name)) for item in tube.asked}}
    masks |= _rivals(prepared, {item.parent: gated.members[item.parent] for item in tube.asked}, tube.asked)
    for method in METHODS:
        for name, drawn in tube.drawn.items():
            if (gated_as := _counterpart(tube, name, drawn, masks[method])) is not None:
                found = masks[method][gated_as]
                counts = int(drawn.sum()), int(found.sum()), int((drawn & found).sum())
                yield Row(tube.set_name, tube.name, tube.tried, name, gated_as, method, *counts)


def f1(drawn: Mask, found: Mask) -> float:
    """Return twice the events in both, over the events of each."""
    total = int(drawn.sum()) + int(found.sum())
    return 2 * int((drawn & found).sum()) / total if total else 1.0


def _rivals(
    prepared: Prepared, parents: Mapping[str, np.ndarray], asked: tuple[Asked, ...]
) -> dict[str, dict[str, Mask]]:
    made: dict[str, dict[str, Mask]] = {GMM: {}, DENSITY: {}}
    for item in asked:
        if not item.sides:
            continue
        rows = parents[item.parent]
        values = np.column_stack([prepared.display(axis, rows).astype(np.float64) for axis, _ in item.sides])
        sides = [side for _, side in item.sides]
        made[GMM][item.name] = _mask(prepared.n, rows[gaussian_mixture(values, sides)])
        made[DENSITY][item.name] = _mask(prepared.n, rows[minimum_density(values, sides)])
    return made


def _counterpart(tube: LabelledTube, name: str, drawn: Mask, masks: Mapping[str, Mask]) -> str | None:
    """Return which population stands for what was drawn: the one named so, else the best match."""
    if tube.named is None:
        return max(masks, key=lambda key: f1(drawn, masks[key]))
    return tube.named[name] if tube.named[name] in masks else None


def _mask(n: int, rows: np.ndarray | None) -> Mask:
    inside = np.zeros(n, dtype=np.bool_)
    if rows is not None:
        inside[rows] = True
    return inside
