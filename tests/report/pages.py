"""Pages under test: what a reader sees of them, and results large enough to be real."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np

from stromagate.model.config import RunConfig
from stromagate.model.gates import Ellipse, GateNode, GateTree, Geometry, Interval, Polygon, QuadrantPart, Rectangle
from stromagate.model.result import AxisView, DensityView, RunFinding, RunIndex, SampleEntry, SampleResult, Statistic
from stromagate.model.template import Readout
from tests.pattern.made_calls import called
from tests.results import LOGICLE, make_result

_BLOCKS = {"p", "h1", "h2", "h3", "li", "tr", "div", "section", "summary", "caption", "dt", "title", "blockquote"}
_CELLS = {"td", "th", "dd"}


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in {"script", "style"}
        self.parts.append("\n" if tag in _BLOCKS else " | " if tag in _CELLS else "")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in {"script", "style"}
        self.parts.append("\n" if tag in _BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def visible(html: str) -> str:
    """Return what a reader sees, one block a line, cells parted by bars."""
    parser = _Visible()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()).strip("| ").strip() for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line) + "\n"


def make_run(results: list[SampleResult], *failed: dict[str, str | None], **changes: Any) -> RunIndex:
    """Return the index of a run of these results and of tubes that failed with these errors."""
    entries = [
        SampleEntry(
            sample_id=result.sample_id,
            file=result.source.path,
            status=result.verdict,
            n_events=result.n_events,
            labels=result.labels,
        )
        for result in results
    ]
    entries += [
        SampleEntry(sample_id=f"failed-{i}", file=f"failed-{i}.fcs", status="failed", error=error)
        for i, error in enumerate(failed)
    ]
    template = results[0].template if results else None
    fields = {"stromagate": "0.1.0", "template": template, "config": RunConfig(), "samples": tuple(entries)}
    return RunIndex(**{**fields, **changes})


def golden_run() -> tuple[RunIndex, list[SampleResult]]:
    """Return a run with a stained tube, its control, a simulated tube and a failure."""
    results = [
        make_result(),
        make_result(sample_id="bm-001-fmo", labels={"patient_id": "P-17", "role": "fmo:CD146"}),
        make_result(
            sample_id="sim", instrument={"STROMAGATE_SIMULATED": "yes"}, labels={"role": "stained"}, findings=()
        ),
    ]
    error = {
        "code": "fcs.truncated",
        "message": "the file ends 1,024 bytes early",
        "where": "failed-0.fcs",
        "hint": "copy it again from the cytometer",
    }
    findings = (
        RunFinding(
            code="Q29",
            check="duplicates",
            status="fail",
            sentence="bm-001, sim hold the same bytes under different names: their cells are the same cells.",
            remedy="Find out which tube it is.",
            samples=("bm-001", "sim"),
            stage="run",
        ),
        RunFinding(
            code="Q60", check="voltages", status="not_applicable", sentence="No voltages are stated.", stage="run"
        ),
    )
    return make_run(results, error, findings=findings), results


def side(axis: str, title: str | None = None) -> AxisView:
    """Return an axis of a plot in logicle display units."""
    return AxisView(
        axis=axis,
        title=title or f"{axis} (PE-A)",
        low=-0.05,
        high=1.0,
        scale=LOGICLE,
        ticks=((0.13, "0"), (0.4, "10³"), (0.7, "10⁴"), (0.95, "10⁵")),
    )


def view(population: str, outline: Geometry | None, *, x: AxisView, y: AxisView | None, seed: int = 0) -> DensityView:
    """Return a plot of 50,000 events around two heaps, binned as the model says."""
    rng = np.random.default_rng(seed)
    n, nx, ny = 50_000, 128, 128 if y else 1
    far = rng.random(n) < 0.15
    xs = rng.normal(np.where(far, 0.7, 0.3), 0.08)
    ys = rng.normal(np.where(far, 0.6, 0.35), 0.1) if y else np.full(n, 0.5)
    counts, _, _ = np.histogram2d(ys, xs, bins=(ny, nx), range=((-0.05, 1.0), (-0.05, 1.0)))
    peak = int(counts.max())
    grid = np.ceil(np.log1p(counts) / np.log1p(peak) * 255).astype(np.uint8)
    return DensityView(
        population=population,
        parent="all",
        x=x,
        y=y,
        nx=nx,
        ny=ny,
        grid=base64.b64encode(grid.tobytes()).decode(),
        peak=peak,
        n_parent=n,
        n_shown=int(counts.sum()),
        outline=outline,
    )


def every_outline() -> list[tuple[Geometry | None, bool]]:
    """Return one gate of each kind that has a drawing, and whether its plot has a second axis."""
    pair = ("CD271", "CD146")
    return [
        (Interval("CD271", 0.5, None), True),
        (Interval("CD271", None, 0.5), False),
        (Interval("CD146", 0.5, 0.9), True),
        (Rectangle(pair, (0.5, None), (None, 0.45)), True),
        (Rectangle(("CD146", "CD271"), (0.4, 0.5), (0.8, 0.9), inside=False), True),
        (Polygon(pair, ((0.5, 0.4), (0.9, 0.3), (0.8, 0.85))), True),
        (Ellipse(pair, (0.7, 0.6), ((0.01, 0.003), (0.003, 0.008)), 4.0), True),
        (QuadrantPart(pair, (0.5, 0.5), ("above", "below")), True),
        (None, True),
    ]


def full_result(n: int = 15, **changes: Any) -> SampleResult:
    """Return a result with ``n`` gates, each with a full-size plot and a long sentence."""
    outlines = every_outline()
    nodes, views, rows = [], [], []
    for i in range(n):
        gate, flat = outlines[i % len(outlines)]
        name = f"population_{i}"
        state = "not_evaluable" if gate is None else "fitted"
        sentence = "CD271 cut at 0.412 (about 820 units): valley between peaks at 0.21 and 0.63, 12 % as deep"
        nodes.append(GateNode(name, "all", "valley", gate, state, sentence, spread=0.01))
        views.append(view(name, gate, x=side("CD271"), y=side("CD146") if flat else None, seed=i))
        rows.append(Statistic(population=name, parent="all", statistic="count", value=5000, unit="events"))
        rows.append(
            Statistic(
                population=name,
                parent="all",
                statistic="fraction",
                value=0.1,
                unit="fraction",
                denominator="all",
                n=5000,
            )
        )
    first = {"population": "population_0", "parent": "all", "n": 5000}
    rows.append(Statistic(statistic="cells_per_ul", value=12.0, unit="cells per µL", denominator="beads", **first))
    base = make_result()
    tree = GateTree(tuple(nodes), base.tree.axes)
    fields = {"tree": tree, "views": tuple(views), "statistics": tuple(rows), "indices": {"msc": "population_0"}}
    share = {"kind": "share", "population": "population_0", "denominator": "all"}
    topic = Readout.model_validate({"name": "niche", "title": "A share", "rows": [share]})
    fields["pattern"] = called()
    fields["template"] = base.template.model_copy(update={"readouts": (topic,)})
    return make_result(**{**fields, **changes})
