"""``simulate``: tubes whose truth is known, by scenario, or simulated stroma in a real tube."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking
from stromagate.cli.progress import progress

if TYPE_CHECKING:
    from stromagate.simulate import Delivered, Request

Names = Annotated[list[str] | None, typer.Option("--scenario", "-s", help="What to simulate, see --list; repeatable.")]
Seeds = Annotated[list[int] | None, typer.Option("--seed", min=0, help="Other seed, other cells; repeatable.")]
Events = Annotated[int | None, typer.Option("--events", "-n", help="Events of a stained tube.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for tubes, truth and sample sheet.")]
Spike = Annotated[float | None, typer.Option("--spike-ppm", help="MSC per million, in place of the scenario's.")]
Companions = Annotated[
    str, typer.Option("--companions", help="Further tubes, such as fmo:CD146,fmo:CD271,unstained,comp:PE-A.")
]
CompanionEvents = Annotated[
    int | None, typer.Option("--companion-events", help="Events of each companion, in place of the scenario's share.")
]
Batches = Annotated[
    int, typer.Option("--batches", min=0, help="Measure every donor in so many batches, whose gains differ.")
]
Donors = Annotated[int, typer.Option("--donors", min=1, help="Donors of each scenario and seed.")]
Preparation = Annotated[Literal["whole", "cd45_depleted"], typer.Option("--preparation", help="What was stained.")]
Background = Annotated[Path | None, typer.Option("--background", help="Real FCS file to put simulated stroma into.")]
PanelName = Annotated[str, typer.Option("--panel", help="Colours of the tubes, see --list.")]
Family = Annotated[Literal["a", "b"], typer.Option("--family", help="Tune on a; score on b, which is made otherwise.")]
Rate = Annotated[float, typer.Option("--rate", help="Events a second.")]
Signals = Annotated[bool, typer.Option("--signals", help="Keep each event's antigens before noise in its truth.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Threads; the bytes do not depend on it.")]
Listing = Annotated[bool, typer.Option("--list", help="List the scenarios and do nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files of the same names.")]


def simulate(
    listing: Listing = False,
    names: Names = None,
    seeds: Seeds = None,
    events: Events = None,
    out: Out = None,
    spike_ppm: Spike = None,
    companions: Companions = "",
    companion_events: CompanionEvents = None,
    batches: Batches = 0,
    donors: Donors = 1,
    preparation: Preparation = "whole",
    background: Background = None,
    panel: PanelName = "stroma_core_8",
    family: Family = "a",
    rate: Rate = 2_000.0,
    signals: Signals = False,
    jobs: Jobs = 2,
    force: Force = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Simulate tubes with known truth: the FCS, what every event is, true counts, and a sample sheet."""
    with speaking(as_json=as_json, debug=debug):
        if listing:
            _list(as_json)
            return
        from stromagate.simulate import Request, scenario

        request = Request(
            scenarios=[scenario(name) for name in _wanted(names, background)],
            seeds=seeds or [1],
            n_events=events,
            spike_ppm=spike_ppm,
            companions=[role.strip() for role in companions.split(",") if role.strip()],
            companion_events=companion_events,
            batches=batches,
            donors=donors,
            prepared=preparation,
            panel=panel,
            family=family,
            rate_per_s=rate,
            background=background,
        )
        _make(request, _folder(out), jobs=jobs, force=force, signals=signals, as_json=as_json)


def _make(request: Request, out: Path, *, jobs: int, force: bool, signals: bool, as_json: bool) -> None:
    from stromagate.simulate import deliver, orders_of

    orders, left_out = orders_of(request)
    for sentence in left_out:
        say(sentence, always=True)
    with progress("Simulating tubes", len(orders)) as step:
        made = deliver(orders, out, workers=jobs, force=force, keep_signals=signals, on_done=step)
    for tube in made:
        say(f"  {_line(tube)}")
    sheet = (out / "samples.csv").resolve()
    data = {
        "format": "stromagate.simulation/1",
        "sheet": str(sheet),
        "tubes": [_object(tube) for tube in made],
        "left_out": list(left_out),
    }
    emit(data, str(sheet), as_json=as_json)


def _wanted(names: list[str] | None, background: Path | None) -> list[str]:
    """Return the scenarios asked for; the stroma of a healthy marrow where only a background is given."""
    from stromagate.errors import UsageError

    if names:
        return names
    if background is not None:
        return ["healthy"]
    raise UsageError("simulate.what", "no scenario is named", hint="--scenario healthy, or --list to see what there is")


def _folder(out: Path | None) -> Path:
    from stromagate.errors import UsageError

    if out is None:
        raise UsageError("simulate.where", "no folder is named for the tubes", hint="--out tubes")
    return out


def _list(as_json: bool) -> None:
    from stromagate.simulate import PANELS, THEMES

    rows = [
        {"name": made.name, "theme": theme, "title": made.title, "msc_ppm": made.msc_ppm, "n_events": made.n_events}
        for theme, scenarios in THEMES.items()
        for made in scenarios
    ]
    blocks = [
        "\n".join([theme, *(f"  {made.name:<22} {made.title}" for made in scenarios)])
        for theme, scenarios in THEMES.items()
    ]
    panels = [{"name": each.name, "title": each.title, "markers": list(each.markers)} for each in PANELS]
    lines = [f"  {each.name:<22} {each.title}: {', '.join(each.markers)}" for each in PANELS]
    blocks.append("\n".join(["Panels (--panel)", *lines]))
    data = {"format": "stromagate.scenarios/1", "scenarios": rows, "panels": panels}
    emit(data, "\n\n".join(blocks), as_json=as_json)


def _object(tube: Delivered) -> dict[str, Any]:
    counts = tube.report["counts"]
    return {
        "sample_id": tube.order.sample_id,
        "role": tube.report["role"],
        "scenario": tube.order.scenario.name,
        "seed": tube.order.seed,
        "n_events": tube.report["events"]["all"],
        "fcs": str(tube.fcs.resolve()),
        "truth": str(tube.truth_report.resolve()),
        "events_truth": str(tube.truth_table.resolve()),
        "true_singlets": {name: counts[name]["viable_singlets"] for name in ("msc", "progenitors", "endothelium")},
    }


def _line(tube: Delivered) -> str:
    counts = tube.report["counts"]
    return (
        f"{tube.fcs.name}: {tube.report['events']['all']:,} events, {counts['msc']['viable_singlets']:,} living single "
        f"MSC, {counts['progenitors']['viable_singlets']:,} of them with CD146"
    )
