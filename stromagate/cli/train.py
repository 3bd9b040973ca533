"""``train``: a gate learned from reviewed runs, and what it is worth in donors it was not learned from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, spare, speaking

if TYPE_CHECKING:
    from stromagate.model.classifier import Classifier, DonorScore
    from stromagate.pipeline.train import Trained

_FOLDERS = "Folders of finished runs, as they were reviewed (run --edits)."
_FILES = "Where the FCS files lie; found by their content. May be given several times."
_AXES = "Two to eight axes, parted by commas: CD45,CD271."
_OUT = "File for a gate of the method `classifier` (JSON)."
_LABELS = "Folder with <sample_id>.csv a tube: members listed in the column `event`, from 0."
_RECALL = "Share of the members to find in the mean donor; by default the size with the best F1 is taken."


def train(
    folders: Annotated[list[Path], typer.Argument(help=_FOLDERS, show_default=False)],
    population: Annotated[str, typer.Option("--population", "-p", help="Population to learn.", show_default=False)],
    axes: Annotated[str, typer.Option(help=_AXES, show_default=False)],
    files: Annotated[list[Path], typer.Option("--files", "-f", help=_FILES, show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help=_OUT, show_default=False)],
    parent: Annotated[str, typer.Option(help="Population it is told apart in.", show_default="its own parent")] = "",
    donor: Annotated[str, typer.Option(help="Column of the sample sheet that says whose marrow it is.")] = "patient_id",
    recall: Annotated[float | None, typer.Option(help=_RECALL, show_default=False)] = None,
    labels: Annotated[Path | None, typer.Option(help=_LABELS, show_default=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Learn a gate from reviewed tubes and score it on donors left out."""
    with speaking(as_json=as_json, debug=debug):
        spare(out, "train.exists", force=force)
        from stromagate.pipeline.bundle import write_file
        from stromagate.pipeline.train import Wanted, train, written

        wanted = Wanted(
            population, tuple(axis.strip() for axis in axes.split(",") if axis.strip()), parent, donor, recall
        )
        made = train(folders, files, wanted, labels=labels, made_on=datetime.now(UTC).strftime("%Y-%m-%d"))
        write_file(out, written(made.document))
        _tell(made)
        data = {
            "out": str(out),
            "model": made.document.model_dump(mode="json"),
            "left_out": [{"sample_id": item.sample_id, "why": item.reason} for item in made.left_out],
        }
        emit(data, "\n".join([*_table(made.document), "", *_next(made, out)]), as_json=as_json)


def _tell(made: Trained) -> None:
    """Say what was not learned from, and what the labels are worth."""
    from stromagate.model.classifier import two_digits

    document = made.document
    for item in made.left_out:
        say(f"{item.sample_id} is left out: {item.reason}", always=True)
    if made.listed_elsewhere:
        say(f"{made.listed_elsewhere:,} listed events are not in '{document.parent}' and were passed over")
    if not any(tube.by_hand for tube in document.tubes):
        say(f"no boundary was drawn by hand: what the gate learns is the template's own {document.population}")
    empty = [score.donor for score in document.held_out if score.f1 is None]
    if empty:
        say(f"without any {document.population}, and so without F1: {', '.join(empty)}")
    own = [score.own_f1 for score in document.held_out if score.own_f1 is not None]
    if own and median(own) > document.f1_median:
        say(
            f"the template's own gate does better, with a median F1 of {two_digits(median(own))}: keep it, or try other"
        )
        say(f"  axes; an ellipse serves where {document.population} is one cloud on the axes, and no corner of one")
    if made.own_scales:
        say(
            f"the runs' template finds the scale of {', '.join(made.own_scales)} anew on every tube; the gate needs one"
        )
        say("  that is fixed. The gates above it may then lie elsewhere: run with the fixed scales, and train on that")


def _table(document: Classifier) -> list[str]:
    """Return a line for each donor left out, and the median and the worst; shares are rounded down."""
    from stromagate.model.classifier import two_digits

    own = any(score.own_f1 is not None for score in document.held_out)
    width = max(len("donor"), *(len(score.donor) for score in document.held_out))
    members, events = (sum(getattr(tube, name) for tube in document.tubes) for name in ("n_members", "n_parent"))
    template = "  F1 of the template" if own else ""
    return [
        f"{members:,} {document.population} among {events:,} {document.parent}; each donor by a gate of the others:",
        f"{'donor':<{width}}   events    found    false  precision  recall    F1{template}",
        *(_line(score, width, own=own) for score in document.held_out),
        f"F1: median {two_digits(document.f1_median)}, worst {two_digits(document.f1_worst)}",
    ]


def _line(score: DonorScore, width: int, *, own: bool) -> str:
    from stromagate.model.classifier import two_digits

    given = (score.precision, score.recall, score.f1, score.own_f1)
    precision, recall, f1, own_f1 = ("-" if share is None else two_digits(share) for share in given)
    counts = f"{score.n_members:>7,}  {score.found:>7,}  {score.false_events:>7,.0f}"
    last = f"{own_f1:>20}" if own else ""
    return f"{score.donor:<{width}}  {counts}  {precision:>9}  {recall:>6}  {f1:>4}{last}"


def _next(made: Trained, out: Path) -> list[str]:
    """Return what a template needs to use it."""
    from stromagate.templates.attached import written as as_yaml

    document = made.document
    return [
        f"{out}: put it beside your template, and write there:",
        "scales:",
        *(f"  {axis.axis}: {as_yaml(axis.scale)}" for axis in document.axes),
        "populations:",
        f"  - name: {document.population}",
        f"    parent: {document.parent}",
        f"    gate: {{method: classifier, model: {out.name}}}",
    ]
