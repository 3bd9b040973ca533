"""What two runs, or a run and a FlowJo table, differ by as one tidy table: one number a row."""

from __future__ import annotations

from collections.abc import Iterator

from stromagate.export.cells import Cell
from stromagate.export.table import table
from stromagate.pipeline.compare.flowjo import FlowJoComparison
from stromagate.pipeline.compare.runs import Comparison
from stromagate.pipeline.compare.tubes import PopulationChange, TubeChange

COLUMNS = (
    "sample_id",
    "other_id",
    "population",
    "gate",
    "statistic",
    "axis",
    "denominator",
    "unit",
    "before",
    "before_low",
    "before_high",
    "after",
    "after_low",
    "after_high",
    "ratio",
    "decades",
    "verdict",
    "first_gate",
    "most_gate",
    "state_before",
    "state_after",
)
"""``before`` is the first run, or ours; ``after`` the second, or FlowJo's. Limits are those of counting alone."""


def comparison_csv(found: Comparison | FlowJoComparison) -> bytes:
    """Return a comparison as CSV.

    Rows of two runs: ``count`` and ``per_million`` of each population, ``share_of_parent`` of each gate that keeps
    another share, ``edge_from`` and ``edge_below`` of each edge that lies elsewhere, and the ``pattern`` of each tube.
    Rows of a FlowJo table: the numbers of the table, ``verdict`` says what a difference is.

    Parameters
    ----------
    found : Comparison or FlowJoComparison
        What was compared.

    Returns
    -------
    bytes
        UTF-8, with a header line of `COLUMNS`.
    """
    rows = _runs(found) if isinstance(found, Comparison) else _flowjo(found)
    return table(COLUMNS, ([row.get(name) for name in COLUMNS] for row in rows))


def _runs(found: Comparison) -> Iterator[dict[str, Cell]]:
    for tube in found.tubes:
        for each in tube.populations:
            yield from _population(tube, each)
        yield {
            **_tube(tube),
            "statistic": "pattern",
            "before": tube.pattern.before,
            "after": tube.pattern.after,
            "verdict": "flips" if tube.pattern.flips else "same",
        }


def _population(tube: TubeChange, each: PopulationChange) -> Iterator[dict[str, Cell]]:
    about: dict[str, Cell] = {**_tube(tube), "population": each.population}
    for number in each.numbers:
        yield {
            **about,
            "statistic": number.statistic,
            "denominator": number.denominator,
            "unit": number.unit,
            "before": number.before,
            "before_low": number.before_low,
            "before_high": number.before_high,
            "after": number.after,
            "after_low": number.after_low,
            "after_high": number.after_high,
            "ratio": number.ratio,
            "verdict": "moved" if number.outside else "within counting" if number.before != number.after else "same",
            "first_gate": each.first,
            "most_gate": each.most,
            "state_before": number.state_before,
            "state_after": number.state_after,
        }
    for step in each.steps:
        if step.changes:
            shares: dict[str, Cell] = {"before": step.share_before, "after": step.share_after, "unit": "share"}
            yield {
                **about,
                **shares,
                "gate": step.gate,
                "statistic": "share_of_parent",
                "denominator": step.parent,
                "ratio": step.share_after / step.share_before if step.share_before and step.share_after else None,
            }
        for edge in step.edges:
            yield {
                **about,
                "gate": step.gate,
                "statistic": f"edge_{edge.side}",
                "axis": edge.axis,
                "unit": "display units",
                "before": edge.before,
                "after": edge.after,
                "decades": edge.decades,
            }


def _flowjo(found: FlowJoComparison) -> Iterator[dict[str, Cell]]:
    for tube in found.tubes:
        for number in tube.numbers:
            yield {
                "sample_id": tube.sample_id,
                "other_id": tube.sample,
                "population": number.population,
                "gate": number.path,
                "statistic": "count" if number.statistic == "count" else f"percent {number.statistic}",
                "unit": "events" if number.statistic == "count" else "%",
                "before": number.ours,
                "after": number.flowjo,
                "ratio": number.flowjo / number.ours if number.ours else None,
                "verdict": number.verdict,
            }


def _tube(tube: TubeChange) -> dict[str, Cell]:
    return {"sample_id": tube.sample_id, "other_id": tube.other_id}
