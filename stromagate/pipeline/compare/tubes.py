"""One tube in two runs: its numbers, which gate moved them, its pattern, and what else is not the same of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stromagate.model.pattern import PATTERNS
from stromagate.model.result import SampleResult, Statistic
from stromagate.pipeline.compare.boundaries import GateStep, first_change, greatest_change, ladder
from stromagate.quantify.intervals import poisson


@dataclass(frozen=True, slots=True)
class NumberChange:
    """A count, or a rate under one denominator, in both runs with its counting interval.

    ``outside`` is true where each value lies outside the counting interval of the other, or one of them is missing.
    ``ratio`` is after over before. The states are those of the results, such as ``quantifiable``.
    """

    statistic: str
    denominator: str
    unit: str
    before: float | None
    before_low: float | None
    before_high: float | None
    after: float | None
    after_low: float | None
    after_high: float | None
    ratio: float | None
    outside: bool
    state_before: str = ""
    state_after: str = ""


@dataclass(frozen=True, slots=True)
class PopulationChange:
    """One population of one tube: its numbers, and the gates of its ladder whose share or boundary changed.

    ``first`` is the first gate on the ladder that changes the count, ``most`` the one that changes it most; both empty
    where none does.
    """

    population: str
    label: str
    numbers: tuple[NumberChange, ...]
    moved: bool
    first: str = ""
    most: str = ""
    steps: tuple[GateStep, ...] = ()

    def step(self, gate: str) -> GateStep | None:
        """Return one of its gates; None where it did not change."""
        return next((step for step in self.steps if step.gate == gate), None)


@dataclass(frozen=True, slots=True)
class PatternChange:
    """The pattern in both runs. It ``flips`` where the words differ; ``assigned`` says that both are of the four."""

    before: str
    after: str
    probability_before: float | None
    probability_after: float | None
    reason_after: str
    flips: bool
    assigned: bool


@dataclass(frozen=True, slots=True)
class TubeChange:
    """One tube in both runs, by its name in the first; ``other_id`` is its name in the second."""

    sample_id: str
    other_id: str
    populations: tuple[PopulationChange, ...]
    pattern: PatternChange
    notes: tuple[str, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether one of its index populations did."""
        return any(each.moved for each in self.populations)


def compare_tubes(before: SampleResult, after: SampleResult, populations: Sequence[str]) -> TubeChange:
    """Compare two results of one file.

    Parameters
    ----------
    before, after : SampleResult
        The results.
    populations : sequence of str
        Populations to compare, by name.

    Returns
    -------
    TubeChange
        Without the populations that the tube has in neither result.
    """
    there = [name for name in populations if any(_row(each, name, "count", "") for each in (before, after))]
    return TubeChange(
        sample_id=before.sample_id,
        other_id=after.sample_id,
        populations=tuple(_population(before, after, name) for name in there),
        pattern=_pattern(before, after),
        notes=tuple(_tube_notes(before, after)),
    )


def _population(before: SampleResult, after: SampleResult, name: str) -> PopulationChange:
    numbers = tuple(_numbers(before, after, name))
    steps = ladder(before, after, name)
    first, most = first_change(steps), greatest_change(steps)
    return PopulationChange(
        population=name,
        label=before.labels_of_populations.get(name, name),
        numbers=numbers,
        moved=any(number.outside for number in numbers),
        first="" if first is None else first.gate,
        most="" if most is None else most.gate,
        steps=tuple(step for step in steps if step.changes or step.differs),
    )


def _numbers(before: SampleResult, after: SampleResult, name: str) -> Iterator[NumberChange]:
    yield _number(_row(before, name, "count", ""), _row(after, name, "count", ""), "count", "", "events")
    for denominator in before.denominators:
        rows = [_row(each, name, "per_million", denominator) for each in (before, after)]
        if denominator in after.denominators and any(rows):
            yield _number(rows[0], rows[1], "per_million", denominator, "per million")


def _number(
    before: Statistic | None, after: Statistic | None, statistic: str, denominator: str, unit: str
) -> NumberChange:
    old, new = (None if row is None else row.value for row in (before, after))
    old_low, old_high = _limits(before)
    new_low, new_high = _limits(after)
    if old is None or new is None:
        outside = old is not new
    else:
        outside = not (_within(new, old_low, old_high) or _within(old, new_low, new_high))
    ratio = new / old if old and new is not None else None
    return NumberChange(
        statistic=statistic,
        denominator=denominator,
        unit=unit,
        before=old,
        before_low=old_low,
        before_high=old_high,
        after=new,
        after_low=new_low,
        after_high=new_high,
        ratio=ratio,
        outside=outside,
        state_before="" if before is None else before.state,
        state_after="" if after is None else after.state,
    )


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)


def _limits(row: Statistic | None) -> tuple[float | None, float | None]:
    """Return the interval of counting alone; of a count that does not say it, the exact one at 95 %."""
    if row is None or row.value is None:
        return None, None
    if row.counting_low is None and row.counting_high is None:
        return poisson(int(row.value)) if row.statistic == "count" else (row.ci_low, row.ci_high)
    return row.counting_low, row.counting_high


def _row(result: SampleResult, population: str, statistic: str, denominator: str) -> Statistic | None:
    wanted = (population, statistic, denominator, "")
    rows = (row for row in result.statistics if (row.population, row.statistic, row.denominator, row.marker) == wanted)
    return next(rows, None)


def _pattern(before: SampleResult, after: SampleResult) -> PatternChange:
    old, new = before.pattern, after.pattern
    return PatternChange(
        before=old.pattern,
        after=new.pattern,
        probability_before=old.probability,
        probability_after=new.probability,
        reason_after=new.reason,
        flips=old.pattern != new.pattern,
        assigned=old.pattern in PATTERNS and new.pattern in PATTERNS,
    )


def _tube_notes(before: SampleResult, after: SampleResult) -> Iterator[str]:
    """Yield what is not the same of the tube itself: numbers may move by it though no boundary does."""
    if _matrix(before) != _matrix(after):
        yield "the compensation is another one"
    if before.tree.gain != after.tree.gain:
        yield "the gain ($PnG) is applied in one of the runs only"
    if before.n_events != after.n_events:
        yield f"{before.n_events:,} events were read, then {after.n_events:,}"
    used = [{each.sha256 for each in result.controls if not each.unused} for result in (before, after)]
    if used[0] != used[1]:
        yield f"gated with other controls: {len(used[0])} tubes, then {len(used[1])}"
    moved = [", ".join(edit.population for edit in result.edits) or "none" for result in (before, after)]
    if before.edits != after.edits:
        yield f"gates moved by hand: {moved[0]}; then {moved[1]}"


def _matrix(result: SampleResult) -> tuple[object, ...]:
    """Return the channels and the numbers of the matrix, wherever it came from."""
    used = result.tree.compensation
    return () if used is None else (used.channels, used.matrix)
