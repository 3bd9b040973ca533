"""From finished runs to locked boundaries: where a gate lay in earlier batches, in units of two reference populations.

All that is needed stands in the results: the boundary in the tree, the references' medians among the statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.gating.methods.locked import Params
from stromagate.model.gates import NOT_SEPARABLE, GateNode, straight_edges
from stromagate.model.locks import LockedBoundary, LockedTube, Locks
from stromagate.model.result import RunIndex, SampleResult, Statistic
from stromagate.pipeline.finished_runs import FinishedRun, finished_runs, one_template
from stromagate.prepare.scales import inverse
from stromagate.templates import LoadedTemplate

MIN_REFERENCE_EVENTS = 50
"""Events below which a reference's median is no measure: the default of the method that reads the document."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A gate to lock, and the populations it is measured by; without an axis it is that of the gate."""

    population: str
    negative: str
    positive: str
    axis: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A tube that says nothing of a boundary, and why."""

    folder: str
    sample_id: str
    population: str
    reason: str


@dataclass(frozen=True, slots=True)
class Locked:
    """What came of it."""

    locks: Locks
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class _Tube:
    folder: Path
    result: SampleResult
    batch: str


def wanted_by(loaded: LoadedTemplate) -> tuple[Wanted, ...]:
    """Return what the locked gates of a template ask for.

    Raises
    ------
    SpecificationError
        It has none.
    """
    steps = (step.params for chain in loaded.gates.values() for step in chain if isinstance(step.params, Params))
    found = dict.fromkeys(Wanted(each.boundary, each.negative, each.positive, each.axis) for each in steps)
    if not found:
        raise SpecificationError(
            "lock.no_gate",
            f"the template '{loaded.template.name}' has no gate of the method 'locked'",
            hint="name the gate with --population, --negative and --positive",
        )
    return tuple(found)


def lock(folders: Sequence[Path], wanted: Sequence[Wanted], *, batches: int | None = None) -> Locked:
    """Gather the boundaries of earlier runs.

    Parameters
    ----------
    folders : sequence of path
        Finished runs, oldest first. The batch of a tube is its label ``batch``, else its run's folder.
    wanted : sequence of Wanted
        Gates to lock.
    batches : int, optional
        How many of the last batches to keep; all of them by default.

    Returns
    -------
    Locked

    Raises
    ------
    UsageError
        A folder is named twice.
    InputError
        A folder holds no finished run.
    SpecificationError
        The runs are not of one template, it has no such population, or no tube tells where the boundary lay.
    """
    runs = finished_runs(folders, "lock")
    template = one_template(runs, "lock")
    left_out = [LeftOut(str(each.folder), *item) for each in runs for item in _failed(each.run)]
    tubes, same = _tubes(runs)
    left_out += same
    boundaries = []
    for each in wanted:
        history, unfit = _history(each, tubes, batches, left_out)
        left_out += unfit
        boundaries.append(history)
    locks = Locks(template=template.name, template_sha256=template.sha256, boundaries=tuple(boundaries))
    return Locked(locks, tuple(left_out))


def _failed(run: RunIndex) -> Iterator[tuple[str, str, str]]:
    for entry in run.samples:
        if entry.status == "failed":
            yield entry.sample_id, "", "the tube failed"


def _tubes(runs: Sequence[FinishedRun]) -> tuple[list[_Tube], list[LeftOut]]:
    """Return the stained tubes whose findings let them speak, each file once."""
    tubes, left_out = list[_Tube](), list[LeftOut]()
    seen: dict[str, str] = {}
    for run in runs:
        folder = run.folder
        for result in run.results():
            name, role = result.sample_id, result.role
            digest = result.source.sha256
            reason = ""
            if role != "stained":
                reason = f"it is a control ({role})"
            elif failing := [item for item in result.findings if item.spoils]:
                reason = f"its finding {failing[0].code} is a failure: {failing[0].sentence}"
            elif digest and digest in seen:
                reason = f"its file is that of {seen[digest]}"
            if reason:
                left_out.append(LeftOut(str(folder), name, "", reason))
                continue
            if digest:
                seen[digest] = name
            tubes.append(_Tube(folder, result, result.labels.get("batch") or folder.resolve().name))
    return tubes, left_out


def _history(
    wanted: Wanted, tubes: Sequence[_Tube], batches: int | None, before: Sequence[LeftOut]
) -> tuple[LockedBoundary, list[LeftOut]]:
    """Return the boundary of every tube that tells it, and the tubes that do not."""
    found, left_out = list[tuple[str, LockedTube]](), list[LeftOut]()
    for tube in tubes:
        _must_know(wanted, tube)
        answer = _boundary(wanted, tube)
        if isinstance(answer, str):
            left_out.append(LeftOut(str(tube.folder), tube.result.sample_id, wanted.population, answer))
        else:
            found.append(answer)
    axes = list(dict.fromkeys(axis for axis, _ in found))
    if len(axes) != 1:
        raise _nothing(wanted, axes, [*left_out, *before])
    order = list(dict.fromkeys(item.batch for _, item in found))
    last = set(order[-batches:] if batches else order)
    kept = sorted((item for _, item in found if item.batch in last), key=lambda item: order.index(item.batch))
    history = LockedBoundary(
        population=wanted.population,
        axis=axes[0],
        negative=wanted.negative,
        positive=wanted.positive,
        tubes=tuple(kept),
    )
    return history, left_out


def _nothing(wanted: Wanted, axes: Sequence[str], left_out: Sequence[LeftOut]) -> SpecificationError:
    if axes:
        return SpecificationError(
            "lock.axes",
            f"the gate of '{wanted.population}' cuts {' here and '.join(axes)} there",
            hint="lock runs in which it cuts one axis",
        )
    reasons = dict.fromkeys(f"{item.sample_id}: {item.reason}" for item in left_out)
    return SpecificationError(
        "lock.nothing",
        f"no tube tells where the boundary of '{wanted.population}' lay",
        hint="; ".join(list(reasons)[:3]) or "the runs hold no stained tube",
    )


def _must_know(wanted: Wanted, tube: _Tube) -> None:
    """Refuse names that the template of the runs does not have."""
    names = [node.name for node in tube.result.tree.nodes]
    for name in (wanted.population, wanted.negative, wanted.positive):
        if name not in names and name not in tube.result.left_out:
            raise SpecificationError(
                "lock.population",
                f"the runs' template has no population '{name}'",
                where=str(tube.folder),
                hint=did_you_mean(name, names),
            )


def _boundary(wanted: Wanted, tube: _Tube) -> tuple[str, LockedTube] | str:
    """Return the axis of a tube's boundary with the boundary, or why it tells none."""
    result = tube.result
    node = next((node for node in result.tree.nodes if node.name == wanted.population), None)
    edge = _edge(node)
    if isinstance(edge, str):
        return edge
    axis, shown = edge
    if wanted.axis is not None and axis != wanted.axis:
        return f"it is cut on {axis}, not on {wanted.axis}"
    medians = {name: _median(result, name, axis) for name in (wanted.negative, wanted.positive)}
    for name, row in medians.items():
        if row is None:
            return f"the median {axis} of {name} was not kept; list {axis} among the template's `intensities`"
        if row.value is None or (row.n or 0) < MIN_REFERENCE_EVENTS:
            return f"{row.n or 0:,} events of {name} are too few to measure by (at least {MIN_REFERENCE_EVENTS})"
    negative, positive = (float(row.value) for row in medians.values() if row is not None and row.value is not None)
    if not negative < positive:
        return f"the median {axis} of {wanted.negative} is not below that of {wanted.positive}"
    return axis, LockedTube(
        batch=tube.batch,
        sample_id=result.sample_id,
        sha256=result.source.sha256 or "",
        cut=float(inverse(result.tree.axes[axis].scale, shown)[0]),
        negative=negative,
        positive=positive,
    )


def _edge(node: GateNode | None) -> tuple[str, float] | str:
    """Return axis and place (display units) of a gate's one edge, or why it has none that may be locked."""
    if node is None:
        return "the tube lacks a marker it needs"
    if node.geometry is None:
        return "its boundary could not be placed"
    if node.method == "locked" and node.state != "edited":
        return "its boundary was itself carried over from earlier batches"
    if NOT_SEPARABLE in node.doubts:
        return f"its boundary is {NOT_SEPARABLE}"
    edges = list(straight_edges(node.geometry))
    if len(edges) != 1:
        return f"its gate has {len(edges) or 'no'} straight edges, not one"
    axis, _, shown = edges[0]
    return axis, shown


def _median(result: SampleResult, population: str, axis: str) -> Statistic | None:
    return next(
        (
            row
            for row in result.statistics
            if (row.population, row.statistic, row.marker) == (population, "median", axis)
        ),
        None,
    )
