"""What each contestant does, each in a fresh process; prints one JSON object with its times, memory and answer."""

from __future__ import annotations

import json
import resource
import sys
import time

SCATTER = ("FSC-A", "FSC-H", "SSC-A")
DYES = tuple(f"FL{i}-A" for i in range(1, 17))
TOP, W, M, A = 262144.0, 0.5, 4.5, 0.0
# (name, parent, kind, axes, numbers): scatter in linear units, fluorescence in logicle display units.
GATES = (
    ("cells", None, "rectangle", ("FSC-A", "SSC-A"), ((20_000.0, 2_000.0), (250_000.0, 200_000.0))),
    ("singlets", "cells", "polygon", ("FSC-A", "FSC-H"), ((1e4, 5e3), (2.6e5, 1.9e5), (2.6e5, 2.6e5), (1e4, 3e4))),
    ("viable", "singlets", "below", ("FL1-A",), 0.55),
    ("negative", "viable", "rectangle", ("FL2-A", "FL3-A"), ((None, None), (0.52, 0.6))),
    ("g5", "negative", "below", ("FL4-A",), 0.60),
    ("g6", "g5", "below", ("FL5-A",), 0.58),
    ("g7", "g6", "above", ("FL6-A",), 0.30),
    ("g8", "g7", "above", ("FL7-A",), 0.35),
)


def main() -> None:
    """Do the one thing asked for."""
    task, *rest = sys.argv[1:]
    if task == "generate":
        generate(*rest)
    else:
        who, path = rest
        contest = {
            ("read", "flowkit"): flowkit_read,
            ("read", "stromagate"): our_read,
            ("gates", "flowkit"): flowkit_gates,
            ("gates", "stromagate"): our_gates,
        }
        contest[task, who](path)


def flowkit_read(path: str) -> None:
    """Read with ``flowkit.Sample``."""
    import flowkit

    begin = _begin()
    sample = flowkit.Sample(path, sample_id="bench")
    events = sample.get_events(source="raw")
    _answer(begin, [int(events.shape[0]), int(events.shape[1])])


def our_read(path: str) -> None:
    """Read with ``stromagate.read_fcs``."""
    import stromagate

    read = stromagate.read_fcs
    begin = _begin()
    sample = read(path)
    _answer(begin, [sample.events.shape[0], sample.events.shape[1]])


def flowkit_gates(path: str) -> None:
    """Read, compensate, gate and count with FlowKit's shortest public path."""
    import flowkit as fk

    begin = _begin()
    sample = fk.Sample(path, sample_id="bench")
    strategy = fk.GatingStrategy()
    strategy.add_comp_matrix("spill", fk.Matrix(sample.metadata["spillover"], list(DYES)))
    logicle = fk.transforms.LogicleTransform(param_t=TOP, param_w=W, param_m=M, param_a=A)
    strategy.add_transform("logicle", logicle)
    where: tuple[str, ...] = ("root",)
    for name, _parent, kind, axes, numbers in GATES:
        strategy.add_gate(_flowkit_gate(fk, name, kind, axes, numbers), gate_path=where)
        where = (*where, name)
    result = strategy.gate_sample(sample)
    _answer(begin, [int(result.get_gate_count(name)) for name, *_ in GATES])


def _flowkit_gate(fk: object, name: str, kind: str, axes: tuple[str, ...], numbers: object) -> object:
    lows, highs = {
        "rectangle": lambda: numbers,
        "above": lambda: ((numbers,), (None,)),
        "below": lambda: ((None,), (numbers,)),
        "polygon": lambda: ((None, None), (None, None)),
    }[kind]()
    dims = [
        fk.Dimension(
            axis,
            compensation_ref="spill" if axis in DYES else "uncompensated",
            transformation_ref="logicle" if axis in DYES else None,
            range_min=low,
            range_max=high,
        )
        for axis, low, high in zip(axes, lows, highs, strict=True)
    ]
    if kind == "polygon":
        return fk.gates.PolygonGate(name, dimensions=dims, vertices=[list(vertex) for vertex in numbers])
    return fk.gates.RectangleGate(name, dimensions=dims)


def our_gates(path: str) -> None:
    """Read, compensate, gate and count with ``stromagate.count_populations``."""
    import stromagate
    from stromagate.model.gates import Axis, GateNode, GateTree, Interval, Polygon, Rectangle
    from stromagate.model.panel import Compensation
    from stromagate.model.scales import Scale

    count = stromagate.count_populations
    begin = _begin()
    shapes = {
        "rectangle": lambda axes, numbers: Rectangle(axes, *numbers),
        "polygon": Polygon,
        "above": lambda axes, edge: Interval(axes[0], edge, None),
        "below": lambda axes, edge: Interval(axes[0], None, edge),
    }
    nodes = tuple(
        GateNode(name, parent or "all", "fixed", shapes[kind](axes, numbers), "fixed", "")
        for name, parent, kind, axes, numbers in GATES
    )
    logicle = Scale("logicle", TOP, W, M, A)
    axes = {name: Axis(name, Scale("linear"), False) for name in SCATTER}
    axes |= {name: Axis(name, logicle, True) for name in DYES}
    spill = Compensation("bench", DYES, tuple(map(tuple, _spillover())))
    counts = count(path, GateTree(nodes, axes, spill))
    _answer(begin, [counts[name] for name, *_ in GATES])


def generate(path: str, events: str) -> None:
    """Write the file both contestants read: three scatter channels, sixteen dyes with dense spillover, Time."""
    import numpy as np

    from stromagate.fcs import write_fcs

    rng = np.random.default_rng(20261124)
    n = int(events)
    area = rng.lognormal(11.3, 0.4, n)
    scatter = [area, area * rng.normal(0.85, 0.05, n), rng.lognormal(10.2, 0.6, n)]
    positive = rng.random((n, 16)) < np.linspace(0.05, 0.5, 16)
    dyes = np.where(positive, rng.lognormal(9.2, 0.6, (n, 16)), rng.normal(150, 220, (n, 16)))
    matrix = np.array(_spillover())
    columns = np.column_stack([*scatter, dyes @ matrix, np.arange(n) / 100.0]).astype(np.float32)
    spill = ",".join(["16", *DYES, *(repr(float(value)) for value in matrix.ravel())])
    write_fcs(path, columns, [*SCATTER, *DYES, "Time"], keywords={"$SPILLOVER": spill, "$TIMESTEP": "1"})


def _spillover() -> list[list[float]]:
    """Return a dense 16 x 16 matrix: strong neighbours, weak everywhere."""
    return [[1.0 if i == j else round(0.15 / (1 + abs(i - j)) ** 1.5, 4) for j in range(16)] for i in range(16)]


def _begin() -> tuple[float, float]:
    return time.perf_counter(), _peak_mb()


def _answer(begin: tuple[float, float], answer: list[int]) -> None:
    said = {"work_s": time.perf_counter() - begin[0], "grown_mb": max(_peak_mb() - begin[1], 0.001), "answer": answer}
    json.dump(said, sys.stdout)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
