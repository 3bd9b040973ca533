"""A fitted, drawn or imported tree applied again: the same events in memory, or counts straight from a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stromagate.errors import SpecificationError
from stromagate.gating.walk import Plan, walk
from stromagate.prepare.unmix import Unmix

if TYPE_CHECKING:
    from stromagate.model.gates import GateTree
    from stromagate.model.sample import F32, Channel, Rows, Sample
    from stromagate.prepare.prepared import Prepared

_BLOCK_ROWS = 1 << 15


class Blocks(Protocol):
    """A file that hands out its events piece by piece (``fcs.open_fcs``)."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The file's columns."""
        ...

    def blocks(self, rows: int = ...) -> Iterator[F32]:
        """Yield scale values, shape (n_rows, n_channels), C order, each valid until the next one."""
        ...


def count(file: Blocks, tree: GateTree) -> dict[str, int]:
    """Count every population of a tree on a file, in one pass and without holding its events.

    Parameters
    ----------
    file : Blocks
        A file opened with the tree's gain convention.
    tree : GateTree
        Boundaries with their axes, scales and matrix.

    Returns
    -------
    dict
        Number of events by population, ``all`` first. A population that was not evaluable has no entry.

    Raises
    ------
    SpecificationError
        The tree contradicts itself, or names a channel the file does not have.
    """
    return count_and_read(file, tree, {})[0]


def count_and_read(
    file: Blocks, tree: GateTree, wanted: Mapping[str, Sequence[str]]
) -> tuple[dict[str, int], dict[tuple[str, str], F32]]:
    """Count every population of a tree on a file as `count` does, and keep some values of some of them from that pass.

    Parameters
    ----------
    file, tree
        As for `count`.
    wanted : mapping of str to sequence of str
        Axes whose values are kept, by population.

    Returns
    -------
    counts : dict of str to int
        As `count`.
    values : dict of (str, str) to ndarray of float32, shape (n_population,)
        Compensated scale values by population and axis; of populations that were not evaluable none.

    Raises
    ------
    SpecificationError
        As `count`, or the file lacks a channel of a wanted axis.
    """
    pnn = [channel.pnn for channel in file.channels]
    plan = Plan(tree, pnn)
    axes = dict.fromkeys(axis for several in wanted.values() for axis in several)
    unmix = Unmix(pnn, {axis: tree.axes[axis] for axis in axes}, tree.compensation) if axes else None
    counts = dict.fromkeys(plan.names, 0)
    parts: dict[tuple[str, str], list[F32]] = {
        (name, axis): [] for name in plan.names for axis in dict.fromkeys(wanted.get(name, ()))
    }
    for block in file.blocks(_BLOCK_ROWS):
        found = walk(plan, block)
        for name, population in found.items():
            counts[name] += population.count
        for (name, axis), several in parts.items():
            if unmix is not None and found[name].count:
                several.append(unmix[axis].exact(block[found[name].members()]).astype(np.float32))
    empty = np.empty(0, dtype=np.float32)
    return counts, {key: np.concatenate(several) if several else empty for key, several in parts.items()}


def members(prepared: Prepared, tree: GateTree) -> dict[str, Rows]:
    """Find the members of every population of a tree on a tube in memory.

    Parameters
    ----------
    prepared : Prepared
        The tube; the tree's own axes, scales and matrix are used.
    tree : GateTree
        Boundaries with their axes, scales and matrix.

    Returns
    -------
    dict of str to ndarray of intp
        As `members_of`.
    """
    return members_of(prepared.sample, tree)


def members_of(sample: Sample, tree: GateTree) -> dict[str, Rows]:
    """Find the members of every population of a tree on events as they were read.

    Parameters
    ----------
    sample : Sample
        The tube.
    tree : GateTree
        Boundaries with their axes, scales and matrix.

    Returns
    -------
    dict of str to ndarray of intp
        Sorted rows by population, ``all`` first. A population that was not evaluable has no entry.

    Raises
    ------
    SpecificationError
        The tree contradicts itself, names a channel the tube does not have, or was made on values with another gain
        convention.
    """
    if sample.gain != tree.gain:
        raise SpecificationError(
            "tree.gain",
            f"the tree was made with the gain convention '{tree.gain}', and the tube was read with '{sample.gain}'",
            where=sample.source.path,
            hint="read the tube with the tree's convention",
        )
    events = sample.events
    plan = Plan(tree, sample.pnn)
    parts: dict[str, list[Rows]] = {name: [] for name in plan.names}
    for start in range(0, len(events), _BLOCK_ROWS):
        block = np.ascontiguousarray(events[start : start + _BLOCK_ROWS])
        for name, population in walk(plan, block).items():
            parts[name].append(population.members() + start)
    return {name: np.concatenate(rows) if rows else np.empty(0, dtype=np.intp) for name, rows in parts.items()}
