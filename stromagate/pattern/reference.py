"""A calibration made of tubes: the laboratory's own controls (L1), or a cohort (L2). Locked when it is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stromagate import __version__
from stromagate.errors import SpecificationError
from stromagate.model.calibration import CalibrationTube, CohortCalibration, ControlCalibration, Reference
from stromagate.model.detection import LOD_FLOOR_EVENTS
from stromagate.model.result import SampleResult
from stromagate.model.specimen import is_stained
from stromagate.pattern.evidence import MILLION, MSC, Evidence, evidence
from stromagate.pattern.indices import settled
from stromagate.pattern.rates import point_rates
from stromagate.pattern.strata import stratum

CutRule = Literal["range", "median", "tertiles"]
MIN_TUBES = 3
"""Fewer tubes make no reference at all."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A tube that was not taken, and why."""

    sample_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it."""

    calibration: ControlCalibration | CohortCalibration
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class _Taken:
    result: SampleResult
    told: Evidence


def make_calibration(
    results: Sequence[SampleResult],
    *,
    name: str,
    cut: CutRule = "range",
    denominators: Sequence[str] = (),
    made_on: str = "",
    note: str = "",
) -> Made:
    """Make a calibration of the stained tubes among some results.

    Parameters
    ----------
    results : sequence of SampleResult
        Of one template. Of each patient the first tube is taken: two of one are no two.
    name : str
        What reports call it.
    cut : {"range", "median", "tertiles"}
        ``range`` makes L1 of own controls; the others make L2 of a cohort.
    denominators : sequence of str
        Those that decide, the main one first; by default those of ``deciding_denominators``.
    made_on, note : str
        The day, and whatever a reader must know.

    Raises
    ------
    SpecificationError
        Fewer than `MIN_TUBES` tubes can be taken, they are of several kinds of specimen, a denominator is none of
        theirs, or they have none in common.
    """
    taken, left_out = _taken(results)
    if len(taken) < MIN_TUBES:
        raise SpecificationError(
            "calibrate.too_few",
            f"{len(taken)} {'tube' if len(taken) == 1 else 'tubes'} can be taken, and {MIN_TUBES} at least are needed",
            hint="; ".join(f"{item.sample_id}: {item.reason}" for item in left_out[:3])
            or "name runs with stained tubes",
        )
    strata, instrument = _one_kind(taken)
    common = _common(taken)
    deciding = tuple(dict.fromkeys(denominators)) or deciding_denominators(taken[0].result, common)
    if unknown := [each for each in deciding if each not in common]:
        raise SpecificationError(
            "calibrate.denominator",
            f"'{unknown[0]}' is no denominator that all tubes have",
            hint=f"allowed: {', '.join(common)}",
        )
    template = taken[0].result.template
    shared = {
        "name": name,
        "template": template.name,
        "template_version": template.version,
        "template_sha256": template.sha256,
        "stromagate": __version__,
        "made_on": made_on,
        "strata": strata,
        "instrument": instrument,
        "denominators": deciding,
        "background": "net" if taken[0].told.is_known else "raw",
        "offset_ppm": _offset(taken, deciding[0]),
        "note": note,
        "tubes": tuple(_tube(each.result) for each in taken),
        "rates": {each: _rates(taken, each) for each in common},
    }
    if cut == "range":
        return Made(ControlCalibration.model_validate(shared).sealed(), left_out)
    return Made(CohortCalibration.model_validate({**shared, "cut": cut}).sealed(), left_out)


def deciding_denominators(result: SampleResult, among: Sequence[str]) -> tuple[str, ...]:
    """Return the denominators that all say how much stroma there is in a marrow, the main one first.

    Left out are those that hold MSC and lie below the main one: a share of the CD45-low or of all stroma says how pure
    these are, and differs between marrows whatever their stroma does.
    """
    main = next(each for each in result.denominators if each in among)
    nodes = {node.name: node for node in result.tree.nodes}
    way, at = set[str](), nodes[result.indices[MSC]].parent
    while at in nodes and at != main:
        way.add(at)
        at = nodes[at].parent
    compartments = way if at == main else set()
    return (main, *(each for each in among if each != main and each not in compartments))


def _taken(results: Sequence[SampleResult]) -> tuple[list[_Taken], tuple[LeftOut, ...]]:
    fit, left_out = list[_Taken](), list[LeftOut]()
    for result in results:
        told = evidence(result)
        reason = _unfit(result, told)
        if reason or isinstance(told, str):
            left_out.append(LeftOut(result.sample_id, reason))
        else:
            fit.append(_Taken(result, told))
    taken = list[_Taken]()
    files, patients = dict[str, str](), dict[str, str]()
    for each in _of_one_background(fit, left_out):
        result = each.result
        file, patient = result.source.sha256 or "", result.labels.get("patient_id", "").strip()
        if file in files:
            left_out.append(LeftOut(result.sample_id, f"its file is that of {files[file]}"))
        elif patient in patients:
            left_out.append(LeftOut(result.sample_id, f"its patient is that of {patients[patient]}"))
        else:
            taken.append(each)
            files |= {file: result.sample_id} if file else {}
            patients |= {patient: result.sample_id} if patient else {}
    return taken, tuple(left_out)


def _of_one_background(fit: list[_Taken], left_out: list[LeftOut]) -> list[_Taken]:
    """Leave out tubes without controls where others have some: net and raw rates are not of one kind.

    Before twins are looked for: a patient whose first tube has no control still has the second.
    """
    net = [each for each in fit if each.told.is_known]
    if not net or len(net) == len(fit):
        return fit
    reason = "no control shows its background, and the others' rates are net of theirs"
    left_out += [LeftOut(each.result.sample_id, reason) for each in fit if not each.told.is_known]
    return net


def _unfit(result: SampleResult, told: Evidence | str) -> str:
    """Return why a tube is not taken, whatever the others are; empty where it is."""
    if not is_stained(result.labels):
        return f"it is a control tube ({result.role})"
    if isinstance(told, str):
        return told
    if failed := [item for item in result.findings if item.spoils]:
        return f"the check {failed[0].code} failed: {failed[0].sentence}"
    return ""


def _one_kind(taken: Sequence[_Taken]) -> tuple[dict[str, str], str]:
    """Return the kind of specimen that all tubes share, and their cytometer; kinds are never mixed."""
    kinds = [stratum(each.result.labels, each.result.instrument) for each in taken]
    for column in kinds[0]:
        words = list(dict.fromkeys(kind[column] for kind in kinds))
        if len(words) > 1:
            raise SpecificationError(
                "calibrate.strata",
                f"the tubes differ in `{column}`: {', '.join(words)}",
                where=next(
                    each.result.sample_id for each, kind in zip(taken, kinds, strict=True) if kind[column] == words[1]
                ),
                hint=f"make one calibration of each, with --where {column}=...",
            )
    cytometers = {" ".join(each.result.instrument.get("$CYT", "").split()) for each in taken}
    return kinds[0], cytometers.pop() if len(cytometers) == 1 else ""


def _common(taken: Sequence[_Taken]) -> list[str]:
    """Return the denominators under which every tube has a rate, in the template's order."""
    first = taken[0].told.counted.totals
    common = [name for name in first if all(name in each.told.counted.totals for each in taken)]
    if not common:
        raise SpecificationError(
            "calibrate.no_denominator",
            "there is no denominator of which every tube holds events",
            hint="make it of fewer tubes, with --where COLUMN=VALUE",
        )
    return common


def _rates(taken: Sequence[_Taken], denominator: str) -> Reference:
    found = [point_rates(each.told, each.told.counted, net=each.told.is_known)[denominator] for each in taken]
    return Reference(
        P=tuple(settled(float(each.p[0])) for each in found), Q=tuple(settled(float(each.q[0])) for each in found)
    )


def _offset(taken: Sequence[_Taken], denominator: str) -> float:
    """Return half the median limit of detection, per million."""
    return settled(float(np.median([half for each in taken for half in _half_limit(each, denominator)])))


def _half_limit(each: _Taken, denominator: str) -> Iterator[float]:
    known = each.told.limits.get(MSC)
    lod = max(known.lod_events, known.detected_from) if known else LOD_FLOOR_EVENTS
    yield 0.5 * lod * MILLION / each.told.counted.total(denominator)


def _tube(result: SampleResult) -> CalibrationTube:
    labels = result.labels
    return CalibrationTube(
        sample_id=result.sample_id,
        sha256=result.source.sha256 or "",
        patient_id=labels.get("patient_id", "").strip(),
        age=labels.get("age", "").strip(),
    )
