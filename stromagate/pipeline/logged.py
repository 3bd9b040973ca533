"""What the log is told of a run: codes, counts and names, never a sentence (see ``stromagate.log``)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable

from stromagate.errors import InputError, SpecificationError
from stromagate.log import fault_place, tell
from stromagate.model.gates import GateTree
from stromagate.model.result import Finding, RunIndex
from stromagate.model.sample import Sample
from stromagate.pipeline.job import BatchOptions, NotExported, Outcome

_LEVELS = {"pass": logging.DEBUG, "not_applicable": logging.DEBUG, "warn": logging.WARNING, "fail": logging.ERROR}
_KINDS = {
    InputError.exit_code: "its file could not be read",
    SpecificationError.exit_code: "template, panel or another document does not fit it",
}


def run_id(options: BatchOptions) -> dict[str, str]:
    """Return what the log calls this run, for ``run.json``; nothing where there is no log."""
    return {} if options.log is None else {"run_id": options.log.run_id}


def of_beginning(sample_id: str) -> None:
    """Tell that a tube is looked at: of a process that is killed it is the last line."""
    tell("pipeline", "tube", "tube.begun", "the tube is looked at", sample_id=sample_id)


def of_reading(sample: Sample) -> None:
    """Tell what a file holds, and every repair."""
    for repair in sample.repairs:
        tell("fcs", "read", repair.code, "the file was repaired", level=logging.WARNING)
    tell("fcs", "read", "fcs.read", f"{sample.n_events} events of {len(sample.channels)} channels")


def of_gating(tree: GateTree) -> None:
    """Tell which boundaries were placed otherwise than the template has it first."""
    for node in tree.nodes:
        if node.state in {"fallback", "not_evaluable"}:
            level = logging.WARNING
            tell("gating", "gate", f"gate.{node.state}", f"population {node.name}, {node.method}", level=level)
    tell("gating", "gate", "gates.placed", f"{len(tree.nodes)} populations")


def of_checks(findings: Iterable[Finding], stage: str = "check") -> None:
    """Tell which checks warned or failed."""
    counts = Counter[str]()
    for finding in findings:
        counts[finding.status] += 1
        said = f"{finding.check}: {finding.status}"
        tell("qc", stage, finding.code, said, level=_LEVELS[finding.status])
    tell("qc", stage, "checks.made", ", ".join(f"{counts[status]} {status}" for status in _LEVELS if counts[status]))


def of_control(sample_id: str, *, gated: bool) -> None:
    """Tell whether a control could be gated for the tubes that it belongs to."""
    code, level = ("control.gated", logging.INFO) if gated else ("control.failed", logging.WARNING)
    said = "the control was gated" if gated else "the control could not be gated; its own line has the reason"
    tell("pipeline", "controls", code, said, level=level, sample_id=sample_id)


def of_fault(sample_id: str, error: Exception) -> None:
    """Tell where a fault of ours lies."""
    tell("pipeline", "tube", "fault.place", fault_place(error), level=logging.ERROR, sample_id=sample_id)


def of_plugin(fault: SpecificationError) -> None:
    """Tell which plugin of another package a run goes without; what it said itself is not repeated."""
    tell("registry", "plugins", fault.code, fault.message.partition(": ")[0], level=logging.WARNING)


def of_outcome(outcome: Outcome) -> None:
    """Tell what became of a tube, and which files of it that were asked for are missing."""
    entry = outcome.entry
    for each in outcome.not_exported:
        of_missing(each, entry.sample_id)
    if entry.error is None:
        tell("pipeline", "tube", "tube.done", f"{entry.status}, {entry.n_events} events", sample_id=entry.sample_id)
        return
    said = _KINDS.get(outcome.exit_code, "a fault of stromagate, or its process was killed")
    tell("pipeline", "tube", entry.error["code"] or "", said, level=logging.ERROR, sample_id=entry.sample_id)


def of_missing(missing: NotExported, sample_id: str = "") -> None:
    """Tell which file that was asked for is not there, of a tube or of all together."""
    file, code = missing.path.rpartition("/")[2], missing.error["code"] or ""
    tell("pipeline", "export", code, f"{file} not written", level=logging.ERROR, sample_id=sample_id)


def of_run(run: RunIndex) -> None:
    """Tell what was seen of all tubes together, and that the folder is closed."""
    of_checks(run.findings, "run")
    failed = sum(entry.status == "failed" for entry in run.samples)
    tell("pipeline", "run", "run.written", f"{len(run.samples) - failed} of {len(run.samples)} tubes analysed")
