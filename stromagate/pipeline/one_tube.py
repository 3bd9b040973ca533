"""The unit of work of a batch: one tube, a file in and a folder of files out."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Sequence

from stromagate import log
from stromagate.errors import OutputError, StromagateError
from stromagate.export import asked
from stromagate.model.result import SampleEntry, SampleResult
from stromagate.pipeline import bundle, logged
from stromagate.pipeline.calibrate import with_pattern
from stromagate.pipeline.elsewhere import as_named_at_home, must_be_seen
from stromagate.pipeline.gated_files import write_from_events
from stromagate.pipeline.job import NO_MEMORY, Job, NotExported, Outcome, fault_of_ours, worst_code
from stromagate.pipeline.made_files import pages_of_tube
from stromagate.pipeline.missing_files import each_of, lost_with_its_process
from stromagate.pipeline.resume import still_valid
from stromagate.pipeline.together import analyze_job
from stromagate.pipeline.tubes import printable
from stromagate.report.lookup import worst


def work_on(job: Job) -> Outcome:
    """Analyse one tube and put its folder in place; say in an outcome what happens, unless nothing can be written."""
    with log.written(job.options.log):
        return _analyzed(job)


def _analyzed(job: Job) -> Outcome:
    try:
        logged.of_beginning(job.tube.sample_id)
        must_be_seen(job)
        kept = still_valid(job)
        result = with_pattern(kept or analyze_job(job), job.calibration)
        made = pages_of_tube(result, job.options.exports, standalone=job.options.standalone)
        written = made.files if result is kept else {bundle.RESULT_FILE: bundle.to_json_bytes(result), **made.files}
        with bundle.writing(job.out, job.claim):
            put = bundle.refresh_sample if result is kept else bundle.write_sample
            put(job.out, job.tube.sample_id, written)
            home = job.out / bundle.SAMPLES / job.tube.sample_id
            missing = (*each_of(job.out, home, made.faults, job.tube), *write_from_events(job, result))
    except OutputError:  # no fault of the tube, and the next one would meet it too
        raise
    except StromagateError as error:
        return _failed(job, error.as_json(), error.exit_code)
    except MemoryError:
        said = {"code": "worker.memory", "message": "memory ran out over this tube", "where": None, "hint": NO_MEMORY}
        return _failed(job, said, 1)
    except Exception as error:  # noqa: BLE001  (a fault of ours must not cost the other tubes their results)
        logged.of_fault(job.tube.sample_id, error)
        return _failed(job, fault_of_ours(error), 1, traceback.format_exc())
    return _done(result, missing, written.get(bundle.RESULT_FILE, b""))


def _done(result: SampleResult, missing: Sequence[NotExported], written: bytes = b"") -> Outcome:
    """Return what is said of a tube that has its result, which was written now or lay there."""
    entry = SampleEntry(
        sample_id=result.sample_id,
        file=result.source.path,
        status=result.verdict,
        n_events=result.n_events,
        labels=result.labels,
        worst_finding=found.status if (found := worst(result.findings)) else None,
        sha256=result.source.sha256,
    )
    code = worst_code(each.exit_code for each in missing)
    trace = "\n".join(filter(None, (each.traceback for each in missing)))
    return Outcome(entry, code, trace, tuple(missing), written=hashlib.sha256(written).hexdigest() if written else "")


def lost(job: Job) -> Outcome:
    """Say that the process which worked on a tube was killed, alone on the machine as far as we can know.

    Where its result was written before, the files are missing that it was asked for beside it, and no more.
    """
    said = {
        "code": "worker.killed",
        "message": "the process that worked on this tube was ended twice, by the system or from outside",
        "where": None,
        "hint": f"memory may have run out: {NO_MEMORY}",
    }
    result = _written_before(job)
    if result is None:
        return _failed(job, said, 1)
    home = job.out / bundle.SAMPLES / result.sample_id
    with bundle.writing(job.out, job.claim):
        missing = [lost_with_its_process(job.out, home / name, said) for name in _asked_beside(job)]
    return _done(result, missing)


def _written_before(job: Job) -> SampleResult | None:
    """Return the result that a process wrote before it was killed over an export; None where there is none for sure.

    With ``--force`` it cannot be told from that of an earlier run.
    """
    home = job.out / bundle.SAMPLES / job.tube.sample_id
    try:
        result = still_valid(job) if _asked_beside(job) else None
    except StromagateError:
        return None
    if result is None or with_pattern(result, job.calibration) != result:
        return None
    there = all((home / name).is_file() for name in ("report.html", "populations.csv"))
    return result if there else None


def _asked_beside(job: Job) -> list[str]:
    """Return the names of the files that were asked for beside the result of a tube."""
    only_asked = {*asked.asked_of_tube().values()}
    return [name for name in asked.names_of_tube(job.options.exports) if name in only_asked]


def _failed(job: Job, error: dict[str, str | None], exit_code: int, trace: str = "") -> Outcome:
    tube = job.tube
    if job.folder is None:
        with bundle.writing(job.out, job.claim):
            bundle.remove_sample(job.out, tube.sample_id)
    where = tube.shown if error["where"] in {None, str(tube.path)} else as_named_at_home(error["where"], job)
    shown = {key: text and printable(text) for key, text in {**error, "where": where}.items()}
    entry = SampleEntry(sample_id=tube.sample_id, file=tube.shown, status="failed", error=shown, labels=tube.labels)
    return Outcome(entry, exit_code, traceback=trace)
