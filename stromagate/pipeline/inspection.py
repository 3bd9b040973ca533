"""What is in a file, whether it can be trusted, and which templates it fits."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stromagate.errors import StromagateError
from stromagate.fcs import read_fcs, witness
from stromagate.fcs.identity import suspicions
from stromagate.model.sample import Policy, Sample
from stromagate.model.template import GatingTemplate
from stromagate.pipeline.panel_design import design_warnings
from stromagate.pipeline.template import load_template
from stromagate.prepare import bind_template
from stromagate.templates import library


@dataclass(frozen=True, slots=True)
class TemplateFit:
    """Whether a shipped template can run on the file, and if not, what is missing.

    ``design`` says what is unwise in how the panel was laid out.
    """

    name: str
    fits: bool
    reason: str = ""
    bound: dict[str, str] = field(default_factory=dict)
    design: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """One file looked at: a sample, or the error that refused it."""

    path: str
    sample: Sample | None
    error: StromagateError | None = None
    templates: tuple[TemplateFit, ...] = ()
    witnesses: tuple[witness.WitnessReport, ...] = ()

    @property
    def verdict(self) -> str:
        """``ok``, ``repaired``, ``salvaged`` or ``refused``."""
        return "refused" if self.sample is None else self.sample.verdict

    def to_json(self) -> dict[str, Any]:
        """Return the plain object that ``inspect --json`` prints for the file."""
        head = {"path": self.path, "verdict": self.verdict}
        if self.sample is None:
            return {**head, "error": self.error.as_json() if self.error else None}
        return {
            **head,
            **_sample_json(self.sample),
            "templates": [asdict(fit) for fit in self.templates],
            "witnesses": [asdict(report) for report in self.witnesses],
        }


def inspect_file(
    path: Path, *, policy: Policy = "repair", dataset: int | None = None, ask_witnesses: bool = False
) -> Inspection:
    """Read one file whole and say what is in it; a refusal is an answer, not an exception.

    Parameters
    ----------
    path : path
        FCS file.
    policy : {"strict", "repair", "salvage"}
        How odd files are treated.
    dataset : int, optional
        Which data set of a file that holds several.
    ask_witnesses : bool
        Compare with FlowIO and fcsparser.
    """
    try:
        sample = read_fcs(path, policy=policy, dataset=dataset)
    except StromagateError as error:
        return Inspection(str(path), None, error)
    fits = tuple(template_fit(sample, load_template(name).template) for name in library.names())
    witnesses = witness.compare(path, dataset=sample.source.dataset) if ask_witnesses else ()
    return Inspection(str(path), sample, None, fits, tuple(witnesses))


def template_fit(sample: Sample, template: GatingTemplate) -> TemplateFit:
    """Say whether the template's markers are all on the file, each on one channel."""
    try:
        panel = bind_template(sample, template)
    except StromagateError as error:
        return TemplateFit(template.name, False, error.message)
    bound = {item.axis: item.pnn for item in panel.bindings}
    return TemplateFit(template.name, True, bound=bound, design=design_warnings(panel, sample.spillover))


def _sample_json(sample: Sample) -> dict[str, Any]:
    spill = sample.spillover
    return {
        "version": sample.version,
        "n_events": sample.n_events,
        "dataset": sample.source.dataset,
        "n_datasets": sample.source.n_datasets,
        "repairs": [asdict(repair) for repair in sample.repairs],
        "identity": [asdict(suspicion) for suspicion in suspicions(sample.keywords, sample.source.path)],
        "channels": [asdict(channel) for channel in sample.channels],
        "spillover": {
            "status": spill.status,
            "keyword": spill.keyword,
            "channels": list(spill.channels),
            "matrix": None if spill.matrix is None else spill.matrix.tolist(),
            "reason": spill.reason,
        },
        "non_finite": dict(sample.non_finite),
        "timestep_s": sample.timestep_s,
    }
