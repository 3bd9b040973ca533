"""``plan``: how many events, how much marrow and how many minutes a rare population takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stromagate.cli.console import AsJson, Debug, emit, speaking

if TYPE_CHECKING:
    from stromagate.quantify.planner import Losses, Plan

_PPM = (
    "Expected cells per million viable nucleated cells, erythroblasts included, such as 43 for MSC or 13 for their "
    "CD146+ part."
)
_TARGET = "Cells to count; by default plans for 20, 50 and 100."


def plan(
    ppm: Annotated[float, typer.Option("--ppm", help=_PPM, show_default=False)],
    target: Annotated[int | None, typer.Option(help=_TARGET, show_default=False)] = None,
    cv: Annotated[float | None, typer.Option(help="Counting CV in %, instead of --target.", show_default=False)] = None,
    assurance: Annotated[float, typer.Option(help="Reach the target in so many of 100 tubes.")] = 95.0,
    rate: Annotated[float, typer.Option(help="Recorded events per second.")] = 5000.0,
    nucleated: Annotated[float, typer.Option(help="% of recorded events that are nucleated cells.")] = 80.0,
    singlets: Annotated[float, typer.Option(help="% of these that are single cells.")] = 90.0,
    viable: Annotated[float, typer.Option(help="% of these that are alive.")] = 85.0,
    prepared: Annotated[float, typer.Option(help="% of cells left after lysis, stain and washes.")] = 50.0,
    cells_per_ml: Annotated[float, typer.Option(help="Million nucleated cells per mL of marrow.")] = 20.0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say how many events to acquire for a rare population.

    Counts vary from tube to tube: to reach a target in 95 of 100 tubes takes
    more events than on average. The losses are assumptions; put in your own.

    A report's first rate is per million viable CD235a-negative cells. These
    leave erythroblasts out, so that it is higher than the rate asked for
    here. To plan with it, let --nucleated be the % of recorded events that
    are CD235a-negative cells.
    """
    with speaking(as_json=as_json, debug=debug):
        from stromagate.quantify.planner import Losses
        from stromagate.quantify.planner import plan as make

        losses = Losses(nucleated / 100, singlets / 100, viable / 100, prepared / 100, cells_per_ml * 1e6)
        targets = _targets(target, cv)
        plans = [make(ppm, k, assurance=assurance / 100, losses=losses, rate_per_s=rate) for k in targets]
        data = _data(plans, ppm, assurance, rate, losses)
        emit(data, lambda: _table(list(targets.values()), plans, data), as_json=as_json)


def _targets(target: int | None, cv: float | None) -> dict[int, str]:
    """Return the cells to count, each with what they are good for."""
    from stromagate.errors import UsageError
    from stromagate.quantify.planner import DEFAULT_TARGETS, target_of_cv

    if target is not None and cv is not None:
        raise UsageError("plan.target", "--target and --cv say the same in two ways", hint="give one of them")
    if cv is not None:
        return {target_of_cv(cv): f"CV {cv:g} %"}
    return DEFAULT_TARGETS if target is None else {target: "count"}


def _data(plans: list[Plan], ppm: float, assurance: float, rate: float, losses: Losses) -> dict[str, Any]:
    from dataclasses import asdict

    from stromagate.quantify.planner import ERYTHROBLASTS, PULSE_S, coincidence, without_erythroblasts

    kept = {name: 100 * getattr(losses, name) for name in ("nucleated", "singlets", "viable", "prepared")}
    return {
        "format": "stromagate.plan/1",
        "per_million": ppm,
        "per_million_of": "viable nucleated cells",
        "cd235a_negative_per_million": without_erythroblasts(ppm),
        "erythroblasts_pct": 100 * ERYTHROBLASTS,
        "assurance_pct": assurance,
        "rate_per_s": rate,
        "pulse_us": 1e6 * PULSE_S,
        "coincidence_pct": 100 * coincidence(rate),
        "kept_pct": kept,
        "cells_per_ml": losses.per_ml,
        "plans": [asdict(item) for item in plans],
    }


def _table(words: list[str], plans: list[Plan], data: dict[str, Any]) -> str:
    assured = f"in {data['assurance_pct']:g} of 100"
    head = ("to", "cells", "counting CV", "on average", assured, "to record", "minutes", "mL marrow")
    rows = [head, *(_row(word, item) for word, item in zip(words, plans, strict=True))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    kept, per_ml = data["kept_pct"], data["cells_per_ml"] / 1e6
    lost = f"{data['coincidence_pct']:.1f} % of events meet another within {data['pulse_us']:g} us"
    single = f"{kept['nucleated']:g} % of events nucleated, {kept['singlets']:g} % of these single"
    other, red = data["cd235a_negative_per_million"], data["erythroblasts_pct"]
    said = (
        f"{data['per_million']:g} per million viable nucleated cells; events in millions",
        "",
        *lines,
        "",
        f"on average, {assured}: viable nucleated single cells in which the target is reached",
        f"to record, minutes, mL marrow: for the target {assured} tubes, {data['rate_per_s']:,g} events per second",
        f"{lost} and are lost as doublets",
        f"assumed: {single}, {kept['viable']:g} % of these alive;",
        f"{kept['prepared']:g} % of cells left after preparation; {per_ml:g} million nucleated cells per mL of marrow",
        "",
        f"planned per million viable nucleated cells, erythroblasts included; where these are {red:g} % (healthy",
        f"marrow, 10.1007/s00277-020-04255-4), {data['per_million']:g} per million are about {other:.3g} per million",
        "viable CD235a-negative cells, a report's first rate; to plan with such a rate, let --nucleated be the %",
        "of recorded events that are CD235a-negative cells (the report's gate ladder has it)",
    )
    return "\n".join(said)


def _row(word: str, item: Plan) -> tuple[str, ...]:
    events = (
        f"{value / 1e6:.{_digits(value / 1e6)}f}"
        for value in (item.expected_events, item.assured_events, item.recorded_events)
    )
    return (
        word,
        f"{item.target:,}",
        f"{item.cv_pct:.{0 if item.cv_pct >= 10 else 1}f} %",
        *events,
        f"{item.minutes:.{_digits(item.minutes)}f}",
        f"{item.marrow_ml:.{_digits(item.marrow_ml)}f}",
    )


def _digits(value: float) -> int:
    """Return the decimals that leave two or three digits to read."""
    return 1 if value >= 10 else 2 if value >= 0.1 else 4
