"""One tube from its file to its result. The function reads as the list of the stages."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from stromagate.fcs import hash_file
from stromagate.gating import control_views, engine, views
from stromagate.gating.draws import Counts as Draws
from stromagate.gating.draws import boundary_draws
from stromagate.gating.edits import Edited, apply
from stromagate.gating.method import Outside
from stromagate.gating.sensitivity import sensitivities
from stromagate.log import about
from stromagate.model.config import RunConfig
from stromagate.model.edits import SampleEdits
from stromagate.model.result import ControlUse, DensityView, Finding, RunRecord, SampleResult, Sensitivity, Statistic
from stromagate.model.sample import Sample, SourceRef
from stromagate.model.specimen import specimen
from stromagate.pattern import call_pattern
from stromagate.pipeline import logged
from stromagate.pipeline.background import Told, with_background
from stromagate.pipeline.controls.uses import control_uses, needs_by_gate, roles_by_gate
from stromagate.pipeline.edits import edits_of, making
from stromagate.pipeline.environment import environment
from stromagate.pipeline.instrument import instrument_of
from stromagate.pipeline.left_open import LeftOpen, left_open
from stromagate.pipeline.outside import with_locks
from stromagate.pipeline.settings import LENT, lent_words, pin, portable, read_tube, with_markers
from stromagate.pipeline.template import load_template, reference
from stromagate.pipeline.threads import one_blas_thread
from stromagate.pipeline.tubes import printable, slug
from stromagate.prepare import prepare
from stromagate.prepare.prepared import Prepared
from stromagate.qc import Evidence, check_tube
from stromagate.quantify import SHARE_INTERVALS, statistics
from stromagate.quantify.beside import with_specimen
from stromagate.templates import LoadedTemplate


@dataclass(frozen=True, slots=True)
class Beside:
    """What a batch knows of a tube beside what its gates are given.

    ``paired`` says how its controls came to it, those that were kept from the gates among them. ``markers`` leads from
    markers that the tube's own file does not name to their channels, as the stained tubes of its batch have them.
    ``edits`` are those of the tube, by default what the configuration names for it. ``files`` are those of its controls
    by name: without them no background is counted.
    """

    paired: tuple[ControlUse, ...] = ()
    markers: Mapping[str, str] = field(default_factory=dict)
    edits: SampleEdits | None = None
    files: Mapping[str, Path] = field(default_factory=dict)


def analyze(
    path: str | Path,
    template: str | Path | LoadedTemplate,
    config: RunConfig | None = None,
    *,
    sample_id: str | None = None,
    shown: str | None = None,
    labels: dict[str, str] | None = None,
    outside: Outside | None = None,
    beside: Beside | None = None,
) -> SampleResult:
    """Read, prepare, gate, count and check one tube.

    Parameters
    ----------
    path : path
        FCS file.
    template : str, path or LoadedTemplate
        Shipped name, YAML file, or a template already loaded.
    config : RunConfig, optional
        Everything else that can move a number.
    sample_id : str, optional
        Name of the tube; a safe form of the file's name by default.
    shown : str, optional
        Path that the result shows; the file's name by default, so that results do not depend on the machine.
    labels : dict, optional
        What else is known of the tube; travels to the result.
    outside : Outside, optional
        What is known from other tubes: the controls paired with this one (see ``gate_control``), boundaries of earlier
        batches; those that the configuration names by default.
    beside : Beside, optional
        What else a batch knows of the tube.

    Returns
    -------
    SampleResult
        Everything about the tube but its events.

    Raises
    ------
    InputError
        The file is refused, with the reason.
    SpecificationError
        The template, the panel or the compensation does not fit the file.
    """
    asked = _asked(path, template, config or RunConfig(), outside, beside or Beside(), labels or {}, sample_id)
    with about(asked.sample_id), one_blas_thread(), ThreadPoolExecutor(max_workers=1) as aside:
        digest = aside.submit(hash_file, asked.path)
        sample = read_tube(asked.path, asked.loaded, asked.config)
        logged.of_reading(sample)
        prepared = prepare(sample, asked.loaded.template, with_markers(asked.config, asked.beside.markers))
        fitted = _gated(asked, prepared)
        edited = _edited(asked, prepared, fitted, digest.result())
        logged.of_gating(edited.gated.tree)
        draws = boundary_draws(prepared, edited.gated, asked.config.boundary_draws, seed=asked.config.seed)
        told = _told(asked, prepared, edited.gated, draws)
        moved = sensitivities(prepared, edited.gated, dict.fromkeys(asked.loaded.template.indices.values()))
        findings = check_tube(_evidence(asked, prepared, edited, told, moved))
        logged.of_checks(findings)
        densities = _densities(asked, prepared, edited.gated)
        source = replace(sample.source, path=shown or printable(asked.path.name), sha256=digest.result())
        open_ = left_open(prepared, edited.gated, asked.loaded.template, draws, asked.labels)
    found = _Found(source, prepared, fitted, edited, told, moved, open_, findings, densities)
    result = _result(asked, found)
    return result.model_copy(update={"pattern": call_pattern(result)})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is known of a tube before its file is opened."""

    path: Path
    sample_id: str
    labels: dict[str, str]
    loaded: LoadedTemplate
    config: RunConfig
    outside: Outside
    beside: Beside
    edits: SampleEdits | None


@dataclass(frozen=True, slots=True)
class _Found:
    """What the stages left behind."""

    source: SourceRef
    prepared: Prepared
    fitted: engine.Gated
    edited: Edited
    told: Told
    moved: tuple[Sensitivity, ...]
    left_open: LeftOpen
    findings: tuple[Finding, ...]
    densities: tuple[DensityView, ...]


def _asked(
    path: str | Path,
    template: str | Path | LoadedTemplate,
    config: RunConfig,
    outside: Outside | None,
    beside: Beside,
    labels: dict[str, str],
    sample_id: str | None,
) -> _Asked:
    """Return the question with everything that it names read, but for the tube itself."""
    path, config = Path(path), pin(config)
    name = sample_id or slug(printable(path.stem))
    edits, config = beside.edits or edits_of(config, name), config.without_edits()
    loaded = template if isinstance(template, LoadedTemplate) else load_template(template)
    return _Asked(path, name, labels, loaded, config, with_locks(outside, config, loaded), beside, edits)


def _gated(asked: _Asked, prepared: Prepared) -> engine.Gated:
    loaded = asked.loaded
    return engine.gate(prepared, loaded.template, gates=loaded.gates, seed=asked.config.seed, outside=asked.outside)


def _edited(asked: _Asked, prepared: Prepared, fitted: engine.Gated, sha256: str) -> Edited:
    """Return the tube with a person's boundaries in it, or as it was fitted where there are none."""
    if asked.edits is None:
        return Edited(fitted, (), {})
    now = making(sha256, asked.loaded, portable(asked.config), asked.outside)
    return apply(prepared, fitted, asked.edits, gates=asked.loaded.gates, now=now)


def _told(asked: _Asked, prepared: Prepared, gated: engine.Gated, draws: Mapping[str, Draws]) -> Told:
    """Return every number of the tube, with its controls and what they show of its background."""
    controls = control_uses(asked.outside, asked.beside.paired, gated.tree, asked.loaded)
    told = Told(controls, (), _numbers(asked, prepared, gated, draws))
    return with_background(prepared, gated, asked.loaded, asked.config, told, asked.beside.files, asked.labels)


def _numbers(
    asked: _Asked, prepared: Prepared, gated: engine.Gated, draws: Mapping[str, Draws]
) -> tuple[Statistic, ...]:
    """Return every number with what counting and the boundaries leave open."""
    template, config = asked.loaded.template, asked.config
    numbers = statistics(
        gated.members,
        gated.tree,
        template,
        linear=prepared.linear,
        confidence=config.confidence,
        interval=SHARE_INTERVALS[config.interval],
        draws=draws,
    )
    return with_specimen(
        numbers,
        gated.tree,
        template,
        specimen(asked.labels),
        confidence=config.confidence,
        hemodilution=config.hemodilution,
    )


def _evidence(
    asked: _Asked, prepared: Prepared, edited: Edited, told: Told, moved: tuple[Sensitivity, ...]
) -> Evidence:
    """Return what checks look at."""
    loaded, gated = asked.loaded, edited.gated
    return Evidence(
        prepared.sample,
        loaded.template,
        prepared.panel,
        gated.tree,
        gated.members,
        gated.counts,
        prepared.linear,
        control_needs=needs_by_gate(loaded),
        template_sha256=loaded.sha256,
        role=asked.labels.get("role", ""),
        labels=asked.labels,
        controls=told.controls,
        background=told.background,
        detection=told.detection,
        statistics=told.statistics,
        edits=asked.edits.edits if asked.edits else (),
        fitted_counts=edited.fitted_counts,
        sensitivities=moved,
        locks=asked.outside.locks,
    )


def _densities(asked: _Asked, prepared: Prepared, gated: engine.Gated) -> tuple[DensityView, ...]:
    """Return what a page draws of each gate, the controls it was set on laid over."""
    plain = views.density_views(prepared, gated, asked.loaded.template, grid=asked.config.grid)
    return control_views.with_controls(plain, gated.tree, asked.loaded.gates, asked.outside)


def _result(asked: _Asked, found: _Found) -> SampleResult:
    """Return the outcome of all stages as results keep it."""
    template, sample, gated, told = asked.loaded.template, found.prepared.sample, found.edited.gated, found.told
    return SampleResult(
        sample_id=asked.sample_id,
        labels=asked.labels,
        source=found.source,
        verdict=sample.verdict,
        repairs=sample.repairs,
        n_events=sample.n_events,
        instrument=instrument_of(sample, asked.config),
        template=reference(asked.loaded),
        panel=found.prepared.panel,
        tree=gated.tree,
        statistics=told.statistics,
        findings=found.findings,
        views=found.densities,
        denominators=template.denominators,
        indices=template.indices,
        labels_of_populations={item.name: item.label for item in template.populations if item.label},
        left_out=dict(gated.left_out),
        sensitivities=found.moved,
        redrawn=found.left_open.redrawn,
        moved_gates=found.left_open.moved_gates,
        edits=asked.edits.edits if asked.edits else (),
        replaced=found.edited.replaced,
        fitted_counts=dict(found.edited.fitted_counts),
        fitted_tree_sha256=found.fitted.tree.digest(),
        controls=told.controls,
        background=told.background,
        detection=told.detection,
        control_roles=roles_by_gate(asked.loaded),
        record=_record(asked.config, sample, asked.beside.markers),
    )


def _record(config: RunConfig, sample: Sample, lent: Mapping[str, str]) -> RunRecord:
    return RunRecord(
        **environment(),
        config=portable(config),
        conventions={
            "gain": "values divided by $PnG" if sample.gain == "apply" else "$PnG ignored",
            "time": "seconds by $TIMESTEP" if sample.timestep_s else "as stored",
            "compensation": "compensated = measured @ inverse(spillover)",
            "edges": "lower edge in, upper edge out; borders of polygons and ellipses in (Gating-ML 2.0)",
            **({LENT: lent_words(lent)} if lent else {}),
        },
    )
