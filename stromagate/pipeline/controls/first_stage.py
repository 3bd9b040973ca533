"""The first stage of a batch: which controls belong to which tube, and what each control tells the gates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

from stromagate.errors import StromagateError
from stromagate.fcs import hash_file
from stromagate.model.controls import ControlTube
from stromagate.model.result import ControlUse
from stromagate.pipeline import logged
from stromagate.pipeline.background import background_roles
from stromagate.pipeline.controls.gated import gate_control
from stromagate.pipeline.controls.header import Facts, look
from stromagate.pipeline.controls.lending import borrow
from stromagate.pipeline.controls.pairing import Member, Register, pair
from stromagate.pipeline.controls.roles import roles_of
from stromagate.pipeline.controls.uses import roles_wanted
from stromagate.pipeline.elsewhere import must_be_seen
from stromagate.pipeline.executor import Here, Workers
from stromagate.pipeline.job import Job
from stromagate.pipeline.resume import still_valid
from stromagate.pipeline.tubes import printable

Stage = Callable[[str, int], AbstractContextManager[Callable[[str], None]]]
"""Told a title and a number of units; gives what is told the name of each finished one."""

Answer = TypeVar("Answer", tuple[str, "_Looked"], tuple[str, "_Gated"])

_KILLED = "the process that worked on it was ended by the system; memory may have run out"


def with_controls(jobs: Sequence[Job], workers: Workers | None = None, stage: Stage | None = None) -> list[Job]:
    """Give every job the controls that belong to its tube; nothing is done where none sets a gate or shows background.

    Only controls of tubes whose results must be made are gated: a run that goes on where it stood does not gate the
    controls of finished tubes again. Those that no gate asks for are paired and not gated.

    Parameters
    ----------
    jobs : sequence of Job
        All tubes of the run.
    workers : Workers, optional
        Where controls are looked at and gated; in this process by default.
    stage : callable, optional
        Progress.
    """
    if not jobs:
        return []
    roles = roles_of(jobs[0].template.template)
    jobs = [replace(job, role=roles.of(job.tube)) for job in jobs]
    wanted, background = roles_wanted(jobs[0].template), background_roles(jobs[0].template)
    if not wanted and not any(job.role in background for job in jobs):
        return jobs
    steps, workers = stage or silent, workers or Here()
    paired = _paired(jobs, workers, steps)
    needed = {
        use.sample_id
        for job in paired
        if _is_waiting(job)
        for use in job.paired
        if not use.unused and use.role in wanted
    }
    known = _gated([job for job in paired if job.tube.sample_id in needed], workers, steps)
    return [_equipped(job, known) for job in paired]


def silent(_title: str, _total: int) -> AbstractContextManager[Callable[[str], None]]:
    """Show no progress."""
    return nullcontext(lambda _name: None)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a worker saw of a tube before any event is read."""

    facts: Facts | None
    sha256: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Gated:
    """What a worker made of a control, or why it could not."""

    tube: ControlTube | None
    error: str = ""


def _paired(jobs: Sequence[Job], workers: Workers, steps: Stage) -> list[Job]:
    """Look at all tubes and pair them."""
    template, config = jobs[0].template, jobs[0].config
    with steps("Looking at tubes", len(jobs)) as step:
        looks = dict(_told(workers.each(_look, jobs, lost=_unseen), step))
    members = [_member(job, looks[job.tube.sample_id]) for job in jobs]
    loans = borrow(members, template.template, config)
    members = [loans[member.sample_id].given_to(member) if member.sample_id in loans else member for member in members]
    wanted, background, register = roles_wanted(template), background_roles(template), Register(members)
    files = {job.tube.sample_id: job.tube.path for job in jobs}
    found = []
    for job, member in zip(jobs, members, strict=True):
        uses = pair(member, register, wanted, background if job.role == "stained" else ())
        theirs = {use.sample_id: files[use.sample_id] for use in uses if job.role == "stained"}
        known = {"paired": uses, "files": theirs, "sha256": member.sha256 or None, "markers": dict(member.markers)}
        found.append(replace(job, **known))  # type: ignore[arg-type]  # each has the type of its field
    return found


def _look(job: Job) -> tuple[str, _Looked]:
    name = job.tube.sample_id
    try:
        must_be_seen(job)
        return name, _Looked(look(job.tube, job.template.template, job.config), hash_file(job.tube.path))
    except StromagateError as error:
        return name, _Looked(None, "", error.message)
    except Exception as fault:  # noqa: BLE001  (as in ``_gate``: the tube's own line tells it)
        return name, _Looked(None, "", _of_ours(fault))


def _unseen(job: Job) -> tuple[str, _Looked]:
    return job.tube.sample_id, _Looked(None, "", _KILLED)


def _member(job: Job, looked: _Looked) -> Member:
    tube = job.tube
    return Member(
        tube.sample_id, job.role, tube.labels, tube.controls, looked.facts, looked.sha256, printable(looked.error)
    )


def _is_waiting(job: Job) -> bool:
    """Say whether the result of a tube must be made; a file that cannot be read will say so when it is."""
    try:
        return still_valid(job) is None
    except StromagateError:
        return True


def _gated(jobs: Sequence[Job], workers: Workers, steps: Stage) -> dict[str, _Gated]:
    if not jobs:
        return {}
    with steps("Gating controls", len(jobs)) as step:
        known = dict(_told(workers.each(_gate, jobs, lost=_ungated), step))
    for name, made in known.items():
        logged.of_control(name, gated=made.tube is not None)
    return known


def _gate(job: Job) -> tuple[str, _Gated]:
    name = job.tube.sample_id
    try:
        tube = gate_control(
            job.tube.path,
            job.template,
            job.config,
            sample_id=name,
            role=job.role,
            markers=job.markers,
            locks=job.locks,
        )
    except StromagateError as error:
        return name, _Gated(None, error.message)
    except Exception as fault:  # noqa: BLE001  (a fault of ours must not cost the batch; the control's own line tells it)
        return name, _Gated(None, _of_ours(fault))
    return name, _Gated(tube)


def _of_ours(fault: Exception) -> str:
    return f"a fault of stromagate: {type(fault).__name__}: {fault}"


def _ungated(job: Job) -> tuple[str, _Gated]:
    return job.tube.sample_id, _Gated(None, _KILLED)


def _told(answers: Iterator[Answer], step: Callable[[str], None]) -> Iterator[Answer]:
    """Yield names and answers, and tell how far it is."""
    for answer in answers:
        step(answer[0])
        yield answer


def _equipped(job: Job, known: Mapping[str, _Gated]) -> Job:
    """Return the job with what is known of its controls, those that could not be gated marked as such."""
    paired = tuple(_marked(use, known.get(use.sample_id)) for use in job.paired)
    controls = tuple(
        replace(made.tube, matched=use.matched, mismatched=use.mismatched)
        for use in paired
        if not use.unused and (made := known.get(use.sample_id)) is not None and made.tube is not None
    )
    return replace(job, paired=paired, controls=controls)


def _marked(use: ControlUse, made: _Gated | None) -> ControlUse:
    if use.unused or made is None or made.tube is not None:
        return use
    return use.model_copy(update={"unused": "failed", "reason": printable(made.error)})
