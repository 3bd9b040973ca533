"""One tube from its file to its result. The function reads as the list of the stages."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from stromagate.fcs import hash_file
from stromagate.fcs.identity import seen_in
from stromagate.gating import control_views, engine, views
from stromagate.gating.draws import boundary_draws
from stromagate.gating.edits import Edited, apply
from stromagate.gating.method import Outside
from stromagate.gating.sensitivity import sensitivities
from stromagate.model.config import RunConfig
from stromagate.model.edits import MadeOn, SampleEdits
from stromagate.model.result import ControlUse, RunRecord, SampleResult, Statistic
from stromagate.model.sample import Sample
from stromagate.model.specimen import Specimen, specimen
from stromagate.pipeline.background import Told, with_background
from stromagate.pipeline.controls.uses import control_uses, needs_by_gate, roles_by_gate
from stromagate.pipeline.edits import edits_of, making
from stromagate.pipeline.environment import environment
from stromagate.pipeline.outside import with_locks
from stromagate.pipeline.settings import LENT, lent_words, pin, portable, read_tube, with_markers
from stromagate.pipeline.template import load_template, reference
from stromagate.pipeline.threads import one_blas_thread
from stromagate.pipeline.tubes import printable, slug
from stromagate.prepare import prepare
from stromagate.prepare.prepared import Prepared
from stromagate.qc import Evidence, run_checks
from stromagate.quantify import SHARE_INTERVALS, statistics
from stromagate.quantify.beside import with_specimen
from stromagate.templates import LoadedTemplate

# Keywords that may leave the file: everything else may name a person, a place or a date.
_ALLOWED_KEYWORDS = ("$CYT", "$DATATYPE", "$BYTEORD", "$MODE", "STROMAGATE_SIMULATED", "STROMAGATE_PREPARATION")


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
    path, config = Path(path), pin(config or RunConfig())
    name = sample_id or slug(printable(path.stem))
    known = beside or Beside()
    edits, config = known.edits or edits_of(config, name), config.without_edits()
    loaded = template if isinstance(template, LoadedTemplate) else load_template(template)
    outside = with_locks(outside, config, loaded)
    with one_blas_thread(), ThreadPoolExecutor(max_workers=1) as aside:
        digest = aside.submit(hash_file, path)
        sample = read_tube(path, loaded, config)
        prepared = prepare(sample, loaded.template, with_markers(config, known.markers))
        fitted = engine.gate(prepared, loaded.template, gates=loaded.gates, seed=config.seed, outside=outside)
        edited = _edited(prepared, fitted, loaded, edits, making(digest.result(), loaded, portable(config), outside))
        gated = edited.gated
        controls = control_uses(outside, known.paired, gated.tree, loaded)
        told = Told(controls, (), _numbers(prepared, gated, loaded, config, specimen(labels or {})))
        told = with_background(prepared, gated, loaded, config, told, known.files, labels or {})
        moved = sensitivities(prepared, gated, dict.fromkeys(loaded.template.indices.values()))
        findings = run_checks(
            replace(
                _evidence(prepared, gated, loaded, labels or {}, told),
                edits=edits.edits if edits else (),
                fitted_counts=edited.fitted_counts,
                sensitivities=moved,
                locks=outside.locks,
            )
        )
        plain = views.density_views(prepared, gated, loaded.template, grid=config.grid)
        densities = control_views.with_controls(plain, gated.tree, loaded.gates, outside)
        source = replace(sample.source, path=shown or printable(path.name), sha256=digest.result())
    return SampleResult(
        sample_id=name,
        labels=labels or {},
        source=source,
        verdict=sample.verdict,
        repairs=sample.repairs,
        n_events=sample.n_events,
        instrument=_instrument(sample, config),
        template=reference(loaded),
        panel=prepared.panel,
        tree=gated.tree,
        statistics=told.statistics,
        findings=findings,
        views=densities,
        denominators=loaded.template.denominators,
        indices=loaded.template.indices,
        labels_of_populations={item.name: item.label for item in loaded.template.populations if item.label},
        left_out=dict(gated.left_out),
        sensitivities=moved,
        edits=edits.edits if edits else (),
        replaced=edited.replaced,
        fitted_counts=dict(edited.fitted_counts),
        fitted_tree_sha256=fitted.tree.digest(),
        controls=told.controls,
        background=told.background,
        detection=told.detection,
        control_roles=roles_by_gate(loaded),
        record=_record(config, sample, known.markers),
    )


def _edited(
    prepared: Prepared, fitted: engine.Gated, loaded: LoadedTemplate, edits: SampleEdits | None, now: MadeOn
) -> Edited:
    """Return the tube with a person's boundaries in it, or as it was fitted where there are none."""
    if edits is None:
        return Edited(fitted, (), {})
    return apply(prepared, fitted, edits, gates=loaded.gates, now=now)


def _numbers(
    prepared: Prepared, gated: engine.Gated, loaded: LoadedTemplate, config: RunConfig, known: Specimen
) -> tuple[Statistic, ...]:
    """Return every number with what counting and the boundaries leave open."""
    numbers = statistics(
        gated.members,
        gated.tree,
        loaded.template,
        linear=prepared.linear,
        confidence=config.confidence,
        interval=SHARE_INTERVALS[config.interval],
        draws=boundary_draws(prepared, gated, config.boundary_draws, seed=config.seed),
    )
    return with_specimen(
        numbers,
        gated.tree,
        loaded.template,
        known,
        confidence=config.confidence,
        hemodilution=config.hemodilution,
    )


def _evidence(
    prepared: Prepared, gated: engine.Gated, loaded: LoadedTemplate, labels: Mapping[str, str], told: Told
) -> Evidence:
    """Return what checks look at, as far as tube and template tell it."""
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
        role=labels.get("role", ""),
        labels=labels,
        controls=told.controls,
        background=told.background,
        detection=told.detection,
    )


def _instrument(sample: Sample, config: RunConfig) -> dict[str, str]:
    """Return what a result keeps of the keywords; a value that looks like a person's identity never is."""
    asked = _ALLOWED_KEYWORDS if config.keywords == "instrument" else ()
    kept = {key: said for key in asked if (said := sample.keywords.get(key)) and not seen_in(key, said)}
    return {"FCS version": sample.version, **kept}


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
