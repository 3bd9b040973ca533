"""Two finished runs of the same files beside each other: which tubes moved, by which gate, whether a pattern flips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stromagate.errors import SpecificationError
from stromagate.model.pattern import PATTERNS
from stromagate.model.result import RunIndex, SampleResult, Statistic, TemplateRef
from stromagate.pipeline.compare_boundaries import GateStep, first_change, greatest_change, ladder
from stromagate.pipeline.finished_runs import FinishedRun, finished_runs
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs. Names of tubes that one of them alone has come with the reason where there is one."""

    templates: tuple[str, str]
    same_template: bool
    tubes: tuple[TubeChange, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    populations_only_first: tuple[str, ...]
    populations_only_second: tuple[str, ...]
    n_controls: int
    notes: tuple[str, ...] = ()

    @property
    def moved(self) -> tuple[str, ...]:
        """Tubes of which a number moved."""
        return tuple(tube.sample_id for tube in self.tubes if tube.moved)

    @property
    def flipped(self) -> tuple[str, ...]:
        """Tubes whose pattern flips."""
        return tuple(tube.sample_id for tube in self.tubes if tube.pattern.flips)

    def as_json(self) -> dict[str, Any]:
        """Return the plain object."""
        return {"kind": "runs", **asdict(self), "moved": list(self.moved), "flipped": list(self.flipped)}


def compare_runs(first: Path, second: Path) -> Comparison:
    """Compare two finished runs tube by tube.

    Tubes are paired by the content of their files, whatever they are called; controls are left out.

    Parameters
    ----------
    first, second : path
        Folders of the runs; their templates may differ.

    Raises
    ------
    UsageError
        A folder is named twice.
    InputError
        A folder holds no finished run, or a result is damaged.
    SpecificationError
        The runs share no tube, or no index population.
    """
    runs = finished_runs([first, second], "compare")
    read = [run.results() for run in runs]
    ours, theirs = ([each for each in results if _is_stained(each)] for results in read)
    pairs, only_first, only_second = pair_tubes(ours, theirs)
    if not pairs:
        raise SpecificationError(
            "compare.no_pairs",
            "the two runs share no stained tube: no file has the same content in both",
            where=str(second),
            hint="name two runs of the same FCS files",
        )
    shared, mine, others = _populations(pairs)
    if not shared:
        raise SpecificationError(
            "compare.no_population",
            f"the two templates share no index population: {', '.join(mine)} and {', '.join(others)}",
            where=str(second),
            hint="populations are compared by their names in the template",
        )
    return Comparison(
        templates=(_template(pairs[0][0].template), _template(pairs[0][1].template)),
        same_template=pairs[0][0].template.sha256 == pairs[0][1].template.sha256,
        tubes=tuple(compare_tubes(a, b, shared) for a, b in pairs),
        only_first=tuple(_missing(only_first, runs[1].run)),
        only_second=tuple(_missing(only_second, runs[0].run)),
        populations_only_first=mine,
        populations_only_second=others,
        n_controls=sum(map(len, read)) - len(ours) - len(theirs),
        notes=tuple(_run_notes(*runs)),
    )


def pair_tubes(
    first: Sequence[SampleResult], second: Sequence[SampleResult]
) -> tuple[list[tuple[SampleResult, SampleResult]], list[SampleResult], list[SampleResult]]:
    """Pair results by the content of their files; of several with one content, those of one name first.

    Returns
    -------
    tuple
        The pairs in the first's order, what the first alone has, what the second alone has.
    """
    waiting: dict[tuple[str, int], list[SampleResult]] = defaultdict(list)
    for each in second:
        waiting[_content(each)].append(each)
    partner: dict[int, SampleResult] = {}
    for same_name in (True, False):
        for place, each in enumerate(first):
            choice = [one for one in waiting[_content(each)] if not same_name or one.sample_id == each.sample_id]
            if place not in partner and choice:
                partner[place] = choice[0]
                waiting[_content(each)] = [one for one in waiting[_content(each)] if one is not choice[0]]
    pairs = [(each, partner[place]) for place, each in enumerate(first) if place in partner]
    left = {id(one) for ones in waiting.values() for one in ones}
    lost = [each for place, each in enumerate(first) if place not in partner]
    return pairs, lost, [each for each in second if id(each) in left]


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


def _run_notes(first: FinishedRun, second: FinishedRun) -> Iterator[str]:
    ours, theirs = first.run, second.run
    if ours.stromagate != theirs.stromagate:
        yield f"made with stromagate {ours.stromagate}, then {theirs.stromagate}"
    called = [None if run.calibration is None else run.calibration.sha256 for run in (ours, theirs)]
    if called[0] != called[1]:
        names = ["none" if run.calibration is None else run.calibration.name for run in (ours, theirs)]
        yield f"patterns were called by another calibration: {names[0]}, then {names[1]}"


def _populations(
    pairs: Sequence[tuple[SampleResult, SampleResult]],
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the index populations of either run that both templates have by name, and those that one alone has."""
    ours, theirs = (list(dict.fromkeys(name for pair in pairs for name in pair[i].indices.values())) for i in (0, 1))
    held = tuple({node.name for pair in pairs for node in pair[i].tree.nodes} for i in (0, 1))
    return (
        tuple(name for name in dict.fromkeys([*ours, *theirs]) if name in held[0] and name in held[1]),
        tuple(name for name in ours if name not in held[1]),
        tuple(name for name in theirs if name not in held[0]),
    )


def _missing(results: Sequence[SampleResult], other: RunIndex) -> Iterator[str]:
    """Yield tubes that the other run has no result of, with its reason where it failed there."""
    failed = {entry.sha256 for entry in other.samples if entry.status == "failed" and entry.sha256}
    named = {entry.sample_id for entry in other.samples if entry.status == "failed" and not entry.sha256}
    for each in results:
        could_not = each.source.sha256 in failed or each.sample_id in named
        yield f"{each.sample_id} (could not be analysed in the other run)" if could_not else each.sample_id


def _matrix(result: SampleResult) -> tuple[object, ...]:
    """Return the channels and the numbers of the matrix, wherever it came from."""
    used = result.tree.compensation
    return () if used is None else (used.channels, used.matrix)


def _template(ref: TemplateRef) -> str:
    return f"{ref.name} {ref.version}"


def _content(result: SampleResult) -> tuple[str, int]:
    return result.source.sha256 or result.source.path, result.source.dataset


def _is_stained(result: SampleResult) -> bool:
    return result.role.casefold() == "stained"
