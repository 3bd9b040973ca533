"""The figures as a person reads them, and as files: one line a measure, one a scenario, one a tube."""

from __future__ import annotations

import csv
import json
import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import measures
from benchmarks.accuracy.figures import Found, Measure, Unit
from benchmarks.accuracy.measures import MEASURES
from benchmarks.accuracy.plan import WHOLE
from benchmarks.accuracy.scores import METHODS, TOOL, Score
from benchmarks.accuracy.traps import TRAPS, Trap
from benchmarks.accuracy.warnings import SIZE_ONLY

_UNITS = {"%": ".1f", "ratio": ".2f", "ppm": ".1f", "events": ".0f", "points": ".1f", "rho": ".3f"}
_SUFFIX = {"%": " %", "ratio": "", "ppm": " ppm", "events": "", "points": " pt", "rho": ""}
_SIGN = {"at most": "≤ ", "at least": "≥ ", "within": "± ", "": ""}
SUMMARY_COLUMNS = ("measure", "title", "unit", "bar", "method", "value", "worst", "ci_low", "ci_high", "tubes", "met")
TRAP_COLUMNS = ("trap", "title", "unit", "right", "method", "value", "worst", "ci_low", "ci_high", "tubes")
SCENARIO_COLUMNS = (
    "scenario",
    "prepared",
    "method",
    "tubes",
    "true_msc",
    "called_msc",
    "error_pct",
    "recall",
    "precision",
    "covered_pct",
    "wrong",
    "silent",
    "warned_pct",
    "codes",
)


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above every table."""

    template: str
    seeds: str
    tuning: bool
    family: str
    tubes: int
    events: int

    def lines(self) -> list[str]:
        """Return the heading; figures of tuning seeds say so first."""
        kind = "TUNING SEEDS, no figures to quote" if self.tuning else "scoring seeds"
        return [
            f"Accuracy of {self.template} on simulated marrow: {self.tubes:,} tubes, {kind} {self.seeds}",
            f"Family {self.family}; {self.events:,} events in a whole tube. Truth: single living MSC.",
            "n: tubes that a figure stands on. worst: the worst of them; CI: exact 95 % interval of a share of tubes.",
            "Without controls (bare): the same template, which falls back on the tube's own negatives.",
            "Fixed gates: placed once, with the truth of a clean tube of another donor at hand, which no lab has.",
            "Locked gates: CD271 where it lay over five earlier batches; the tool's other gates are as ever.",
            "Gains go up after the tool's FMO tubes were run; the quadrants have FMO tubes of the new gains.",
            "FMO quadrants: every colour cut at the 99.5th percentile of its own FMO tube of the same donor.",
        ]


def summary_text(by_method: Mapping[str, Sequence[Score]]) -> str:
    """Return one line a measure: its bar, the tool with met or MISSED and its worst tube, and the rivals beside it."""
    head = ("", "bar", "tool", "", "worst or CI", *METHODS[1:], "n")
    return "\n".join(_summary_line(row) for row in [head, *(_summary_cells(m, by_method) for m in MEASURES)])


def trap_text(by_method: Mapping[str, Sequence[Score]]) -> str:
    """Return one line a trap: what would be right, the tool and its worst tube, and the rivals beside it."""
    head = ("Traps", "right", "tool", "", "worst or CI", *METHODS[1:], "n")
    return "\n".join(_summary_line(row) for row in [head, *(_trap_cells(trap, by_method) for trap in TRAPS)])


def scenario_text(by_method: Mapping[str, Sequence[Score]], *, everything: bool = False) -> str:
    """Return one line a scenario and preparation, medians over seeds; the rivals show their error alone.

    ``wrong`` and ``silent`` count tubes; the codes are the warnings that a reader should heed, and of how many tubes.
    Unless ``everything`` is wanted, scenarios that went well are named in one sentence.
    """
    rows = {method: {(r["scenario"], r["prepared"]): r for r in scenario_rows(by_method[method])} for method in METHODS}
    head = (
        "",
        "tubes",
        "true",
        "called",
        "error",
        "recall",
        "prec.",
        "wrong",
        "silent",
        "bare",
        "fixed",
        "FMO",
        "warned",
    )
    lines = [_scenario_line(head)]
    well: list[Mapping[str, Any]] = []
    for key, row in rows[TOOL].items():
        rivals = [_cell(rows[method][key]["error_pct"], "+.0f", " %") for method in METHODS[1:]]
        if everything or _needs_eyes(row):
            lines.append(_scenario_line((*_scenario_cells(row), *rivals, row["codes"])))
        else:
            well.append(row)
    if well:
        said = f"Within {100 * measures.RIGHT:.0f} % (median), no tube wrong by half: {_together(well)}."
        lines += ["", *textwrap.wrap(said, 118), "All scenarios line by line: --all."]
    return "\n".join(lines)


def scenario_rows(scores: Sequence[Score]) -> Iterator[dict[str, Any]]:
    """Yield one row a scenario and preparation, in the order they were planned: medians over the seeds."""
    kept = [score for score in scores if score.purpose != "shift"]
    for scenario, prepared in dict.fromkeys((score.scenario, score.prepared) for score in kept):
        tubes = [score for score in kept if (score.scenario, score.prepared) == (scenario, prepared)]
        holding = [score for score in measures.answered(tubes) if score.true_msc]
        errors = [measures.relative_error(score) for score in holding]
        excuses = [code for score in tubes for code in measures.excuses(score) if code not in SIZE_ONLY]
        yield {
            "scenario": scenario,
            "prepared": prepared,
            "method": tubes[0].method,
            "tubes": len(tubes),
            "true_msc": _middle(score.true_msc for score in tubes),
            "called_msc": _middle(score.called_msc for score in tubes if score.called_msc is not None),
            "error_pct": _middle(100 * error for error in errors if error is not None),
            "recall": _middle(map(measures.recall, holding)),
            "precision": _middle(map(measures.precision, (score for score in holding if score.called_msc))),
            "covered_pct": 100 * float(np.mean([measures.covered(s) for s in holding])) if holding else None,
            "wrong": sum(map(measures.wrong, tubes)),
            "silent": sum(map(measures.silent, tubes)),
            "warned_pct": 100 * float(np.mean([bool(measures.excuses(score)) for score in tubes])),
            "codes": " ".join(f"{code} x{excuses.count(code)}" for code in sorted(set(excuses))),
        }


def summary_rows(by_method: Mapping[str, Sequence[Score]]) -> Iterator[dict[str, Any]]:
    """Yield one row a measure and method."""
    for measure in MEASURES:
        for method in (measure.ours, *METHODS[1:]):
            found = measure.find(by_method.get(method, ()))
            yield {
                "measure": measure.key,
                "title": measure.title.strip(),
                "unit": measure.unit,
                "bar": _bar(measure).strip(),
                "method": method,
                **_found_row(found),
                "met": measure.met(found),
            }


def trap_rows(by_method: Mapping[str, Sequence[Score]]) -> Iterator[dict[str, Any]]:
    """Yield one row a trap and method."""
    for trap in TRAPS:
        right = _plain(trap.right(by_method[TOOL]))
        for method in METHODS:
            named = {"trap": trap.key, "title": trap.title.strip(), "unit": trap.unit, "right": right}
            yield {**named, "method": method, **_found_row(trap.find(by_method[method]))}


def write_files(folder: Path, heading: Heading, by_method: Mapping[str, Sequence[Score]]) -> None:
    """Write ``summary.csv``, ``traps.csv``, ``scenarios.csv``, ``tubes.csv`` and all four as ``accuracy.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = list(summary_rows(by_method))
    scenarios = [row for method in METHODS for row in scenario_rows(by_method[method])]
    traps = list(trap_rows(by_method))
    tubes = [_tube_row(score) for scores in by_method.values() for score in scores]
    _write_csv(folder / "summary.csv", SUMMARY_COLUMNS, summary)
    _write_csv(folder / "traps.csv", TRAP_COLUMNS, traps)
    _write_csv(folder / "scenarios.csv", SCENARIO_COLUMNS, scenarios)
    _write_csv(folder / "tubes.csv", tuple(field.name for field in fields(Score)), tubes)
    document = {"heading": asdict(heading), "summary": summary, "traps": traps, "scenarios": scenarios, "tubes": tubes}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "accuracy.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")


def _summary_cells(measure: Measure, by_method: Mapping[str, Sequence[Score]]) -> tuple[str, ...]:
    found = [measure.find(by_method.get(method, ())) for method in (measure.ours, *METHODS[1:])]
    verdict = {True: "met", False: "MISSED", None: ""}[measure.met(found[0])]
    return (measure.title, _bar(measure), *_found_cells(found, measure.unit, verdict, signed=measure.side == "within"))


def _trap_cells(trap: Trap, by_method: Mapping[str, Sequence[Score]]) -> tuple[str, ...]:
    found = [trap.find(by_method[method]) for method in METHODS]
    return (trap.title, _shown(trap.right(by_method[TOOL]), trap.unit), *_found_cells(found, trap.unit))


def _found_cells(found: Sequence[Found], unit: Unit, verdict: str = "", *, signed: bool = False) -> tuple[str, ...]:
    """Return the cells of the tool, which comes first, and of its rivals."""
    tool, *rivals = found
    worst = "" if math.isnan(tool.worst) else _shown(tool.worst, unit, signed=signed)
    if tool.interval:
        worst = f"{tool.interval[0]:.1f} to {tool.interval[1]:.1f}"
    shown = (_shown(rival.value, unit, signed=signed) for rival in rivals)
    return (_shown(tool.value, unit, signed=signed), verdict, worst, *shown, str(tool.n))


def _found_row(found: Found) -> dict[str, Any]:
    low, high = found.interval or (None, None)
    return {
        "value": _plain(found.value),
        "worst": _plain(found.worst),
        "ci_low": low,
        "ci_high": high,
        "tubes": found.n,
    }


def _tube_row(score: Score) -> dict[str, Any]:
    return {name: _plain(value) if isinstance(value, float) else value for name, value in asdict(score).items()}


def _summary_line(cells: Sequence[str]) -> str:
    title, bar, tool, verdict, worst, bare, fixed, fmo, n = cells
    return f"{title:<40}{bar:>9}{tool:>10}  {verdict:<6}{worst:>14} |{bare:>10}{fixed:>10}{fmo:>11}{n:>4}"


def _needs_eyes(row: Mapping[str, Any]) -> bool:
    return bool(row["wrong"]) or abs(row["error_pct"] or 0.0) > 100 * measures.RIGHT


def _together(rows: Sequence[Mapping[str, Any]]) -> str:
    """Name every scenario once; the preparation in brackets where only one of the two is meant."""
    names = [row["scenario"] for row in rows]
    lone = {_named(row): f"{row['scenario']} ({_named(row).split()[1]})" for row in rows}
    said = (row["scenario"] if names.count(row["scenario"]) > 1 else lone[_named(row)] for row in rows)
    return ", ".join(dict.fromkeys(said))


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['scenario']} {'whole' if row['prepared'] == WHOLE else 'depleted'}"


def _scenario_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _named(row),
        str(row["tubes"]),
        _cell(row["true_msc"], ".0f"),
        _cell(row["called_msc"], ".0f"),
        _cell(row["error_pct"], "+.0f", " %"),
        _cell(row["recall"], ".2f"),
        _cell(row["precision"], ".2f"),
        str(row["wrong"] or ""),
        str(row["silent"] or ""),
    )


def _scenario_line(cells: Sequence[str]) -> str:
    name, tubes, true, called, error, recall, precision, wrong, silent, bare, fixed, fmo, codes = cells
    return (
        f"{name:<30}{tubes:>6}{true:>8}{called:>8}{error:>10}{recall:>7}{precision:>7}{wrong:>6}{silent:>7}"
        f"  |{bare:>7}{fixed:>7}{fmo:>7}  {codes}"
    ).rstrip()


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: " ".join(value) if isinstance(value, tuple) else value for key, value in row.items()})


def _bar(measure: Measure) -> str:
    return f"{_SIGN[measure.side]}{measure.limit:g}{_SUFFIX[measure.unit]}" if measure.side else ""


def _shown(value: float, unit: Unit, *, signed: bool = False) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:{'+' if signed else ''}{_UNITS[unit]}}{_SUFFIX[unit]}"


def _cell(value: float | None, form: str, suffix: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{suffix}"


def _middle(values: Iterable[float]) -> float | None:
    kept = list(values)
    return float(np.median(kept)) if kept else None


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
