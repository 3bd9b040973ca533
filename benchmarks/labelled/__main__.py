"""``python -m benchmarks.labelled``: gate the labelled files, print F1, write a table."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.labelled.scores import score
from benchmarks.labelled.sets import labelled_tubes
from benchmarks.labelled.tables import text, write_csv

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("STROMAGATE_REFERENCE_DATA", ROOT.parent / "shared" / "data"))


def main() -> None:
    """Score all labelled files that are at hand."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labelled", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the labelled files")
    parser.add_argument("--out", type=Path, help="folder for labelled.csv")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"No labelled files at {options.data}: set STROMAGATE_REFERENCE_DATA, or --data. Nothing was scored.")
        return
    rows = [row for tube in labelled_tubes(options.data) for row in score(tube)]
    print(text(rows))
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        write_csv(options.out / "labelled.csv", rows)
        print(f"\nEvery tube: {options.out / 'labelled.csv'}")


if __name__ == "__main__":
    main()
