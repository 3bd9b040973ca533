"""What redrawing the boundaries costs, as the ratio of one run with and one without, in pairs: part of ``make bench``.

A simulated marrow is analysed whole (read, gate, count, check, plot) with the shipped template, in turn with and
without redraws. Read the ratio, not the seconds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from stromagate.model.config import RunConfig
from stromagate.pipeline import analyze, load_template
from stromagate.simulate import TubeOrder, scenario, simulate_tube, write_tube
from stromagate.templates import LoadedTemplate

TEMPLATE = "bm_stroma_core"
SCENARIO = "healthy"


def main() -> None:
    """Simulate the tube, analyse it in pairs, print the ratio."""
    options = _options()
    template = load_template(TEMPLATE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.fcs"
        order = TubeOrder(
            scenario=scenario(SCENARIO), sample_id="bench", donor="bench", n_events=options.events, seed=options.seed
        )
        write_tube(simulate_tube(order), path)
        _seconds(path, template, options.draws)  # not counted: tables and compiled modules are made here
        pairs = [(_seconds(path, template, 0), _seconds(path, template, options.draws)) for _ in range(options.repeat)]
    without, with_draws = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = sorted(redrawn / plain for plain, redrawn in pairs)
    print(
        f"{options.events:,} events, {SCENARIO} marrow, template {TEMPLATE}, {options.repeat} pairs: whole analysis "
        f"with {options.draws} redraws of all boundaries against none"
    )
    print(f"  without {without:.3f} s   with {with_draws:.3f} s   ratio {statistics.median(ratios):.2f}", end="")
    print(f" (middle half of the pairs {ratios[len(ratios) // 4]:.2f} to {ratios[-1 - len(ratios) // 4]:.2f})")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--draws", type=int, default=128)
    parser.add_argument("--seed", type=int, default=5)
    return parser.parse_args()


def _seconds(path: Path, template: LoadedTemplate, draws: int) -> float:
    begin = time.perf_counter()
    analyze(path, template, RunConfig(boundary_draws=draws))
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
