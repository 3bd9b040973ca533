"""``compare``: which tubes moved between two runs, by which gate, and whether a pattern flips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, spare, speaking
from stromagate.errors import UsageError

if TYPE_CHECKING:
    from stromagate.pipeline.compare.boundaries import EdgeShift, GateStep
    from stromagate.pipeline.compare.flowjo import FlowJoComparison, FlowJoNumber, FlowJoTube
    from stromagate.pipeline.compare.runs import Comparison
    from stromagate.pipeline.compare.tubes import NumberChange, PatternChange, PopulationChange, TubeChange

_SECOND = "Folder of the other run, or a table exported from FlowJo (CSV, text, XLSX)."
_MAP = "FlowJo's path and the population it is: 'Live/MSC=msc'. May be given several times."
_OUT = "File for the comparison as CSV, one number a row."
_FAIL_ON = "End with 5 when a number moved, or a pattern flips."
_MAX_EDGES = 4
"""More edges of one gate are counted, not listed: stretches of time have many."""


def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a finished run.", show_default=False)],
    second: Annotated[Path, typer.Argument(help=_SECOND, show_default=False)],
    maps: Annotated[list[str] | None, typer.Option("--map", help=_MAP, show_default=False)] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help=_OUT, show_default=False)] = None,
    fail_on: Annotated[
        Literal["flip", "moved"] | None, typer.Option("--fail-on", help=_FAIL_ON, show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare two runs: which tubes moved, by which gate, and whether a pattern flips.

    Or compare a run with a table exported from FlowJo, and tell differences
    by FlowJo's binning from real ones. Tubes of two runs are paired by the
    content of their files. Ends with 0, or with 5 when --fail-on asked for it.
    """
    with speaking(as_json=as_json, debug=debug):
        spare(out, "compare.exists", force=force)
        found = _found(first, second, maps or [], fail_on)
        if out is not None:
            from stromagate.pipeline.bundle import write_file
            from stromagate.pipeline.compare.table import comparison_csv

            write_file(out, comparison_csv(found))
            say(f"written: {out}")
        emit(found.as_json(), lambda: "\n".join(_text(found)), as_json=as_json)
    reached = {"moved": found.moved, "flip": getattr(found, "flipped", ())}
    raise typer.Exit(5 if fail_on and reached[fail_on] else 0)


def _found(first: Path, second: Path, maps: list[str], fail_on: str | None) -> Comparison | FlowJoComparison:
    if second.is_file():
        if fail_on == "flip":
            raise UsageError(
                "compare.fail_on", "a FlowJo table has no patterns that could flip", hint="use --fail-on moved"
            )
        from stromagate.pipeline.compare.flowjo import compare_with_flowjo

        return compare_with_flowjo(first, second, maps)
    if maps:
        raise UsageError(
            "compare.map",
            "--map goes with a FlowJo table, and two runs have none",
            where=str(second),
            hint="populations of two runs are compared by name",
        )
    from stromagate.pipeline.compare.runs import compare_runs

    return compare_runs(first, second)


def _text(found: Comparison | FlowJoComparison) -> Iterator[str]:
    from stromagate.pipeline.compare.runs import Comparison

    yield from _runs_text(found) if isinstance(found, Comparison) else _flowjo_text(found)


def _runs_text(found: Comparison) -> Iterator[str]:
    one, other = found.templates
    if found.same_template:
        yield f"tubes in both runs: {len(found.tubes)}, by {one}"
    else:
        changed = " (same version, another content)" if one == other else ""
        yield f"tubes in both runs: {len(found.tubes)}, by {one}, then by {other}{changed}; populations by name"
    for where, names in (("first", found.populations_only_first), ("second", found.populations_only_second)):
        if names:
            yield f"populations in the {where} template alone, not compared: {', '.join(names)}"
    for where, names in (("first", found.only_first), ("second", found.only_second)):
        if names:
            yield f"tubes in the {where} run alone: {', '.join(names)}"
    yield from found.notes
    for tube in found.tubes:
        yield from _tube(tube)
    yield f"{len(found.moved)} of {len(found.tubes)} tubes moved; patterns that flip: {len(found.flipped)}"


def _tube(tube: TubeChange) -> Iterator[str]:
    name = tube.sample_id if tube.other_id == tube.sample_id else f"{tube.sample_id} (then {tube.other_id})"
    changed = [each for each in tube.populations if any(number.before != number.after for number in each.numbers)]
    yield f"{name}: {'moved' if tube.moved else 'within counting' if changed else 'the same'}"
    yield from (f"  {note}" for note in tube.notes)
    for each in changed:
        yield from _population(each)
    yield from _pattern(tube.pattern)


def _population(each: PopulationChange) -> Iterator[str]:
    count, *rates = each.numbers
    yield f"  {each.label}: {_number(count)}"
    for rate in rates:
        if rate.outside:
            yield f"    per million {rate.denominator}: {_number(rate)}"
    first, most = each.step(each.first), each.step(each.most)
    if first is not None:
        yield f"    by {_step(first)}"
    if most is not None and most is not first:
        yield f"    most by {_step(most)}"


def _number(number: NumberChange) -> str:
    before = _with_limits(number.before, number.before_low, number.before_high, number.state_before)
    after = _with_limits(number.after, number.after_low, number.after_high, number.state_after)
    change = "" if number.ratio is None else f", times {number.ratio:.3g}"
    if not number.outside:
        return f"{before}, then {after} {number.unit}{change}; within counting"
    missing = number.before is None or number.after is None
    return (
        f"{before}, then {after} {number.unit}{change}; moved{'' if missing else ', outside both counting intervals'}"
    )


def _with_limits(value: float | None, low: float | None, high: float | None, state: str) -> str:
    if value is None:
        return "not evaluable"
    limits = "" if low is None or high is None else f"{_plain(low)} to {_plain(high)}"
    told = "; ".join(filter(None, [limits, "" if state == "quantifiable" else state]))
    return f"{_plain(value)} ({told})" if told else _plain(value)


def _plain(value: float) -> str:
    """Return a number without a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _step(step: GateStep) -> str:
    shares = f"{_share(step.share_before)}, then {_share(step.share_after)} of {step.parent}"
    what = [_edge(edge) for edge in step.edges[:_MAX_EDGES]]
    if len(step.edges) > _MAX_EDGES:
        what.append(f"{len(step.edges) - _MAX_EDGES} edges more")
    what += [step.note] if step.note else []
    return f"{step.gate}: {shares}; {'; '.join(what) or 'its boundary lies where it was'}"


def _share(share: float | None) -> str:
    return "not evaluable" if share is None else f"{100 * share:.4g} %"


def _edge(edge: EdgeShift) -> str:
    before, after = ("open" if at is None else f"{at:.4g}" for at in (edge.before, edge.after))
    decades = "" if edge.decades is None else f" ({edge.decades:+.3f} decades)"
    return f"{edge.axis} {'outline ' if edge.outline else ''}{edge.side} {before}, then {after}{decades}"


def _pattern(pattern: PatternChange) -> Iterator[str]:
    if pattern.flips:
        why = "" if pattern.assigned or not pattern.reason_after else f": {pattern.reason_after}"
        before = _called(pattern.before, pattern.probability_before)
        yield f"  pattern flips: {before}, then {_called(pattern.after, pattern.probability_after)}{why}"


def _called(pattern: str, probability: float | None) -> str:
    """Return a pattern with its probability: where none is assigned, that of the likeliest is not its own."""
    from stromagate.model.pattern import PATTERNS

    return f"{pattern} ({probability:.2f})" if pattern in PATTERNS and probability is not None else pattern


def _flowjo_text(found: FlowJoComparison) -> Iterator[str]:
    as_ours = ", ".join(f"{path or 'all events'} = {name}" for path, name in found.populations.items())
    yield f"tubes in run and table: {len(found.tubes)}; {as_ours}"
    for names, what in (
        (found.paths_without_population, "not compared, for no one population is called so (--map says which)"),
        (found.only_table, "samples of the table that are no one tube of the run"),
        (found.only_run, "tubes that are not in the table"),
        (found.skipped, "columns that are no count, share of the parent or share of all events"),
    ):
        if names:
            yield f"{what}: {', '.join(names)}"
    if found.n_summaries:
        yield f"rows of means and the like, left out: {found.n_summaries}"
    for tube in found.tubes:
        yield from _flowjo_tube(tube)
    yield f"{len(found.moved)} of {len(found.tubes)} tubes with a real difference"


def _flowjo_tube(tube: FlowJoTube) -> Iterator[str]:
    from stromagate.pipeline.compare.flowjo import worst_first

    same = sum(number.verdict == "same" for number in tube.numbers)
    yield f"{tube.sample_id}: {same} of {len(tube.numbers)} numbers are the same"
    yield from (f"  {_flowjo_number(number)}" for number in worst_first(tube) if number.verdict != "same")


def _flowjo_number(number: FlowJoNumber) -> str:
    why = f" ({number.why})" if number.why else ""
    unit = "events" if number.statistic == "count" else f"% {number.statistic}"
    of = f"{number.path or 'all events'}: FlowJo {_plain(number.flowjo)} {unit}"
    if number.ours is None or number.difference is None:
        return f"{of}; {number.verdict}{why}"
    allowed = "" if number.allowed is None else f", up to {_plain(number.allowed)} by binning"
    sign = "-" if number.difference < 0 else "+"
    verdict = {"real": "real difference"}.get(number.verdict, number.verdict)
    return f"{of}, ours {_plain(number.ours)}; {sign}{_plain(abs(number.difference))} events{allowed}: {verdict}{why}"
