"""Whether a result that is already there is still the result that a run would make."""

from __future__ import annotations

from collections.abc import Iterable

from stromagate.errors import StromagateError
from stromagate.fcs import hash_file
from stromagate.model.edits import SampleEdits
from stromagate.model.result import ControlUse, SampleResult
from stromagate.pipeline import bundle
from stromagate.pipeline.environment import environment
from stromagate.pipeline.job import Job
from stromagate.pipeline.settings import LENT, lent_words, portable
from stromagate.pipeline.template import reference


def still_valid(job: Job) -> SampleResult | None:
    """Return the result already there if nothing that could move a number has changed: None where it must be made.

    Raises
    ------
    InputError
        The tube's file cannot be read.
    """
    if job.options.force:
        return None
    try:
        old = bundle.read_result(job.out, job.tube.sample_id)
    except StromagateError:
        return None
    same = (
        old.record.model_dump(include={"stromagate", "python", "libraries"}) == environment()
        and old.record.config == portable(job.config)
        and old.template == reference(job.template)
        and _same_edits(old, job.edits)
        and old.labels == job.tube.labels
        and old.source.path == job.tube.shown
        and _pairs(old.controls) == _pairs(job.paired)
        and old.record.conventions.get(LENT, "") == lent_words(job.markers)
        and old.source.sha256 == (job.sha256 or hash_file(job.tube.path))
    )
    return old if same else None


def _same_edits(old: SampleResult, now: SampleEdits | None) -> bool:
    """Say whether a tube has the edits it had, made on the tree that was fitted then."""
    if now is None:
        return not old.edits
    return (old.edits, old.fitted_tree_sha256) == (now.edits, now.tree_sha256)


def _pairs(uses: Iterable[ControlUse]) -> list[ControlUse]:
    """Return the controls in a fixed order and without what the gates made of them."""
    bare = [use.model_copy(update={"n_events": 0, "gates": (), "n_anchor": {}, "counts": {}}) for use in uses]
    return sorted(bare, key=lambda use: (use.role, use.sample_id))
