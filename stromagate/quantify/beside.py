"""The numbers that take what the sample sheet says: each behind the other numbers of its population."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.model.gates import GateTree
from stromagate.model.result import Statistic
from stromagate.model.specimen import Specimen
from stromagate.model.template import GatingTemplate
from stromagate.quantify.absolute import absolute_rows
from stromagate.quantify.hemodilution import without_blood_rows


def with_specimen(
    numbers: Sequence[Statistic],
    tree: GateTree,
    template: GatingTemplate,
    known: Specimen,
    *,
    confidence: float,
    hemodilution: bool = False,
) -> tuple[Statistic, ...]:
    """Return the numbers of a tube with its absolute counts and, where asked for, its rates without blood.

    Parameters
    ----------
    numbers : sequence of Statistic
        Population by population, as ``statistics`` gives them.
    tree : GateTree
        How the populations hang together.
    template : GatingTemplate
        Names beads, indices and denominators.
    known : Specimen
        What the sample sheet says.
    confidence : float
        Level of the intervals, between 0 and 1.
    hemodilution : bool
        Rates of cells that blood does not have also without the blood in the marrow.
    """
    more = absolute_rows(numbers, tree, template, known, confidence)
    if hemodilution:
        more += without_blood_rows(numbers, tree, template, known, confidence)
    last = {row.population: place for place, row in enumerate(numbers)}
    behind: dict[int, list[Statistic]] = {}
    for row in more:
        behind.setdefault(last[row.population], []).append(row)
    return tuple(row for place, one in enumerate(numbers) for row in (one, *behind.get(place, ())))
