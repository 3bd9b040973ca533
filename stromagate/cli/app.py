"""The command ``stromagate``: its verbs, in the order users see them.

Nothing heavy is imported here; each verb imports what it needs when it runs.
"""

from __future__ import annotations

import os
import signal
from typing import Annotated

import typer

from stromagate import __version__
from stromagate.cli import (
    agree,
    blanks,
    calibrate,
    cohort,
    compare,
    deidentify,
    demo,
    edits,
    inspect,
    lock,
    plan,
    plugins,
    report,
    review,
    run,
    sheet,
    simulate,
    templates,
    train,
    verify,
)
from stromagate.cli.console import RESEARCH_USE
from stromagate.cli.everywhere import everywhere
from stromagate.cli.verbs import Verbs

app = typer.Typer(
    name="stromagate",
    cls=Verbs,
    help=f"Rare bone-marrow stroma in flow cytometry, counted with honest uncertainty. {RESEARCH_USE}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    _version_asked: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version number and nothing else."),
    ] = False,
) -> None:
    pass


app.command("inspect")(inspect.inspect)
app.command("deidentify")(deidentify.deidentify)
app.command("sheet")(sheet.sheet)
app.command("plan")(plan.plan)
app.command("run")(run.run)
app.command("report")(report.report)
app.command("review")(review.review)
app.command("agree")(agree.agree)
app.command("verify")(verify.verify)
app.command("compare")(compare.compare)
app.command("cohort")(cohort.cohort)
app.command("edits")(edits.edits)
app.command("lock")(lock.lock)
app.command("blanks")(blanks.blanks)
app.command("calibrate")(calibrate.calibrate)
app.command("train")(train.train)
app.add_typer(templates.app, name="templates")
app.command("plugins")(plugins.plugins)
app.command("simulate")(simulate.simulate)
app.command("demo")(demo.demo)
everywhere(app)


def main() -> None:
    """Run the command line."""
    # One BLAS thread, set before numpy is loaded: products here are slim, and two threads only get in each other's way.
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    # A scheduler's or a closed terminal's wish to end is met as Ctrl-C is; who asked to ignore one (nohup) is obeyed.
    for name in ("SIGTERM", "SIGHUP"):
        wish = getattr(signal, name, None)
        if wish is not None and signal.getsignal(wish) == signal.SIG_DFL:
            signal.signal(wish, signal.default_int_handler)
    app()
