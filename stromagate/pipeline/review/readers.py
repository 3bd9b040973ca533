"""Two readers of the same tubes: each with a run of their own, compared tube by tube."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stromagate.errors import SpecificationError, StromagateError
from stromagate.model.result import SampleResult
from stromagate.model.specimen import is_stained
from stromagate.pipeline.finished_runs import content_of, finished_runs, one_template
from stromagate.quantify.agreement import Intraclass, Kappa, Limits, bland_altman, intraclass, kappa

_RATE = "per_million"


@dataclass(frozen=True, slots=True)
class Pair:
    """One tube as both readers have it, by the first reader's name: per million, and the pattern's words."""

    sample_id: str
    first: float | None
    second: float | None


@dataclass(frozen=True, slots=True)
class NumberAgreement:
    """Agreement on one index population under one denominator; ``why`` says why a measure is missing.

    ICC and limits are of logarithms: a limit is a ratio, second over first.
    """

    population: str
    denominator: str
    pairs: tuple[Pair, ...]
    icc: Intraclass | None
    limits: Limits | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class ReaderAgreement:
    """Agreement of two readers. ``readers`` are the names under the edits of each run, ``n_moved`` tubes with edits."""

    n_tubes: int
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    readers: tuple[tuple[str, ...], tuple[str, ...]]
    n_moved: tuple[int, int]
    numbers: tuple[NumberAgreement, ...]
    pattern: Kappa | None
    patterns: tuple[tuple[str, str, str], ...]
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the plain object."""
        return asdict(self)


def compare_readers(first: Path, second: Path, *, confidence: float = 0.95) -> ReaderAgreement:
    """Compare two finished runs of the same files, each reviewed by a reader of its own.

    Tubes are paired by the content of their files, whatever they are called; controls are left out.

    Parameters
    ----------
    first, second : path
        The runs; of one template.
    confidence : float
        Level of the intervals.

    Raises
    ------
    UsageError
        A folder is named twice.
    InputError
        A folder holds no finished run, or a result is damaged.
    SpecificationError
        The runs are of two templates, or share no tube.
    """
    runs = finished_runs([first, second], "review")
    one_template(runs, "review")
    ours, theirs = ({content_of(each): each for each in run.results() if is_stained(each.labels)} for run in runs)
    shared = [(ours[content], theirs[content]) for content in ours if content in theirs]
    if not shared:
        raise SpecificationError(
            "review.no_pairs",
            "the two runs share no tube: no file has the same content in both",
            where=str(second),
            hint="name two runs of the same FCS files",
        )
    words = tuple((a.sample_id, a.pattern.pattern, b.pattern.pattern) for a, b in shared)
    pattern = kappa([one for _, one, _ in words], [other for _, _, other in words], confidence=confidence)
    return ReaderAgreement(
        n_tubes=len(shared),
        only_first=tuple(each.sample_id for content, each in ours.items() if content not in theirs),
        only_second=tuple(each.sample_id for content, each in theirs.items() if content not in ours),
        readers=(_readers([a for a, _ in shared]), _readers([b for _, b in shared])),
        n_moved=(sum(bool(a.edits) for a, _ in shared), sum(bool(b.edits) for _, b in shared)),
        numbers=tuple(_numbers(shared, confidence)),
        pattern=None if pattern.value is None else pattern,
        patterns=words,
        why="" if pattern.value is not None else f"both readers have one pattern for all tubes: {words[0][1]}",
    )


def _readers(results: Sequence[SampleResult]) -> tuple[str, ...]:
    return tuple(sorted({edit.who for result in results for edit in result.edits}))


def _numbers(shared: Sequence[tuple[SampleResult, SampleResult]], confidence: float) -> Iterator[NumberAgreement]:
    first = shared[0][0]
    for population in dict.fromkeys(first.indices.values()):
        for denominator in first.denominators:
            pairs = tuple(
                Pair(a.sample_id, _rate(a, population, denominator), _rate(b, population, denominator))
                for a, b in shared
            )
            if any(pair.first is not None or pair.second is not None for pair in pairs):
                yield _number(population, denominator, pairs, confidence)


def _number(population: str, denominator: str, pairs: tuple[Pair, ...], confidence: float) -> NumberAgreement:
    counted = [(pair.first, pair.second) for pair in pairs if pair.first and pair.second]
    icc, limits, why = None, None, ""
    try:
        limits = bland_altman([p.first for p in pairs], [p.second for p in pairs], confidence=confidence)
        icc = intraclass([(math.log(a), math.log(b)) for a, b in counted], confidence=confidence)
    except StromagateError as error:
        why = error.message
    return NumberAgreement(population, denominator, pairs, icc, limits, why)


def _rate(result: SampleResult, population: str, denominator: str) -> float | None:
    rows = (
        row.value
        for row in result.statistics
        if (row.population, row.statistic, row.denominator, row.marker) == (population, _RATE, denominator, "")
    )
    return next(rows, None)
