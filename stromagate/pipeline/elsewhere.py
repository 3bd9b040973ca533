"""A tube that may be worked on by another machine: whole paths, and a look whether what they name can be seen there."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from stromagate.errors import InputError
from stromagate.pipeline import bundle
from stromagate.pipeline.job import Job, Outcome

_SEEN_WITHIN_S = 90.0
"""A network file system may show a folder as it was for as long as a minute (Linux, nfs(5): acdirmax is 60 s)."""
_LOOK_EVERY_S = 0.5

_SHARED = "Dask workers must see the files of a run, and its folder of results, under the same paths as this machine"


def with_whole_paths(job: Job) -> Job:
    """Return the job with paths that mean the same wherever a worker stands."""
    config = job.config
    named = {option: str(Path(getattr(config, option)).absolute()) for option in config.file_sha256}
    return replace(
        job,
        tube=replace(job.tube, path=job.tube.path.absolute()),
        config=config.model_copy(update=named),
        out=job.out.absolute(),
        folder=Path.cwd(),
    )


def must_be_seen(job: Job) -> None:
    """Refuse to work on a tube where its file or the folder of this run is not there; at home that is known before.

    A folder of the same path on the worker's own disk would take the results and never give them back.

    Raises
    ------
    InputError
        The worker does not see them.
    """
    if job.folder is None:
        return
    if not bundle.is_seen(job.out, job.claim):
        raise InputError(
            "worker.folder",
            f"the worker on {platform.node()} does not see this run's folder of results, or the run has ended",
            where=str(job.out),
            hint=_SHARED,
        )
    documents = (Path(getattr(job.config, option)) for option in job.config.file_sha256)
    for path in (job.tube.path, *documents, *_controls(job)):
        if not path.is_file():
            raise InputError(
                "worker.file",
                f"the worker on {platform.node()} does not see this file",
                where=str(path),
                hint=_SHARED,
            )


def _controls(job: Job) -> Iterator[Path]:
    """Yield the files of controls that are counted on the tube's boundaries: unseen ones would be left out unsaid."""
    for use in job.paired:
        if not use.unused and use.sample_id in job.files:
            yield job.files[use.sample_id]


def as_named_at_home(place: str, job: Job) -> str:
    """Return a path of a worker's error as the run would have named it itself."""
    return place if job.folder is None else place.removeprefix(f"{job.folder}/")


def take_back(out: Path, outcome: Outcome) -> None:
    """Take away the older result of a tube that failed; its worker may not have seen the folder it lies in.

    Raises
    ------
    OutputError
        It cannot be taken away.
    """
    if outcome.entry.status == "failed":
        bundle.remove_sample(out, outcome.entry.sample_id)


def wait_until_seen(out: Path, written: Mapping[str, str]) -> None:
    """Wait until the results that workers wrote can be read here as they were written.

    Parameters
    ----------
    out : path
        The folder of results.
    written : mapping of str to str
        SHA-256 of each tube's result; empty where none was written.

    Raises
    ------
    InputError
        One is still missing, or is another, after a minute and a half.
    """
    waiting = {name: sha256 for name, sha256 in written.items() if sha256}
    end = time.monotonic() + _SEEN_WITHIN_S
    while waiting := {name: sha256 for name, sha256 in waiting.items() if _seen(out, name) != sha256}:
        if time.monotonic() > end:
            name = next(iter(waiting))
            raise InputError(
                "worker.unseen",
                f"what workers wrote of {len(waiting)} tubes cannot be read here",
                where=str(out / bundle.SAMPLES / name / bundle.RESULT_FILE),
                hint=_SHARED,
            )
        time.sleep(_LOOK_EVERY_S)


def _seen(out: Path, sample_id: str) -> str:
    home = out / bundle.SAMPLES / sample_id
    if sample_id not in bundle.names_in(home.parent) or bundle.RESULT_FILE not in bundle.names_in(home):
        return ""
    try:
        return hashlib.sha256((home / bundle.RESULT_FILE).read_bytes()).hexdigest()
    except OSError:  # it was put into another's place while we looked
        return ""
