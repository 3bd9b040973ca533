"""A small hand-made result with one of everything, for tests of what lies below the hand-off (report, export)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np

from stromagate.model.config import RunConfig
from stromagate.model.detection import BackgroundCount, DetectionLimits
from stromagate.model.edits import GateEdit
from stromagate.model.gates import (
    Axis,
    Boolean,
    Ellipse,
    GateNode,
    GateTree,
    Geometry,
    Interval,
    Polygon,
    QuadrantPart,
    Rectangle,
    Spans,
)
from stromagate.model.panel import Binding, Compensation, Panel
from stromagate.model.result import (
    AxisView,
    ControlProfile,
    ControlUse,
    DensityView,
    Finding,
    RunRecord,
    SampleResult,
    Sensitivity,
    Statistic,
    TemplateRef,
)
from stromagate.model.sample import Repair, SourceRef
from stromagate.model.scales import Scale
from stromagate.model.template import Readout, SourceNote

LINEAR = Scale(top=262144.0)
TIME = Scale(top=600.0)
LOGICLE = Scale(kind="logicle", top=262144.0, width_decades=0.6)
ASINH = Scale(kind="asinh", top=262144.0, decades=4.0, negative_decades=0.5)

_AXES = {
    "Time": Axis("Time", TIME, False),
    "FSC-A": Axis("FSC-A", LINEAR, False),
    "FSC-H": Axis("FSC-H", LINEAR, False),
    "SSC-A": Axis("SSC-A", LINEAR, False),
    "Viability": Axis("BV510-A", ASINH, True),
    "CD45": Axis("FITC-A", LOGICLE, True),
    "CD235a": Axis("PerCP-Cy5-5-A", LOGICLE, True),
    "CD31": Axis("BV605-A", LOGICLE, True),
    "CD34": Axis("APC-A", LOGICLE, True),
    "CD271": Axis("PE-A", LOGICLE, True),
    "CD146": Axis("BV421-A", LOGICLE, True),
}


def make_result(**changes: Any) -> SampleResult:
    """Return the result of one invented tube; ``changes`` replace whole fields.

    The tree has every geometry (interval, spans, rectangle, polygon, ellipse, quadrant part, boolean), every state
    (fitted, fixed, fallback, edited, not evaluable) and every count state; findings have every status.
    """
    fields: dict[str, Any] = {
        "sample_id": "bm-001",
        "labels": {"patient_id": "P-17", "role": "stained", "batch": "b1"},
        "source": SourceRef("bm-001.fcs", 72_004_096, sha256="5e" * 32),
        "verdict": "repaired",
        "repairs": (Repair("end.plus1", "72004096", "72004095", "the last byte of DATA was given one too far"),),
        "n_events": 1_200_000,
        "instrument": {"FCS version": "FCS3.1", "$CYT": "LSRFortessa", "$DATATYPE": "F"},
        "template": _template(),
        "panel": _panel(),
        "tree": make_tree(),
        "statistics": _statistics(),
        "findings": _findings(),
        "views": _views(),
        **_edits(),
        "sensitivities": _sensitivities(),
        "controls": _controls(),
        "background": _background(),
        "detection": _detection(),
        "control_roles": {"msc": ("fmo:CD271",), "progenitors": ("fmo:CD146", "unstained")},
        "denominators": ("nucleated", "msc"),
        "indices": {"msc": "msc", "progenitors": "progenitors"},
        "labels_of_populations": {"msc": "MSC (CD271+)", "progenitors": "CD146+ progenitors"},
        "record": RunRecord(
            stromagate="0.1.0",
            python="3.11.9",
            libraries={"numpy": "2.1.0", "scipy": "1.14.0"},
            config=RunConfig(),
            conventions={"edges": "lower edge in, upper edge out"},
        ),
    }
    return SampleResult(**{**fields, **changes})


def _edits() -> dict[str, Any]:
    """Return the edit that the tree shows, and what was there before."""
    edit = GateEdit(
        population="progenitors",
        geometry=Interval("CD146", 0.5125, None),
        who="reader B",
        when="2026-03-01T18:00:00Z",
        why="the shoulder is background",
    )
    before = GateNode("progenitors", "msc", "tail", Interval("CD146", 0.44, None), "fitted", "the tail of msc", 0.02)
    counts = {node.name: 100 + i for i, node in enumerate(make_tree().nodes)} | {"progenitors": 31, "msc_cd105": None}
    return {"edits": (edit,), "replaced": (before,), "fitted_counts": counts, "fitted_tree_sha256": "7e" * 32}


def make_tree() -> GateTree:
    """Return a tree with every geometry and every state."""
    gates: list[tuple[str, str, str, Geometry | None]] = [
        ("time_ok", "all", "time", Spans("Time", ((0.0, 120.5), (131.0, 480.25)))),
        (
            "singlets",
            "time_ok",
            "singlet",
            Polygon(("FSC-A", "FSC-H"), ((0.0, 0.0), (262144.0, 190000.0), (262144.0, 262144.0), (0.0, 9000.0))),
        ),
        (
            "not_debris",
            "singlets",
            "ellipse",
            Ellipse(("FSC-A", "SSC-A"), (9.0e4, 6.0e4), ((1.6e9, 4.0e8), (4.0e8, 9.0e8)), 9.0),
        ),
        ("viable", "not_debris", "tail", Interval("Viability", None, 0.55)),
        ("nucleated", "viable", "fixed", Rectangle(("CD235a", "FSC-A"), (None, 2.0e4), (0.5, None))),
        ("stroma", "nucleated", "valley", QuadrantPart(("CD31", "CD34"), (0.45, 0.4), ("below", "below"))),
        ("msc", "stroma", "tail", Interval("CD271", 0.62, None)),
        ("progenitors", "msc", "tail", Interval("CD146", 0.5125, None)),
        ("msc_cd146neg", "msc", "boolean", Boolean("none", ("progenitors",))),
        ("msc_cd105", "msc", "valley", None),
    ]
    how: dict[str, dict[str, Any]] = {
        "viable": {"spread": 0.004, "source": "main peak of not_debris"},
        "nucleated": {"state": "fixed"},
        "stroma": {"spread": 0.021, "source": "valley on nucleated"},
        "msc": {"spread": 0.018, "state": "fallback", "source": "tail of stroma", "sentence": "no second peak; tail"},
        "progenitors": {"spread": None, "state": "edited", "edited_by": "reader B", "source": "moved by hand"},
        "msc_cd105": {"state": "not_evaluable", "sentence": "CD105 cannot be parted on 62 events"},
    }
    nodes = [
        GateNode(
            name=name,
            parent=parent,
            method=method,
            geometry=geometry,
            **{"state": "fitted", "sentence": f"{name} of {parent} by {method}", **how.get(name, {})},
        )
        for name, parent, method, geometry in gates
    ]
    compensation = Compensation("$SPILLOVER", ("FITC-A", "PE-A"), ((1.0, 0.12), (0.01, 1.0)))
    return GateTree(tuple(nodes), _AXES, compensation)


def _controls() -> tuple[ControlUse, ...]:
    """One control that serves, one that serves and differs, and one that could not be used."""
    used = ControlUse(
        sample_id="bm-001-fmo271",
        role="fmo:CD271",
        sha256="6f" * 32,
        n_events=400_000,
        gates=("msc",),
        n_anchor={"stroma": 2114.0},
        matched=("batch", "patient_id", "detectors"),
    )
    odd = {"sample_id": "bm-004-fmo271", "n_anchor": {"stroma": 877.0}, "mismatched": ("another day",)}
    failed = {"sample_id": "bm-001-fmo146", "role": "fmo:CD146", "n_events": 0, "gates": (), "n_anchor": {}}
    reason = {"unused": "failed", "reason": "the file ends before its data do"}
    return used, used.model_copy(update=odd), used.model_copy(update={**failed, **reason})


def _background() -> tuple[BackgroundCount, ...]:
    """What the control that serves and an unstained tube hold of MSC; nothing tells of progenitors."""
    shared = {"population": "msc", "n_blanks": 1, "scaled_by": "nucleated"}
    fmo = BackgroundCount(role="fmo:CD271", events=1, scale=1.0, low=0.0253178, high=5.5716434, **shared)
    return fmo, BackgroundCount(role="unstained", events=9, scale=4.0, low=16.461492, high=68.339214, **shared)


def _detection() -> tuple[DetectionLimits, ...]:
    """Limits that background raises, and the floors."""
    raised = {"lob_events": 5, "lod_events": 20.0, "lloq_events": 52.92582404, "blank_events": 1.0}
    msc = DetectionLimits(population="msc", method="Poisson", source="fmo:CD271", n_blanks=1, **raised)
    return msc, DetectionLimits(population="progenitors", lob_events=0, lod_events=20, lloq_events=50)


def _beside() -> Iterator[Statistic]:
    """Background, net and limits of MSC, and what there would be without two of the markers."""
    msc = {"population": "msc", "parent": "stroma"}
    fmo, bare = {**msc, "marker": "fmo:CD271"}, {**msc, "marker": "unstained"}
    bound = {"n": 9, "state": "upper bound, not subtracted"}
    yield from _in_both_units(fmo, "background", 1.0, (0.0253178, 5.5716434), n=1)
    yield from _in_both_units(fmo, "net", 61.0, (43.516707, 83.77087), n=62)
    yield from _in_both_units(bare, "background", 36.0, (16.461492, 68.339214), **bound)
    for name, value in (("lob", 5.0), ("lod", 20.0), ("lloq", 52.92582404)):
        yield Statistic(statistic=name, value=value, unit="events", **fmo)
    for population, parent, marker, count in (
        ("msc", "stroma", "CD271", 1310),
        ("msc", "stroma", "Viability", 62),
        ("progenitors", "msc", "CD146", 62),
    ):
        shared = {"population": population, "parent": parent, "marker": marker, "n": count}
        yield Statistic(statistic="without_marker", value=count, unit="events", **shared)
        per = {"statistic": "without_marker_per_million", "unit": "per million", "denominator": "nucleated"}
        yield Statistic(value=float(f"{1e6 * count / 842000:.12g}"), **per, **shared)


def _over_fmo() -> Iterator[Statistic]:
    """The median of a marker on MSC over that of the FMO control."""
    shared: dict[str, Any] = {"population": "msc", "parent": "stroma", "marker": "CD146", "denominator": "fmo:CD146"}
    below = {"ci_low": 371.5, "ci_high": 472.0, "interval": "order statistics", "state": "quantifiable"}
    yield Statistic(statistic="control_median", value=420.0, unit="scale value", n=55, **below, **shared)
    for statistic, unit, value, low, high in (
        ("mfi_ratio", "ratio", 3.12023809524, 2.41175321, 4.10227811),
        ("median_difference", "display units", 0.101273812, 0.078812335, 0.127113242),
    ):
        limits = {"ci_low": low, "ci_high": high, "counting_low": low, "counting_high": high}
        more: dict[str, Any] = {"n": 62, "state": "post-reoxygenation", "interval": "MOVER of order statistics"}
        yield Statistic(statistic=statistic, unit=unit, value=value, **limits, **more, **shared)


def _in_both_units(
    shared: dict[str, Any], statistic: str, value: float, limits: tuple[float, float], **more: Any
) -> Iterator[Statistic]:
    for suffix, unit, per in (("", "events", 1.0), ("_per_million", "per million", 1e6 / 842000)):
        low, high = (float(f"{per * limit:.8g}") for limit in limits)
        ends = {"ci_low": low, "ci_high": high, "counting_low": low, "counting_high": high}
        scaled = float(f"{per * value:.8g}")
        row = {"statistic": f"{statistic}{suffix}", "value": scaled, "unit": unit, "denominator": "nucleated"}
        yield Statistic(**row, **ends, **shared, **more)


def _template() -> TemplateRef:
    return TemplateRef(
        name="bm_test",
        version="1.2.3",
        status="reconstruction",
        title="Bone-marrow stroma, a test",
        sha256="7a" * 32,
        sources=(SourceNote(doi="10.1038/leu.2016.91", note="CD45-CD235a-CD271+ sort definition"),),
        sentences=("1. time_ok: of all, keep steady stretches of Time.", "2. singlets: of time_ok, keep the band."),
        readouts=(Readout.model_validate(READOUT),),
    )


READOUT: dict[str, Any] = {
    "name": "cross_talk",
    "title": "Cross-talk",
    "rows": [
        {"kind": "mfi_ratio", "population": "msc", "marker": "CD146", "label": "MCAM (CD146)"},
        {"kind": "mfi_ratio", "population": "msc", "marker": "CD106"},
        {"kind": "share", "population": "progenitors", "denominator": "msc"},
    ],
    "warnings": [
        {"text": "Dim: it takes an FMO tube.", "doi": "10.1155/2019/3864948"},
        {"text": "Lost in air.", "when": "not_fixed_at_bedside", "flag": "post-reoxygenation"},
    ],
}
"""A read-out with a number, a marker that is not there, a share, and a warning that the sheet does not lift."""


def _panel() -> Panel:
    bindings = [
        Binding(axis, channel, spec.pnn, axis if spec.compensated else "", "$PnS" if spec.compensated else "scatter")
        for channel, (axis, spec) in enumerate(_AXES.items())
    ]
    return Panel(tuple(bindings), absent=("CD105",))


# population, parent, events, Poisson interval of the count, Clopper-Pearson interval of the share of the parent
_COUNTS: list[tuple[str, str, int, tuple[float, float], tuple[float, float], str]] = [
    ("time_ok", "all", 1164000, (1161886.3651, 1166116.5301), (0.969693233, 0.970304496), "quantifiable"),
    ("singlets", "time_ok", 1069000, (1066974.4924, 1071028.4028), (0.91788605, 0.918881626), "quantifiable"),
    ("not_debris", "singlets", 981000, (979059.6923, 982943.203), (0.917157451, 0.918200434), "quantifiable"),
    ("viable", "not_debris", 905000, (903136.4044, 906866.4909), (0.92199725, 0.923056319), "quantifiable"),
    ("nucleated", "viable", 842000, (840202.4735, 843800.4219), (0.929860483, 0.930910241), "quantifiable"),
    ("stroma", "nucleated", 1310, (1240.0131, 1382.9082), (0.00147276, 0.001642338), "quantifiable"),
    ("msc", "stroma", 62, (47.535, 79.4812), (0.03647577, 0.060264968), "quantifiable"),
    ("progenitors", "msc", 21, (12.9993, 32.1007), (0.223330421, 0.470068762), "detected, not quantifiable"),
    ("msc_cd146neg", "msc", 41, (29.4223, 55.6211), (0.529931238, 0.776669579), "detected, not quantifiable"),
]

_HOW = {
    "count": "exact Poisson",
    "fraction": "Clopper-Pearson",
    "per_million": "Clopper-Pearson",
    "ratio": "MOVER-R of exact Poisson",
    "median": "order statistics",
    "median_of_parent": "order statistics",
}

_PER_MILLION_NUCLEATED = {
    "stroma": (1472.76, 1642.338),
    "msc": (56.455, 94.395),
    "progenitors": (15.439, 38.124),
    "msc_cd146neg": (34.944, 66.058),
}


# Interval of counting and boundaries together, and of boundaries alone, for numbers that redrawn boundaries change.
_REDRAWN: dict[tuple[str, str], tuple[tuple[float, float], tuple[float, float]]] = {
    ("stroma", "count"): ((1180.25, 1452.5), (1203.5, 1424.0)),
    ("stroma", "per_million"): ((1403.125, 1724.5), (1430.5, 1690.25)),
    ("msc", "count"): ((45.125, 84.75), (54.5, 72.25)),
    ("msc", "per_million"): ((53.625, 100.75), (64.75, 85.875)),
    ("progenitors", "count"): ((12.9993, 32.1007), (21.0, 21.0)),
    ("progenitors", "per_million"): ((15.439, 38.124), (24.94061757719715, 24.94061757719715)),
    ("viable", "fraction"): ((0.9202, 0.9248), (0.9203, 0.9247)),
}


def _sensitivities() -> tuple[Sensitivity, ...]:
    """One edge that matters most on the way to MSC, one of its own, and one that leaves nothing."""
    moves = [
        ("msc", "viable", "Viability", 0.0, 0.0),
        ("msc", "stroma", "CD31", -0.105360515658, 0.30010459245),
        ("msc", "msc", "CD271", 0.018018505502678, -0.0322608622182),
        ("progenitors", "progenitors", "CD146", 0.4054651081, None),
    ]
    return tuple(
        Sensitivity(population=population, gate=gate, axis=axis, lower=lower, higher=higher)
        for population, gate, axis, lower, higher in moves
    )


def _statistics() -> tuple[Statistic, ...]:
    n = {"all": 1_200_000, **{row[0]: row[2] for row in _COUNTS}}
    whole = {"population": "all", "parent": "", "state": "quantifiable", "n": n["all"]}
    rows = [Statistic(statistic="count", value=n["all"], unit="events", **whole)]
    for population, parent, count, poisson, share, state in _COUNTS:
        shared: dict[str, Any] = {"population": population, "parent": parent, "state": state, "n": count}
        rows.append(_row(shared, "count", count, "events", poisson))
        rows.append(_row(shared, "fraction", count / n[parent], "fraction", share, denominator=parent))
        if population in _PER_MILLION_NUCLEATED:
            value, interval = 1e6 * count / n["nucleated"], _PER_MILLION_NUCLEATED[population]
            rows.append(_row(shared, "per_million", value, "per million", interval, denominator="nucleated"))
    msc = {"population": "msc", "parent": "stroma", "state": "quantifiable", "n": 62}
    rows.append(_row(msc, "median", 8123.5, "scale value", (6901.25, 9544.0), marker="CD271"))
    rows.append(_row(msc, "cells_per_ul", 1.55, "cells per µL", (1.18, 2.03), denominator="beads"))
    rows.append(_row(msc, "per_million_without_blood", 83.3, "per million", (60.5, 114.5), denominator="nucleated"))
    part = {"population": "progenitors", "parent": "msc", "state": "detected, not quantifiable", "n": 21}
    rows.append(_row(part, "ratio", 21 / 41, "ratio", (0.2911534, 0.8796227), denominator="msc_cd146neg"))
    whole = {**part, "state": "quantifiable", "n": 62}
    limits = (1001.25, 1702.0)
    rows.append(_row(whole, "median_of_parent", 1310.5, "scale value", limits, marker="CD146", denominator="msc"))
    gone = {"population": "msc_cd105", "parent": "msc", "state": "not evaluable", "value": None}
    rows.append(Statistic(statistic="count", unit="events", **gone))
    rows.append(Statistic(statistic="fraction", unit="fraction", denominator="msc", **gone))
    return (*rows, *_beside(), *_over_fmo())


def _row(
    shared: dict[str, Any], statistic: str, value: float, unit: str, interval: tuple[float, float], **more: str
) -> Statistic:
    low, high = interval
    counting = {} if statistic.startswith("median") else {"counting_low": low, "counting_high": high}
    parts = _REDRAWN.get((str(shared["population"]), statistic))
    ci = {"ci_low": low, "ci_high": high}
    if parts is not None:
        (ci["ci_low"], ci["ci_high"]), (bound_low, bound_high) = parts
        counting |= {"boundary_low": bound_low, "boundary_high": bound_high}
    how = {"interval": _HOW.get(statistic, "")}
    return Statistic(statistic=statistic, value=value, unit=unit, **ci, **counting, **shared, **how, **more)


def _findings() -> tuple[Finding, ...]:
    return (
        Finding(
            code="Q08",
            check="viability",
            status="pass",
            sentence="92.3 % of not_debris are viable",
            measured=92.2528,
            limit=70.0,
            unit="%",
            population="viable",
            stage="result",
        ),
        Finding(
            code="Q07",
            check="few_events",
            status="warn",
            sentence="842,000 events in nucleated",
            measured=842000.0,
            limit=1e6,
            unit="events",
            population="nucleated",
            remedy="acquire more events",
            stage="acquisition",
        ),
        Finding(
            code="Q10",
            check="scatter_ceiling",
            status="fail",
            sentence="41.9 % of msc lie at the top of FSC-A",
            measured=41.9355,
            limit=40.0,
            unit="%",
            population="msc",
            remedy="lower the FSC voltage",
            stage="acquisition",
        ),
        Finding(code="Q04", check="time", status="not_applicable", sentence="the file has no Time channel"),
    )


def _views() -> tuple[DensityView, ...]:
    cd271 = AxisView(
        axis="CD271",
        title="CD271 (PE-A)",
        low=0.0,
        high=1.0,
        scale=LOGICLE,
        ticks=((0.2, "0"), (0.5, "10³"), (0.75, "10⁴"), (1.0, "10⁵")),
    )
    ssc = AxisView(axis="SSC-A", title="SSC-A", low=0.0, high=262144.0, scale=LINEAR, ticks=((0.0, "0"), (2e5, "200K")))
    viability = AxisView(axis="Viability", title="Viability (BV510-A)", low=-0.1, high=1.0, scale=ASINH)
    tree = make_tree()
    return (
        _view("viable", "not_debris", (viability, None), 981_000, tree.node("viable").geometry),
        _view("msc", "stroma", (cd271, ssc), 1310, tree.node("msc").geometry).model_copy(
            update={"controls": (control_profile(),)}
        ),
    )


def control_profile(axis: str = "CD271", n_bins: int = 32) -> ControlProfile:
    """Return what two FMO tubes show: one heap that ends below the gate."""
    counts = np.floor(400 * np.exp(-80 * (np.linspace(0, 1, n_bins) - 0.3) ** 2))
    peak = int(counts.max())
    levels = np.rint(np.log1p(counts) / np.log1p(peak) * 255).astype(np.uint8)
    return ControlProfile(
        role=f"fmo:{axis}",
        axis=axis,
        population="stroma",
        n_tubes=2,
        n_events=2991,
        profile=base64.b64encode(levels.tobytes()).decode(),
        peak=peak,
    )


def _view(
    population: str, parent: str, axes: tuple[AxisView, AxisView | None], n_parent: int, outline: Geometry | None
) -> DensityView:
    """Two round heaps of events, binned and log-scaled as the model says."""
    nx, ny = 32, 32 if axes[1] else 1
    x, y = np.meshgrid(np.linspace(0, 1, nx), np.linspace(0, 1, ny) if ny > 1 else np.zeros(1))
    heaps = np.exp(-40 * ((x - 0.3) ** 2 + (y - 0.4 * (ny > 1)) ** 2))
    heaps += 0.1 * np.exp(-60 * ((x - 0.75) ** 2 + (y - 0.6 * (ny > 1)) ** 2))
    counts = np.floor(heaps / heaps.sum() * n_parent)
    peak = int(counts.max())
    grid = np.ceil(np.log1p(counts) / np.log1p(peak) * 255).astype(np.uint8)
    return DensityView(
        population=population,
        parent=parent,
        x=axes[0],
        y=axes[1],
        nx=nx,
        ny=ny,
        grid=base64.b64encode(grid.tobytes()).decode(),
        peak=peak,
        n_parent=n_parent,
        n_shown=int(counts.sum()),
        outline=outline,
    )
