"""Stained tubes with their controls, from Python and without a folder of results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from stromagate.gating.method import Outside
from stromagate.model.config import RunConfig
from stromagate.model.result import SampleResult
from stromagate.pipeline.controls.first_stage import with_controls
from stromagate.pipeline.controls.roles import check_roles
from stromagate.pipeline.job import BatchOptions, Job
from stromagate.pipeline.settings import pin
from stromagate.pipeline.template import load_template
from stromagate.pipeline.tube import Beside, analyze
from stromagate.pipeline.tubes import Tube, printable, unique_ids
from stromagate.templates import LoadedTemplate


def analyze_with_controls(
    path: str | Path,
    template: str | Path | LoadedTemplate,
    controls: Iterable[tuple[str, str | Path]],
    config: RunConfig | None = None,
    *,
    labels: dict[str, str] | None = None,
) -> SampleResult:
    """Analyse one stained tube by the controls it is given.

    Parameters
    ----------
    path : path
        FCS file of the stained tube.
    template : str, path or LoadedTemplate
        Shipped name, YAML file, or a template already loaded.
    controls : iterable of (str, path)
        Role (``fmo:CD146``, ``unstained``, ``blank``) and file of each control; all of one role are pooled.
    config : RunConfig, optional
        Everything else that can move a number.
    labels : dict, optional
        What else is known of the stained tube; travels to the result.

    Returns
    -------
    SampleResult
        ``controls`` says what each control served for, and in what it differs from the tube.

    Raises
    ------
    InputError, SpecificationError
        As ``analyze``. A control that cannot be used raises nothing: it is marked in ``controls``, and gates fall back.
    """
    given = [(role, Path(control)) for role, control in controls]
    paths = [Path(path), *(control for _, control in given)]
    names = unique_ids(paths, set())
    roles = ["stained", *(role for role, _ in given)]
    tubes = [
        Tube(file, name, printable(file.name), {"role": role}, () if number else tuple(names[1:]))
        for number, (file, name, role) in enumerate(zip(paths, names, roles, strict=True))
    ]
    job = _jobs(tubes, template, config)[0]
    return analyze_job(job, labels=labels or {})


def analyze_together(
    tubes: Sequence[Tube], template: str | Path | LoadedTemplate, config: RunConfig | None = None
) -> list[SampleResult]:
    """Analyse the stained tubes of a batch by the controls among its tubes, as ``run --sheet`` pairs them.

    Parameters
    ----------
    tubes : sequence of Tube
        Stained tubes and controls, as ``collect_tubes`` gives them.
    template, config
        As for ``analyze``.

    Returns
    -------
    list of SampleResult
        Of the stained tubes, in their order.
    """
    return [analyze_job(job) for job in _jobs(tubes, template, config) if job.role == "stained"]


def analyze_job(job: Job, *, labels: dict[str, str] | None = None) -> SampleResult:
    """Analyse a tube by what its job knows of controls."""
    return analyze(
        job.tube.path,
        job.template,
        job.config,
        sample_id=job.tube.sample_id,
        shown=job.tube.shown,
        labels=job.tube.labels if labels is None else labels,
        outside=Outside(controls=job.controls, locks=job.locks),
        beside=Beside(job.paired, job.markers, job.edits, job.files),
    )


def _jobs(tubes: Sequence[Tube], template: str | Path | LoadedTemplate, config: RunConfig | None) -> list[Job]:
    loaded = template if isinstance(template, LoadedTemplate) else load_template(template)
    check_roles(tubes, loaded.template)
    settings, options = pin(config or RunConfig()), BatchOptions(force=True)
    return with_controls([Job(tube, loaded, settings, Path(), options) for tube in tubes])
