"""``python -m benchmarks.accuracy``: simulate, score, print the table, write the files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.accuracy import plan, run, seeds, tables
from stromagate.errors import StromagateError
from stromagate.pipeline import load_template
from stromagate.simulate.residuals import FAMILIES

WHOLE_SEEDS, ENRICHED_SEEDS = 3, 8
LEAST_EVENTS = 200_000
"""Below it the clean tube holds too few MSC to place fixed gates by."""


def main() -> None:
    """Score all tubes that were asked for."""
    parser = _parser()
    options = parser.parse_args()
    if options.events < LEAST_EVENTS or options.jobs < 1:
        parser.error(f"--events takes {LEAST_EVENTS:,} or more, --jobs 1 or more")
    try:
        enriched = seeds.chosen_seeds(options.seeds, tuning=options.tuning, default=ENRICHED_SEEDS)
        whole = enriched if options.seeds else enriched[:WHOLE_SEEDS]
        family = options.family or (seeds.TUNING_FAMILY if options.tuning else seeds.SCORING_FAMILY)
        names = list(dict.fromkeys(options.scenarios or plan.grid_names()))
        plans = plan.tubes(names, whole=whole, enriched=enriched, events=options.events, family=family)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError, StromagateError) as wrong:
        parser.error(str(wrong))
    scores = run.run(plans, jobs=options.jobs, progress=_tell)
    template = load_template("bm_stroma_core").template
    heading = tables.Heading(
        f"{template.name} {template.version}", seeds.spans(enriched), options.tuning, family, len(plans), options.events
    )
    print(
        *heading.lines(),
        "",
        tables.summary_text(scores),
        "",
        tables.trap_text(scores),
        "",
        tables.scenario_text(scores, everything=options.all),
        sep="\n",
    )
    if options.out is not None:
        tables.write_files(options.out, heading, scores)
        print(f"\nEvery figure and every tube: {options.out}/")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--scenarios", nargs="+", metavar="NAME", help="all unless named; spikes and shift come always")
    parser.add_argument("--seeds", help=f"such as 5001-5008; scoring seeds are {_ends(seeds.SCORING_SEEDS)}")
    parser.add_argument("--tuning", action="store_true", help=f"look at tuning seeds, {_ends(seeds.TUNING_SEEDS)}")
    parser.add_argument("--family", choices=FAMILIES, help="of simulated tubes (default: b to score, a to tune)")
    parser.add_argument("--events", type=int, default=1_000_000, help="of a whole tube (default 1,000,000)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--all", action="store_true", help="print every scenario, not only those that went amiss")
    parser.add_argument("--out", type=Path, help="folder for four tables (CSV) and accuracy.json")
    return parser


def _ends(block: range) -> str:
    return f"{block[0]} to {block[-1]}"


def _tell(done: int, total: int) -> None:
    """Say how far it is: on one line of a terminal, else at every tenth."""
    if sys.stderr.isatty():
        print(f"\r{done} of {total} tubes", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done * 10 // total != (done - 1) * 10 // total:
        print(f"{done} of {total} tubes", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
