"""The golden tables; ``python -m tests.export.tables`` writes them again: read the difference before committing it."""

from __future__ import annotations

from pathlib import Path

from stromagate.export import export
from tests.results import make_result

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
NAMES = {"populations_csv": "populations.csv", "thresholds_csv": "thresholds.csv", "qc_csv": "qc.csv"}


def main() -> None:
    for name, filename in NAMES.items():
        (GOLDEN / filename).write_bytes(export(name, [make_result()]))


if __name__ == "__main__":
    main()
