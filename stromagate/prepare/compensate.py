"""Which spillover matrix a tube is compensated with: never two, and never none without a word."""

from __future__ import annotations

import numpy as np

from stromagate.errors import SpecificationError
from stromagate.model.config import RunConfig
from stromagate.model.panel import Compensation, Panel
from stromagate.model.sample import Sample
from stromagate.prepare.labels import is_compensated_name
from stromagate.prepare.matrix_file import DIAGONAL_TOLERANCE, read_matrix


def choose_compensation(sample: Sample, panel: Panel, config: RunConfig) -> Compensation | None:
    """Return the matrix to use on a tube, or None where nothing is to be taken out.

    Parameters
    ----------
    sample : Sample
        Tube with the matrix its file states.
    panel : Panel
        Axes in use; without a marker among them nothing needs compensation.
    config : RunConfig
        ``compensation``: ``file``, ``none``, or the path of a matrix CSV.

    Returns
    -------
    Compensation or None
        None where the run says ``none``, where the file states no matrix or a unit matrix, and where its columns were
        exported compensated. QC makes a finding of each.

    Raises
    ------
    SpecificationError
        The file's matrix is malformed or has a diagonal that is not 1, or a matrix is given for columns that are
        compensated already.
    """
    markers = [binding for binding in panel.bindings if binding.how != "scatter"]
    if config.compensation == "none" or not markers:
        return None
    done = [binding.pnn for binding in markers if is_compensated_name(binding.pnn)]
    if config.compensation != "file":
        if done:
            raise SpecificationError(
                "compensation.twice",
                f"the columns were exported compensated ({', '.join(done)}); a matrix would be applied twice",
                where=sample.source.path,
                hint="leave --compensation out, or use the tube as it was acquired",
            )
        return read_matrix(config.compensation, sample.pnn)
    return None if done else _from_file(sample)


def _from_file(sample: Sample) -> Compensation | None:
    spill = sample.spillover
    if spill.status == "malformed":
        shown = spill.text if len(spill.text) <= 120 else spill.text[:117] + "..."
        raise SpecificationError(
            "compensation.malformed",
            f"{spill.keyword} cannot be used: {spill.reason}; it reads '{shown}'",
            where=sample.source.path,
            hint="give a matrix with --compensation FILE.csv, or --compensation none to gate uncompensated values",
        )
    if spill.status != "ok" or spill.matrix is None:
        return None
    # Percent, or the inverse, would divide every value by its diagonal; a matrix from a CSV is held to the same.
    off = np.abs(np.diag(spill.matrix) - 1.0)
    if off.max() > DIAGONAL_TOLERANCE:
        worst = int(np.argmax(off))
        raise SpecificationError(
            "compensation.diagonal",
            f"{spill.keyword} is no spillover matrix: {spill.channels[worst]} has {spill.matrix[worst, worst]:g} on "
            "the diagonal, where 1 is due",
            where=sample.source.path,
            hint="give the matrix as shares with --compensation FILE.csv, or --compensation none",
        )
    rows = tuple(tuple(float(value) for value in row) for row in spill.matrix)
    return Compensation(f"{spill.keyword} of the file", spill.channels, rows)
