"""``python -m benchmarks.accuracy``: simulate, score, print the table, write the files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.accuracy import plan, run, seeds, tables
from stromagate.errors import StromagateError
from stromagate.pipeline import load_template

WHOLE_SEEDS, ENRICHED_SEEDS = 2, 4


def main() -> None:
    """Score all tubes that were asked for."""
    parser = _parser()
    options = parser.parse_args()
    try:
        enriched = seeds.chosen_seeds(options.seeds, tuning=options.tuning, default=ENRICHED_SEEDS)
        whole = enriched if options.seeds else enriched[:WHOLE_SEEDS]
        plans = plan.tubes(options.scenarios or plan.grid_names(), whole, enriched, options.events)
    except (ValueError, StromagateError) as wrong:
        parser.error(str(wrong))
    scores = run.run(plans, jobs=options.jobs, progress=_tell)
    template = load_template("bm_stroma_core").template
    heading = tables.Heading(
        f"{template.name} {template.version}", seeds.spans(enriched), options.tuning, len(plans), options.events
    )
    print(*heading.lines(), "", tables.summary_text(scores), "", tables.scenario_text(scores), sep="\n")
    if options.out is not None:
        tables.write_files(options.out, heading, scores)
        print(f"\nEvery figure and every tube: {options.out}/")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--scenarios", nargs="+", metavar="NAME", help="all of the simulator unless named")
    parser.add_argument("--seeds", help=f"such as 5001-5008; scoring seeds are {_ends(seeds.SCORING_SEEDS)}")
    parser.add_argument("--tuning", action="store_true", help=f"look at tuning seeds, {_ends(seeds.TUNING_SEEDS)}")
    parser.add_argument("--events", type=int, default=1_000_000, help="of a whole tube (default 1,000,000)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--out", type=Path, help="folder for summary.csv, scenarios.csv, tubes.csv, accuracy.json")
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
