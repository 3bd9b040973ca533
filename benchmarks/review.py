"""What a drag costs: a boundary of a simulated marrow moved by hand, and all below it counted; part of ``make bench``.

The review has 150 milliseconds on the server for one step of a drag at a million events. Printed are the median and the
95th percentile over forty steps of each kind of boundary, as the wall clock has them and as the processor has them: on
a machine that has other things to do the former says more of those.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from stromagate.model.gates import Ellipse, Geometry, Interval, Polygon
from stromagate.model.result import SampleResult
from stromagate.pipeline import analyze
from stromagate.pipeline.review.files import FileFinder
from stromagate.pipeline.review.opened import ReviewTube
from stromagate.pipeline.review.tubes import open_tube
from stromagate.pipeline.threads import one_blas_thread
from stromagate.simulate import TubeOrder, scenario, simulate_tube, write_tube

TEMPLATE = "bm_stroma_core"
SCENARIO = "healthy"
BAR_MS = 150.0


def main() -> int:
    """Simulate the tube, analyse it, open it again, drag; say whether the bar is kept."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder, one_blas_thread():
        path = Path(folder) / "bench.fcs"
        order = TubeOrder(
            scenario=scenario(SCENARIO), sample_id="bench", donor="bench", n_events=options.events, seed=options.seed
        )
        write_tube(simulate_tube(order), path)
        result = analyze(path, TEMPLATE)
        begin = time.perf_counter()
        tube = open_tube(Path(folder), result, FileFinder(Path(folder), [Path(folder)]))
        print(f"{options.events:,} events, {SCENARIO} marrow, template {TEMPLATE}: opened again ", end="")
        print(f"in {time.perf_counter() - begin:.2f} s; then {options.drags} steps of a drag each, milliseconds")
        return _report(tube, result, options.drags, options.seed, strict=options.strict)


def _report(tube: ReviewTube, result: SampleResult, drags: int, seed: int, *, strict: bool) -> int:
    rng, slow = np.random.default_rng(seed), []
    print(f"  {'boundary':<52} {'median':>7} {'95 %':>7}   processor alone: median, 95 %")
    for title, edits, population, step in _kinds(tube, result):
        steps = [step(rng) for _ in range(drags)]
        tube.counts(edits)  # what stands before the drag is counted once, not at every step
        wall, busy = _timed([partial(tube.preview, edits, population, at) for at in steps])
        slow += [title] if np.quantile(wall, 0.95) >= BAR_MS else []
        figures = (np.median(wall), np.quantile(wall, 0.95), np.median(busy), np.quantile(busy, 0.95))
        print(f"  {title:<52} {figures[0]:7.1f} {figures[1]:7.1f} {figures[2]:25.1f} {figures[3]:7.1f}")
    wall, busy = _timed([lambda: tube.view("singlets", "CD45", "SSC-A", population="cd45pos")] * drags)
    print(f"  {'plot of the singlets with leukocytes gated back':<52} {np.median(wall):7.1f} ", end="")
    print(f"{np.quantile(wall, 0.95):7.1f} {np.median(busy):25.1f} {np.quantile(busy, 0.95):7.1f}")
    print(f"  bar: {BAR_MS:g} ms at the 95th percentile; " + (f"passed by {', '.join(slow)}" if slow else "kept"))
    return 1 if slow and strict else 0


_Kind = tuple[str, dict[str, Geometry], str, Callable[[np.random.Generator], Geometry]]


def _kinds(tube: ReviewTube, result: SampleResult) -> Iterator[_Kind]:
    """Yield each kind of boundary: its title, the edits that stand, whose boundary, and one step of the drag."""
    nodes = {node.name: node.geometry for node in tube.fitted.nodes}
    viable, singlets, debris = nodes["viable"], nodes["singlets"], nodes["not_debris"]
    assert isinstance(viable, Interval)
    assert viable.high is not None
    assert isinstance(debris, Interval)
    assert debris.low is not None
    assert isinstance(singlets, Polygon)
    high, low = viable.high, debris.low
    yield (
        f"interval near the root (viable, {result.count('not_debris'):,} events)",
        {},
        "viable",
        lambda rng: replace(viable, high=high + float(rng.normal(0, 0.03))),
    )
    yield (
        f"interval near the root (debris, {result.count('singlets'):,} events)",
        {},
        "not_debris",
        lambda rng: replace(debris, low=low * float(rng.uniform(0.8, 1.25))),
    )
    yield (
        f"vertex of {len(singlets.vertices)} (singlets, {result.count('time_ok'):,} events)",
        {},
        "singlets",
        lambda rng: _vertex(singlets, rng),
    )
    cells = Ellipse(("FSC-A", "SSC-A"), (110e3, 60e3), ((1.6e9, 4e8), (4e8, 1.2e9)), 5.0)
    yield (
        f"ellipse (singlets drawn anew, {result.count('time_ok'):,} events)",
        {"singlets": cells},
        "singlets",
        lambda rng: _slid(cells, rng),
    )


def _vertex(polygon: Polygon, rng: np.random.Generator) -> Polygon:
    at = int(rng.integers(len(polygon.vertices)))
    x, y = polygon.vertices[at]
    there = (x + float(rng.normal(0, 4000)), y + float(rng.normal(0, 4000)))
    return replace(polygon, vertices=(*polygon.vertices[:at], there, *polygon.vertices[at + 1 :]))


def _slid(ellipse: Ellipse, rng: np.random.Generator) -> Ellipse:
    mean = tuple(at + float(rng.normal(0, 4000)) for at in ellipse.mean)
    return replace(ellipse, mean=mean, distance_squared=ellipse.distance_squared * float(rng.uniform(0.95, 1.05)))


def _timed(asks: Sequence[Callable[[], object]]) -> tuple[list[float], list[float]]:
    """Return milliseconds of each, by the wall clock and of the processor."""
    wall, busy = [], []
    for ask in asks:
        begin, worked = time.perf_counter(), time.process_time()
        ask()
        wall.append((time.perf_counter() - begin) * 1e3)
        busy.append((time.process_time() - worked) * 1e3)
    return wall, busy


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--drags", type=int, default=40)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--strict", action="store_true", help="end with 1 where the bar is passed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
