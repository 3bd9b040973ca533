"""The labelled files: which tubes, what was drawn on them, and which population of our templates looks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stromagate.model.config import RunConfig
from stromagate.model.gates import Side

HERE = Path(__file__).resolve().parent
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Asked:
    """A population as every contestant is asked for it: events of ``parent`` on a side of every axis.

    ``parent`` is a population of our template, whose events all contestants get. Without axes the baselines are not
    asked.
    """

    name: str
    parent: str
    sides: tuple[tuple[str, Side], ...] = ()


@dataclass(frozen=True, slots=True)
class LabelledTube:
    """One file and what was drawn on it.

    ``drawn`` maps what a person outlined to its events, shape (n_events,). ``named`` says which population of ours is
    meant; where people gave numbers instead of names it is None, and the best match counts for every contestant.
    ``tried`` tubes were looked at when the templates were written and are not scored.
    """

    set_name: str
    name: str
    path: Path
    template: Path
    config: RunConfig
    drawn: Mapping[str, Mask]
    named: Mapping[str, str] | None
    asked: tuple[Asked, ...]
    tried: bool


_T: tuple[tuple[str, Side], ...] = (("Va2", "above"), ("CD11c", "below"))
_ACTIVATION = (
    Asked("singlets", "cells"),
    Asked("dead", "singlets", (("Hoechst-405", "above"), ("Hoechst-430", "above"))),
    Asked("t_cells", "live", _T),
    Asked("dendritic", "live", (("Va2", "below"), ("CD11c", "above"))),
    Asked("cd4", "t_cells", (("CD4", "above"), ("CD8", "below"))),
    Asked("cd8", "t_cells", (("CD8", "above"), ("CD4", "below"))),
    Asked("cd4_cd69", "cd4", (("CD69", "above"),)),
    Asked("cd8_cd69", "cd8", (("CD69", "above"),)),
)
_DRAWN_AS = {
    "Single Cells": "singlets",
    "Dead Cells": "dead",
    "T Cells": "t_cells",
    "Dendritic Cells": "dendritic",
    "CD4 T Cells": "cd4",
    "CD8 T Cells": "cd8",
    "CD69+ CD4 T Cells": "cd4_cd69",
    "CD69+ CD8 T Cells": "cd8_cd69",
}
_NUMBERS = (2, 4, 8, 10, 14, 16, 20, 22, 26, 30)
_GVHD = (
    Asked("cd4", "cd3pos", (("FL1.H", "above"), ("FL4.H", "below"))),
    Asked("cd8", "cd3pos", (("FL1.H", "below"), ("FL4.H", "above"))),
    Asked("double_neg", "cd3pos", (("FL1.H", "below"), ("FL4.H", "below"))),
    Asked("cd4dim", "cd3neg", (("FL1.H", "above"),)),
    Asked("negative", "cd3neg", (("FL1.H", "below"),)),
)
_TRIED = 2
"""Tubes of each set, the first ones, on which the templates were tried."""


def labelled_tubes(data: Path) -> Iterator[LabelledTube]:
    """Yield every labelled tube.

    Parameters
    ----------
    data : path
        Folder of the reference data.
    """
    yield from _activation(data / "cytoexplorer")
    yield from _gvhd(data)


def _activation(folder: Path) -> Iterator[LabelledTube]:
    config = RunConfig(panel_file=str(folder / "Activation-Experiment-Markers.csv"))
    for place, number in enumerate(_NUMBERS):
        masks = np.load(folder / f"Activation_{number}.masks.npz")
        packed = zip(masks["paths"], masks["packed"], masks["n"], strict=True)
        drawn = {str(path).rpartition("/")[2]: np.unpackbits(bits)[:n].astype(np.bool_) for path, bits, n in packed}
        yield LabelledTube(
            "Mouse T-cell activation, hand-drawn gates",
            f"Activation_{number}",
            folder / f"Activation_{number}.fcs",
            HERE / "activation.yaml",
            config,
            {name: drawn[name] for name in _DRAWN_AS},
            _DRAWN_AS,
            _ACTIVATION,
            place < _TRIED,
        )


def _gvhd(data: Path) -> Iterator[LabelledTube]:
    listed = json.loads((data / "truth" / "labels_index.json").read_text(encoding="utf-8"))
    for place, item in enumerate(listed):
        labels = np.load(data / item["labels"])
        yield LabelledTube(
            "FlowCAP-I GvHD blood, consensus clusters",
            item["name"],
            data / item["fcs"],
            HERE / "gvhd.yaml",
            RunConfig(),
            {f"cluster {number}": labels == number for number in range(1, int(labels.max()) + 1)},
            None,
            _GVHD,
            place < _TRIED,
        )
