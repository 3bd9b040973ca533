"""The shortest way from a file and a known tree to counts: no fitting, no documents, no statistics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stromagate.fcs import open_fcs
from stromagate.gating.replay import count
from stromagate.pipeline.threads import one_blas_thread

if TYPE_CHECKING:
    from stromagate.model.gates import GateTree
    from stromagate.model.sample import Policy


def count_populations(
    path: str | Path, tree: GateTree, *, policy: Policy = "repair", dataset: int | None = None
) -> dict[str, int]:
    """Count every population of a fitted or drawn tree on a file.

    Parameters
    ----------
    path : path
        FCS file.
    tree : GateTree
        Boundaries with their axes, scales, compensation and gain convention; see ``SampleResult.tree``.
    policy : {"strict", "repair", "salvage"}
        How odd files are treated.
    dataset : int, optional
        Which data set, from 0, of a file that holds several; see ``SampleResult.source``.

    Returns
    -------
    dict
        Number of events by population, ``all`` first.

    Raises
    ------
    InputError
        The file is refused.
    SpecificationError
        The tree names a channel the file does not have.
    """
    with one_blas_thread():
        return count(open_fcs(path, policy=policy, dataset=dataset, gain=tree.gain), tree)
