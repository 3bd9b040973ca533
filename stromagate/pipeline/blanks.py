"""From finished runs to a laboratory's blanks: what tubes that can hold no stroma count of the index populations.

A blank went through the whole procedure as a sample does, its boundaries placed by the same template; so it shows what
procedure and background together make of nothing. FMO controls are no blanks: they hold the marrow's own stroma, and
their cuts were set on themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import SpecificationError
from stromagate.model.blanks import Blanks, BlankTube
from stromagate.model.detection import LAB_BLANKS
from stromagate.model.gates import ROOT
from stromagate.model.result import SampleResult, TemplateRef
from stromagate.pipeline.finished_runs import finished_runs, one_template
from stromagate.quantify.background import scaled_by
from stromagate.quantify.detection import MIN_BLANKS, MIN_DAYS, MIN_LOTS, Blank, Expected, expect, limits
from stromagate.templates import LoadedTemplate

PER = 1_000_000


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A tube that is no blank to count on, and why."""

    folder: str
    sample_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What the blanks say of one population in a million events of a denominator."""

    population: str
    denominator: str
    expected: Expected
    lob: int
    method: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """What came of it."""

    blanks: Blanks
    summaries: tuple[Summary, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def lacking(self) -> tuple[str, ...]:
        """What is missing to a percentile of the blanks' own, in words."""
        have = (
            (len(self.blanks.tubes), MIN_BLANKS, "blanks"),
            (len(self.blanks.days), MIN_DAYS, "days"),
            (len(self.blanks.lots), MIN_LOTS, "lots"),
        )
        return tuple(f"{n} of {least} {what}" for n, least, what in have if n < least)


def gather(folders: Sequence[Path], loaded: LoadedTemplate | None = None) -> Gathered:
    """Gather the blanks of finished runs.

    Parameters
    ----------
    folders : sequence of path
        Finished runs. A blank's day is its label ``day``, else its label ``batch``, else its run's folder.
    loaded : LoadedTemplate, optional
        The template they must have been run with; by default they must only agree.

    Raises
    ------
    UsageError
        A folder is named twice, or none is named.
    InputError
        A folder holds no finished run.
    SpecificationError
        The runs are not of one template, or not of this one, or hold no blank that could be counted.
    """
    runs = finished_runs(folders, "blanks")
    template = one_template(runs, "blanks")
    if loaded is not None:
        _of(template, loaded)
    left_out = [
        LeftOut(str(each.folder), entry.sample_id, "the tube failed")
        for each in runs
        for entry in each.run.samples
        if entry.status == "failed" and _is_blank(entry.labels)
    ]
    tubes, bases = list[BlankTube](), dict[str, str]()
    seen: dict[str, str] = {}
    for each in runs:
        folder = each.folder
        for result in each.results():
            if not _is_blank(result.labels):
                continue
            reason = _unfit(result, seen)
            if reason:
                left_out.append(LeftOut(str(folder), result.sample_id, reason))
                continue
            bases = bases or _bases(result)
            tubes.append(_tube(result, folder))
    if not tubes:
        raise SpecificationError(
            "blanks.none",
            "the runs hold no blank that could be counted",
            where=", ".join(str(each.folder) for each in runs),
            hint="; ".join(f"{item.sample_id}: {item.reason}" for item in left_out[:3])
            or "give tubes that can hold no stroma the role `blank` in the sample sheet, and run them",
        )
    blanks = Blanks(template=template.name, template_sha256=template.sha256, tubes=tuple(tubes))
    return Gathered(blanks, tuple(_summaries(blanks, bases)), tuple(left_out))


def _of(template: TemplateRef, loaded: LoadedTemplate) -> None:
    """Refuse runs of another template than the one that was asked for: by other gates, background is another."""
    if template.sha256 != loaded.sha256:
        this = f"{template.name} {template.version} ({template.sha256[:12]})"
        raise SpecificationError(
            "blanks.templates",
            f"the runs were made with {this}, not with {loaded.template.name} ({loaded.sha256[:12]})",
            hint="gather blanks of one template, or run the older ones again with the newer one",
        )


def _is_blank(labels: dict[str, str]) -> bool:
    return labels.get("role", "").strip().casefold() == "blank"


def _unfit(result: SampleResult, seen: dict[str, str]) -> str:
    """Return why a blank cannot be counted on; empty where it can."""
    digest = result.source.sha256
    if failing := [item for item in result.findings if item.spoils]:
        return f"its finding {failing[0].code} is a failure: {failing[0].sentence}"
    if digest and digest in seen:
        return f"its file is that of {seen[digest]}"
    there = (name for name in dict.fromkeys(result.indices.values()) if name not in result.left_out)
    lacking = [name for name in there if _count(result, name) is None]
    if lacking:
        return f"{lacking[0]} could not be evaluated"
    if digest:
        seen[digest] = result.sample_id
    return ""


def _tube(result: SampleResult, folder: Path) -> BlankTube:
    named = dict.fromkeys((ROOT, *result.denominators, *result.indices.values()))
    counts = {name: _count(result, name) for name in named}
    labels = result.labels
    return BlankTube(
        sample_id=result.sample_id,
        sha256=result.source.sha256 or "",
        day=labels.get("day", "").strip() or labels.get("batch", "").strip() or folder.resolve().name,
        lot=labels.get("lot", "").strip(),
        counts={name: n for name, n in counts.items() if n is not None},
    )


def _count(result: SampleResult, name: str) -> int | None:
    """Return the events of a population; none where one above it has none, for then its gate was not even placed."""
    if name in result.left_out:
        return None
    parents = {node.name: node.parent for node in result.tree.nodes}
    count, above = result.count(name), name
    while count is None and above in parents:
        above = parents[above]
        holds = result.count(above)
        if holds is not None:
            return 0 if holds == 0 else None
    return count


def _bases(result: SampleResult) -> dict[str, str]:
    """Return the population that each index population is scaled by."""
    names = [name for name in dict.fromkeys(result.indices.values()) if name not in result.left_out]
    return {name: scaled_by(result.tree, name, LAB_BLANKS, result.denominators) for name in names}


def _summaries(blanks: Blanks, bases: Mapping[str, str]) -> Iterator[Summary]:
    """Yield what the blanks say of every population in a million events of what it is scaled by."""
    for population, base in bases.items():
        each = [
            Blank(tube.counts[population], tube.counts[base], tube.day, tube.lot)
            for tube in blanks.tubes
            if population in tube.counts and base in tube.counts
        ]
        expected = expect(each, PER)
        if expected is not None:
            found = limits(population, each, PER)
            yield Summary(population, base, expected, found.lob_events, found.method)
