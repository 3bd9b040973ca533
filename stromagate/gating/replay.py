"""A fitted, drawn or imported tree applied again: the same events in memory, or counts straight from a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stromagate.errors import SpecificationError
from stromagate.gating.walk import Plan, walk

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
    plan = Plan(tree, [channel.pnn for channel in file.channels])
    counts = dict.fromkeys(plan.names, 0)
    for block in file.blocks(_BLOCK_ROWS):
        for name, population in walk(plan, block).items():
            counts[name] += population.count
    return counts


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
