"""Two finished runs of the same files beside each other: which tubes moved, by which gate, whether a pattern flips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stromagate.errors import SpecificationError
from stromagate.model.result import RunIndex, SampleResult, TemplateRef
from stromagate.model.specimen import is_stained
from stromagate.pipeline.compare.tubes import TubeChange, compare_tubes
from stromagate.pipeline.finished_runs import FinishedRun, content_of, finished_runs


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
    ours, theirs = ([each for each in results if is_stained(each.labels)] for results in read)
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
        waiting[content_of(each)].append(each)
    partner: dict[int, SampleResult] = {}
    for same_name in (True, False):
        for place, each in enumerate(first):
            choice = [one for one in waiting[content_of(each)] if not same_name or one.sample_id == each.sample_id]
            if place not in partner and choice:
                partner[place] = choice[0]
                waiting[content_of(each)] = [one for one in waiting[content_of(each)] if one is not choice[0]]
    pairs = [(each, partner[place]) for place, each in enumerate(first) if place in partner]
    left = {id(one) for ones in waiting.values() for one in ones}
    lost = [each for place, each in enumerate(first) if place not in partner]
    return pairs, lost, [each for each in second if id(each) in left]


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


def _template(ref: TemplateRef) -> str:
    return f"{ref.name} {ref.version}"
