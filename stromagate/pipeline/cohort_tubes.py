"""From results to the lines of a cohort: each stained tube once, replicates of one specimen as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stromagate import __version__
from stromagate.model.cohort import SHARE, Cohort, CohortCuts, CohortFinding, CohortTube, LeftOut
from stromagate.model.pattern import INDETERMINATE, NOT_ASSIGNED
from stromagate.model.pooled import PooledGroup
from stromagate.model.result import SampleResult
from stromagate.pattern.strata import stratum
from stromagate.quantify.cohort import MSC, Basis, P, Q, basis, numbers, offsets
from stromagate.quantify.cohort_replicates import pooled_numbers, replicates
from stromagate.report.lookup import simulated, worst

_OF = {P: "progenitors", Q: "other MSC (MSC without progenitors)", SHARE: "progenitors among MSC", MSC: "all MSC"}


@dataclass(frozen=True, slots=True)
class Taken:
    """A stained tube that goes into a cohort: its result, whose name is unlike any other's, and where it is from."""

    result: SampleResult
    run: str
    sample_id: str


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of a cohort beside its tubes."""

    runs: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    n_controls: int = 0
    group_by: str = ""
    offset_ppm: float | None = None
    performance: str = ""


def assemble(taken: Sequence[Taken], around: Around) -> Cohort:
    """Put tubes of one template side by side.

    Parameters
    ----------
    taken : sequence of Taken
        At least one; the names of their results differ.
    around : Around
        What else the cohort says.

    Returns
    -------
    Cohort
        One line a tube, in the order given; replicates of a specimen whose counts can be added up are one line, in
        the place of the first.
    """
    results = [one.result for one in taken]
    first, based = results[0], basis(results)
    lines, notes = _lines(taken, based, around.group_by)
    calls = [one.pattern.calibration for one in results if one.pattern.calibration is not None]
    c = offsets(results, based)
    return Cohort(
        stromagate=__version__,
        template=first.template,
        runs=around.runs,
        strata=_shared([line.strata for line in lines]),
        group_by=around.group_by,
        confidence=first.record.config.confidence,
        indices=first.indices,
        quantities={key: _OF.get(key, first.labels_of_populations.get(key, key)) for key in based.populations},
        denominators=based.denominators,
        labels_of_populations=first.labels_of_populations,
        net=based.net,
        offset_ppm=c if around.offset_ppm is None else dict.fromkeys(c, around.offset_ppm),
        calibration=calls[0] if calls else None,
        performance=around.performance,
        cuts=_cuts(results, based),
        tubes=tuple(lines),
        left_out=around.left_out,
        n_controls=around.n_controls,
        notes=tuple(notes),
    )


def _shared(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return what all agree in."""
    return {key: value for key, value in each[0].items() if all(other.get(key) == value for other in each)}


def _lines(taken: Sequence[Taken], based: Basis, group_by: str) -> tuple[list[CohortTube], list[str]]:
    by_name = {one.result.sample_id: one for one in taken}
    single = {name: _tube(one, based, group_by) for name, one in by_name.items()}
    pooled: dict[str, CohortTube | None] = {}
    notes: list[str] = []
    for group in replicates([one.result for one in taken], based):
        members = [by_name[name] for name in group.samples]
        found, why = pooled_numbers(group, [one.result for one in members], based)
        if why:
            notes.append(f"{', '.join(group.samples)} are replicates and stand one by one: {why}")
            continue
        line = _together([single[name] for name in group.samples], group).model_copy(update={"numbers": found})
        pooled |= {group.samples[0]: line, **dict.fromkeys(group.samples[1:])}
    lines = [pooled.get(name, tube) for name, tube in single.items()]
    return [line for line in lines if line is not None], notes


def _tube(one: Taken, based: Basis, group_by: str) -> CohortTube:
    result, gravest = one.result, worst(one.result.findings)
    return CohortTube(
        name=result.sample_id,
        run=one.run,
        sample_id=one.sample_id,
        samples=(result.sample_id,),
        patient_id=result.labels.get("patient_id", "").strip(),
        group=result.labels.get(group_by, "").strip() if group_by else "",
        labels=result.labels,
        strata=stratum(result.labels, result.instrument),
        instrument=" ".join(result.instrument.get("$CYT", "").split()),
        template_sha256=result.template.sha256,
        simulated=simulated(result.instrument, result.labels),
        adjusted=bool(result.edits),
        n_events=result.n_events,
        sha256=(result.source.sha256,) if result.source.sha256 else (),
        numbers=numbers(result, based),
        background=result.pattern.background,
        level=result.pattern.level,
        pattern=result.pattern.pattern,
        reason=result.pattern.reason,
        probability=result.pattern.probability,
        probabilities=result.pattern.probabilities,
        worst=gravest.status if gravest else None,
        findings=tuple(
            CohortFinding(code=found.code, check=found.check, status=found.status)
            for found in result.findings
            if found.status in {"warn", "fail"}
        ),
    )


def _together(members: Sequence[CohortTube], group: PooledGroup) -> CohortTube:
    """Return the line of replicates, but for its numbers: a finding of one of them is one of all."""
    first = members[0]
    gravest = worst_of([one.worst for one in members])
    labels = {**_shared([one.labels for one in members]), **group.labels}
    found = dict.fromkeys(each for one in members for each in one.findings)
    n = len(members) - 1
    return first.model_copy(
        update={
            "name": f"{first.name} + {n} replicate{'s' if n > 1 else ''}",
            "samples": group.samples,
            "labels": labels,
            "n_events": sum(one.n_events for one in members),
            "sha256": tuple(one for each in members for one in each.sha256),
            "background": ", ".join(dict.fromkeys(one.background for one in members if one.background)),
            "simulated": any(one.simulated for one in members),
            "adjusted": any(one.adjusted for one in members),
            "worst": gravest,
            "findings": tuple(found),
            "note": f"pooled by counts: {', '.join(group.samples)}",
            "members": tuple(members),
            **_pattern_of(members),
        }
    )


def _pattern_of(members: Sequence[CohortTube]) -> dict[str, object]:
    """Return the pattern of replicates: theirs where all have one, and never a surer one than the least sure."""
    called = list(dict.fromkeys(one.pattern for one in members))
    if len(called) == 1:
        known = [one for one in members if one.probability is not None]
        least = min(known, key=lambda one: one.probability or 0.0, default=members[0])
        return {"reason": least.reason, "probability": least.probability, "probabilities": least.probabilities}
    uncalibrated = all(one.level == "L0" for one in members)
    return {
        "pattern": NOT_ASSIGNED if uncalibrated else INDETERMINATE,
        "reason": f"the replicates are called differently: {', '.join(one.pattern for one in members)}",
        "probability": None,
        "probabilities": {},
    }


_GRAVITY = ("fail", "warn", "pass", "not_applicable")


def worst_of(found: Sequence[str | None]) -> str | None:
    """Return the gravest status; None where nothing was checked."""
    return min((one for one in found if one is not None), key=_GRAVITY.index, default=None)


def _cuts(results: Sequence[SampleResult], based: Basis) -> dict[str, CohortCuts]:
    """Return where the calibration of the calls parts low from high, by denominator."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for result in results:
        for one in result.pattern.indices:
            if one.cut_low is not None and one.cut_high is not None and one.denominator in based.denominators:
                found.setdefault(one.denominator, {})[one.index] = (one.cut_low, one.cut_high)
        if len(found) == len(based.denominators):
            break
    return {
        name: CohortCuts(p_low=cut[P][0], p_high=cut[P][1], q_low=cut[Q][0], q_high=cut[Q][1])
        for name, cut in found.items()
        if P in cut and Q in cut
    }
