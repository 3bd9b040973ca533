"""``patterns.csv``: what was called of every stained tube, by what, how probable, and by which ways it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stromagate.export.cells import Cell
from stromagate.export.exporter import Exporter
from stromagate.export.table import table
from stromagate.model.pattern import BETWEEN, PATTERNS
from stromagate.model.result import SampleResult
from stromagate.model.specimen import is_stained

_COLUMNS = (
    "sample_id",
    "kind",
    "name",
    "denominator",
    "value",
    "unit",
    "ci_low",
    "ci_high",
    "cut_low",
    "cut_high",
    "percentile",
    "pattern",
    "decides",
    "level",
    "calibration",
    "sentence",
)
Row = dict[str, Cell]


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the rows of each stained tube: ``call``, then ``probability``, ``index`` and ``robustness``."""
    rows = (row for result in results if is_stained(result.labels) for row in _rows(result))
    return table(_COLUMNS, ([row.get(column) for column in _COLUMNS] for row in rows))


def _rows(result: SampleResult) -> Iterator[Row]:
    call = result.pattern
    made_by = f"{call.calibration.name} ({call.calibration.sha256[:12]})" if call.calibration else ""
    shared: Row = {"sample_id": result.sample_id, "level": call.level, "calibration": made_by}
    yield shared | {
        "kind": "call",
        "name": "pattern",
        "denominator": call.denominator,
        "value": call.probability,
        "unit": "probability",
        "pattern": call.pattern,
        "sentence": call.sentence,
    }
    for name in (*PATTERNS, BETWEEN):  # on disk keys are sorted: their order may not reach a table
        if name in call.probabilities:
            yield shared | {
                "kind": "probability",
                "name": name,
                "denominator": call.denominator,
                "value": call.probabilities[name],
                "unit": "probability",
                "pattern": name,
            }
    for each in call.indices:
        yield shared | {
            "kind": "index",
            "name": each.index,
            **each.model_dump(exclude={"index", "position"}),
            "sentence": f"{each.position} the cut-points" if each.position else "",
        }
    for cell in call.robustness:
        yield shared | {
            "kind": "robustness",
            "name": cell.name,
            "denominator": cell.denominator,
            "value": cell.probability,
            "unit": "probability",
            "pattern": cell.pattern,
            "decides": cell.decides,
            "sentence": cell.reason or ("differs from the call" if cell.differs else "the same as the call"),
        }


EXPORTER = Exporter(filename="patterns.csv", summary="stromal patterns and how they hold", render=render)
