"""``events.h5ad``: every event of a tube with its populations, for scanpy and whatever else reads AnnData.

The variables are the markers that the run bound: ``X`` in display units, ``layers`` with the same as it was measured
(``raw``) and with spillover taken out as the run did it (``compensated``), both in scale values: logarithms undone,
``$PnG`` as the run read it. Scatter, time and detectors without a marker of the template have no display scale of
theirs and would drown the others; they stand as measured in ``obsm["other_channels"]``. An event's name is its row in
the file, from 0. A population is a column of yes and no of ``obs``; one that was not evaluable has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from stromagate.export.anndata_file import About, Table, write_anndata
from stromagate.export.from_events import from_events, label_of, require_those_of, whole
from stromagate.model.gates import ROOT
from stromagate.model.panel import Binding
from stromagate.model.result import SampleResult
from stromagate.model.sample import F32, Rows, Sample
from stromagate.prepare.scales import display
from stromagate.prepare.unmix import Unmix
from stromagate.templates.aliases import SCATTER_AND_TIME

OTHERS = "other_channels"
_BLOCK_ROWS = 1 << 15


def write(result: SampleResult, sample: Sample, members: Mapping[str, Rows], path: Path) -> None:
    """Write the file; see ``gated_fcs.write`` for what it takes.

    Raises
    ------
    InputError
        ``export.changed``: the events are not those of the result; ``file.unwritable``.
    """
    require_those_of(result, members)
    bound = [
        each
        for each in result.panel.bindings  # in the order of the panel: a result that was read again has its axes sorted
        if each.axis in result.tree.axes and each.axis not in SCATTER_AND_TIME
    ]
    others = sorted({each.index for each in sample.channels} - {each.channel for each in bound})
    shapes = {"X": len(bound), "layers/raw": len(bound), "layers/compensated": len(bound)}
    with whole(path) as partial:
        write_anndata(
            partial,
            sample.n_events,
            {name: rows for name, rows in members.items() if name != ROOT},
            _variables(result, sample, bound),
            shapes | {f"obsm/{OTHERS}": len(others)},
            _blocks(result, sample, bound, others),
            {"stromagate": _about(result, sample, members, others)},
        )


def _variables(result: SampleResult, sample: Sample, bound: list[Binding]) -> Table:
    axes = [result.tree.axes[each.axis] for each in bound]
    return Table(
        marker=[each.axis for each in bound],
        channel=[each.channel + 1 for each in bound],
        pnn=[each.pnn for each in bound],
        pns=[label_of(sample.channels[each.channel], sample) for each in bound],
        compensated=[axis.compensated for axis in axes],
        scale=[axis.scale.kind for axis in axes],
        top=[axis.scale.top for axis in axes],
        width_decades=[axis.scale.width_decades for axis in axes],
        decades=[axis.scale.decades for axis in axes],
        negative_decades=[axis.scale.negative_decades for axis in axes],
    )


def _blocks(
    result: SampleResult, sample: Sample, bound: list[Binding], others: list[int]
) -> Iterator[tuple[int, dict[str, F32]]]:
    axes = {each.axis: result.tree.axes[each.axis] for each in bound}
    unmix = Unmix(sample.pnn, axes, result.tree.compensation)
    columns = [each.channel for each in bound]
    for start in range(0, sample.n_events, _BLOCK_ROWS):
        block = np.ascontiguousarray(sample.events[start : start + _BLOCK_ROWS])
        shown, compensated = (np.empty((len(block), len(axes)), dtype=np.float32) for _ in range(2))
        for column, (name, axis) in enumerate(axes.items()):
            with np.errstate(over="ignore"):
                compensated[:, column] = unmix[name].exact(block)
            shown[:, column] = display(axis.scale, compensated[:, column])
        yield (
            start,
            {
                "X": shown,
                "layers/raw": block[:, columns],
                "layers/compensated": compensated,
                f"obsm/{OTHERS}": block[:, others],
            },
        )


def _about(result: SampleResult, sample: Sample, members: Mapping[str, Rows], others: list[int]) -> About:
    """Return what the numbers are from: template, file, boundaries, and every departure from a plain file."""
    template, used = result.template, result.tree.compensation
    matrix: About = {"source": "none"}
    if used is not None:
        matrix = {"source": used.source, "channels": used.channels, "matrix": np.array(used.matrix, dtype=np.float64)}
    return {
        "research_use": result.research_use,
        "version": result.record.stromagate,
        "sample_id": result.sample_id,
        "template": {"name": template.name, "version": template.version, "sha256": template.sha256},
        "file": {"sha256": result.source.sha256 or "", "n_events": sample.n_events, "dataset": result.source.dataset},
        "boundaries_sha256": result.tree.digest(),
        "gain": result.tree.gain,
        "verdict": result.verdict,
        "repairs": Table(
            number=[str(number) for number in range(len(result.repairs))],
            code=[each.code for each in result.repairs],
            before=[each.before for each in result.repairs],
            after=[each.after for each in result.repairs],
            why=[each.why for each in result.repairs],
        ),
        "compensation": matrix,
        "not_evaluable": tuple(node.name for node in result.tree.nodes if node.name not in members),
        OTHERS: tuple(sample.pnn[index] for index in others),
    }


EXPORTER = from_events(
    "h5ad",
    "events.h5ad",
    "every event of the tube with its markers and populations, as AnnData for scanpy",
    write,
    library="h5py",
    extra="anndata",
)
