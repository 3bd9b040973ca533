"""Are patterns called right? Simulated controls make a calibration, and simulated leukaemias are called by it.

``python -m benchmarks.patterns`` simulates donors with the tubes and the preparation of ``sample_fcs/``, gates them as
a run does, makes an L1 calibration of the healthy ones, calls the leukaemias, and prints what was called of what was
true. ``--write FILE`` keeps the calibration: the one beside the sample tubes is made so, and has to be made again
whenever ``bm_stroma_core`` changes.

Real donors differ 3.2-fold (geometric spread of 54 marrows); the laboratory of the sample tubes has controls of one age
and one way of drawing that differ 1.2-fold. With the spread of real donors (``--spread 3.2``) a single marrow hardly
ever leaves the range, and the answer is to say so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.accuracy.seeds import TUNING_FAMILY
from stromagate.model.result import SampleResult
from stromagate.pattern.reference import Made, make_calibration
from stromagate.pipeline.calibrate import calibration_bytes, with_pattern
from stromagate.pipeline.together import analyze_with_controls
from stromagate.simulate import Scenario, TubeOrder, scenario, simulate_tube, write_tube
from stromagate.simulate.sample_set import SMALL

TEMPLATE = "bm_stroma_core"
TRUE = {
    "aml_mesenchymal_low": "mesenchymal-low",
    "aml_progenitor_high": "progenitor-high",
    "aml_msc_high": "MSC-high",
}
ROLES = ("stained", "fmo:CD146", "fmo:CD271")
DECIDING = ("viable_cd235a_neg", "cd45pos", "singlets")
"""Depletion takes leukocytes away and leaves blasts, which carry less CD45: cells that are no blasts are then what the
beads left, and no measure of a marrow."""
NAME = "Simulated controls, CD45-depleted"
NOTE = (
    "44 simulated healthy marrows that differ 1.2-fold in MSC, as donors of one age and one way of drawing may; real "
    "donors differ 3.2-fold. For demonstration alone. Non-blast cells do not decide: CD45 depletion makes them."
)


def donor(kind: Scenario, seed: int) -> SampleResult:
    """Simulate one donor with two FMO tubes, and gate the stained tube by them."""
    name = f"{kind.name}_{seed}"
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for role in ROLES:
            size = SMALL.stained_events if role == "stained" else SMALL.fmo_events
            order = TubeOrder(
                scenario=kind,
                sample_id=f"{name}_{role.replace(':', '_')}",
                donor=name,
                role=role,
                prepared=SMALL.prepared,
                batch="simulated_01",
                n_events=size,
                rate_per_s=SMALL.rate_per_s,
                seed=seed,
                family=TUNING_FAMILY,
            )
            paths[role] = Path(folder) / f"{order.sample_id}.fcs"
            write_tube(simulate_tube(order), paths[role])
        labels = {"role": "stained", "patient_id": name, "preparation": SMALL.prepared, "age": str(kind.age_years)}
        controls = [(role, paths[role]) for role in ROLES[1:]]
        return analyze_with_controls(paths["stained"], TEMPLATE, controls, labels=labels)


def controls(n: int, spread: float) -> list[SampleResult]:
    """Return healthy donors of a laboratory."""
    kind = replace(scenario("healthy"), name="control", title="Healthy marrow of a control", msc_ppm_gsd=spread)
    return _donors([(kind, seed) for seed in range(1, n + 1)])


def leukaemias(n: int) -> list[tuple[str, SampleResult]]:
    """Return leukaemic donors with their true pattern, ``n`` of each."""
    kinds = [(scenario(name), seed) for name in TRUE for seed in range(501, 501 + n)]
    return [(TRUE[kind.name], made) for (kind, _), made in zip(kinds, _donors(kinds), strict=True)]


def calibrated(made: Sequence[SampleResult], denominators: Sequence[str]) -> Made:
    """Return the calibration of the controls."""
    return make_calibration(made, name=NAME, denominators=denominators, note=NOTE)


def _donors(kinds: Sequence[tuple[Scenario, int]]) -> list[SampleResult]:
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=2)(delayed(donor)(*kind) for kind in kinds))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and keep the calibration where that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--controls", type=int, default=44)
    parser.add_argument("--spread", type=float, default=1.2, help="geometric spread of MSC between controls")
    parser.add_argument("--leukaemias", type=int, default=10, help="donors of each pattern")
    parser.add_argument("--write", type=Path, help="keep the calibration here")
    asked = parser.parse_args(arguments)
    healthy = controls(asked.controls, asked.spread)
    made = calibrated(healthy, DECIDING)
    for item in made.left_out:
        print(f"{item.sample_id} is left out: {item.reason}")
    if asked.write:
        asked.write.write_bytes(calibration_bytes(made.calibration))
        print(f"{made.calibration.n} controls kept in {asked.write}")
    tubes = leukaemias(asked.leukaemias)
    for title, denominators in (("deciding: " + ", ".join(DECIDING), DECIDING), ("deciding: the default", ())):
        calibration = calibrated(healthy, denominators).calibration
        found = Counter((true, with_pattern(tube, calibration).pattern.pattern) for true, tube in tubes)
        print(f"\n{title} ({', '.join(calibration.denominators)}); {made.calibration.n} controls")
        for (true, called), n in sorted(found.items()):
            print(f"  {true:16} called {called:32} {n:3d}")
        normal = Counter(with_pattern(tube, calibration).pattern.pattern for tube in healthy)
        print(f"  controls themselves: {', '.join(f'{called} {n}' for called, n in sorted(normal.items()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
