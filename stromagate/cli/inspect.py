"""``inspect``: what is in a file, whether it can be trusted, and which template fits it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stromagate.cli.console import AsJson, Debug, emit, speaking

if TYPE_CHECKING:
    from stromagate.model.sample import Sample
    from stromagate.pipeline.inspection import Inspection, TemplateFit

Policy = Literal["strict", "repair", "salvage"]


def inspect(
    files: Annotated[list[Path], typer.Argument(help="FCS files, or folders of them.", show_default=False)],
    witness: Annotated[bool, typer.Option("--witness", help="Compare with FlowIO and fcsparser.")] = False,
    policy: Annotated[Policy, typer.Option(help="How odd files are treated.")] = "repair",
    dataset: Annotated[int | None, typer.Option(min=0, help="Data set of files that hold several.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what is in FCS files: verdict, repairs, panel, spillover, fitting templates.

    Ends with 3 when a file was refused.
    """
    with speaking(as_json=as_json, debug=debug):
        from stromagate.fcs import find_inputs
        from stromagate.pipeline.inspection import inspect_file

        looked = [
            inspect_file(path, policy=policy, dataset=dataset, ask_witnesses=witness) for path in find_inputs(files)
        ]
        data = {"format": "stromagate.inspection/1", "files": [item.to_json() for item in looked]}
        refused = [item.error for item in looked if item.error]
        error = refused[0].as_json() if refused else None
        emit(data, lambda: "\n\n".join(_page(item) for item in looked), as_json=as_json, error=error)
    if refused:
        raise typer.Exit(3)


def _page(item: Inspection) -> str:
    lines = [f"{item.path}", f"  verdict    {item.verdict}"]
    if item.sample is None:
        error = item.error
        return "\n".join(
            [*lines, f"  why        {error.message if error else ''}", f"  what to do {error.hint if error else ''}"]
        )
    lines += _head(item.sample) + _channels(item.sample)
    lines += _fits(item.templates)
    for report in item.witnesses:
        lines.append(f"  witness    {report.name}: {report.verdict}{': ' + report.detail if report.detail else ''}")
    return "\n".join(lines)


def _fits(templates: Sequence[TemplateFit]) -> list[str]:
    """Name the templates that fit; of the others the nearest one with what it lacks, and the rest by name."""
    lines = [f"  template   {fit.name}: fits" for fit in templates if fit.fits]
    lines += [f"  panel      {said}" for said in dict.fromkeys(said for fit in templates for said in fit.design)]
    others = sorted((fit for fit in templates if not fit.fits), key=lambda fit: fit.reason.count(";"))
    if others and len(others) == len(templates):
        nearest = others.pop(0)
        lines.append(f"  template   {nearest.name}: does not fit: {nearest.reason}")
    if others:
        lines.append(f"  template   these do not fit: {', '.join(sorted(fit.name for fit in others))}")
    return lines


def _head(sample: Sample) -> list[str]:
    source, spill = sample.source, sample.spillover
    sets = f", data set {source.dataset} of {source.n_datasets}" if source.n_datasets > 1 else ""
    lines = [
        f"  repair     {repair.code}: {repair.why} ({repair.before} -> {repair.after})" for repair in sample.repairs
    ]
    lines += _identity(sample)
    lines.append(
        f"  content    FCS {sample.version}, {sample.n_events:,} events x {len(sample.channels)} channels{sets}"
    )
    names = f" of {len(spill.channels)} channels from {spill.keyword}" if spill.status == "ok" else ""
    reason = f": {spill.reason}" if spill.reason else ""
    lines.append(f"  spillover  {spill.status}{names}{reason}")
    if any(sample.non_finite.values()):
        counts = ", ".join(f"{name} {n:,}" for name, n in sample.non_finite.items() if n)
        lines.append(f"  not finite {counts}")
    return lines


def _identity(sample: Sample) -> list[str]:
    from stromagate.fcs.identity import suspicions

    found = suspicions(sample.keywords, sample.source.path)
    remedy = ["  what to do stromagate deidentify FILE --out DIR makes a copy without"] if found else []
    return [f"  identity   {suspicion}" for suspicion in found] + remedy


def _channels(sample: Sample) -> list[str]:
    width = max((len(channel.pnn) for channel in sample.channels), default=0)
    rows = []
    for channel in sample.channels:
        log = f", log {channel.log_decades:g} decades" if channel.log_decades else ""
        gain = f", gain {channel.gain:g}" if channel.gain != 1 else ""
        rows.append(
            f"    {channel.index + 1:>3}  {channel.pnn:<{width}}  {channel.pns or '-':<24} "
            f"{channel.bits} bit, range {channel.range_top:g}{log}{gain}"
        )
    return ["  panel", *rows]
