"""Evidence made by hand: a small good tube, and whatever a test changes in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from stromagate.model.gates import Axis, GateNode, GateTree, Geometry, Interval, Polygon, QuadrantPart
from stromagate.model.panel import Binding, Compensation, Panel
from stromagate.model.result import Finding, Sensitivity
from stromagate.model.sample import Channel, Sample, SourceRef, Spillover
from stromagate.model.scales import Scale
from stromagate.model.template import GatingTemplate
from stromagate.qc import Evidence
from stromagate.qc.check import checks
from stromagate.qc.run import answers

LINEAR, ASINH = Scale(), Scale(kind="asinh")
MARKERS = {"Viability": "BV510-A", "CD45": "FITC-A", "CD31": "BV605-A", "CD271": "PE-A", "CD146": "APC-A"}
SCATTER = ("FSC-A", "FSC-H", "SSC-A")
COLUMNS = {"Time": "Time", **{name: name for name in SCATTER}, **MARKERS}

N, N_MSC = 150_000, 120


def good_columns(n: int = N, n_msc: int = N_MSC) -> dict[str, np.ndarray]:
    """Return axis -> values of a quiet tube; the MSC are spread evenly over it, every second one CD146+."""
    return {axis: values.copy() for axis, values in _quiet_tube(n, n_msc).items()}


@cache
def _quiet_tube(n: int, n_msc: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    columns = {axis: rng.normal(100, 40, n) for axis in MARKERS}
    columns |= {"FSC-A": rng.normal(9e4, 1e4, n), "SSC-A": rng.normal(4e4, 1e4, n)}
    columns["FSC-H"] = columns["FSC-A"] * 0.8
    columns["Time"] = np.cumsum(rng.exponential(1e-4, n))
    columns["CD45"] = rng.normal(20_000, 2_000, n)
    rare = rare_rows(n, n_msc)
    columns["SSC-A"][rare] = rng.normal(9e4, 5e3, len(rare))
    for axis, value in {"CD45": 150, "CD271": 20_000}.items():
        columns[axis][rare] = rng.normal(value, value / 20, len(rare))
    columns["CD146"][rare[::2]] = 9_000
    return columns


def rare_rows(n: int = N, n_msc: int = N_MSC) -> np.ndarray:
    """Return the rows of the MSC in `good_columns`."""
    return np.linspace(10, n - 10, n_msc).astype(np.intp) if n_msc else np.empty(0, dtype=np.intp)


def gate(name: str, parent: str, method: str, geometry: Geometry | None, **more: Any) -> GateNode:
    state = "not_evaluable" if geometry is None else "fitted"
    return GateNode(name, parent, method, geometry, **{"state": state, "sentence": f"{name} by {method}", **more})


GATES = (
    gate("time_ok", "all", "time", Interval("Time", 0.0, None)),
    gate("singlets", "time_ok", "singlet", Polygon(("FSC-A", "FSC-H"), ((0.0, 0.0), (3e5, 2e5), (3e5, 3e5)))),
    gate("viable", "singlets", "fixed", Interval("Viability", None, 0.5), state="fixed"),
    gate("stroma", "viable", "quadrant", QuadrantPart(("CD45", "CD31"), (0.55, 0.8), ("below", "below"))),
    gate("msc", "stroma", "tail", Interval("CD271", 0.7, None)),
    gate("progenitors", "msc", "tail", Interval("CD146", 0.6, None)),
)


QUIET_MOVES = tuple(
    Sensitivity(population=name, gate=name, axis=axis, lower=0.0, higher=0.0)
    for name, axis in (("msc", "CD271"), ("progenitors", "CD146"))
)


def default_members(n: int = N, n_msc: int = N_MSC) -> dict[str, np.ndarray]:
    everything, rare = np.arange(n, dtype=np.intp), rare_rows(n, n_msc)
    trunk = dict.fromkeys(("all", "time_ok", "singlets", "viable"), everything)
    return {**trunk, "stroma": rare, "msc": rare, "progenitors": rare[::2]}


def make_evidence(
    *,
    columns: Mapping[str, np.ndarray] | None = None,
    members: Mapping[str, np.ndarray] | None = None,
    gates: Sequence[GateNode] = GATES,
    compensation: Compensation | str | None = "unchanged",
    sample: Mapping[str, Any] | None = None,
    channels: Mapping[str, Mapping[str, Any]] | None = None,
    template: Mapping[str, Any] | None = None,
    compensated: bool = True,
    sensitivities: Sequence[Sensitivity] = QUIET_MOVES,
) -> Evidence:
    """Return evidence of the quiet tube, with the given parts changed.

    ``columns`` are scale values by axis, which here are the compensated ones too; ``members`` are merged over the
    default ones; ``sample``, ``channels`` (by axis) and ``template`` replace fields.
    """
    data = dict(good_columns() if columns is None else columns)
    n = len(next(iter(data.values())))
    axes = [axis for axis in COLUMNS if axis in data]
    events = np.asfortranarray(np.stack([data[axis] for axis in axes], axis=1).astype(np.float32))
    made = [
        replace(
            Channel(index, COLUMNS[axis], axis if axis in MARKERS else "", 32, 262144.0, is_time=axis == "Time"),
            **(channels or {}).get(axis, {}),
        )
        for index, axis in enumerate(axes)
    ]
    inside = tuple(pnn for axis, pnn in MARKERS.items() if axis in data)
    matrix = np.eye(len(inside)) + 0.01 * (1 - np.eye(len(inside)))
    full = Compensation("$SPILLOVER of the file", inside, tuple(map(tuple, matrix.tolist())))
    tube = Sample(
        events=events,
        channels=tuple(made),
        source=SourceRef("tube.fcs", 1),
        version="FCS3.1",
        keywords={},
        spillover=Spillover("ok", "$SPILLOVER", inside, matrix),
        policy="repair",
        gain="apply",
        timestep_s=0.01,
    )
    tree = GateTree(
        tuple(gates),
        {
            axis: Axis(COLUMNS[axis], ASINH if axis in MARKERS else LINEAR, axis in MARKERS and compensated)
            for axis in axes
        },
        full if isinstance(compensation, str) else compensation,
    )
    names = {"all", *(node.name for node in gates)}
    there = {name: rows for name, rows in {**default_members(n), **(members or {})}.items() if name in names}
    gone = {node.name for node in gates if node.state == "not_evaluable"}
    return Evidence(
        sample=replace(tube, **(sample or {})),
        template=_template(gates, template or {}),
        panel=Panel(
            tuple(
                Binding(axis, index, COLUMNS[axis], axis, "$PnS" if axis in MARKERS else "scatter")
                for index, axis in enumerate(axes)
            )
        ),
        tree=tree,
        members={name: rows for name, rows in there.items() if name not in gone},
        counts={name: None if name in gone else int(rows.size) for name, rows in there.items()},
        linear=lambda axis, rows: events[rows, axes.index(axis)],
        sensitivities=tuple(sensitivities),
    )


def ask(name: str, evidence: Evidence) -> list[Finding]:
    """Return what the check called ``name`` finds."""
    return answers(checks.get(name), evidence)


def one(name: str, evidence: Evidence) -> Finding:
    """Return the only finding of a check."""
    (finding,) = ask(name, evidence)
    return finding


def seen(name: str, evidence: Evidence) -> tuple[str, str]:
    """Return status and sentence of the only finding of a check."""
    finding = one(name, evidence)
    return finding.status, finding.sentence


def without_indices(**more: Any) -> Evidence:
    """Return the quiet tube under a template that names no index population."""
    return make_evidence(template={"indices": {}, **more})


def _axis(axis: str, *, compensated: bool) -> Axis:
    marker = axis in MARKERS
    return Axis(COLUMNS[axis], ASINH if marker else LINEAR, marker and compensated)


def _template(gates: Sequence[GateNode], fields: Mapping[str, Any]) -> GatingTemplate:
    populations = [{"name": node.name, "parent": node.parent, "gate": {"method": node.method}} for node in gates]
    return GatingTemplate.model_validate(
        {
            "format": "stromagate.template/1",
            "name": "t",
            "version": "1.0.0",
            "status": "local",
            "title": "t",
            "panel": {"required": list(MARKERS)},
            "populations": populations or [{"name": "x", "parent": "all", "gate": {"method": "fixed"}}],
            "denominators": ["viable"],
            "indices": {"msc": "msc", "progenitors": "progenitors"},
            **fields,
        }
    )
