"""Finished runs as teachers: which of their tubes count, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.gating.tree import deciders, evaluable
from stromagate.model.result import SampleResult
from stromagate.model.scales import Scale
from stromagate.pipeline.finished_runs import finished_runs, one_template


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The result of one tube, and whose marrow it is of."""

    result: SampleResult
    donor: str

    def scale(self, axis: str) -> Scale:
        """Return the display scale of an axis on this tube.

        Raises
        ------
        SpecificationError
            The tube carries no such axis.
        """
        axes = self.result.tree.axes
        if axis not in axes:
            raise SpecificationError(
                "train.axis",
                f"the tube carries no {axis}",
                where=self.result.sample_id,
                hint=did_you_mean(axis, axes),
            )
        return axes[axis].scale


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A tube that teaches nothing, and why."""

    sample_id: str
    reason: str


def reviewed(
    folders: Sequence[Path], population: str, donor: str, *, seen: bool = False
) -> tuple[list[Reviewed], list[LeftOut]]:
    """Return the stained tubes of some runs in which a population was placed, each with its donor.

    A tube whose findings fail is left out, unless somebody has had the last word on it: drawn a boundary that decides
    about the population, or (``seen``) listed its events.

    Raises
    ------
    UsageError
        No folder, or one twice.
    InputError
        A folder holds no finished run.
    SpecificationError
        Several templates, an unknown population, a file twice, tubes without a donor.
    """
    runs = finished_runs(folders, "train")
    one_template(runs, "train")
    column = "_".join(donor.casefold().split())  # as a sheet's columns are read
    spelt: dict[str, str] = {}
    tubes: list[Reviewed] = []
    failed = (entry for each in runs for entry in each.run.samples if entry.status == "failed")
    left_out = [LeftOut(entry.sample_id, "the tube failed") for entry in failed]
    for each in runs:
        for result in each.results():
            _must_know(population, result)
            reason = _unfit(result, population, seen=seen)
            if reason:
                left_out.append(LeftOut(result.sample_id, reason))
                continue
            name = " ".join(result.labels.get(column, "").split())
            tubes.append(Reviewed(result, spelt.setdefault(name.casefold(), name)))
    _all_named(tubes, column)
    _each_once(tubes)
    return tubes, left_out


def _must_know(population: str, result: SampleResult) -> None:
    names = [node.name for node in result.tree.nodes]
    if population not in names and population not in result.left_out:
        raise SpecificationError(
            "train.population",
            f"the runs' template has no population '{population}'",
            where=result.sample_id,
            hint=did_you_mean(population, names),
        )


def drawn(result: SampleResult, population: str) -> bool:
    """Say whether somebody drew a boundary that decides about a population."""
    return any(result.tree.node(name).state == "edited" for name in deciders(result.tree, population))


def _unfit(result: SampleResult, population: str, *, seen: bool) -> str:
    """Return why a tube teaches nothing; empty where it does."""
    failing = [item for item in result.findings if item.spoils]
    if result.role.casefold() != "stained":
        return f"it is a control ({result.role})"
    if population in result.left_out:
        return result.left_out[population]
    if population not in evaluable(result.tree):
        return f"'{population}' could not be evaluated"
    own = result.tree.node(population)
    if own.method == "classifier" and own.state != "edited" and not seen:
        return "its boundary was itself learned, and teaches nothing new"
    if failing and not seen and not drawn(result, population):
        return f"its finding {failing[0].code} is a failure: {failing[0].sentence}"
    return ""


def _all_named(tubes: Sequence[Reviewed], column: str) -> None:
    """Refuse tubes of nobody: two tubes of one donor, one learned from and one scored, would be a score of nothing."""
    nobody = [tube.result.sample_id for tube in tubes if not tube.donor]
    if nobody:
        more = f" and {len(nobody) - 3} more" if len(nobody) > 3 else ""
        raise SpecificationError(
            "train.no_donor",
            f"nothing says whose marrow these tubes are: {', '.join(nobody[:3])}{more}",
            hint=f"fill the column `{column}` of the sample sheet and run again, or name another with --donor",
        )


def _each_once(tubes: Sequence[Reviewed]) -> None:
    """Refuse a file that comes twice: it would be learned from under one name and scored under the other."""
    first: dict[str, Reviewed] = {}
    for tube in tubes:
        digest = tube.result.source.sha256 or ""
        earlier = first.setdefault(digest, tube)
        if earlier is not tube or not digest:
            same = (
                f"has the same content as {earlier.result.sample_id}" if digest else "does not say which file it is of"
            )
            raise SpecificationError(
                "train.same_file",
                f"{tube.result.sample_id} {same}",
                where=tube.result.source.path,
                hint="train on each file once: leave one of the runs out, or one of the rows of the sheet",
            )
