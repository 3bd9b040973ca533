"""A finished run beside a table exported from FlowJo: which counts differ by FlowJo's binning, and which are others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from stromagate.errors import SpecificationError
from stromagate.gating.sensitivity import STEP_DECADES
from stromagate.gating.tree import deciding_gates
from stromagate.model.gates import ROOT
from stromagate.model.result import SampleResult
from stromagate.pipeline.compare.boundaries import events_of
from stromagate.pipeline.compare.flowjo_paths import is_called, map_paths, named_samples, population_names
from stromagate.pipeline.compare.flowjo_table import (
    FlowJoColumn,
    FlowJoRow,
    FlowJoValue,
    Kind,
    read_flowjo_table,
)
from stromagate.pipeline.finished_runs import finished_runs

BIN_DECADES = 4.5 / 256
"""What FlowJo's bins are taken to be: one channel of 256 on a display of 4.5 decades. Own choice."""

Verdict = Literal["same", "within binning", "real", "no estimate", "not comparable"]


@dataclass(frozen=True, slots=True)
class FlowJoNumber:
    """One number of the table and ours, both in events.

    ``flowjo`` and ``ours`` are as the table has them (events, or per cent of the parent or of all events);
    ``difference`` is FlowJo's less ours in events, ``allowed`` how many events lie within one of FlowJo's bins of our
    boundaries and, of a percentage, within its last digit. Both are None where they are not known.
    """

    path: str
    population: str
    statistic: Kind
    flowjo: float
    ours: float | None
    difference: float | None
    allowed: float | None
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class FlowJoTube:
    """One tube, and its name in the table."""

    sample_id: str
    sample: str
    numbers: tuple[FlowJoNumber, ...]


@dataclass(frozen=True, slots=True)
class FlowJoComparison:
    """A run and a table. ``populations`` says which path was read as which population."""

    tubes: tuple[FlowJoTube, ...]
    populations: dict[str, str]
    only_table: tuple[str, ...]
    only_run: tuple[str, ...]
    paths_without_population: tuple[str, ...]
    skipped: tuple[str, ...]
    n_summaries: int
    bin_decades: float = BIN_DECADES

    @property
    def moved(self) -> tuple[str, ...]:
        """Tubes with a real difference."""
        return tuple(tube.sample_id for tube in self.tubes if any(each.verdict == "real" for each in tube.numbers))

    def as_json(self) -> dict[str, Any]:
        """Return the plain object."""
        return {"kind": "flowjo", **asdict(self), "moved": list(self.moved)}


def compare_with_flowjo(run: Path, table: Path, maps: Sequence[str] = ()) -> FlowJoComparison:
    """Compare a finished run with a table exported from FlowJo.

    Parameters
    ----------
    run : path
        Folder of the run.
    table : path
        CSV, text or XLSX.
    maps : sequence of str
        ``FlowJo path=population``, the path whole or its last part; else the last part is a population's name or label.

    Raises
    ------
    UsageError
        A map that is none, or names what is not there.
    InputError
        The run or the table cannot be read.
    SpecificationError
        No sample or no population of the table is one of the run, or two samples are one tube.
    """
    (finished,) = finished_runs([run], "compare")
    results, read = finished.results(), read_flowjo_table(table)
    named = named_samples(read, results)
    if not named:
        raise SpecificationError(
            "compare.no_sample",
            f"no sample of the table is a tube of the run: '{read.rows[0].sample}' and others",
            where=str(table),
            hint="samples are found by the file's name or the tube's: " + ", ".join(r.sample_id for r in results[:5]),
        )
    _refuse_one_tube_twice(named, table)
    populations = map_paths(read.columns, results, maps)
    if not populations:
        raise SpecificationError(
            "compare.no_population",
            "no population of the table is one of the template",
            where=str(table),
            hint=f"say which is which: --map '{read.columns[0].path}={population_names(results)[-1]}'",
        )
    tubes = [FlowJoTube(each.sample_id, row.sample, _numbers(each, row, populations)) for row, each in named]
    found, rows = {tube.sample_id for tube in tubes}, {row.sample for row, _ in named}
    return FlowJoComparison(
        tubes=tuple(tubes),
        populations=populations,
        only_table=tuple(row.sample for row in read.rows if row.sample not in rows),
        only_run=tuple(each.sample_id for each in results if each.sample_id not in found),
        paths_without_population=tuple(
            dict.fromkeys(column.path for column in read.columns if column.path not in populations)
        ),
        skipped=read.skipped,
        n_summaries=read.n_summaries,
    )


def _refuse_one_tube_twice(named: Sequence[tuple[FlowJoRow, SampleResult]], table: Path) -> None:
    """Refuse two rows of one tube, such as ``a`` and ``a.fcs``: which of them is the tube's is not known."""
    first: dict[str, str] = {}
    for row, result in named:
        if result.sample_id in first:
            raise SpecificationError(
                "compare.sample_twice",
                f"the samples '{first[result.sample_id]}' and '{row.sample}' of the table are one tube of the run",
                where=str(table),
                hint=f"leave one row of {result.sample_id} in the table",
            )
        first[result.sample_id] = row.sample


def events_within_a_bin(result: SampleResult, population: str) -> float | None:
    """Return how many events of a population lie within one of FlowJo's bins of the edges that decide about it.

    Taken from what moving each edge by 0.1 decade does to the count, in proportion, all edges added up, and rounded up
    to a whole event. None where the result does not say it: it does of index populations that hold events.
    """
    count = result.count(population)
    steps = [step for step in result.sensitivities if step.population == population]
    if not count or not steps:
        return None
    changes = (max(abs(_fraction(step.lower)), abs(_fraction(step.higher))) for step in steps)
    return float(math.ceil(round(count * sum(changes) * BIN_DECADES / STEP_DECADES, 9)))


def _fraction(change: float | None) -> float:
    """Return the change of a count as a fraction; moved so far that nothing is left, all of it."""
    return -1.0 if change is None else math.expm1(change)


def _numbers(result: SampleResult, row: FlowJoRow, populations: Mapping[str, str]) -> tuple[FlowJoNumber, ...]:
    pairs = [(column, value) for column, value in row.values.items() if column.path in populations]
    return tuple(_number(result, column, value, populations) for column, value in pairs)


def _number(
    result: SampleResult, column: FlowJoColumn, value: FlowJoValue, populations: Mapping[str, str]
) -> FlowJoNumber:
    name = populations[column.path]
    count = events_of(result, name)
    whole, why = _whole(result, column, populations)
    if count is None:
        why = f"{name} could not be evaluated, or the tube does not have it"
    if count is None or whole is None:
        return FlowJoNumber(
            column.path, name, column.kind, value.value, None, None, None, verdict="not comparable", why=why
        )
    scale = 1.0 if column.kind == "count" else whole / 100.0
    difference, printed = value.value * scale - count, value.half_digit * scale
    binned = 0.0 if name == ROOT else events_within_a_bin(result, name)
    allowed = None if binned is None else binned + printed
    verdict, why = _verdict(result, name, abs(difference), printed, allowed)
    return FlowJoNumber(
        path=column.path,
        population=name,
        statistic=column.kind,
        flowjo=value.value,
        ours=count / scale,
        difference=difference,
        allowed=allowed,
        verdict=verdict,
        why=why,
    )


def _whole(result: SampleResult, column: FlowJoColumn, populations: Mapping[str, str]) -> tuple[float | None, str]:
    """Return how many events a percentage is of, as we counted them, or None and why it cannot be compared."""
    if column.kind == "count":
        return 1.0, ""
    if column.kind == "of total":
        return (float(result.n_events), "") if result.n_events else (None, "the tube holds no events")
    name = populations[column.path]
    parent = next((node.parent for node in result.tree.nodes if node.name == name), None)
    above = column.path.rpartition("/")[0]
    if parent is None or not is_called(result, parent, above, populations):
        return None, f"FlowJo's parent is '{above or 'all events'}', ours is {parent or 'not there'}"
    events = events_of(result, parent)
    return (float(events), "") if events else (None, f"{parent} holds no events")


def _verdict(
    result: SampleResult, name: str, difference: float, printed: float, allowed: float | None
) -> tuple[Verdict, str]:
    slack = 1e-9 * (1.0 + difference)  # a percentage of many events is not exact to the last bit
    if difference <= printed + slack:
        return "same", ""
    if allowed is None:
        empty = "it holds no event to estimate from" if not events_of(result, name) else ""
        return "no estimate", empty or "the result says of index populations alone how many events lie at a boundary"
    if difference <= allowed + slack:
        return "within binning", ""
    return "real", _beyond(result, name)


def _beyond(result: SampleResult, name: str) -> str:
    """Say which gates the estimate leaves out: those of scatter and time, and outlines."""
    told = {step.gate for step in result.sensitivities if step.population == name}
    if name == ROOT:
        return "all events of the file are counted: look whether it is the same file"
    gates = deciding_gates(result.tree, name)
    left = [node.name for node in result.tree.nodes if node.name in gates and node.name not in told]
    return f"bins at these gates are not in the estimate: {', '.join(left)}" if left else ""


def worst_first(tube: FlowJoTube) -> Iterator[FlowJoNumber]:
    """Yield a tube's numbers, real differences first."""
    order: tuple[Verdict, ...] = ("real", "no estimate", "within binning", "same", "not comparable")
    yield from sorted(tube.numbers, key=lambda number: order.index(number.verdict))
