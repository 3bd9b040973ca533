"""The events of reviewed tubes, read again: what each of them is called, and on which scales it is shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stromagate.errors import InputError, SpecificationError, did_you_mean
from stromagate.fcs import find_inputs, hash_file, read_fcs
from stromagate.gating import replay
from stromagate.gating.training import OTHERS_KEPT, evenly
from stromagate.gating.tree import deciders
from stromagate.model.gates import ROOT, GateTree
from stromagate.model.result import SampleResult
from stromagate.model.sample import F32, F64, Rows, Sample
from stromagate.model.scales import Scale
from stromagate.pipeline.reviewed import Reviewed, drawn
from stromagate.prepare.scales import display
from stromagate.prepare.unmix import Unmix

_MAX_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """What the events of one tube are, in display units of the scales asked for, columns in their order.

    ``medians`` are those of all the parent's events. ``weight`` is how many events each of the others stands for.
    ``own_gate`` is what the template had found before any hand or list: members found, and false events; None where it
    is the same, or had no boundary. ``listed_elsewhere`` are listed members that are not in the parent.
    """

    result: SampleResult
    donor: str
    members: F64
    others: F32
    weight: float
    medians: F64
    n_parent: int
    by_hand: bool
    own_gate: tuple[int, int] | None = None
    listed_elsewhere: int = 0


def told(
    tubes: Sequence[Reviewed],
    files: Sequence[Path],
    population: str,
    parent: str,
    scales: Mapping[str, Scale],
    labels: Path | None = None,
) -> list[Told]:
    """Read the tubes and say of each event of the parent whether it is a member.

    Parameters
    ----------
    tubes : sequence of Reviewed
        The results.
    files : sequence of path
        FCS files, or folders where they lie.
    population, parent : str
        Members, and among whom.
    scales : mapping of str to Scale
        Axes and the scales to show them on.
    labels : path, optional
        Folder of lists of events.

    Raises
    ------
    InputError
        A file is not there, or cannot be read.
    SpecificationError
        A population that does not stand above, members that are not among the parent's events, a wrong list.
    """
    for tube in tubes:
        names = [ROOT, *deciders(tube.result.tree, population)]
        if parent not in names or parent == population:
            raise SpecificationError(
                "train.parent",
                f"'{population}' is not made from '{parent}'",
                where=tube.result.sample_id,
                hint=did_you_mean(parent, [name for name in names if name != population]),
            )
    paths = _found(tubes, files)
    return [_one(tube, path, population, parent, scales, labels) for tube, path in zip(tubes, paths, strict=True)]


def _one(
    tube: Reviewed, path: Path, population: str, parent: str, scales: Mapping[str, Scale], labels: Path | None
) -> Told:
    result, tree = tube.result, tube.result.tree
    sample = read_fcs(path, policy=result.record.config.policy, dataset=result.source.dataset, gain=tree.gain)
    rows = replay.members_of(sample, tree)
    named, elsewhere = rows[population], 0
    by_hand = drawn(result, population)
    if labels is not None:
        listed = _listed(labels / f"{result.sample_id}.csv", sample.n_events)
        named, by_hand = np.intersect1d(listed, rows[parent]), True
        elsewhere = len(listed) - len(named)
    member = np.isin(rows[parent], named, assume_unique=True)
    if np.count_nonzero(member) < len(named):
        what = f"'{population}' holds events that are not in '{parent}'"
        raise SpecificationError("train.parent", what, where=result.sample_id, hint="name another --parent")
    points = _points(sample, tree, rows[parent], scales)
    finite = np.isfinite(points).all(axis=1)
    if not finite.any():
        raise SpecificationError(
            "train.no_parent", f"'{parent}' holds no events", where=result.sample_id, hint="leave that tube out"
        )
    rest = points[~member & finite]
    kept = rest[evenly(len(rest), OTHERS_KEPT)]
    return Told(
        result,
        tube.donor,
        points[member].astype(np.float64),
        kept,
        len(rest) / max(len(kept), 1),
        np.median(points[finite], axis=0).astype(np.float64),
        len(points),
        by_hand,
        _own_gate(sample, result, population, named) if by_hand else None,
        elsewhere,
    )


def _own_gate(sample: Sample, result: SampleResult, population: str, named: Rows) -> tuple[int, int] | None:
    """Return what the template had found before any hand: members, and events that are none."""
    before = {node.name: node for node in result.replaced}
    nodes = tuple(before.get(node.name, node) for node in result.tree.nodes)
    found = replay.members_of(sample, replace(result.tree, nodes=nodes)).get(population)
    if found is None:
        return None
    right = int(np.isin(found, named, assume_unique=True).sum())
    return right, len(found) - right


def _points(sample: Sample, tree: GateTree, rows: Rows, scales: Mapping[str, Scale]) -> F32:
    """Return some events on the axes, display units of the scales, shape (n, n_axes)."""
    unmix = Unmix(sample.pnn, {axis: tree.axes[axis] for axis in scales}, tree.compensation)
    events = sample.events[rows]
    return np.stack(
        [display(scale, unmix[axis].exact(events).astype(np.float32)) for axis, scale in scales.items()], axis=1
    )


def _found(tubes: Sequence[Reviewed], files: Sequence[Path]) -> list[Path]:
    """Return the file of each tube, by its content; files of the same names are looked at first."""
    missing = {tube.result.source.sha256: tube for tube in tubes}
    names = {Path(tube.result.source.path).name for tube in tubes}
    places: dict[str, Path] = {}
    for path in sorted(find_inputs(files), key=lambda path: path.name not in names):
        if not missing:
            break
        digest = hash_file(path)
        if missing.pop(digest, None) is not None:
            places[digest] = path
    if missing:
        one = next(iter(missing.values())).result
        raise InputError(
            "train.no_file",
            f"{len(missing)} of {len(tubes)} files were not found, such as {one.source.path} of {one.sample_id}",
            where=", ".join(map(str, files)),
            hint="--files names the folder where the FCS files lie, unchanged since the run",
        )
    return [places[tube.result.source.sha256 or ""] for tube in tubes]


def _listed(path: Path, n_events: int) -> Rows:
    """Return the events that a list names, ascending."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SpecificationError("train.labels", f"the list has more than {_MAX_BYTES:,} bytes", where=str(path))
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as cause:
        said = cause.strerror if isinstance(cause, OSError) else "it is not UTF-8"
        raise InputError(
            "train.no_labels",
            f"the list of events cannot be read: {said}",
            where=str(path),
            hint="one file a tube, <sample_id>.csv, with a column `event`; a tube without any has the header alone",
        ) from cause
    rows = csv.DictReader(io.StringIO(text))
    if "event" not in (rows.fieldnames or ()):
        raise SpecificationError("train.labels", "the list has no column `event`", where=str(path))
    words = [(row["event"] or "").strip() for row in rows]
    for line, word in enumerate(words, start=2):
        if not (word.isascii() and word.isdecimal() and len(word) < 16 and int(word) < n_events):
            raise SpecificationError(
                "train.labels",
                f"line {line}: '{word[:40]}' is no event of this tube",
                where=str(path),
                hint=f"events are numbered from 0 to {n_events - 1}, in the order of the file",
            )
    return np.unique(np.array([int(word) for word in words], dtype=np.intp))
