"""Tubes of a finished run opened again on their own boundaries: nothing is fitted, only counted and looked at."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stromagate.errors import SpecificationError, StromagateError
from stromagate.fcs import read_fcs
from stromagate.gating import replay
from stromagate.gating.live import LiveTube
from stromagate.gating.unedited import unedited
from stromagate.model.gates import GateTree
from stromagate.model.result import SampleResult
from stromagate.pipeline.bundle import read_run
from stromagate.pipeline.review.companions import Places
from stromagate.pipeline.review.files import FileFinder
from stromagate.pipeline.review.opened import ReviewTube
from stromagate.pipeline.review.preview import warm
from stromagate.pipeline.threads import one_blas_thread
from stromagate.prepare.prepared import prepared_on

if TYPE_CHECKING:
    from stromagate.model.template import GateStep

__all__ = ["ReviewTube", "TubeShelf", "open_tube"]

MAX_TUBES = 3
MAX_EVENTS = 6_000_000
"""Events of all open tubes, unless one alone has more: about two gigabytes of values and masks (own choice)."""


def open_tube(folder: Path, result: SampleResult, files: FileFinder) -> ReviewTube:
    """Read a tube of a run again and put its members together from its own boundaries.

    Parameters
    ----------
    folder : path
        The run.
    result : SampleResult
        Of the tube.
    files : FileFinder
        Finds its file by the SHA-256 of its content.

    Raises
    ------
    InputError
        The file is not at hand, or refused.
    SpecificationError
        The result does not know its file, its edits cannot be taken out again, or its numbers are not those that its
        boundaries give on its file.
    """
    sha256, source, config = result.source.sha256, result.source, result.record.config
    if not sha256:
        raise SpecificationError(
            "review.result", "the result does not say which file it is of", where=result.sample_id, hint=_AGAIN
        )
    path = files.found(sha256, source.path, result.sample_id, source.n_bytes)
    tree = _fitted(result)
    with one_blas_thread():
        sample = read_fcs(path, policy=config.policy, dataset=source.dataset, gain=tree.gain)
        prepared = prepared_on(sample, tree, result.panel)
        members = replay.members(prepared, tree)
        live = LiveTube(prepared, tree, members, gates=_gates(folder, result, files), left_out=result.left_out)
        tube = ReviewTube(result, live, files, _names(folder))
        _must_be_the_same(result, tube)
        live.warm()
        warm(result)
    return tube


class TubeShelf:
    """Keeps the tubes open that were looked at last.

    Parameters
    ----------
    folder : path
        The run.
    files : FileFinder
        Finds FCS files.
    max_tubes : int
        How many stay open, fewer where they are large; each holds its events in memory.
    """

    def __init__(self, folder: Path, files: FileFinder, max_tubes: int = MAX_TUBES) -> None:
        self._folder, self._files, self._max = folder, files, max_tubes
        self._open: OrderedDict[str, ReviewTube] = OrderedDict()
        self._opening: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def tube(self, result: SampleResult) -> ReviewTube:
        """Return a tube, opened where it is not, and again where the run was made again since.

        Raises
        ------
        InputError, SpecificationError
            As `open_tube`.
        """
        with self._lock:
            opening = self._opening.setdefault(result.sample_id, threading.Lock())
        with opening:  # a tube is read once, however many ask for it; others need not wait
            with self._lock:
                tube = self._open.get(result.sample_id)
            if tube is None or tube.result != result:
                tube = open_tube(self._folder, result, self._files)
            with self._lock:
                self._open[result.sample_id] = tube
                self._open.move_to_end(result.sample_id)
                while len(self._open) > 1 and (len(self._open) > self._max or self._held() > MAX_EVENTS):
                    self._open.popitem(last=False)
            return tube

    def _held(self) -> int:
        return sum(tube.result.n_events for tube in self._open.values())


_AGAIN = "run the tube again, without --edits if it was run with some"


def _fitted(result: SampleResult) -> GateTree:
    tree = unedited(result.tree, result.replaced, result.fitted_counts, result.labels_of_populations)
    if tree.digest() != (result.fitted_tree_sha256 or tree.digest()):
        raise SpecificationError(
            "review.fitted",
            "the boundaries before the edits cannot be told from this result",
            where=result.sample_id,
            hint=_AGAIN,
        )
    return tree


def _gates(folder: Path, result: SampleResult, files: FileFinder) -> Mapping[str, Sequence[GateStep]]:
    """Return the template's gates, for those that it holds itself; none where the template is not at hand."""
    try:
        return Places(folder, files.folders).template(result.template).gates
    except StromagateError:
        return {}


def _names(folder: Path) -> dict[str, str]:
    """Return what the run calls its files, by their content; nothing while it is made again."""
    try:
        return {entry.sha256: entry.file for entry in read_run(folder).samples if entry.sha256}
    except StromagateError:
        return {}


def _must_be_the_same(result: SampleResult, tube: ReviewTube) -> None:
    """Refuse a tube whose numbers are not those of its result: a preview would be of something else."""
    counts = tube.counts({edit.population: edit.geometry for edit in result.edits})
    wrong = [name for name, count in counts.items() if count != result.count(name)]
    if wrong:
        name = wrong[0]
        raise SpecificationError(
            "review.other_counts",
            f"on its file the boundaries of this result give {_said(counts[name])} of '{name}', and the result says "
            f"{_said(result.count(name))} ({len(wrong)} populations differ)",
            where=result.sample_id,
            hint="the result was changed or made by another version: run the tube again",
        )


def _said(count: int | None) -> str:
    return "no count" if count is None else f"{count:,} events"
